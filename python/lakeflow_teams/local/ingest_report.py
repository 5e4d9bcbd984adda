"""The table ``ingest_report``: what each run did, beside the tables that it filled.

A row for each destination, and for each scope (a team, a channel, a chat, a user, a list of the whole tenant) that gave
rows, was left out, failed or was throttled. Scopes that were asked and had nothing new share one row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pyarrow as pa

from lakeflow_teams.local.names import Names
from lakeflow_teams.local.write import delta, upkeep
from lakeflow_teams.results.summary import RunSummary, one_line
from lakeflow_teams.spec.pipeline import PipelineSpec
from lakeflow_teams.store.location import Location

NAME = "ingest_report"

SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("started_at", pa.string()),
        ("finished_at", pa.string()),
        ("connection_name", pa.string()),
        ("kind", pa.string()),
        ("scope", pa.string()),
        ("name", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("rows", pa.int64()),
        ("requests", pa.int64()),
        ("throttled_seconds", pa.float64()),
    ]
)

_QUIET = "(nothing new)"


def write(
    spec: PipelineSpec, target: Location, summary: RunSummary, scopes: str, times: tuple[str, str], *, names: Names
) -> None:
    """Appends the run's rows to ``ingest_report`` in the schema of the first destination.

    ``times`` are begin and end of the run, ``scopes`` is the core's JSON list, and ``names`` are those of its ids. A run
    must not fail because its report cannot be written: that becomes a note.
    """
    first = spec.tables[0]
    if any((table.catalog, table.schema, table.table) == (first.catalog, first.schema, NAME) for table in spec.tables):
        summary.notes.append(f"{NAME} is one of the destinations, so the run's own report is not written")
        return
    path = target / first.catalog / first.schema / NAME
    run = {
        "run_id": uuid4().hex,
        "started_at": times[0],
        "finished_at": times[1],
        "connection_name": summary.connection_name,
    }
    try:
        rows = [{**run, **row} for row in (*_destinations(summary), *_named(_scopes(json.loads(scopes)), names))]
        delta.log(path, pa.Table.from_pylist(rows, SCHEMA))
        upkeep.after_log(path)
    except Exception as raised:  # whatever it is, the tables are written
        error = target.explained(raised)
        summary.notes.append(f"{NAME} could not be written: {type(error).__name__}: {one_line(error)}")


def _named(scopes: Iterable[dict[str, Any]], names: Names) -> list[dict[str, Any]]:
    found = list(scopes)
    names.add(found)
    return found


def _destinations(summary: RunSummary) -> Iterable[dict[str, Any]]:
    for line in summary.destinations:
        yield {
            "kind": "destination",
            "scope": line.destination,
            "status": "failed" if line.error else "ok",
            "reason": line.error,
            "rows": line.rows,
        }


def _scopes(scopes: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    quiet = {
        "kind": "scope",
        "scope": _QUIET,
        "status": "ok",
        "reason": None,
        "rows": 0,
        "requests": 0,
        "throttled_seconds": 0.0,
    }
    for scope in scopes:
        if scope["status"] == "ok" and not scope["rows"] and not scope["throttled_seconds"]:
            quiet["requests"] += scope["requests"]
        else:
            yield {"kind": "scope", **scope, "reason": scope["reason"] or None}
    if quiet["requests"]:
        yield quiet
