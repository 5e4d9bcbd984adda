"""Merges pushed rows into Delta tables by the code that docs/spark-notifications.md shows, and prints what differs.

A program of its own, because a session gets its jars when it starts. Arguments: a folder, and Delta's Maven coordinates.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakeflow_teams import GraphEmulator, _core
from lakeflow_teams.spark import TeamsDataSource, decode_notifications
from programs.delta import session
from support.paths import ROOT
from support.pushed import HUB
from support.spark import EVERYTHING, batch, differences, rows

TABLES = ("messages", "message_replies", "chat_messages")


def documented(spark: SparkSession) -> Callable[[DataFrame, int], None]:
    """The page's function for ``foreachBatch``."""
    page = (ROOT / "docs" / "spark-notifications.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    known: dict[str, Any] = {"spark": spark}
    exec(code[: code.index("login = ")] + code[code.index("KEYS = ") : code.index("decoded.writeStream")], known)
    merge: Callable[[DataFrame, int], None] = known["merge"]
    return merge


def pushed(
    spark: SparkSession, values: Iterable[str], folder: Path, keys: Path, merge: Callable[[DataFrame, int], None]
) -> None:
    """Values of a hub through a stream that goes on from its checkpoint."""
    frame = spark.createDataFrame([(value.encode(),) for value in values], "value binary")
    frame.write.mode("append").parquet(f"{folder}/values")
    stream = spark.readStream.schema("value binary").option("maxFilesPerTrigger", 1).parquet(f"{folder}/values")
    decoded = decode_notifications(stream, tables=TABLES, certificate=str(keys), timestamps="timestamp", **EVERYTHING)
    start = decoded.writeStream.foreachBatch(merge).option("checkpointLocation", f"{folder}/checkpoint")
    start.trigger(availableNow=True).start().awaitTermination()


def main(folder: Path, packages: str) -> None:
    try:
        spark = session(folder, packages)
    except Exception as error:
        print("NO JARS", type(error).__name__)
        return
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.sources.default", "delta")
    spark.dataSource.register(TeamsDataSource)
    spark.sql("CREATE SCHEMA teams")
    answer: dict[str, list[str]] = {}
    merge, listening = documented(spark), folder / "listen"
    with GraphEmulator(teams=1, channels_per_team=2, messages_per_channel=8, users=6, chats=2, seed=7) as graph:
        for table in TABLES:
            batch(spark, graph.options, table, timestamps="timestamp").write.saveAsTable(f"teams.{table}")
        wanted = [(table, EVERYTHING, None) for table in TABLES]
        listener = _core.Listener(listening, graph.options, wanted, json.dumps({"event_hub": HUB}))
        failures = json.loads(listener.maintain())["failures"]
        listener.close()
        for turn in range(3):
            graph.mutate(new_messages=6, late_replies=5, edits=5, reply_edits=3, deletes=3, chat_messages=4, seed=turn)
            values = graph.hub_values("teams")
            # The second time everything comes twice, and what is older last.
            again = [*values, *reversed(values)] if turn == 1 else values
            pushed(spark, again, folder / "pushed", listening / "keys", merge)
            for table in TABLES:
                answer[f"{table} {turn}"] = differences(graph, table, rows(spark.table(f"teams.{table}")))
    problems = [row["_problem"] for row in spark.table("teams.push_problems").collect()]
    print("ANSWER", json.dumps({"answer": answer, "problems": problems, "failures": failures}))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
