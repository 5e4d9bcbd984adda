"""The agent operations of the community framework: what each answers, and what kind of error it tells."""

from __future__ import annotations

import json

import pytest

from lakeflow_teams import ConfigurationError, GraphEmulator, NotFoundError, _core
from lakeflow_teams.operations import CODES, INTERNAL, OPERATIONS, Operation, code_of
from lakeflow_teams.spark import MicrosoftTeamsDataSource, TeamsDataSource
from support.spark import differences, rows

TABLES = [info["name"] for info in _core.tables()]


def ask(options, operation, **more):
    """The rows of an operation as Spark's worker gets them, by column."""
    source = MicrosoftTeamsDataSource({**options, "operation": operation, **more})
    schema = source.schema()
    return [dict(zip(schema.names, row, strict=True)) for row in source.reader(schema).read(None)]


def state(options, **more):
    """Status, code and message of a connection."""
    (row,) = ask({**options, "retry_timeout_seconds": "0"}, "validate_connection", **more)
    assert list(row) == ["_meta"]
    return row["_meta"]


def test_the_tables_are_the_objects(options):
    rows = ask(options, "list_objects")
    assert [row["name"] for row in rows] == TABLES
    assert {(row["type"], row["_meta"]) for row in rows} == {("table", ("ok", None, None))}
    assert [row["full_path"] for row in ask(options, "list_objects", search="^chat_m")] == [
        name for name in TABLES if name.startswith("chat_m")
    ]
    assert ask(options, "list_objects", path="teams") == []


def test_an_object_is_described(options):
    described = {row["key"]: row["value"] for row in ask(options, "get_object_metadata", name="messages")}
    assert described["primary_key"] == "team_id,channel_id,id"
    assert described["cursor_column"] == "lastModifiedDateTime"
    assert described["ingestion_type"] == "cdc"
    assert "ChannelMessage.Read.All" in described["permissions"].split(",")
    (one,) = ask(options, "get_object_metadata", name="messages", metadataKey="PRIMARY_KEY")
    assert (one["key"], one["value"]) == ("primary_key", "team_id,channel_id,id")


def test_the_operations_say_what_they_take_and_answer(options):
    rows = {row["name"]: row for row in ask(options, "list_operations")}
    assert list(rows) == ["list_objects", "read_table", "get_object_metadata", "validate_connection", "list_operations"]
    for name, row in rows.items():
        taken = {parameter["name"]: parameter["required"] for parameter in json.loads(row["parameters_json"])}
        assert {key for key, required in taken.items() if required} == {
            "read_table": {"tableName"},
            "get_object_metadata": {"name"},
        }.get(name, set())
        if name == "read_table":
            assert (row["kind"], row["result_schema_json"]) == ("data", None)
            continue
        promised = [field["name"] for field in json.loads(row["result_schema_json"])["fields"]]
        given = MicrosoftTeamsDataSource({**options, "operation": name}).schema().names
        assert given == [*promised, "_meta"]


def test_a_connection_is_validated_by_a_check(graph, options):
    graph.clear_requests()
    status, code, message = state(options)
    assert (status, code) == ("ok", None)
    assert "application permissions" in message
    counts = graph.request_counts()
    assert counts["POST /{tenant}/oauth2/v2.0/token"] == 1
    assert 1 < sum(counts.values()) <= 2 * len(TABLES) + 1


def test_what_may_not_be_read_is_named(graph, options):
    graph.set(roles=["Team.ReadBasic.All", "Channel.ReadBasic.All"])
    status, code, message = state(options)
    assert status == "ok"  # something can be read, and nobody grants every permission
    assert "tables can be read; for the others grant with admin consent: " in message
    assert state(options, tableName="channels")[:2] == ("ok", None)
    status, code, message = state(options, tableNameList='["channels", "members"]')
    assert (status, code) == ("error", "permission_denied")
    assert message == "grant with admin consent: TeamMember.Read.All"
    graph.set(roles=[])
    assert state(options)[:2] == ("error", "permission_denied")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"client_secret": "wrong"}, "auth_failed", "AADSTS7000215"),
        ({"tenant_id": ""}, "bad_request", "tenant_id"),
        ({"authority_host": "http://127.0.0.1:9"}, "connection_failed", "127.0.0.1:9"),
    ],
)
def test_what_keeps_a_connection_from_working_has_a_code(options, change, code, said):
    status, given, message = state({**options, **change})
    assert (status, given) == ("error", code)
    assert said in message
    assert options["client_secret"] not in message


@pytest.mark.parametrize(
    ("operation", "more", "code", "said"),
    [
        ("get_object_metadata", {}, "bad_request", "operation get_object_metadata needs option name"),
        ("get_object_metadata", {"name": "mesages"}, "not_found", "did you mean messages?"),
        ("list_objects", {"search": "("}, "bad_request", "option search: '(' is no regular expression"),
        ("validate_connection", {"tableName": "taems"}, "not_found", "did you mean teams?"),
        ("validate_connection", {"tableNameList": "[1"}, "bad_request", "option tableNameList: it is not JSON"),
    ],
)
def test_a_mistake_is_a_row_and_no_exception(options, operation, more, code, said):
    (row,) = ask(options, operation, **more)
    assert row.pop("_meta")[:2] == ("error", code)
    assert set(row.values()) <= {None}
    assert said in ask(options, operation, **more)[0]["_meta"][2]


def test_every_error_of_ours_has_a_code():
    for kind in _core.LakeflowTeamsError.__subclasses__():
        if kind.__module__ != _core.ConfigurationError.__module__:
            continue  # of the demo, say
        assert code_of(kind("x")) in {code for _, code in CODES} or kind is _core.ProtocolError
    assert code_of(KeyError("x")) == INTERNAL

    def fails(_):
        raise NotFoundError("gone")

    assert Operation("x", "", "metadata", (), (), fails).rows({}) == [
        {"_meta": {"status": "error", "code": "not_found", "message": "gone"}}
    ]


def test_an_unknown_operation_is_refused_with_the_nearest(options):
    with pytest.raises(ConfigurationError, match="list_object; did you mean list_objects"):
        TeamsDataSource({**options, "operation": "list_object"}).schema()
    with pytest.raises(ConfigurationError, match=r"operation list_objects can't be streamed"):
        TeamsDataSource({**options, "operation": "list_objects"}).streamReader(None)


@pytest.mark.parametrize("door", ["microsoft_teams", "lakeflow_connect"])
def test_a_session_asks_them_all(spark, graph, options, door):
    reader = spark.read.format(door).options(**options)
    assert reader.option("operation", "list_objects").load().count() == len(TABLES)
    (health,) = reader.option("operation", "validate_connection").option("tableName", "teams").load().collect()
    assert health["_meta"]["status"] == "ok"
    frame = reader.option("operation", "read_table").option("tableName", "teams").load()
    assert differences(graph, "teams", rows(frame)) == []
    assert {row["name"] for row in reader.option("operation", "list_operations").load().collect()} == set(OPERATIONS)


def test_a_tables_own_options_stand_beside_the_operation(spark):
    with GraphEmulator(teams=2, channels_per_team=2) as graph:
        team = graph.truth("teams")[0]["id"]
        asked = {"operation": "read_table", "tableName": "channels", "team_id": team, "name": "x", "path": "y"}
        frame = spark.read.format("microsoft_teams").options(**graph.options, **asked).load()
        assert {row["team_id"] for row in frame.collect()} == {team}
