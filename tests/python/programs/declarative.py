"""Runs a pipeline twice in an open-source declarative pipeline, with changes between, and prints what came of it.

A program of its own, because a Spark Connect session can't live beside a classic one. Arguments: a folder to work in, and
where the tables are Delta's, Delta's Maven coordinates.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.errors import PySparkException
from pyspark.pipelines.cli import load_pipeline_spec, register_definitions
from pyspark.pipelines.spark_connect_graph_element_registry import SparkConnectGraphElementRegistry
from pyspark.pipelines.spark_connect_pipeline import create_dataflow_graph, handle_pipeline_events, start_run
from pyspark.sql import SparkSession

from lakeflow_teams import GraphEmulator
from support.spark import EVERYTHING, differences, happen

PIPELINE = """
from pyspark.sql import SparkSession
from lakeflow_teams import ingest

spark = SparkSession.active()
ingest(spark, {spec!r}, connection={connection!r})
"""
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.sources.default": "delta",
    "spark.databricks.delta.snapshotPartitions": "2",
}
SPEC = {
    "connection_name": "teams",
    "objects": [
        {"table": {"source_table": "teams", "table_configuration": {"cluster_by": "id"}}},
        {"table": {"source_table": "users"}},
        {"table": {"source_table": "messages", "table_configuration": EVERYTHING}},
        {
            "table": {
                "source_table": "messages",
                "destination_table": "message_log",
                "table_configuration": {**EVERYTHING, "scd_type": "APPEND_ONLY"},
            }
        },
    ],
}


def main(folder: Path, packages: str = "") -> None:
    (folder / "events").mkdir()
    builder = (
        SparkSession.builder.remote("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.compress", "false")
        .config("spark.eventLog.dir", (folder / "events").as_uri())
    )
    if packages:
        for name, value in {**DELTA, "spark.jars.packages": packages}.items():
            builder = builder.config(name, value)
    try:
        spark = builder.getOrCreate()
    except Exception as error:
        print("NO JARS", type(error).__name__)
        return
    with GraphEmulator(teams=3, channels_per_team=2, messages_per_channel=8, users=6, seed=7) as graph:
        connection = dict(graph.options)
        secret = folder / "secret"
        secret.write_text(connection.pop("client_secret"))
        connection["client_secret_file"] = str(secret)
        (folder / "transformations").mkdir()
        (folder / "transformations" / "ingest.py").write_text(PIPELINE.format(spec=SPEC, connection=connection))
        file = folder / "spark-pipeline.yml"
        file.write_text(
            f"name: teams\nstorage: file://{folder}/storage\nlibraries:\n  - glob:\n      include: transformations/**\n"
        )
        answers = []
        for _ in range(2):
            run(spark, file)
            answers.append(
                {
                    table: differences(graph, table, [row.asDict(recursive=True) for row in spark.table(table).collect()])
                    for table in ("teams", "users", "messages")
                }
            )
            happen(graph, 60)
            graph.mutate(deleted_users=1, new_users=1)
            graph.advance(3600)
        tables = [row["tableName"] for row in spark.sql("SHOW TABLES").collect()]
        more = {"rows": spark.table("message_log").count(), "secret": secret.read_text(), "tables": sorted(tables)}
        if packages:
            more["formats"] = sorted({spark.sql(f"DESCRIBE DETAIL {name}").first()["format"] for name in tables})
        answers.append(more)
    print("ANSWER", json.dumps(answers))
    spark.stop()


def run(spark, file: Path) -> None:
    spec = load_pipeline_spec(file)
    graph_id = create_dataflow_graph(spark, default_catalog=None, default_database=None, sql_conf={})
    register_definitions(file, SparkConnectGraphElementRegistry(spark, graph_id), spec, spark, graph_id)
    events = start_run(
        spark, graph_id, full_refresh=None, full_refresh_all=False, refresh=None, dry=False, storage=spec.storage
    )
    try:
        handle_pipeline_events(events)
    except PySparkException as error:
        # SPARK-59135: a run with a Python data source ends with an answer that the client does not know.
        if "__python_accumulator__" not in str(error):
            raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
