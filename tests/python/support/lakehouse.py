"""Helpers for tests of the local lakehouse."""

from __future__ import annotations

from lakeflow_teams import _core
from lakeflow_teams.local.write.delta import opened, read
from lakeflow_teams.store.locate import locate
from lakeflow_teams.testing.compare import compare

TABLES = ("teams", "channels", "members", "messages", "message_replies", "chats")
NEEDS = {
    "teams": {},
    "channels": {"fetch_all_teams": True},
    "members": {"fetch_all_teams": True},
    "messages": {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True},
    "message_replies": {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True},
    "chats": {},
}
#: What happens in the tenant between two runs.
EVENTS = {"new_messages": 6, "late_replies": 8, "edits": 7, "deletes": 3}


def entry(source, destination=None, **configuration):
    """One object of a pipeline spec."""
    return {
        "table": {
            "source_table": source,
            "destination_schema": "teams",
            "destination_table": destination or source,
            "table_configuration": {**NEEDS[source], **configuration},
        }
    }


def pipeline(*entries):
    """A pipeline spec; without entries, of all six tables."""
    return {"connection_name": "test", "objects": list(entries) or [entry(table) for table in TABLES]}


def place(target, table):
    """Where a destination lies."""
    return locate(target) / "main" / "teams" / table


def stored(target, table):
    """A destination's rows as one Arrow table."""
    return read(place(target, table))


def version(target, table):
    """How many commits a destination has had, less one."""
    return opened(place(target, table)).version()


def differences(graph, target, tables=TABLES):
    """Every difference between the lakehouse and the tenant."""
    keys = {info["name"]: info["primary_keys"] for info in _core.tables()}
    found = []
    for table in tables:
        rows = stored(target, table).to_pylist()
        found += [f"{table}: {problem}" for problem in compare(table, rows, graph.truth(table), keys[table])]
    return found


def later(graph, seconds=3600):
    """Things happen in the tenant, and time passes."""
    graph.mutate(**EVENTS)
    graph.advance(seconds)
