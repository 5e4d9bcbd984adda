"""A lakehouse in S3: the same tables as in a folder, whatever the store does to the ingest."""

from __future__ import annotations

import pytest

from lakeflow_teams import ingest_local
from lakeflow_teams.local import incremental
from lakeflow_teams.local.status import status
from support.lakehouse import differences, entry, later, pipeline, version

TABLES = ("members", "messages", "message_replies")
SPEC = pipeline(*(entry(table) for table in TABLES))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 60)


def test_tables_status_and_report_lie_in_the_bucket(s3, graph, options):
    target = s3.target()
    ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    later(graph)
    summary = ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    assert summary.page.startswith(f"{target}/_reports/")
    found = status(target)
    assert [table.table for table in found.tables] == [f"main.teams.{table}" for table in sorted([*TABLES, "ingest_report"])]
    assert found.last_run["destinations"][0]["path"] == f"{target}/main/teams/members"
    assert len(found.last_run["history"]) == 2
    assert found.last_run["volume"]["channels"]
    before = [version(target, table) for table in TABLES]
    ingest_local(SPEC, target, options)
    assert [version(target, table) for table in TABLES] == before
