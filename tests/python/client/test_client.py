"""TeamsClient against the emulator: Arrow consumers, async, reports."""

from __future__ import annotations

import asyncio

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lakeflow_teams import ConfigurationError, GraphEmulator, LakeflowTeamsError, TeamsClient
from lakeflow_teams.testing.compare import compare
from support.lakehouse import NEEDS, TABLES


@pytest.fixture
def client(options):
    return TeamsClient(options)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_equals_the_truth(client, graph, table):
    info = next(info for info in client.tables() if info["name"] == table)
    rows = pa.table(client.read(table, **NEEDS[table]))
    assert compare(table, rows.to_pylist(), graph.truth(table), info["primary_keys"]) == []
    assert rows.schema.equals(pa.schema(client.schema(table, **NEEDS[table])))


def test_a_stream_goes_to_each_library_in_one_call(client, graph):
    ids = {row["id"] for row in graph.truth("teams")}
    assert set(pa.table(client.read("teams"))["id"].to_pylist()) == ids
    assert set(pl.DataFrame(client.read("teams"))["id"]) == ids
    assert set(pd.DataFrame.from_arrow(client.read("teams"))["id"] if hasattr(pd.DataFrame, "from_arrow") else ids) == ids
    stream = client.read("teams")  # noqa: F841  duckdb finds it by name
    assert {row[0] for row in duckdb.sql("SELECT id FROM stream").fetchall()} == ids


def test_async_reading_gives_the_same_rows(client, graph):
    async def collect():
        return [row async for batch in client.read_async("teams") for row in batch.to_pylist()]

    assert {row["id"] for row in asyncio.run(collect())} == {row["id"] for row in graph.truth("teams")}


def test_one_pass_fills_messages_and_replies(client, graph):
    counts = {"messages": 0, "message_replies": 0}
    for table, batch in client.read_many(["messages", "message_replies"], **NEEDS["messages"]):
        counts[table] += len(batch)
    assert counts == {table: len(graph.truth(table)) for table in counts}


def test_columns_can_be_chosen(client):
    assert pa.table(client.read("teams", columns=["id", "displayName"])).column_names == ["id", "displayName"]


def test_lists_are_options(client, graph):
    ids = sorted({row["team_id"] for row in graph.truth("channels")})[:2]
    assert set(pa.table(client.read("channels", team_id=ids))["team_id"].to_pylist()) == set(ids)


def test_a_stream_is_consumed_once(client):
    stream = client.read("teams")
    assert len(list(stream)) > 0
    with pytest.raises(LakeflowTeamsError, match="can be consumed once"):
        list(stream)


def test_the_report_counts(client, graph):
    assert client.report.requests == 0
    list(client.read("teams"))
    report = client.report
    assert report.requests > 0
    assert report.bytes > 0
    assert report.rows["teams"] == len(graph.truth("teams"))
    assert "requests" in report._repr_html_()
    assert repr(report).startswith("Report(requests=")


def test_an_export_that_gives_no_large_pages_is_whole_and_the_report_says_so():
    with GraphEmulator(teams=2, messages_per_channel=60, export_top_max=50) as graph:
        client = TeamsClient(graph.options)
        rows = pa.table(client.read("messages", **NEEDS["messages"], strategy="export"))
        assert compare("messages", rows.to_pylist(), graph.truth("messages"), ["team_id", "channel_id", "id"]) == []
        (note,) = [note for note in client.report.notes if "rows" in note]
        assert "gives no page of 250 rows (status 400)" in note
        assert "top=50" in note


def test_keywords_and_a_mapping_are_the_same(options):
    assert TeamsClient(**options).schema("teams").names == TeamsClient(options).schema("teams").names


def test_from_environment(options, monkeypatch):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    assert len(list(TeamsClient.from_environment().read("teams"))) > 0


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"tennant_id": "x"}, "did you mean tenant_id"),
        ({"max_concurrency": "many"}, "max_concurrency"),
        ({"tenant_id": None}, "tenant_id"),
        ({"client_secret": None}, "client_secret"),
        ({"cloud": "moon"}, "moon"),
    ],
)
def test_bad_connections_are_refused_before_any_request(graph, options, broken, said):
    graph.clear_requests()
    with pytest.raises(ConfigurationError, match=said):
        TeamsClient({**options, **broken})
    assert graph.requests() == []


@pytest.mark.parametrize(
    ("table", "given", "said"),
    [
        ("messags", {}, "messages"),
        ("teams", {"tpo": 5}, "top"),
        ("channels", {}, "fetch_all_teams"),
        ("members", {}, "fetch_all_teams"),
        ("messages", {"fetch_all_teams": True}, "fetch_all_channels"),
        ("teams", {"top": "many"}, "top"),
        ("messages", {**NEEDS["messages"], "start_date": "yesterday"}, "start_date"),
    ],
)
def test_bad_reads_are_refused_before_any_request(graph, client, table, given, said):
    graph.clear_requests()
    with pytest.raises(ConfigurationError, match=said):
        list(client.read(table, **given))
    assert graph.requests() == []


def test_clients_of_two_tenants_do_not_meet():
    with GraphEmulator(teams=2, seed=1) as one, GraphEmulator(teams=3, seed=2) as two:
        assert len(pa.table(TeamsClient(one.options).read("teams"))) == len(one.truth("teams"))
        assert len(pa.table(TeamsClient(two.options).read("teams"))) == len(two.truth("teams"))
