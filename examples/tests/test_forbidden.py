"""One team answers 403. By default that fails the run; with on_forbidden=skip the team is left out, and reported."""

import pytest
from deltalake import DeltaTable

from lakeflow_teams import PermissionDeniedError, ingest_local


def pipeline(**options):
    configuration = {"fetch_all_teams": True, "fetch_all_channels": True, **options}
    return {"objects": [{"table": {"source_table": "messages", "table_configuration": configuration}}]}


@pytest.fixture
def closed(graph_emulator):
    team = graph_emulator.truth("teams")[0]["id"]
    graph_emulator.fault(path=f"/teams/{team}/channels", status=403, times=1000)
    return team


def test_it_fails_by_default(graph_emulator, tmp_path, closed):
    with pytest.raises(PermissionDeniedError, match="403"):
        ingest_local(pipeline(), tmp_path, graph_emulator.options)


def test_it_can_be_skipped_but_not_silently(graph_emulator, tmp_path, closed):
    done = ingest_local(pipeline(on_forbidden="skip"), tmp_path, graph_emulator.options)

    assert [(scope["status"], closed in scope["scope"]) for scope in done.skipped] == [(403, True)]
    readable = [row for row in graph_emulator.truth("messages") if row["team_id"] != closed]
    assert DeltaTable(str(tmp_path / "main" / "default" / "messages")).count() == len(readable)
