"""Senders for the stage `broadcasts`: ours, and a straightforward one in Python. Each is a process of its own.

``python senders.py NAME '{"options": ..., "folder": ...}'`` prints its figures.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Job = dict[str, Any]
CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [
        {"type": "TextBlock", "text": "Hello ${display_name}", "size": "Large", "wrap": True},
        {"type": "FactSet", "facts": [{"title": "Id", "value": "${toUpper(user_id)}"}]},
    ],
}
#: Threads of the plain sender.
THREADS = 50


def engine(job: Job) -> Callable[[], dict[str, Any]]:
    """The core, its recipients frozen before; with a journal that is on disk before each message."""
    from lakeflow_teams import _core

    folder = Path(tempfile.mkdtemp(dir=job["folder"]))
    wanted = {"everyone": True, "include_guests": True, "include_unlicensed": True}
    options = {"rate_limits": "off", **job["options"]}
    began = time.perf_counter()
    _core.resolve_recipients(options, json.dumps(wanted), iter(()), folder)
    plan = {"name": "bench", "run": "bench", "card": CARD, "install": False}
    (folder / "plan.json").write_text(json.dumps(plan))
    resolving = time.perf_counter() - began

    def run() -> dict[str, Any]:
        work = _core.Broadcast(folder, options)
        work.run()
        states, timeline = json.loads(work.states())["states"], work.timeline()
        work.close()
        return {"sent": states.get("succeeded", 0), "resolving": resolving, "timeline": timeline}

    return run


def plain(job: Job) -> Callable[[], dict[str, Any]]:
    """What one writes first: threads with a connection each, no ledger; a 429 sleeps as it says."""
    options = job["options"]
    host = urlsplit(options["graph_base_url"]).netloc
    tenant = options["tenant_id"]

    def token(scope: str) -> str:
        form = {
            "client_id": options["client_id"],
            "client_secret": options["client_secret"],
            "grant_type": "client_credentials",
            "scope": scope,
        }
        connection = HTTPConnection(host)
        connection.request("POST", f"/{tenant}/oauth2/v2.0/token", urlencode(form))
        found: str = json.loads(connection.getresponse().read())["access_token"]
        return found

    graph = HTTPConnection(host)
    path, users = "/v1.0/users?$top=999&$select=id,displayName,accountEnabled", []
    head = {"Authorization": f"Bearer {token('https://graph.microsoft.com/.default')}"}
    while path:
        graph.request("GET", path, headers=head)
        page = json.loads(graph.getresponse().read())
        users += [user for user in page["value"] if user["accountEnabled"]]
        link = page.get("@odata.nextLink")
        path = link.partition(host)[2] if link else ""
    bearer = {
        "Authorization": f"Bearer {token('https://api.botframework.com/.default')}",
        "Content-Type": "application/json",
    }
    local = threading.local()

    def post(path: str, body: Any) -> dict[str, Any]:
        connection = getattr(local, "connection", None) or HTTPConnection(host)
        local.connection = connection
        while True:
            connection.request("POST", f"/teams/v3{path}", json.dumps(body), bearer)
            answer = connection.getresponse()
            said, wait = answer.read(), answer.getheader("Retry-After")
            if answer.status != 429:
                found: dict[str, Any] = json.loads(said)
                return found
            time.sleep(float(wait or 1))

    def one(user: dict[str, Any]) -> bool:
        opened = post("/conversations", {"tenantId": tenant, "members": [{"id": user["id"]}], "isGroup": False})
        text = (
            json.dumps(CARD)
            .replace("${display_name}", user["displayName"])
            .replace("${toUpper(user_id)}", user["id"].upper())
        )
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": json.loads(text)}
        message = {"type": "message", "attachments": [attachment]}
        return "id" in post(f"/conversations/{quote(opened['id'])}/activities", message)

    def run() -> dict[str, Any]:
        with ThreadPoolExecutor(THREADS) as pool:
            return {"sent": sum(pool.map(one, users))}

    return run


SENDERS = {one.__name__: one for one in (engine, plain)}


def main() -> None:
    run = SENDERS[sys.argv[1]](json.loads(sys.argv[2]))
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = run()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    result["wall"] = wall
    result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result["peak_mb"] = after.ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
