"""One row per scope and run, beside the tables."""

from __future__ import annotations

import pyarrow.compute as pc
import pytest

from lakeflow_teams import PermissionDeniedError, TeamsClient, ingest_local
from lakeflow_teams.results.report import describe_skip
from support.lakehouse import entry, later, pipeline, stored


def test_each_run_tells_what_became_of_its_scopes(graph, options, tmp_path):
    wants = pipeline(entry("messages"), entry("message_replies"), entry("channels"))
    first = ingest_local(wants, tmp_path, options)
    later(graph)
    second = ingest_local(wants, tmp_path, options)
    table = stored(tmp_path, "ingest_report")
    rows = table.to_pylist()
    assert len({row["run_id"] for row in rows}) == 2
    runs = sorted({row["run_id"] for row in rows}, key=lambda run: min(r["started_at"] for r in rows if r["run_id"] == run))
    for run, summary in zip(runs, (first, second), strict=True):
        own = [row for row in rows if row["run_id"] == run]
        lines = {row["scope"]: row["rows"] for row in own if row["kind"] == "destination"}
        assert lines == {line.destination: line.rows for line in summary.destinations}
        assert sum(row["requests"] for row in own if row["kind"] == "scope") == summary.requests
        assert {row["status"] for row in own} == {"ok"}
    teams = {f"team {team['id']}" for team in graph.truth("teams")}
    assert teams <= {row["scope"] for row in rows}
    read = [row for row in rows if row["run_id"] == runs[0] and row["scope"].startswith(("team ", "channel "))]
    assert sum(row["rows"] for row in read) >= len(graph.truth("channels"))


def test_what_failed_and_what_was_left_out_has_its_reason(graph, options, tmp_path):
    team = graph.truth("teams")[0]["id"]
    graph.set(forbidden_team_ids=[team])
    wants = pipeline(entry("messages", on_forbidden="skip"), entry("channels"))
    with pytest.raises(PermissionDeniedError):
        ingest_local(wants, tmp_path, options)
    rows = stored(tmp_path, "ingest_report")
    scope = rows.filter(pc.field("scope") == f"team {team}").to_pylist()
    assert [row["status"] for row in scope] == ["failed"]
    failed = rows.filter(pc.field("status") == "failed").to_pylist()
    assert {row["scope"] for row in failed} == {"main.teams.channels", f"team {team}"}
    assert all(row["reason"] for row in failed)


def test_names_stand_beside_ids(graph, options, tmp_path):
    wants = pipeline(entry("teams"), entry("channels"), entry("messages", on_forbidden="skip"))
    ingest_local(wants, tmp_path, options)
    team = graph.truth("teams")[0]
    graph.mutate(new_messages=4)
    graph.advance(26 * 3600)
    graph.fault(path=f"/teams/{team['id']}/channels", status=403, times=1000)
    summary = ingest_local(pipeline(entry("messages", on_forbidden="skip")), tmp_path, options)
    assert team["displayName"] in {scope["name"] for scope in summary.skipped}
    assert f"{team['displayName']} (team {team['id']}): 403" in str(describe_skip(summary.skipped[0]))
    names = {row["id"]: row["displayName"] for row in (*graph.truth("teams"), *graph.truth("channels"))}
    found = 0
    for row in stored(tmp_path, "ingest_report").to_pylist():
        word, _, ids = row["scope"].partition(" ")
        if row["kind"] == "scope" and word in ("team", "channel"):
            assert row["name"] == " / ".join(names[part] for part in ids.split("/"))
            found += 1
    assert found


def test_a_client_tells_its_scopes(graph, options):
    team = graph.truth("teams")[0]["id"]
    graph.set(forbidden_team_ids=[team])
    client = TeamsClient(options)
    list(client.read("messages", fetch_all_teams=True, fetch_all_channels=True, on_forbidden="skip"))
    rows = {row["scope"]: row for row in client.report_rows()}
    assert rows[f"team {team}"]["status"] == "skipped"
    assert "on_forbidden=skip" in rows[f"team {team}"]["reason"]
    others = [row for scope, row in rows.items() if scope.startswith("team ") and scope != f"team {team}"]
    assert others
    assert all(row["status"] == "ok" and row["requests"] for row in others)
    assert sum(row["requests"] for row in rows.values()) == client.report.requests


def test_a_destination_of_that_name_is_left_alone(graph, options, tmp_path):
    summary = ingest_local(pipeline(entry("chats", "ingest_report")), tmp_path, options)
    assert any("ingest_report" in note for note in summary.notes)
    assert stored(tmp_path, "ingest_report").num_rows == len(graph.truth("chats"))
