"""Hard deletes, which Graph shows nowhere: ``reconcile_days``."""

from __future__ import annotations

import pytest
from deltalake import DeltaTable

from lakeflow_teams import ConfigurationError, GraphEmulator, _core, ingest_local
from support.lakehouse import NEEDS, entry, pipeline, stored, version

TABLES = ["messages", "message_replies"]


@pytest.fixture
def graph():
    """Replies in every channel: one of which nothing is left is left alone."""
    with GraphEmulator(teams=2, channels_per_team=2, messages_per_channel=30, replies_per_message=3) as emulator:
        yield emulator


@pytest.fixture
def spec():
    return pipeline(*(entry(table, reconcile_days=7) for table in TABLES))


def ghosts(graph, target):
    """Keys of stored rows that the tenant no longer has; tombstones may stay."""
    found = []
    for info in _core.tables():
        if info["name"] in TABLES:
            there = {tuple(row[key] for key in info["primary_keys"]) for row in graph.truth(info["name"])}
            rows = (row for row in stored(target, info["name"]).to_pylist() if row["deletedDateTime"] is None)
            found += [key for row in rows if (key := tuple(row[name] for name in info["primary_keys"])) not in there]
    return found


@pytest.mark.parametrize("timestamps", ["timestamp", "text"])
def test_hard_deleted_messages_leave_with_the_reconciliation(graph, options, tmp_path, timestamps):
    spec = pipeline(*(entry(table, reconcile_days=7, timestamps=timestamps) for table in TABLES))
    ingest_local(spec, tmp_path, options)
    graph.mutate(hard_deletes=5)
    graph.advance(2 * 86_400)
    ingest_local(spec, tmp_path, options)
    assert ghosts(graph, tmp_path)

    graph.advance(6 * 86_400)
    summary = ingest_local(spec, tmp_path, options)
    assert ghosts(graph, tmp_path) == []
    assert sum(line.deletes for line in summary.destinations) >= 5
    versions = [version(tmp_path, table) for table in TABLES]
    graph.advance(3600)
    ingest_local(spec, tmp_path, options)
    assert [version(tmp_path, table) for table in TABLES] == versions


def test_tombstones_and_conversations_out_of_reach_stay(graph, options, tmp_path, spec):
    ingest_local(spec, tmp_path, options)
    graph.mutate(deletes=4)
    graph.advance(3600)
    ingest_local(spec, tmp_path, options)
    before = stored(tmp_path, "messages").num_rows
    graph.set(list_deleted=False, forbid_team=graph.truth("teams")[0]["id"])
    graph.advance(8 * 86_400)
    lenient = pipeline(*(entry(table, reconcile_days=7, on_forbidden="skip") for table in TABLES))
    ingest_local(lenient, tmp_path, options)
    assert stored(tmp_path, "messages").num_rows == before


def test_files_whose_text_arrow_can_not_compare_are_reconciled(graph, options, tmp_path, spec):
    """Merges write text as views, which Arrow's filters can't compare where a file holds one value and Delta keeps no statistics."""
    reactions = entry("messages", "message_reactions", reconcile_days=7)
    reactions["table"]["source_table"] = "message_reactions"
    spec["objects"].append(reactions)
    ingest_local(spec, tmp_path, options)
    for table in (*TABLES, "message_reactions"):
        path = tmp_path / "main" / "teams" / table
        DeltaTable(str(path)).alter.set_table_properties({"delta.dataSkippingNumIndexedCols": "0"})
    for event in ("new_messages", "late_replies", "reactions"):
        graph.mutate(**{event: 1})
        graph.advance(15 * 3600)
        ingest_local(spec, tmp_path, options)
    graph.mutate(hard_deletes=5)
    graph.advance(8 * 86_400)
    ingest_local(spec, tmp_path, options)
    assert ghosts(graph, tmp_path) == []
    there = {(row["channel_id"], row["id"]) for table in TABLES for row in graph.truth(table)}
    rows = [row for row in stored(tmp_path, "message_reactions").to_pylist() if row["set_size"]]
    assert rows
    assert {(row["channel_id"], row["message_id"]) for row in rows} <= there


@pytest.mark.parametrize(
    ("table", "configuration", "said"),
    [
        ("messages", {"reconcile_days": 0}, "reconcile_days"),
        ("messages", {"reconcile_days": "weekly"}, "reconcile_days"),
        ("messages", {"reconcile_days": 7, "scd_type": "APPEND_ONLY"}, "APPEND_ONLY"),
        ("teams", {"reconcile_days": 7}, "snapshot"),
    ],
)
def test_what_cannot_be_reconciled_is_refused(options, tmp_path, table, configuration, said):
    assert table in NEEDS
    with pytest.raises(ConfigurationError, match=said):
        ingest_local(pipeline(entry(table, **configuration)), tmp_path, options)
