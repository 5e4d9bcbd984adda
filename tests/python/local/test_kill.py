"""kill -9 at random moments: after running again, every table equals the truth."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from lakeflow_teams import GraphEmulator
from support.lakehouse import TABLES, differences, entry, pipeline

INGEST = """
import json, sys
from lakeflow_teams.local import incremental, ingest_local, runner
incremental.ROWS_PER_BATCH = 60
print("ready", flush=True)
spec, target, options = json.loads(sys.stdin.read())
ingest_local(spec, target, options)
"""


@pytest.fixture(scope="module")
def tenant():
    with GraphEmulator(teams=4, channels_per_team=2, messages_per_channel=20, users=8, chats=6, seed=11) as graph:
        yield graph


def start(graph, target):
    """An ingest that begins now: its imports, which take longer than it does, are done."""
    process = subprocess.Popen(
        [sys.executable, "-c", INGEST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    # Small pages make many moments.
    spec = pipeline(*(entry(table, top=20) for table in TABLES))
    process.stdin.write(json.dumps([spec, str(target), dict(graph.options)]))
    process.stdin.close()
    return process


def close(process):
    process.stdout.close()
    process.stderr.close()


def finish(process):
    said = process.stderr.read()
    close(process)
    assert process.wait(timeout=120) == 0, said


@pytest.fixture(scope="module")
def whole(tenant, tmp_path_factory):
    """Seconds an undisturbed run takes while every answer is slow."""
    tenant.set(latency_ms=30)
    process = start(tenant, tmp_path_factory.mktemp("whole"))
    begin = time.monotonic()
    finish(process)
    return time.monotonic() - begin


@pytest.mark.parametrize("turn", range(6))
def test_a_kill_at_any_moment_loses_and_doubles_nothing(tenant, whole, tmp_path, turn):
    tenant.set(latency_ms=30)
    moments = random.Random(turn)
    for _ in range(2):  # the second kill hits the run that makes the first one good
        process = start(tenant, tmp_path)
        time.sleep(moments.uniform(0.0, 1.0) * whole)
        process.send_signal(signal.SIGKILL)
        process.wait()
        close(process)
    tenant.set(latency_ms=0)
    finish(start(tenant, tmp_path))
    assert differences(tenant, tmp_path) == []
