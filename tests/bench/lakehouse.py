"""Contenders that write Delta tables: ours, plain appends of what is read, and dlt merging the same rows."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Job = dict[str, Any]
TABLES = ("messages", "message_replies")
WHOLE = {"fetch_all_teams": "true", "fetch_all_channels": "true", "fetch_all_messages": "true"}
ROWS_PER_BATCH = 20_000


def _spec(tables: Sequence[str]) -> dict[str, Any]:
    configuration = {"messages": {**WHOLE, "top": "50"}, "message_replies": {**WHOLE, "top": "50"}}
    others = {"members": {"fetch_all_teams": "true"}, "users": {}}
    objects = [
        {"table": {"source_table": table, "table_configuration": {**configuration, **others}[table]}} for table in tables
    ]
    return {"connection_name": "bench", "objects": objects}


def _import_what_comes_with_use() -> None:
    """No import is measured: pyarrow imports pandas, where it is installed, with the first value that it is given."""
    import pyarrow as pa

    pa.scalar("")


def ingest(job: Job) -> Callable[[], dict[str, Any]]:
    """``lakeflow-teams ingest`` into ``target``."""
    from lakeflow_teams import ingest_local
    from lakeflow_teams.local import runner  # noqa: F401  (its imports are not measured)

    _import_what_comes_with_use()

    def run() -> dict[str, Any]:
        summary = ingest_local(_spec(job.get("tables", TABLES)), job["target"], {"rate_limits": "off", **job["options"]})
        changed = sum(line.inserts + line.updates + line.deletes for line in summary.destinations)
        return {"rows": sum(line.rows for line in summary.destinations), "changed": changed}

    return run


def _batches(job: Job) -> Iterator[tuple[str, Any]]:
    """What our reader gives, in micro-batches: everything, or what came after where ``offset_file`` says that one ended."""
    import pyarrow as pa

    from lakeflow_teams import _core

    client = _core.Client({"rate_limits": "off", **job["options"]})
    options = {**WHOLE, "top": "50"}
    schemas = {table: pa.schema(client.schema(table, options)) for table in TABLES}
    place = Path(job["offset_file"]) if "offset_file" in job else None
    offset, finished = (place.read_text() if place and place.exists() else None), False
    while not finished:
        step = client.micro_batch(list(TABLES), options, offset, max_rows=ROWS_PER_BATCH)
        for table, batches in step.tables.items():
            yield table, pa.Table.from_batches([pa.record_batch(batch) for batch in batches], schemas[table])
        offset, finished = step.offset, step.finished
    if place:
        place.write_text(offset)


def thrown_away(job: Job) -> Callable[[], dict[str, Any]]:
    """The same rows read and written to nowhere."""
    return lambda: {"rows": sum(rows.num_rows for _, rows in _batches(job))}


def appends(job: Job) -> Callable[[], dict[str, Any]]:
    """The same rows read, and added to a table each in plain appends: no offset, no keys, doubled by a kill."""
    from deltalake import DeltaTable, write_deltalake

    _import_what_comes_with_use()

    def run() -> dict[str, Any]:
        count, tables = 0, {}
        for table, rows in _batches(job):
            if rows.num_rows:
                place = str(Path(job["target"]) / table)
                write_deltalake(tables.get(table, place), rows, mode="append")
                if table not in tables:
                    tables[table] = DeltaTable(place)
            count += rows.num_rows
        return {"rows": count}

    return run


def _each_once(batches: Iterator[tuple[str, Any]], keys: dict[str, list[str]]) -> Iterator[tuple[str, Any]]:
    """Without rows that come again: dlt's merge takes a key once in a load."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from lakeflow_teams.local.write.recent import Recent
    from lakeflow_teams.local.write.rows import newest

    known = {table: Recent([key]) for table, key in keys.items()}
    given: dict[str, list[str]] = {table: [] for table in keys}
    for table, some in batches:
        rows = newest(some, keys[table], None)
        before = known[table].among(given[table], rows, keys[table]).values()
        again = pa.array(sorted({row for held in before for row in held}), pa.int64())
        rows = rows.filter(pc.invert(pc.is_in(pa.array(range(rows.num_rows), pa.int64()), again)))
        given[table].append(str(len(given[table])))
        known[table].note(given[table][-1:], rows)
        yield table, rows


def dlt_merge(job: Job) -> Callable[[], dict[str, Any]]:
    """The same rows, as Arrow tables of our reader, merged into Delta tables by dlt."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    _import_what_comes_with_use()
    logging.disable(logging.WARNING)
    keys = {
        "messages": ["team_id", "channel_id", "id"],
        "message_replies": ["team_id", "channel_id", "parent_message_id", "id"],
    }
    place = Path(job["target"])
    count = 0

    def rows() -> Iterator[Any]:
        nonlocal count
        for table, some in _each_once(_batches(job), keys):
            count += some.num_rows
            if some.num_rows:
                hints = dlt.mark.make_hints(
                    table_name=table,
                    primary_key=keys[table],
                    write_disposition={"disposition": "merge", "strategy": "upsert"},
                )
                yield dlt.mark.with_hints(some, hints, create_table_variant=True)

    def run() -> dict[str, Any]:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=str(place / "state"),
            destination=dlt.destinations.filesystem(str(place / "tables")),
            dataset_name="teams",
        )
        pipeline.run(dlt.resource(rows, name="rows", table_format="delta")).raise_on_failed_jobs()
        return {"rows": count}

    return run
