"""A team whose list of channels is empty, though each team has its General channel: nothing is taken for deleted."""

from __future__ import annotations

import pytest

from lakeflow_teams import MicrosoftTeamsLakeflowConnect, ProtocolError, TeamsClient, ingest_local
from support.lakehouse import entry, pipeline, stored, version


@pytest.fixture
def team(graph):
    return min(row["team_id"] for row in graph.truth("channels"))


def hide_channels(graph, team):
    graph.fault(path=f"/teams/{team}/channels?", kind="empty_list")
    graph.fault(path=f"/teams/{team}/channels", kind="empty_list")


@pytest.mark.parametrize("way", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_a_snapshot_keeps_what_is_stored_of_the_team(graph, options, tmp_path, team, way):
    below = entry("channels", "channel_members", fetch_all_channels=True, scd_type=way)
    below["table"]["source_table"] = "channel_members"
    spec = pipeline(entry("channels", scd_type=way), below)
    ingest_local(spec, tmp_path, options)
    tables = ["channels", "channel_members"]
    before = {table: stored(tmp_path, table).num_rows for table in tables}
    versions = {table: version(tmp_path, table) for table in tables}
    graph.advance(3600)
    hide_channels(graph, team)
    summary = ingest_local(spec, tmp_path, options)
    assert {table: stored(tmp_path, table).num_rows for table in tables} == before
    assert {table: version(tmp_path, table) for table in tables} == versions, "nothing changed"
    assert any(team in note and "Nothing is taken for deleted" in note for note in summary.notes)
    assert not any(line.error for line in summary.destinations)


def test_what_changed_elsewhere_is_written(graph, options, tmp_path, team):
    spec = pipeline(entry("channels"))
    ingest_local(spec, tmp_path, options)
    hide_channels(graph, team)
    graph.mutate(new_channels=3, seed=1)
    graph.advance(3600)
    ingest_local(spec, tmp_path, options)
    rows = stored(tmp_path, "channels").to_pylist()
    there = {row["id"] for row in graph.truth("channels") if row["team_id"] != team}
    assert {row["id"] for row in rows if row["team_id"] != team} == there
    assert any(row["team_id"] == team for row in rows)
    graph.clear_faults()
    ingest_local(spec, tmp_path, options)
    assert {row["id"] for row in stored(tmp_path, "channels").to_pylist()} == {row["id"] for row in graph.truth("channels")}


def test_a_read_goes_on_and_says_so(graph, options, team):
    hide_channels(graph, team)
    client = TeamsClient(options)
    rows = client.read("channels", fetch_all_teams=True).to_arrow().to_pylist()
    assert {row["id"] for row in rows} == {row["id"] for row in graph.truth("channels") if row["team_id"] != team}
    assert any(team in note for note in client.report.notes)


def test_where_a_missing_row_is_a_delete_it_is_an_error(graph, options, team):
    hide_channels(graph, team)
    rows, _ = MicrosoftTeamsLakeflowConnect(options).read_table("channels", None, {"fetch_all_teams": "true"})
    with pytest.raises(ProtocolError, match="Nothing is taken for deleted"):
        list(rows)
