"""Importers for the stage `imports`: ours, and a straightforward one in Python. Each is a process of its own.

``python importers.py NAME '{"options": ..., "channels": 50, "messages": 100, "characters": 200}'`` prints its figures.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from contenders import _token

Job = dict[str, Any]
#: 2021-01-01 in microseconds.
START = 1_609_459_200_000_000


def _plan(job: Job, author: str) -> dict[str, Any]:
    container = {"kind": "standard", "team": 0, "id": None, "general": False, "description": "", "created": None}
    rest = {"members": [], "refused": None, "notes": []}
    return {
        "run": "bench",
        "teams": [{"id": None, "name": "Bench", "description": ""}],
        "containers": [{"source": f"c{n}", "name": f"room {n}", **container, **rest} for n in range(job["channels"])],
        "people": {"u": {"id": author, "name": "Ada"}},
        "fallback": None,
        "owner": None,
        "images": "inline",
        "reactions": "try",
        "rate": None,
        "since": None,
        "until": None,
        "add_members": False,
    }


def _batches(job: Job) -> Iterator[Any]:
    import pyarrow as pa

    from lakeflow_teams.deliver.sources.model import MESSAGES

    text = "<p>" + "x" * job["characters"] + "</p>"
    for container in range(job["channels"]):
        for first in range(0, job["messages"], 4096):
            rows = [
                {
                    "container": f"c{container}",
                    "source_id": str(n),
                    "parent": str(n - n % 4) if n % 4 else None,
                    "author": "u",
                    "created": START + 1000 * n,
                    "html": text,
                }
                for n in range(first, min(first + 4096, job["messages"]))
            ]
            yield pa.RecordBatch.from_pylist(rows, MESSAGES)


def _author(options: dict[str, str]) -> str:
    from lakeflow_teams import _core

    batch = next(iter(_core.Client(options).read("users", {}, ["id"])))
    return batch.to_pylist()[0]["id"]


def _staged(job: Job, folder: Path) -> None:
    from lakeflow_teams import _core

    folder.mkdir(parents=True)
    plan = json.dumps(_plan(job, _author(job["options"])))
    (folder / "plan.json").write_text(plan)
    (folder / "stage.json").write_text(_core.stage_import(plan, _batches(job), folder))


def engine(job: Job) -> Callable[[], dict[str, Any]]:
    """The core: staged before, and then run."""
    from lakeflow_teams import _core

    folder = Path(tempfile.mkdtemp(dir=job["folder"])) / "stage"
    began = time.perf_counter()
    _staged(job, folder)
    staging = time.perf_counter() - began

    def run() -> dict[str, Any]:
        work = _core.Import(folder, {"rate_limits": "off", **job["options"]})
        work.begin(job["options"]["client_id"])
        work.run()
        states = json.loads(work.states())
        timeline = work.timeline()
        work.close()
        return {"posts": sum(one["states"]["posted"] for one in states), "staging": staging, "timeline": timeline}

    return run


def resume(job: Job) -> Callable[[], dict[str, Any]]:
    """The core again, when half of the posts are in the journal: the time until the first post."""
    from lakeflow_teams import _core

    folder = Path(tempfile.mkdtemp(dir=job["folder"])) / "stage"
    _staged(job, folder)
    with (folder / "journal").open("w") as journal:
        for c in range(job["channels"]):
            for i in range(job["messages"] // 2):
                journal.write(f'{{"a":{{"c":{c},"i":{i},"t":{START // 1000 + i},"h":1}}}}\n')
                journal.write(
                    f'{{"p":{{"c":{c},"i":{i},"t":{START // 1000 + i},"id":"{START // 1000 + i}","h":{2**63 + i}}}}}\n'
                )

    def run() -> dict[str, Any]:
        began = time.perf_counter()
        work = _core.Import(folder, {"rate_limits": "off", **job["options"]})
        first: list[float] = []

        def tell(counts: list[tuple[int, int]]) -> None:
            if not first and any(one[0] for one in counts):
                first.append(time.perf_counter() - began)
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            work.run(tell)
        return {"posts": job["channels"] * job["messages"], "first_post": first[0] if first else None}

    return run


def check(job: Job) -> Callable[[], dict[str, Any]]:
    """What a run of an export would do, from the zip to the counts."""
    from lakeflow_teams import import_messages

    plan = {
        "source": {"path": job["export"], "format": "slack"},
        "team": "Bench",
        "fallback_author": _author(job["options"]),
    }

    def run() -> dict[str, Any]:
        summary = import_messages(plan, job["folder"], job["options"], step="check")
        return {"posts": sum(summary.counts.values())}

    return run


def plain(job: Job) -> Callable[[], dict[str, Any]]:
    """What one writes first: a thread per channel, a connection each, no ledger; a 429 sleeps as it says."""
    token, options = _token(job["options"]), job["options"]
    author = _author(options)
    host = urlsplit(options["graph_base_url"]).netloc
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(connection: HTTPConnection, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        while True:
            connection.request("POST", f"/v1.0{path}", json.dumps(body), head)
            answer = connection.getresponse()
            said, headers = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
            if answer.status != 429:
                return answer.status, headers, json.loads(said) if said else None
            time.sleep(float(headers.get("retry-after", 1)))

    past = "2020-01-01T00:00:00Z"
    team = {
        "@microsoft.graph.teamCreationMode": "migration",
        "template@odata.bind": "https://graph.microsoft.com/v1.0/teamsTemplates('standard')",
        "displayName": "Bench",
        "createdDateTime": past,
    }
    first = HTTPConnection(host)
    _, headers, _ = send(first, "/teams", team)
    team_id = headers["location"].split("'")[1]

    seconds: list[int] = []
    started = time.perf_counter()

    def make(number: int) -> str:
        # All at once, most would be refused again and again: four a second and team are granted.
        time.sleep(0.3)
        body = {
            "@microsoft.graph.channelCreationMode": "migration",
            "displayName": f"room {number}",
            "createdDateTime": past,
        }
        _, _, made = send(first, f"/teams/{team_id}/channels", body)
        return str(made["id"])

    def channel(channel_id: str) -> int:
        connection = HTTPConnection(host)
        messages = f"/teams/{team_id}/channels/{quote(channel_id)}/messages"
        text, posted, root = "<p>" + "x" * job["characters"] + "</p>", 0, ""
        for n in range(job["messages"]):
            at = START // 1000 + n
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z"
            message = {
                "createdDateTime": moment,
                "from": {"user": {"id": author, "displayName": "Ada", "userIdentityType": "aadUser"}},
                "body": {"contentType": "html", "content": text},
            }
            status, _, said = send(connection, f"{messages}/{root}/replies" if n % 4 else messages, message)
            posted += status == 201
            seconds.append(int(time.perf_counter() - started))
            root = root if n % 4 else said["id"]
        return posted

    def run() -> dict[str, Any]:
        with ThreadPoolExecutor(job["channels"]) as pool:
            posts = sum(pool.map(channel, [make(number) for number in range(job["channels"])]))
        counts = Counter(seconds)
        return {"posts": posts, "timeline": [counts[second] for second in range(max(counts) + 1)]}

    return run


IMPORTERS = {one.__name__: one for one in (engine, resume, check, plain)}


def main() -> None:
    run = IMPORTERS[sys.argv[1]](json.loads(sys.argv[2]))
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = run()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    result["wall"] = wall
    result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result["peak_mb"] = after.ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
