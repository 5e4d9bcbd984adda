"""A backlog for the stage `backlog`: notifications pile up while nothing is merged, and are drained then.

``python backlogs.py '{"options": ..., "folder": ..., "port": ...}'`` prints ``ready`` once its tables are there and what Graph sends
is only kept; it reads how many are to come, and prints its figures once they are in the table.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn

from lakeflow_teams import _core
from lakeflow_teams.listen.files import FOLDER
from lakeflow_teams.listen.losses import polls
from lakeflow_teams.listen.receiver import answer
from lakeflow_teams.listen.service import Service
from lakeflow_teams.listen.settings import Settings
from lakeflow_teams.spec.pipeline import load

ALL = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}


class Place:
    """A lakehouse, the address of its listener, and a server there that answers for whatever listens now."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.target, self.options = job["folder"], job["options"]
        self.folder = Path(self.target) / FOLDER
        table = {"source_table": "messages", "table_configuration": ALL}
        self.spec = load({"connection_name": "bench", "objects": [{"table": table}]})
        self.settings = Settings(url=f"http://127.0.0.1:{job['port']}/in")
        self.listening: Any = None
        config = uvicorn.Config(
            self._app, port=job["port"], log_level="error", access_log=False, lifespan="off", interface="asgi3"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        await answer(self.listening, self.settings.path, scope, receive, send)

    @contextmanager
    def service(self) -> Any:
        """Everything that a listener does."""
        self.listening = Service(self.spec, self.target, self.settings, self.options)
        self.listening.start(asyncio.new_event_loop())
        try:
            yield self.listening
        finally:
            self.listening.stop(60.0)

    @contextmanager
    def keeper(self) -> Any:
        """What comes is proven and kept, and nothing merges it."""
        core = _core.Listener(self.folder, self.options, [("messages", _texts(ALL), None)], self.settings.for_core(None))
        self.listening = SimpleNamespace(core=core, wake=lambda: None, answered=lambda _seconds: None)
        try:
            yield core
        finally:
            self.listening = None
            core.close()


def _texts(options: dict[str, bool]) -> dict[str, str]:
    return {name: str(value).lower() for name, value in options.items()}


def _until(what: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def main() -> None:
    place = Place(json.loads(sys.argv[1]))
    with place.service():
        _until(lambda: polls(place.folder), 60)
    with place.keeper() as core:
        core.maintain()  # what it knows of subscriptions is read by the first look at them
        print("ready", flush=True)
        wanted = int(sys.stdin.readline())
        _until(lambda: core.spool["items"] >= wanted, 1800)
        kept = core.spool
    print("kept", flush=True)
    sys.stdin.readline()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    with place.service() as service:
        _until(lambda: service.core.spool["items"] == 0, 3600)
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        _until(lambda: len(polls(place.folder)) > 1, 600)
        found = sum(poll.found for poll in polls(place.folder)[1:])
    place.server.should_exit = True
    place.thread.join()
    from deltalake import DeltaTable

    rows = DeltaTable(Path(place.target) / "main" / "default" / "messages").to_pyarrow_dataset().count_rows()
    figures = {
        "items": kept["items"],
        "spool_mb": kept["bytes"] / 1e6,
        "seconds": took,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
        "found": found,
        "rows": rows,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
