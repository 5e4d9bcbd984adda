"""The same views on Spark, over tables that the data source fills with text, in a session of another time zone."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from pyspark.sql.types import TimestampType

from lakeflow_teams import _core, ingest_local
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.views import Relation, script
from support.recipes import check_recipes
from support.spark import reader
from support.views import EVENTS, SOURCES, check, check_documents, pipeline

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
def elsewhere(spark):
    """The session with the clock of New York."""
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    yield spark
    spark.conf.set("spark.sql.session.timeZone", "UTC")


def rows_of(frame):
    return frame.toArrow().to_pylist()


@pytest.mark.slow
def test_views_and_recipes_are_the_tenants_truth(elsewhere, graph, options, tmp_path):
    ingest_local(pipeline("members"), tmp_path, options)
    graph.mutate(**EVENTS)
    graph.advance(3600)
    ingest_local(pipeline("members"), tmp_path, options)
    elsewhere.sql("CREATE DATABASE IF NOT EXISTS of_views")
    relations = []
    for table in SOURCES:
        name = f"of_views.{table}"
        if table == "members":  # with its history, which nothing but the local lakehouse and Databricks keeps
            frame = elsewhere.createDataFrame(read(tmp_path / "main" / "teams" / "members"))
        else:
            more = {"body_text": "true"} if "messages" in table or table == "message_replies" else {}
            frame = reader(elsewhere.read, {**options, **more}, table).load()
        frame.write.mode("overwrite").saveAsTable(name)
        times = (field.name for field in frame.schema if isinstance(field.dataType, TimestampType))
        relations.append(Relation(table, name, "merge", frozenset(frame.columns), frozenset(times)))
    made = script("spark", relations, place="of_views.")
    assert not made.left_out
    for statement in made.statements.values():
        elsewhere.sql(statement)
    elsewhere.sql("USE of_views")
    try:
        check(graph, lambda sql: rows_of(elsewhere.sql(sql)))
        check_documents(graph, rows_of(elsewhere.sql("SELECT * FROM v_thread_documents")))
        check_recipes(graph, lambda sql: rows_of(elsewhere.sql(sql)))
    finally:
        elsewhere.sql("USE default")


def test_spark_takes_every_view(spark):
    """What each says of rows is compared on DuckDB in every run, and here in the slow one."""
    spark.sql("CREATE DATABASE IF NOT EXISTS of_nothing")
    relations = []
    for table in SOURCES:
        schema = pa.schema(_core.schema(table, {"body_text": "true"} if table.endswith(("messages", "replies")) else {}))
        if table == "members":
            schema = schema.append(pa.field("__START_AT", pa.string())).append(pa.field("__END_AT", pa.string()))
        frame = spark.createDataFrame(schema.empty_table())
        frame.write.mode("overwrite").saveAsTable(f"of_nothing.{table}")
        relations.append(Relation(table, f"of_nothing.{table}", "merge", frozenset(frame.columns), frozenset()))
    made = script("spark", relations, place="of_nothing.")
    assert not made.left_out
    assert len(made.statements) >= 10
    for name, statement in made.statements.items():
        spark.sql(statement)
        assert spark.table(f"of_nothing.{name}").columns


def test_comments_are_in_the_catalogue(spark, options):
    reader(spark.read, options, "teams").load().write.mode("overwrite").saveAsTable("described")
    found = {row["col_name"]: row["comment"] for row in spark.sql("DESCRIBE described").collect()}
    assert found["createdDateTime"] == "When the team was made (UTC)."
    assert all(found.values())


def test_a_schema_that_asks_for_timestamps_is_served(spark, graph, options):
    asked = "team_id string, channel_id string, id string, createdDateTime timestamp, reactions array<struct<reactionType:string,displayName:string,"
    asked += "reactionContentUrl:string,createdDateTime:timestamp,user:struct<" + _identity() + ">>>"
    frame = reader(spark.read.schema(asked), options, "messages").load()
    times = {_key(row): row["createdDateTime"] for row in rows_of(frame)}
    truth = {_key(row): row["createdDateTime"] for row in graph.truth("messages")}
    assert times.keys() == truth.keys()
    assert all(time.isoformat(timespec="milliseconds")[:19] == truth[key][:19] for key, time in times.items())
    found, told = _reacted(rows_of(frame)), _reacted(graph.truth("messages"))
    assert {key: [time and time.isoformat()[:19] for time in times] for key, times in found.items()} == {
        key: [text[:19] if _TIME.fullmatch(text or "") else None for text in texts] for key, texts in told.items()
    }
    assert any(time for times in found.values() for time in times)
    streamed = reader(spark.readStream.schema("id string, createdDateTime timestamp"), options, "messages").load()
    assert isinstance(streamed.schema["createdDateTime"].dataType, TimestampType)


def test_times_are_all_of_one_kind(spark, options):
    asked = "createdDateTime timestamp, lastModifiedDateTime string"
    with pytest.raises(Exception, match="times are all strings, or all timestamps"):
        reader(spark.read.schema(asked), options, "messages").load().collect()


def _reacted(rows):
    """When each message was reacted to. Graph also sends texts that are no times, which are null as timestamps."""
    return {_key(row): [reaction["createdDateTime"] for reaction in row["reactions"]] for row in rows if row["reactions"]}


def _key(row):
    return row["team_id"], row["channel_id"], row["id"]


def _identity():
    names = {"user": "userIdentityType:string,tenantId", "application": "applicationIdentityType", "device": None}
    names["conversation"] = "conversationIdentityType"
    parts = (
        f"{name}:struct<id:string,displayName:string{f',{more}:string' if more else ''}>" for name, more in names.items()
    )
    return ",".join(parts)
