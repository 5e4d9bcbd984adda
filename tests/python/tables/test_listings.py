"""How often each door asks who is there, in a run of many micro-batches."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator, MicrosoftTeamsLakeflowConnect, TeamsClient, ingest_local
from lakeflow_teams.lakeflow import connector

ALL = {"fetch_all_teams": "true", "fetch_all_channels": "true", "top": "5"}
TEAMS = 12


@pytest.fixture(scope="module")
def tenant():
    """More teams than are read at once would prove no more, and more pages than micro-batches would."""
    with GraphEmulator(
        teams=TEAMS, channels_per_team=3, messages_per_channel=20, missing_teams=0, big_threads=0, frozen_clock=True
    ) as emulator:
        yield emulator


@pytest.fixture
def graph(tenant):
    tenant.clear_requests()
    return tenant


def listings(graph):
    """Requests for the list of teams, and for lists of channels."""
    counts = graph.request_counts()
    return counts["GET /teams"], counts["GET /teams/{id}/channels"]


def test_a_client_lists_once(graph):
    assert sum(len(batch) for batch in TeamsClient(graph.options).read("messages", **ALL))
    assert listings(graph) == (1, TEAMS)


def test_the_whole_table_as_dicts_lists_once(graph, monkeypatch):
    monkeypatch.setattr(connector, "ROWS_PER_STEP", 60)
    rows, offset = MicrosoftTeamsLakeflowConnect(graph.options).read_table("messages", None, ALL)
    assert len({(row["channel_id"], row["id"]) for row in rows}) == len(graph.truth("messages")) > 5 * 60
    assert offset["phase"] == "done"
    assert listings(graph) == (1, TEAMS)


def test_micro_batches_list_once_and_again_to_find_nothing(graph):
    connector, offset, batches = MicrosoftTeamsLakeflowConnect(graph.options), {}, 0
    while True:
        rows, after = connector.read_table("messages", offset, {**ALL, "max_records_per_batch": "60"})
        if after == offset:
            break
        offset, batches = after, batches + 1
        list(rows)
    assert batches > 5
    # The last call asks for the server's time only, and gets it with the list of teams.
    assert listings(graph) == (2, TEAMS)


def test_a_planner_lists_once_and_its_readers_never(graph):
    connector, offset, batches = MicrosoftTeamsLakeflowConnect(graph.options), {}, 0
    options = {**ALL, "windows_per_batch": "2"}
    rows = 0
    while offset.get("phase") != "done":
        end = connector.latest_offset("messages", options, offset)
        partitions = connector.get_partitions("messages", options, offset, end)
        # As on an executor: a connection of its own for each.
        rows += sum(
            len(list(MicrosoftTeamsLakeflowConnect(graph.options).read_partition("messages", each, options)))
            for each in partitions
        )
        offset, batches = end, batches + 1
    assert batches == TEAMS / 2
    assert rows >= len(graph.truth("messages"))
    assert listings(graph) == (1, TEAMS)


def test_an_ingest_lists_once(graph, tmp_path):
    table = {"source_table": "messages", "table_configuration": {**ALL, "max_records_per_batch": "60"}}
    summary = ingest_local({"connection_name": "x", "objects": [{"table": table}]}, tmp_path, graph.options)
    assert summary.destinations[0].micro_batches > 5
    assert listings(graph) == (1, TEAMS)
