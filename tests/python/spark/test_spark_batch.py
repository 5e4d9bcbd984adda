"""``spark.read``: every table, both doors, Arrow all the way."""

from __future__ import annotations

import inspect

import pyarrow as pa
import pytest

from lakeflow_teams import _core
from support.spark import INFO, NEEDS, TABLES, TOLD, UNTOLD, batch, differences, rows


@pytest.mark.parametrize("table", TABLES)
def test_a_tables_arrow_schema_is_the_one_spark_expects(options, table):
    from pyspark.sql.pandas.types import to_arrow_schema
    from pyspark.sql.types import StructType

    zone = {"timezone": "UTC"} if "timezone" in inspect.signature(to_arrow_schema).parameters else {}
    for more in ({}, {"include_raw": "true"}):
        schema = _core.Client(options, strict=False).schema(table, {**NEEDS.get(table, {}), **more})
        expected = to_arrow_schema(StructType.fromJson(schema.to_dict()), **zone)
        assert pa.schema(schema).remove_metadata().equals(expected)


@pytest.mark.parametrize("table", TOLD)
def test_a_table_is_the_tenants(spark, graph, options, table):
    assert differences(graph, table, rows(batch(spark, options, table))) == []


@pytest.mark.parametrize("table", UNTOLD)
def test_a_table_is_what_is_read_without_spark(spark, options, table):
    def in_order(found):
        return sorted(found.to_pylist(), key=lambda row: [row[name] for name in INFO[table]["primary_keys"]])

    read = pa.table(_core.Client(options).read(table, NEEDS[table]))
    assert in_order(batch(spark, options, table).toArrow()) == in_order(read)
    assert read.num_rows > 0


@pytest.mark.parametrize("table", ["teams", "messages"])
def test_the_other_door_reads_the_same(spark, graph, options, table):
    frame = batch(spark, options, table, "lakeflow_connect", **{"databricks.connection": "teams", "sourceName": "x"})
    assert differences(graph, table, rows(frame)) == []


def test_a_declared_part_of_the_columns_is_what_is_decoded(spark, graph, options):
    from support.spark import reader

    asked = "lastModifiedDateTime string, id string, body struct<contentType:string,content:string>"
    frame = reader(spark.read.schema(asked), options, "messages").load()
    assert frame.columns == ["lastModifiedDateTime", "id", "body"]
    found = sorted((row["id"], row["body"]["content"]) for row in rows(frame) if row.get("body", {}).get("content"))
    assert found == sorted((row["id"], row["body"]["content"]) for row in graph.truth("messages") if row["body"]["content"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("id string, displayname string", "table teams has no column displayname; did you mean displayName"),
        ("id int", "column id of teams is string, not int"),
        ("id string not null", "declare it without NOT NULL"),
    ],
)
def test_what_can_not_be_read_is_refused(spark, options, asked, message):
    from support.spark import reader

    with pytest.raises(Exception, match=message):
        reader(spark.read.schema(asked), options, "teams").load().collect()


def test_partitions_are_groups_of_teams(spark, options):
    assert batch(spark, options, "members").rdd.getNumPartitions() == 4
    assert batch(spark, options, "members", num_partitions="3").rdd.getNumPartitions() == 3
    assert batch(spark, options, "teams").rdd.getNumPartitions() == 1


@pytest.mark.parametrize(
    ("table", "more", "message"),
    [
        ("mesages", {}, "mesages"),
        ("messages", {"top": "many"}, "top"),
        ("users", {"isDeleteFlow": "true"}, "spark.readStream"),
        ("_community_tabels", {}, "there is no virtual table _community_tabels"),
    ],
)
def test_mistakes_are_told(spark, options, table, more, message):
    with pytest.raises(Exception, match=message):
        batch(spark, options, table, **more).collect()


def test_a_missing_table_name_is_told(spark, options):
    with pytest.raises(Exception, match="option tableName is missing"):
        spark.read.format("microsoft_teams").options(**options).load()


def test_the_metadata_table(spark, options):
    frame = batch(
        spark,
        options,
        "_community_table_metadata",
        tableNameList='["users", "teams"]',
        tableConfigs='{"users": {"top": "10"}}',
    )
    assert [row.asDict() for row in frame.collect()] == [
        {"tableName": "users", "primary_keys": ["id"], "cursor_field": "observed_at", "ingestion_type": "cdc_with_deletes"},
        {"tableName": "teams", "primary_keys": ["id"], "cursor_field": None, "ingestion_type": "snapshot"},
    ]
    old = batch(spark, options, "_lakeflow_metadata", tableNameList="messages, chats").collect()
    assert [row["tableName"] for row in old] == ["messages", "chats"]
    assert old[0]["primary_keys"] == INFO["messages"]["primary_keys"]


def test_the_tables_and_namespaces_tables(spark, options):
    assert [tuple(row) for row in batch(spark, options, "_community_tables").collect()] == [([], n) for n in sorted(TABLES)]
    frame = batch(spark, options, "_community_namespaces")
    assert frame.columns == ["namespace"]
    assert frame.collect() == []
    with pytest.raises(Exception, match="lie in no namespace"):
        batch(spark, options, "_community_tables", namespace="[]").collect()
