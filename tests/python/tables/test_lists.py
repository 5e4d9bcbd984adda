"""The tables that are one list per parent, through every door that needs no Spark session."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lakeflow_teams import GraphEmulator, MicrosoftTeamsLakeflowConnect, TeamsClient, _core
from lakeflow_teams.local import ingest_local
from lakeflow_teams.testing.compare import compare
from support.lists import LISTS

INFO = {info["name"]: info for info in _core.tables()}
#: Known since before there was one mechanism for all.
OLDER = {"channels", "members"}


@pytest.fixture(scope="module")
def tenant():
    """A tenant in which every table has rows, deleted teams too."""
    with GraphEmulator(teams=8, channels_per_team=3, messages_per_channel=2, users=8, chats=6, seed=7) as emulator:
        emulator.mutate(deleted_teams=2)
        yield emulator


def needs(table):
    return dict.fromkeys(LISTS[table], "true")


def problems(graph, table, rows):
    """Differences of keys, and of those columns whose values are plain in the truth."""
    truth = graph.truth(table)
    assert truth, "an empty table proves nothing"
    rows = list(rows)
    plain = {name for name in truth[0] if isinstance(truth[0][name], str | bool | int) and name in rows[0]}
    assert plain
    return compare(table, rows, truth, INFO[table]["primary_keys"], plain)


def test_every_list_is_tested_here():
    lists = {info["name"] for info in _core.tables() if info["reading"].startswith("/")}
    assert lists == LISTS.keys() | OLDER


@pytest.mark.parametrize("table", LISTS)
def test_the_notebook_client_reads_it(tenant, table):
    client = TeamsClient(tenant.options)
    found = pa.table(client.read(table, **needs(table)))
    assert problems(tenant, table, found.to_pylist()) == []
    assert found.schema.equals(pa.schema(client.schema(table, **needs(table))))
    key = INFO[table]["primary_keys"][-1]
    part = pa.table(client.read(table, **needs(table), columns=[key], include_raw=True))
    assert part.column_names == [key]
    raw = pa.table(client.read(table, **needs(table), include_raw=True))
    assert raw.column_names[-1] == "_raw"
    assert None not in raw["_raw"].to_pylist()


@pytest.mark.parametrize("table", LISTS)
def test_the_lakeflow_door_reads_it(tenant, table):
    types = pytest.importorskip("pyspark.sql.types")
    connector = MicrosoftTeamsLakeflowConnect(tenant.options)
    keys = INFO[table]["primary_keys"]
    assert connector.read_table_metadata(table, {}) == {"primary_keys": keys, "ingestion_type": "snapshot"}
    assert not connector.is_partitioned(table)
    schema = connector.get_table_schema(table, needs(table))
    # The framework has no 32-bit numbers.
    assert not any(isinstance(field.dataType, types.IntegerType) for field in schema)
    rows, offset = connector.read_table(table, None, needs(table))
    rows = list(rows)
    assert offset == {}
    assert list(rows[0]) == schema.names
    assert problems(tenant, table, rows) == []
    parts = connector.get_partitions(table, needs(table))
    shared = [row for part in parts for row in connector.read_partition(table, part, needs(table))]
    assert problems(tenant, table, shared) == []
    if table.startswith("chat_"):
        assert parts == [{}], "a chat of several people must be read by one reader"


def test_the_local_lakehouse_follows_them(tmp_path):
    from support.lakehouse import stored, version

    objects = [
        {"table": {"source_table": table, "destination_schema": "teams", "table_configuration": needs(table)}}
        for table in LISTS
    ]
    spec = {"connection_name": "test", "objects": objects}
    with GraphEmulator(teams=6, channels_per_team=3, messages_per_channel=2, users=8, chats=6, seed=7) as graph:
        graph.mutate(deleted_teams=1)
        for change in ({}, {"member_removes": 3, "deleted_teams": 1, "new_teams": 1, "new_channels": 2}):
            graph.mutate(**change)
            ingest_local(spec, tmp_path, graph.options).raise_for_error()
            for table in LISTS:
                assert problems(graph, table, stored(tmp_path, table).to_pylist()) == [], table
        versions = {table: version(tmp_path, table) for table in LISTS}
        ingest_local(spec, tmp_path, graph.options).raise_for_error()
        assert {table: version(tmp_path, table) for table in LISTS} == versions


@pytest.mark.parametrize(
    ("table", "given", "said"),
    [
        ("user_apps", {}, "fetch_all_users"),
        ("group_members", {}, "group_id"),
        ("group_members", {"group_id": "x", "fetch_all_teams": True}, "give one"),
        ("team_tag_members", {}, "fetch_all_teams"),
        ("conversation_posts", {}, "fetch_all_groups"),
        ("channel_tabs", {"fetch_all_teams": True}, "fetch_all_channels"),
        ("chat_members", {}, "private"),
    ],
)
def test_what_is_missing_is_told_before_any_request(tenant, table, given, said):
    tenant.clear_requests()
    with pytest.raises(_core.ConfigurationError, match=said):
        list(TeamsClient(tenant.options).read(table, **given))
    assert tenant.requests() == []
