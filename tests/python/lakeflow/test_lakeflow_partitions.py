"""The Lakeflow door in partitions: what the framework's executors do, without Spark."""

from __future__ import annotations

import json
import pickle

import pytest

from lakeflow_teams import MicrosoftTeamsLakeflowConnect
from lakeflow_teams.testing.compare import compare
from support.lakehouse import NEEDS, later

OPTIONS = {name: {key: str(value).lower() for key, value in given.items()} for name, given in NEEDS.items()}


@pytest.fixture
def connector(options):
    return MicrosoftTeamsLakeflowConnect(options)


def elsewhere(connector, partition):
    """The connector and the partition as an executor has them."""
    return pickle.loads(pickle.dumps(connector)), json.loads(json.dumps(partition))


def drain(connector, table, offset, options, limit=100):
    """Micro-batches until the offset stands still: the rows, the offset, and how many there were."""
    found = []
    for number in range(limit):
        end = connector.latest_offset(table, options, offset)
        assert all(isinstance(value, str | int | bool) for value in end.values())
        partitions = connector.get_partitions(table, options, offset, end)
        if end == offset:
            assert partitions == []
            return found, offset, number
        for partition in partitions:
            there, text = elsewhere(connector, partition)
            found += there.read_partition(table, text, options)
        offset = end
    raise AssertionError("the stream does not end")


def newest(connector, table, rows):
    metadata = connector.read_table_metadata(table, {})
    found = {}
    for row in rows:
        key = tuple(row[name] for name in metadata["primary_keys"])
        if key not in found or row[metadata["cursor_field"]] >= found[key][metadata["cursor_field"]]:
            found[key] = row
    return list(found.values())


def keys(connector, table):
    return connector.read_table_metadata(table, {})["primary_keys"]


@pytest.mark.parametrize("table", ["teams", "channels", "members", "messages", "message_replies", "chats"])
def test_partitions_of_a_whole_table_give_each_row_once(connector, graph, table):
    rows = []
    for partition in connector.get_partitions(table, OPTIONS[table]):
        there, text = elsewhere(connector, partition)
        rows += there.read_partition(table, text, OPTIONS[table])
    assert compare(table, rows, graph.truth(table), keys(connector, table)) == []


@pytest.mark.parametrize("table", ["messages", "message_replies", "chats"])
@pytest.mark.parametrize("windows", [None, 1])
def test_a_partitioned_stream_ends_and_goes_on(connector, graph, table, windows):
    options = OPTIONS[table] | ({"windows_per_batch": str(windows)} if windows else {})
    rows, offset = [], {}
    for _ in range(3):
        found, offset, steps = drain(connector, table, offset, options)
        rows += found
        assert steps > 1 or windows is None
        assert compare(table, newest(connector, table, rows), graph.truth(table), keys(connector, table)) == []
        later(graph)


def test_a_micro_batch_can_be_planned_again_by_another_process(connector, graph, options):
    table, given = "messages", OPTIONS["messages"] | {"windows_per_batch": "2"}
    end = connector.latest_offset(table, given, {})
    first = connector.get_partitions(table, given, {}, end)
    later(graph)
    again = MicrosoftTeamsLakeflowConnect(options).get_partitions(table, given, {}, end)
    scopes = [[json.loads(part["partition"])["scope"] for part in parts] for parts in (first, again)]
    assert scopes[0] == scopes[1] != []


def test_which_tables_are_streamed_in_partitions(connector):
    streamed = {table for table in connector.list_tables() if connector.is_partitioned(table)}
    messages = {"messages", "message_replies", "chats", "chat_messages"}
    taken = ("message_reactions", "message_mentions", "message_attachments", "system_events", "hosted_contents")
    assert streamed == {*messages, *taken, *(f"chat_{table}" for table in taken)}


def test_no_struct_is_an_empty_dict(connector):
    """The framework refuses one; it wants None."""

    def empty(value):
        if isinstance(value, dict):
            return not value or any(map(empty, value.values()))
        return isinstance(value, list) and any(map(empty, value))

    for table, options in OPTIONS.items():
        rows, _ = connector.read_table(table, None, options)
        assert not any(map(empty, rows))
