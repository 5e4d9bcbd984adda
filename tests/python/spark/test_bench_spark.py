"""`make bench`: 200,000 messages into a Spark DataFrame, in Arrow batches and in rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sparking import reader

TENANT = {"channels_per_team": 5, "messages_per_channel": 2000, "replies_per_message": 0, "users": 50, "chats": 0}


@pytest.fixture(scope="module")
def tenant():
    """An emulator in a process of its own."""
    knobs = [part for name, value in TENANT.items() for part in ("-o", f"{name}={value}")]
    command = [sys.executable, "-m", "lakeflow_teams", "emulator", "--port", "0", "--teams", "20", "--json", *knobs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield {**json.loads(process.stdout.readline())["options"], "rate_limits": "off"}
        process.terminate()


def worker_seconds():
    """CPU seconds of Spark's Python workers: those of this process and of the emulator are not in it."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if "pyspark.daemon" in (process / "cmdline").read_text():
                total += sum(map(int, (process / "stat").read_text().rsplit(")", 1)[1].split()[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


@pytest.mark.bench
@pytest.mark.slow
def test_two_hundred_thousand_messages(spark, tenant):
    import rowdoor
    from pyspark.cloudpickle import register_pickle_by_value

    register_pickle_by_value(rowdoor)  # Spark's workers can't import a test's module
    spark.dataSource.register(rowdoor.RowDoor)
    truth = None
    for door in ("microsoft_teams", "microsoft_teams", "row_door"):
        frame = reader(spark.read, tenant, "messages", door).load()
        cpu, begin = worker_seconds(), time.perf_counter()
        frame.write.format("noop").mode("overwrite").save()
        seconds, cpu = time.perf_counter() - begin, worker_seconds() - cpu
        truth = truth or frame.count()
        print(
            json.dumps(
                {
                    "door": door,
                    "rows": truth,
                    "seconds": round(seconds, 2),
                    "rows_per_second": round(truth / seconds),
                    "python_cpu_seconds": round(cpu, 2),
                }
            )
        )
