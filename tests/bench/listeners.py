"""A listener for the stage `notifications`: a receiver on a server of its own, until its input ends.

``python listeners.py '{"options": ..., "folder": ..., "port": ...}'`` prints ``ready``, and at the end its figures.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from typing import Any


def main() -> None:
    job: dict[str, Any] = json.loads(sys.argv[1])
    import uvicorn

    from lakeflow_teams.listen import Change, Receiver
    from lakeflow_teams.listen.losses import polls
    from lakeflow_teams.store.locate import locate

    everything = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}
    table = {"source_table": "messages", "table_configuration": everything}
    spec = {"connection_name": "bench", "objects": [{"table": table}]}
    receiver = Receiver(spec, job["folder"], url=f"http://127.0.0.1:{job['port']}/in", connection=job["options"])
    # By this process's clock: that of the emulator runs ahead of it as it makes messages.
    came: list[float] = []
    stored: list[float] = []

    @receiver.on("messages")
    def note(_change: Change) -> None:
        stored.append(time.monotonic())

    async def timed(scope: Any, receive: Any, send: Any) -> None:
        begin = time.monotonic()
        await receiver(scope, receive, send)
        if scope["type"] == "http" and not scope["query_string"]:  # a handshake has one
            came.append(begin)

    server = uvicorn.Server(uvicorn.Config(timed, port=job["port"], log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    folder = locate(job["folder"]).path / "_listen"  # type: ignore[attr-defined]
    while not polls(folder):
        time.sleep(0.1)
    print("ready", flush=True)
    before = resource.getrusage(resource.RUSAGE_SELF)
    wanted = int(sys.stdin.readline())
    end = time.monotonic() + 60
    while len(stored) < wanted and time.monotonic() < end:
        time.sleep(0.1)
    after = resource.getrusage(resource.RUSAGE_SELF)
    server.should_exit = True
    thread.join()
    # One notification a POST, merged in the order in which they came.
    lags = sorted(late - early for early, late in zip(sorted(came), stored, strict=False))
    ordered = lags or [0.0]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {
        "rows": len(lags),
        "lag_median": ordered[len(ordered) // 2],
        "lag_99": ordered[int(len(ordered) * 0.99) - 1],
        "lag_most": ordered[-1],
        "cpu": cpu,
        "peak_mb": after.ru_maxrss / 1024,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
