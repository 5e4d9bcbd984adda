"""Times of local tables: timestamps in new ones, what they were in stored ones, and a cast where the pipeline asks for it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakeflow_teams import _core, ingest_local
from lakeflow_teams.local import timestamps
from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.delta import read
from support.lakehouse import TABLES, differences, entry, later, pipeline, stored

UTC = pa.timestamp("us", "UTC")
MESSAGES = ("messages", "message_replies")


def spec(*tables, **configuration):
    return pipeline(*(entry(table, **configuration) for table in tables))


def type_of(target, table, column):
    return stored(target, table).schema.field(column).type


def test_new_tables_have_timestamps_nested_ones_too(graph, options, tmp_path):
    ingest_local(
        pipeline(*(entry(table) for table in TABLES[:-1]), entry("chats", scd_type="SCD_TYPE_2")), tmp_path, options
    )
    assert type_of(tmp_path, "teams", "createdDateTime") == UTC
    reaction = type_of(tmp_path, "messages", "reactions").value_type
    assert reaction.field("createdDateTime").type == UTC
    assert {type_of(tmp_path, "chats", name) for name in ("__START_AT", "__END_AT", "lastUpdatedDateTime")} == {UTC}
    assert differences(graph, tmp_path) == []


def test_a_time_that_stands_for_none_is_null(graph, options, tmp_path):
    ingest_local(spec("members"), tmp_path, options)
    sent = [row["visibleHistoryStartDateTime"] for row in graph.truth("members")]
    assert "0001-01-01T00:00:00Z" in sent
    sent = [text for text in sent if text is None or text.startswith("0001")]
    assert stored(tmp_path, "members")["visibleHistoryStartDateTime"].null_count == len(sent)


@pytest.mark.parametrize("scd_type", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_a_stored_table_stays_as_it_was_created(graph, options, tmp_path, scd_type):
    ingest_local(spec(*MESSAGES, "teams", timestamps="text", scd_type=scd_type), tmp_path, options)
    later(graph)
    summary = ingest_local(spec(*MESSAGES, "teams", scd_type=scd_type), tmp_path, options)
    assert not any("cast" in note for note in summary.notes)
    for table in (*MESSAGES, "teams"):
        assert type_of(tmp_path, table, "createdDateTime") == pa.string()
    if scd_type == "SCD_TYPE_1":
        assert differences(graph, tmp_path, (*MESSAGES, "teams")) == []


def test_a_new_table_takes_after_those_of_its_reading(graph, options, tmp_path):
    ingest_local(spec("messages", timestamps="text"), tmp_path, options)
    later(graph)
    ingest_local(spec(*MESSAGES, "teams"), tmp_path, options)
    assert type_of(tmp_path, "message_replies", "createdDateTime") == pa.string()
    assert type_of(tmp_path, "teams", "createdDateTime") == UTC
    assert differences(graph, tmp_path, (*MESSAGES, "teams")) == []


@pytest.mark.parametrize(("before", "after", "kind"), [("text", "timestamp", UTC), ("timestamp", "text", pa.string())])
@pytest.mark.parametrize("scd_type", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_a_stored_table_is_cast_where_the_pipeline_asks_for_it(graph, options, tmp_path, before, after, kind, scd_type):
    tables = (*MESSAGES, "members")
    if scd_type == "SCD_TYPE_2" and after == "text":
        tables = MESSAGES  # Graph's text for "no time" is no null, and so a change of members
    ingest_local(spec(*tables, timestamps=before, scd_type=scd_type), tmp_path, options)
    later(graph)
    ingest_local(spec(*tables, timestamps=before, scd_type=scd_type), tmp_path, options)
    requests = ingest_local(spec(*tables, timestamps=before, scd_type=scd_type), tmp_path, options).requests
    old = {table: stored(tmp_path, table) for table in tables}
    versions = {table: DeltaTable(str(tmp_path / "main" / "teams" / table)).version() for table in tables}
    summary = ingest_local(spec(*tables, timestamps=after, scd_type=scd_type), tmp_path, options)
    assert summary.requests == requests, "nothing is read again"
    for table in tables:
        assert (
            type_of(
                tmp_path,
                table,
                "__START_AT"
                if scd_type == "SCD_TYPE_2"
                else "visibleHistoryStartDateTime"
                if table == "members"
                else "createdDateTime",
            )
            == kind
        )
        now = times.cast(stored(tmp_path, table), old[table].schema)
        assert in_order(now) == in_order(_through_timestamps(table, old[table]))
        note = f"main.teams.{table}: times were cast as timestamps asks; version {versions[table]} has them as they were"
        assert note in summary.notes
        then = DeltaTable(str(tmp_path / "main" / "teams" / table), version=versions[table])
        assert in_order(read(then)) == in_order(old[table])
    again = ingest_local(spec(*tables, timestamps=after, scd_type=scd_type), tmp_path, options)
    assert not any("cast" in note for note in again.notes)
    later(graph)
    ingest_local(spec(*tables, timestamps=after, scd_type=scd_type), tmp_path, options)
    if scd_type == "SCD_TYPE_1":
        assert differences(graph, tmp_path, tables) == []


def in_order(rows):
    return sorted(map(repr, rows.to_pylist()))


def _through_timestamps(table, rows):
    """The rows as a cast to timestamps and back leaves them."""
    source = pa.schema(_core.schema(table, {"timestamps": "timestamp"}))
    return times.cast(times.cast(rows, timestamps._wanted(rows.schema, source, times.TIMESTAMP)), rows.schema)


def test_casting_loses_no_digit_and_makes_null_of_what_is_no_time():
    kind = pa.list_(pa.struct([("at", pa.string()), ("n", pa.int64())]))
    texts = [
        "2025-01-15T10:30:00Z",
        "2025-01-15T10:30:00.5Z",
        "2025-01-15T10:30:00.1234567Z",
        "2025-01-15T12:30:00+02:00",
        "0001-01-01T00:00:00Z",
        "soon",
        "",
        None,
    ]
    lists = [None, [], *([{"at": text, "n": 1}, None] for text in texts)]
    rows = pa.table({"at": pa.array(["2025-01-15T10:30:00Z", *texts, None]), "list": pa.array(lists, kind)})
    typed = pa.schema([("at", UTC), ("list", pa.list_(pa.struct([("at", UTC), ("n", pa.int64())])))])
    cast = times.cast(rows, typed)
    cast.validate(full=True)
    first = datetime(2025, 1, 15, 10, 30, tzinfo=timezone.utc)
    wanted = [first, first + timedelta(microseconds=500_000), first + timedelta(microseconds=123_456), first, *[None] * 4]
    assert cast["at"].to_pylist() == [first, *wanted, None]
    assert cast["list"].to_pylist() == [None, [], *([{"at": time, "n": 1}, None] for time in wanted)]
    sliced = times.cast(rows.slice(2, 5), typed)
    assert sliced["list"].to_pylist() == cast["list"].to_pylist()[2:7]
    back = times.cast(cast, rows.schema)
    assert back["at"].to_pylist()[1:4] == [
        "2025-01-15T10:30:00.000000Z",
        "2025-01-15T10:30:00.500000Z",
        "2025-01-15T10:30:00.123456Z",
    ]
    assert times.cast(back, typed).equals(cast)


def test_casts_agree_with_the_core(graph, options):
    client = _core.Client(options)
    for table in ("teams", "members", "user_licenses", "messages"):
        scopes = {"fetch_all_teams": "true", "fetch_all_channels": "true"}
        text, typed = (
            pa.Table.from_batches(map(pa.record_batch, client.read(table, {**scopes, "timestamps": mode})))
            for mode in ("text", "timestamp")
        )
        assert in_order(times.cast(text, typed.schema)) == in_order(typed), table


def test_comments_lie_beside_the_columns(graph, options, tmp_path):
    ingest_local(spec("messages", "teams"), tmp_path, options)
    for table in ("messages", "teams"):
        found = DeltaTable(str(tmp_path / "main" / "teams" / table))
        fields = {field.name: field for field in found.schema().fields}
        for field in _core.schema(table, {}).to_dict()["fields"]:
            assert fields[field["name"]].metadata["comment"] == field["metadata"]["comment"]
        info = next(info for info in _core.tables() if info["name"] == table)
        assert found.metadata().description == f"{info['description']} Key: {', '.join(info['primary_keys'])}."


@pytest.mark.parametrize(
    ("table", "scd_type", "more"),
    [
        ("messages", "APPEND_ONLY", "lastModifiedDateTime"),
        ("messages", "SCD_TYPE_2", "__START_AT"),
        ("teams", "SCD_TYPE_2", "__START_AT"),
    ],
)
def test_a_table_of_versions_says_what_tells_them_apart(graph, options, tmp_path, table, scd_type, more):
    one = spec(table)
    one["objects"][0]["table"].setdefault("table_configuration", {})["scd_type"] = scd_type
    ingest_local(one, tmp_path, options)
    found = DeltaTable(str(tmp_path / "main" / "teams" / table))
    assert found.metadata().description.endswith(f"id, {more}.")
