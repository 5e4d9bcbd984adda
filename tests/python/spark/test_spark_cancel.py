"""A cancelled task stops asking."""

from __future__ import annotations

import threading
import time

from lakeflow_teams import GraphEmulator
from support.spark import batch


def test_cancelling_a_job_stops_its_requests(spark):
    with GraphEmulator(teams=40, channels_per_team=2, messages_per_channel=2, latency_ms=300, seed=7) as graph:
        options = {**graph.options, "max_concurrency": "1"}
        frame = batch(spark, options, "members", num_partitions="2")
        errors = []

        def run():
            spark.sparkContext.setJobGroup("to be cancelled", "members", interruptOnCancel=True)
            try:
                frame.collect()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        deadline = time.monotonic() + 60
        while sum(path["template"].endswith("members") for path in graph.requests()) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        spark.sparkContext.cancelAllJobs()
        thread.join(120)
        assert not thread.is_alive()
        assert errors
        # Spark gives a Python worker two seconds (spark.python.task.killTimeout), then ends it.
        deadline, before = time.monotonic() + 30, -1
        while len(graph.requests()) != before and time.monotonic() < deadline:
            before = len(graph.requests())
            time.sleep(1.5)
        assert len(graph.requests()) == before < 41
