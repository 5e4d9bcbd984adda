"""Rows that are taken from messages, in the local lakehouse: what is gone from a message is gone from its table."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lakeflow_teams import TeamsClient, ingest_local
from lakeflow_teams.local import incremental, plan
from lakeflow_teams.local.write import emptied, sets
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.local.write.destination import Destination, Shape
from support.lakehouse import differences, entry, pipeline, stored

EVERYTHING = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}
DETAILS = ("message_reactions", "message_mentions", "message_attachments", "system_events", "hosted_contents")
EVENTS = {"reactions": 5, "reaction_removals": 3, "stripped": 3, "edits": 4, "deletes": 2, "late_replies": 3}


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 150)


def spec(*tables, **more):
    entries = [entry(table) for table in ("messages", "message_replies")]
    for table in tables:
        one = entry("messages", table, **more)
        one["table"]["source_table"] = table
        entries.append(one)
    return pipeline(*entries)


def messages(graph):
    for row in [*graph.truth("messages"), *graph.truth("message_replies")]:
        yield (row["channel_id"], row.get("parent_message_id", row["id"]), row["id"]), row


def wanted(graph, items):
    """Message to its items, as the tenant has them now."""
    return {key: items(row) for key, row in messages(graph) if items(row)}


def held(rows, item):
    """The same from a table."""
    found = {}
    for row in sorted(rows, key=lambda row: row["position"]):
        found.setdefault((row["channel_id"], row["root_message_id"], row["message_id"]), []).append(item(row))
    return found


def check(graph, rows, table):
    if table == "message_reactions":
        truth = wanted(graph, lambda row: [(r["reactionType"], r["user"]["user"]["id"]) for r in row["reactions"]])
        assert held(rows, lambda row: (row["reactionType"], row["user_id"])) == truth
    elif table == "message_mentions":
        truth = wanted(graph, lambda row: [m["mentionText"] for m in row["mentions"]])
        assert held(rows, lambda row: row["mentionText"]) == truth
    else:
        truth = wanted(graph, lambda row: [a["id"] for a in row["attachments"]])
        assert held(rows, lambda row: row["id"]) == truth
    assert truth


def holding(rows):
    return [row for row in rows if row.get("__END_AT") is None]


@pytest.mark.parametrize("scd_type", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_what_is_taken_back_is_gone(graph, options, tmp_path, scd_type):
    wants = spec(*DETAILS[:3], scd_type=scd_type)
    for _ in range(4):
        ingest_local(wants, tmp_path, options)
        assert differences(graph, tmp_path, ("messages", "message_replies")) == []
        for table in DETAILS[:3]:
            check(graph, holding(stored(tmp_path, table).to_pylist()), table)
        done = graph.mutate(**EVENTS)
        assert done["reaction_removals"]
        assert done["stripped"]
        graph.advance(3600)


@pytest.mark.parametrize("scd_type", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_a_table_of_an_earlier_version_loses_its_markers(graph, options, tmp_path, monkeypatch, scd_type):
    wants = spec("message_reactions", scd_type=scd_type)
    with monkeypatch.context() as before:
        before.setattr(plan, "MARKERS", "something_else")
        before.setattr(emptied, "replace", sets.replace)
        for _ in range(2):
            ingest_local(wants, tmp_path, options)
            graph.mutate(**EVENTS)
            graph.advance(3600)
    assert 0 in stored(tmp_path, "message_reactions")["set_size"].to_pylist()
    for _ in range(2):
        ingest_local(wants, tmp_path, options)
        rows = stored(tmp_path, "message_reactions").to_pylist()
        assert 0 not in {row["set_size"] for row in rows}
        check(graph, holding(rows), "message_reactions")
        graph.mutate(**EVENTS)
        graph.advance(3600)


def test_a_memory_of_many_commits_keeps_what_an_export_may_bring_back(tmp_path):
    destination = Destination("main.teams.rows", tmp_path / "rows", Shape(("id", "position"), "at"))
    for turn in range(60):
        hour = 2 * turn
        at = f"2025-01-{1 + hour // 24:02}T{hour % 24:02}:00:00.000Z"
        rows = pa.table(
            {"id": [str(hour)], "position": pa.array([0], pa.int32()), "set_size": pa.array([0], pa.int32()), "at": [at]}
        )
        kept, gone = emptied.replace(destination, rows, ("id",))
        assert (kept.num_rows, gone.num_rows) == (0, 1)
    known = {int(row["id"]) for row in read(tmp_path / "rows" / emptied.FOLDER).to_pylist()}
    assert known >= set(range(120 - 48, 120, 2))
    assert len(known) < 50
    older = pa.table(
        {
            "id": ["118"],
            "position": pa.array([0], pa.int32()),
            "set_size": pa.array([1], pa.int32()),
            "at": ["2025-01-05T21:00:00.000Z"],
        }
    )
    assert emptied.replace(destination, older, ("id",))[0].num_rows == 0


def test_what_was_emptied_is_known_after_a_cast(graph, options, tmp_path):
    graph.set(export_lag_seconds=20 * 3600)
    for mode in ("text", "text", "timestamp", "timestamp", "timestamp", "text"):
        ingest_local(spec("message_reactions", timestamps=mode), tmp_path, options)
        check(graph, holding(stored(tmp_path, "message_reactions").to_pylist()), "message_reactions")
        graph.mutate(**EVENTS)
        graph.advance(13 * 3600)


def test_one_reading_fills_all_and_an_unchanged_one_commits_nothing(graph, options, tmp_path, monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 20_000)
    wants = spec(*DETAILS)
    first = ingest_local(wants, tmp_path, options)
    alone = ingest_local(spec(), tmp_path / "alone", options)
    assert first.requests == alone.requests
    events = stored(tmp_path, "system_events").to_pylist()
    truth = {row["id"] for _, row in messages(graph) if row.get("eventDetail")}
    assert {row["message_id"] for row in events} == truth
    graph.advance(3600)
    again = ingest_local(wants, tmp_path, options)
    assert sum(line.inserts + line.updates + line.deletes for line in again.destinations) == 0


def test_append_only_keeps_every_version_and_the_query_finds_the_newest(graph, options, tmp_path):
    wants = spec("message_reactions", scd_type="APPEND_ONLY")
    for _ in range(3):
        ingest_local(wants, tmp_path, options)
        rows = stored(tmp_path, "message_reactions").to_pylist()
        newest = {}
        for row in rows:
            key = (row["channel_id"], row["root_message_id"], row["message_id"])
            newest[key] = max(newest.get(key, row["lastModifiedDateTime"]), row["lastModifiedDateTime"])
        current = [
            row
            for row in rows
            if row["set_size"]
            and row["lastModifiedDateTime"] == newest[row["channel_id"], row["root_message_id"], row["message_id"]]
        ]
        check(graph, holding(current), "message_reactions")
        graph.mutate(**EVENTS)
        graph.advance(3600)


def test_a_lagging_export_brings_nothing_back(graph, options, tmp_path):
    graph.set(export_lag_seconds=20 * 3600)
    wants = spec("message_reactions")
    for _ in range(6):
        ingest_local(wants, tmp_path, options)
        check(graph, holding(stored(tmp_path, "message_reactions").to_pylist()), "message_reactions")
        graph.mutate(**EVENTS)
        graph.advance(13 * 3600)


def test_reconciliation_keeps_what_is_there(graph, options, tmp_path):
    wants = spec("message_reactions", reconcile_days=1)
    ingest_local(wants, tmp_path, options)
    graph.mutate(hard_deletes=6, reaction_removals=2)
    graph.advance(50 * 3600)
    ingest_local(wants, tmp_path, options)
    check(graph, holding(stored(tmp_path, "message_reactions").to_pylist()), "message_reactions")


def test_details_read_alone_and_together(graph, options):
    client = TeamsClient(options)
    rows = [row for batch in client.read("message_mentions", **EVERYTHING) for row in _rows(batch)]
    check(graph, rows, "message_mentions")
    seen = {table for table, _ in client.read_many(["messages", *DETAILS], **EVERYTHING)}
    assert seen == {"messages", *DETAILS}
    assert any(name.endswith(".colourOfTheSky") for name in client.report.unknown_properties)


def _rows(batch):
    import pyarrow as pa

    return pa.record_batch(batch).to_pylist()
