"""A lost delta token: what the full state lacks leaves the table."""

from __future__ import annotations

import pytest

from lakeflow_teams import ingest_local
from support.lakehouse import stored


@pytest.mark.parametrize("scd_type", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_users_purged_while_the_token_was_lost_are_removed(graph, options, tmp_path, scd_type):
    table = {"source_table": "users", "destination_schema": "teams", "table_configuration": {"scd_type": scd_type}}
    spec = {"connection_name": "test", "objects": [{"table": table}]}
    ingest_local(spec, tmp_path, options)
    # Purged users are not even among the deleted items.
    gone = {user["id"] for user in graph.mutate(deleted_users=3)["deleted_users"]}
    graph.mutate(purged_users=3)
    graph.advance(9 * 86_400)
    summary = ingest_local(spec, tmp_path, options)
    assert any("expired" in note for note in summary.notes)
    rows = [row for row in stored(tmp_path, "users").to_pylist() if row.get("__END_AT") is None]
    assert {row["id"] for row in rows} == {user["id"] for user in graph.truth("users")}
    assert gone.isdisjoint(row["id"] for row in rows)
