"""The emulator in a process of its own, so that its processor time is never counted as a client's.

``python server.py '{"teams": 20}'`` prints the connection options, then answers one command a line.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from lakeflow_teams import _core


def _urls(graph: _core.GraphEmulator) -> list[str]:
    """What was asked with GET, ready to be asked again."""
    asked = [entry for entry in graph.requests() if entry["method"] == "GET" and not entry["batched"]]
    return [graph.url + entry["path"] + (f"?{entry['query']}" if entry["query"] else "") for entry in asked]


def main() -> None:
    graph = _core.GraphEmulator(**json.loads(sys.argv[1]))
    with graph:
        commands: dict[str, Any] = {
            "urls": lambda: _urls(graph),
            "counts": graph.request_counts,
            "statuses": lambda: [entry["status"] for entry in graph.requests()],
            "connections": lambda: graph.connections,
            "clear": graph.clear_requests,
            "set": graph.set,
            "act": graph.act,
            "users": lambda: [user["id"] for user in graph.truth("users")],
            "advance": graph.advance,
            "answers": lambda: [notice["took_ms"][0] for notice in graph.notices() if notice["took_ms"]],
            "mutate": lambda **counts: bool(graph.mutate(**counts)),
        }
        print(json.dumps({"options": graph.options}), flush=True)
        for line in sys.stdin:
            name, arguments = json.loads(line)
            print(json.dumps(commands[name](**arguments)), flush=True)


if __name__ == "__main__":
    main()
