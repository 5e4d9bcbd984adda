"""The Lakeflow door: lenient options, dict rows, dict offsets."""

from __future__ import annotations

import json
import logging
import pickle

import pytest

from lakeflow_teams import ConfigurationError, LakeflowTeamsError, MicrosoftTeamsLakeflowConnect
from lakeflow_teams.testing.compare import compare
from support.lakehouse import NEEDS, TABLES, later


def text(table, **more):
    """Table options as Spark passes them: all strings."""
    return {name: str(value).lower() for name, value in {**NEEDS[table], **more}.items()}


@pytest.fixture
def connector(options):
    return MicrosoftTeamsLakeflowConnect(options)


def drain(connector, table, offset, options, limit=500):
    """Micro-batches until the offset stands still: the newest row of each key, the offset, and the number of batches."""
    metadata = connector.read_table_metadata(table, options)
    found = {}
    for number in range(limit):
        rows, after = connector.read_table(table, offset, options)
        rows = list(rows)
        assert json.loads(json.dumps(after)) == after
        if after == offset:
            assert rows == []
            return list(found.values()), offset, number
        for row in rows:
            key = tuple(row[name] for name in metadata["primary_keys"])
            if key not in found or row[metadata["cursor_field"]] >= found[key][metadata["cursor_field"]]:
                found[key] = row
        offset = after
    raise AssertionError("the stream does not end")


def test_tables_and_metadata(connector):
    assert set(TABLES) <= set(connector.list_tables())
    assert connector.read_table_metadata("messages", {}) == {
        "primary_keys": ["team_id", "channel_id", "id"],
        "cursor_field": "lastModifiedDateTime",
        "ingestion_type": "cdc",
    }
    assert connector.read_table_metadata("teams", {}) == {"primary_keys": ["id"], "ingestion_type": "snapshot"}


@pytest.mark.parametrize("table", TABLES)
def test_schema_is_sparks_and_has_the_rows_fields(connector, table):
    types = pytest.importorskip("pyspark.sql.types")
    schema = connector.get_table_schema(table, text(table))
    assert isinstance(schema, types.StructType)
    rows, _ = connector.read_table(table, None, text(table))
    assert list(next(rows)) == schema.names
    assert not any(isinstance(field.dataType, types.IntegerType) for field in schema)


@pytest.mark.parametrize("table", TABLES)
def test_a_batch_read_is_whole_and_fills_its_offset_at_the_end(connector, graph, table):
    metadata = connector.read_table_metadata(table, {})
    rows, offset = connector.read_table(table, None, text(table))
    assert offset == {}
    newest = {}
    for row in rows:
        newest[tuple(row[name] for name in metadata["primary_keys"])] = row
    assert compare(table, newest.values(), graph.truth(table), metadata["primary_keys"]) == []
    assert (offset == {}) == (metadata["ingestion_type"] == "snapshot")
    if offset:
        assert list(connector.read_table(table, dict(offset), text(table))[0]) == []


@pytest.mark.parametrize("table", ["messages", "message_replies", "chats"])
def test_a_stream_pauses_at_its_caps_and_loses_nothing(connector, graph, table):
    options = text(table, max_pages_per_batch=2, top=20)
    rows, offset, batches = drain(connector, table, {}, options)
    keys = connector.read_table_metadata(table, {})["primary_keys"]
    assert compare(table, rows, graph.truth(table), keys) == []
    assert batches > 1
    later(graph)
    again, _, _ = drain(connector, table, offset, options)
    merged = {tuple(row[name] for name in keys): row for row in (*rows, *again)}
    assert compare(table, merged.values(), graph.truth(table), keys) == []


def test_an_offset_survives_as_json_with_its_keys_in_any_order(connector):
    options = text("messages", max_pages_per_batch=1, top=20)
    _, offset = connector.read_table("messages", {}, options)
    shuffled = json.loads(json.dumps(offset, sort_keys=True))
    assert drain(connector, "messages", shuffled, options)[0] != []


def test_one_mixed_map_in_lower_case_is_enough(options, graph):
    mixed = {
        **{name.upper(): value for name, value in options.items()},
        "tablename": "channels",
        "databricks.connection": "teams",
        "externaloptionsallowlist": "tablename",
        "Fetch_All_Teams": "true",
    }
    rows, _ = MicrosoftTeamsLakeflowConnect(mixed).read_table("channels", None, mixed)
    assert len(list(rows)) == len(graph.truth("channels"))


def test_an_unknown_option_is_a_warning_here(options, caplog):
    with caplog.at_level(logging.WARNING):
        MicrosoftTeamsLakeflowConnect({**options, "tem_id": "x"})
    assert "did you mean team_id" in caplog.text


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda c: c.read_table("messags", None, {}), "messages"),
        (lambda c: list(c.read_table("channels", None, {})[0]), "fetch_all_teams"),
        (lambda c: c.read_table("chats", {}, {"max_pages_per_batch": "few"}), "max_pages_per_batch"),
        (lambda c: c.read_table_deletes("messages", {}, text("messages")), "reports no deletes"),
    ],
)
def test_bad_calls_are_refused(connector, call, said):
    with pytest.raises(ConfigurationError, match=said):
        call(connector)


def test_a_missing_connection_option_is_an_error_at_once(options):
    del options["tenant_id"]
    with pytest.raises(ConfigurationError, match="tenant_id"):
        MicrosoftTeamsLakeflowConnect(options)


def test_it_travels_to_workers(connector, graph):
    there = pickle.loads(pickle.dumps(connector))
    rows, _ = there.read_table("teams", None, {})
    assert len(list(rows)) == len(graph.truth("teams"))


def test_a_scope_that_fails_for_good_costs_itself_only(graph, connector):
    broken = graph.truth("teams")[0]["id"]
    options = text("messages", min_poll_seconds=0)
    graph.fault(path=f"teams/{broken}/channels", status=423)
    offset, found = {}, {}

    def read_on():
        nonlocal offset
        for _ in range(100):
            rows, offset = connector.read_table("messages", offset, options)
            found.update({(row["team_id"], row["channel_id"], row["id"]): row for row in rows})

    for _ in range(3):
        with pytest.raises(LakeflowTeamsError, match=broken):
            read_on()
        wrong = compare("messages", list(found.values()), graph.truth("messages"), ["team_id", "channel_id", "id"])
        assert [problem for problem in wrong if broken not in problem] == []
        later(graph)
    graph.clear_faults()
    for _ in range(2):
        rows, offset, _ = drain(connector, "messages", offset, options)
        found.update({(row["team_id"], row["channel_id"], row["id"]): row for row in rows})
        graph.advance(30 * 3600)
    assert compare("messages", list(found.values()), graph.truth("messages"), ["team_id", "channel_id", "id"]) == []
