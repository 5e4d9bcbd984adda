"""A real broker: Graph's values through Spark's Kafka source and checkpoint, and through our own reader."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pyspark
import pytest

from lakeflow_teams import GraphEmulator
from support.kafka_broker import broker, jars
from support.lakehouse import entry
from support.listening import MESSAGES, equal, listening, wait_for, written
from support.paths import TESTS

Producer = pytest.importorskip("confluent_kafka").Producer

#: Spark's Kafka source is not there for every release: of 4.3.0 there is none.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(pyspark.__version__ >= "4.3", reason="no Kafka source for this Spark")]
TOPIC = "teams"


def deliver(graph, producer, times=1):
    for value in graph.hub_values(TOPIC):
        for _ in range(times):
            producer.produce(TOPIC, value)
    producer.flush(20)


def newest(target):
    """The newest version of each message, of all batches."""
    rows = pq.read_table(target / "rows").to_pylist()
    found = {}
    for row in sorted(rows, key=lambda row: row["_version"]):
        found[row["team_id"], row["channel_id"], row["id"]] = row
    return found


def test_values_reach_tables_through_a_broker(tmp_path):
    found = jars(tmp_path / "maven")
    if found is None:
        pytest.skip("needs java and mvn")
    size = {"teams": 1, "channels_per_team": 2, "messages_per_channel": 10, "users": 6, "chats": 1, "big_threads": 0}
    with GraphEmulator(**size) as graph, broker(found, tmp_path / "broker") as address:
        producer = Producer({"bootstrap.servers": address})
        producer.produce(TOPIC, b"not ours")
        producer.flush(20)
        target, lake = tmp_path / "spark", tmp_path / "lake"
        file = written(tmp_path, graph, *(entry(table) for table in MESSAGES))
        more = ("--event-hub", f"contoso-teams/{TOPIC}", "--event-hub-tenant", "contoso.com", "--kafka", address)
        job = {"servers": address, "topic": TOPIC, "keys": str(lake / "_listen" / "keys"), "target": str(target)}
        with listening(file, lake, *more) as listener:
            listener.ready()
            before = {row["id"] for row in graph.truth("messages")}
            for turn in range(2):
                graph.mutate(new_messages=6, edits=4, deletes=2, seed=turn)
                deliver(graph, producer, times=2)
                program = [sys.executable, str(TESTS / "programs" / "kafka_spark.py"), json.dumps(job)]
                done = subprocess.run(program, capture_output=True, text=True, timeout=600)
                assert done.returncode == 0, done.stderr[-3000:]
                wait_for(lambda: equal(graph, lake))
            truth = {(row["team_id"], row["channel_id"], row["id"]): row for row in graph.truth("messages")}
            rows = newest(target)
            assert {key for key in truth if key[2] not in before} <= set(rows)
            for key, row in rows.items():
                assert row["etag"] == truth[key]["etag"]
                assert (row["deletedDateTime"] is None) == (truth[key]["deletedDateTime"] is None)
            assert listener.status()["losses_found"] == 0
