"""Reads a tenant through the community framework's data source, and prints what differs from the truth.

A program of its own: the framework and ours have to share a search path from the first import on. Argument: a folder.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from databricks.labs.community_connector.sparkpds import register
from pyspark.sql import SparkSession

from lakeflow_teams import GraphEmulator, MicrosoftTeamsLakeflowConnect
from support.spark import INFO, TABLES, TOLD, batch, differences, happen, rows, run_stream, stored

FORM = "lakeflow_connect"
STREAMS = ("messages", "chat_messages", "users")


def main(folder: Path) -> None:
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    answer = {}
    with GraphEmulator(teams=3, channels_per_team=2, messages_per_channel=8, users=6, chats=4, seed=7) as graph:
        for door, source in (("rows", MicrosoftTeamsLakeflowConnect), ("arrow", "microsoft_teams")):
            register(spark, source)
            for table in TOLD:
                answer[f"{door} {table}"] = differences(graph, table, rows(batch(spark, graph.options, table, FORM)))
            listed = [row["tableName"] for row in batch(spark, graph.options, "_community_tables", FORM).collect()]
            answer[f"{door} names"] = sorted(set(TABLES) ^ set(listed))
        register(spark, MicrosoftTeamsLakeflowConnect)
        for number in range(2):
            for table in STREAMS:
                run_stream(spark, graph.options, table, folder / table, FORM)
                if number == 0 or INFO[table]["ingestion_type"] == "cdc":
                    answer[f"stream {table} {number}"] = differences(graph, table, stored(spark, table, folder / table))
            happen(graph, 60)
            graph.mutate(deleted_users=1, new_users=1)
            graph.advance(3600)
        run_stream(spark, graph.options, "users", folder / "deletes", FORM, isDeleteFlow="true")
    print("ANSWER", json.dumps({**answer, "compared": len(answer)}))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
