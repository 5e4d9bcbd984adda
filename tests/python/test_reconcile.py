"""Hard deletes, which Graph shows nowhere: ``reconcile_days``."""

from __future__ import annotations

import pytest

from lakeflow_teams import ConfigurationError, ingest_local
from lakehouse import NEEDS, differences, entry, pipeline, stored, version

TABLES = ["messages", "message_replies"]


@pytest.fixture
def spec():
    return pipeline(*(entry(table, reconcile_days=7) for table in TABLES))


def test_hard_deleted_messages_leave_with_the_reconciliation(graph, options, tmp_path, spec):
    ingest_local(spec, tmp_path, options)
    graph.mutate(hard_deletes=5)
    graph.advance(2 * 86_400)
    ingest_local(spec, tmp_path, options)
    assert any("messages" in difference for difference in differences(graph, tmp_path, TABLES))

    graph.advance(6 * 86_400)
    summary = ingest_local(spec, tmp_path, options)
    assert differences(graph, tmp_path, TABLES) == []
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
