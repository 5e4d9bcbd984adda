"""Ingests a tenant into Delta tables of a plain session, twice with changes between, and prints what differs.

A program of its own, because a session gets its jars when it starts. Arguments: a folder, and Delta's Maven coordinates.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import SparkSession

from lakeflow_teams import GraphEmulator, ingest
from lakeflow_teams.spark import TeamsDataSource
from support.spark import EVERYTHING, INFO, differences, happen, reader, rows

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
TABLES = ("teams", "users", "messages")
SPEC = {
    "connection_name": "teams",
    "objects": [
        {"table": {"source_table": "teams", "table_configuration": {"cluster_by": "id"}}},
        {"table": {"source_table": "users", "table_configuration": {"cluster_by": "id"}}},
        {"table": {"source_table": "messages", "table_configuration": EVERYTHING}},
        {
            "table": {
                "source_table": "messages",
                "destination_table": "history",
                "table_configuration": {**EVERYTHING, "scd_type": "SCD_TYPE_2"},
            }
        },
    ],
}


def session(folder: Path, packages: str) -> SparkSession:
    builder = SparkSession.builder.master("local[2]").config("spark.jars.packages", packages)
    for name, value in {**SETTINGS, "spark.sql.warehouse.dir": str(folder / "warehouse")}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def stream(spark: SparkSession, graph: GraphEmulator, folder: Path) -> list[str]:
    """A stream of messages into a Delta table of its own, and what its newest rows differ in."""
    spark.dataSource.register(TeamsDataSource)
    query = (
        reader(spark.readStream, graph.options, "messages")
        .load()
        .writeStream.format("delta")
        .option("checkpointLocation", f"{folder}/stream/checkpoint")
        .trigger(availableNow=True)
        .toTable("streamed")
    )
    query.awaitTermination()
    newest = {}
    for row in rows(spark.table("streamed")):
        key = tuple(row[name] for name in INFO["messages"]["primary_keys"])
        if key not in newest or row["lastModifiedDateTime"] >= newest[key]["lastModifiedDateTime"]:
            newest[key] = row
    return differences(graph, "messages", list(newest.values()))


def main(folder: Path, packages: str) -> None:
    try:
        spark = session(folder, packages)
    except Exception as error:
        print("NO JARS", type(error).__name__)
        return
    spark.sparkContext.setLogLevel("ERROR")
    answer = {}
    with GraphEmulator(teams=3, channels_per_team=2, messages_per_channel=8, users=6, seed=7) as graph:
        for number in range(2):
            ingest(spark, SPEC, connection=graph.options, location=str(folder / "state"))
            for table in TABLES:
                answer[f"{table} {number}"] = differences(graph, table, rows(spark.table(table)))
            now = spark.table("history").where("__END_AT IS NULL").drop("__START_AT", "__END_AT")
            answer[f"history {number}"] = differences(graph, "messages", rows(now))
            answer[f"stream {number}"] = stream(spark, graph, folder)
            happen(graph, 60)
            graph.mutate(deleted_users=1, new_users=1)
            graph.advance(3600)
    formats = {table: spark.sql(f"DESCRIBE DETAIL {table}").first() for table in (*TABLES, "streamed")}
    clusters = {table: row["clusteringColumns"] for table, row in formats.items()}
    more = {"formats": sorted({row["format"] for row in formats.values()}), "clusters": clusters}
    print("ANSWER", json.dumps({"answer": answer, **more}))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
