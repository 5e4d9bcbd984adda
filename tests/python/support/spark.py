"""Helpers for tests with Spark."""

from __future__ import annotations

import json
import re

from lakeflow_teams import _core
from lakeflow_teams.testing.compare import COLUMNS, compare
from support.lists import LISTS

TABLES = [info["name"] for info in _core.tables()]
INFO = {info["name"]: info for info in _core.tables()}
EVERYTHING = {"fetch_all_teams": "true", "fetch_all_channels": "true", "fetch_all_messages": "true"}
#: Tables whose truth the tenant does not tell, or with a time in the key, which JSON writes in several ways.
UNTOLD = [
    name
    for name, info in INFO.items()
    if name == "retained_messages"
    or (
        info["reading"] in ("channel_messages", "chat_messages")
        and name not in ("messages", "message_replies", "chat_messages")
    )
]
TOLD = [name for name in TABLES if name not in UNTOLD]
#: Options that read all of a table: what its declaration asks for, where that leaves no choice.
NEEDS = {
    **{name: dict.fromkeys(re.findall(r"fetch_all_\w+", info["required_options"]), "true") for name, info in INFO.items()},
    "messages": EVERYTHING,
    "message_replies": EVERYTHING,
    **{table: dict.fromkeys(needs, "true") for table, needs in LISTS.items()},
}
#: What happens in the tenant between two runs.
EVENTS = {"new_messages": 6, "late_replies": 8, "edits": 7, "deletes": 3}


def batch(spark, options, table, form="microsoft_teams", **more):
    """A DataFrame of a whole table."""
    return reader(spark.read, options, table, form, **more).load()


def reader(start, options, table, form="microsoft_teams", **more):
    """A reader with the connection's and the table's options."""
    return start.format(form).options(**options, **NEEDS.get(table, {}), **more).option("tableName", table)


def run_stream(spark, options, table, folder, form="microsoft_teams", **more):
    """One AvailableNow run into Parquet; the query, which has ended."""
    query = (
        reader(spark.readStream, options, table, form, **more)
        .load()
        .writeStream.format("parquet")
        .option("checkpointLocation", f"{folder}/checkpoint")
        .option("path", f"{folder}/rows")
        .trigger(availableNow=True)
        .start()
    )
    assert query.awaitTermination(120)
    return query


def run_stream_to_the_end(spark, options, table, folder, **more):
    """AvailableNow runs until two in a row add nothing: before Spark 4.2 a run is one micro-batch, or the last one again."""
    unchanged, before = 0, None
    while unchanged < 2:
        run_stream(spark, options, table, folder, **more)
        unchanged = unchanged + 1 if offsets(folder) == before else 0
        before = offsets(folder)


def stored(spark, table, folder, keys=None):
    """The newest row of each key in a stream's Parquet destination, as plain values."""
    cursor = INFO[table]["cursor_field"]
    newest = {}
    for row in rows(spark.read.parquet(f"{folder}/rows")):
        key = tuple(row[name] for name in keys or INFO[table]["primary_keys"])
        if key not in newest or row[cursor] >= newest[key][cursor]:
            newest[key] = row
    return list(newest.values())


def rows(frame):
    """A DataFrame's rows as plain values."""
    return [json.loads(text, object_hook=None) for text in frame.toJSON().collect()]


def differences(graph, table, found):
    """Every difference between rows and the tenant."""
    COLUMNS.setdefault(table, ())
    return compare(table, found, graph.truth(table), INFO[table]["primary_keys"])


def happen(graph, seconds=3600):
    """Things happen in the tenant, and time passes."""
    graph.mutate(**EVENTS)
    graph.advance(seconds)


def offsets(folder):
    """The offsets of a checkpoint, by batch."""
    files = (folder / "checkpoint" / "offsets").glob("[0-9]*")
    return {int(file.name): json.loads(file.read_text().splitlines()[-1]) for file in files}
