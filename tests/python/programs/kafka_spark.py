"""Notifications of a Kafka topic through Spark's Structured Streaming, until nothing is left: ``kafka_spark.py '{...}'``."""

from __future__ import annotations

import json
import sys

import pyspark
from pyspark.sql import SparkSession

from lakeflow_teams.spark.notifications import decode_notifications, notification_problems, notification_rows

job = json.loads(sys.argv[1])
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars.packages", f"org.apache.spark:spark-sql-kafka-0-10_2.13:{pyspark.__version__}")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
values = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", job["servers"])
    .option("subscribe", job["topic"])
    .option("startingOffsets", "earliest")
    .option("maxOffsetsPerTrigger", 5)
    .load()
)
everything = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}
decoded = decode_notifications(values, tables=["messages"], certificate=job["keys"], **everything)


def keep(batch, number):
    """A batch that comes again replaces itself."""
    batch.persist()
    place = f"{job['target']}/rows/batch={number}"
    notification_rows(batch, "messages").write.mode("overwrite").parquet(place)
    notification_problems(batch).write.mode("overwrite").parquet(f"{job['target']}/problems/batch={number}")
    batch.unpersist()


stream = decoded.writeStream.foreachBatch(keep).option("checkpointLocation", f"{job['target']}/checkpoint")
stream.trigger(availableNow=True).start().awaitTermination()
spark.stop()
