"""kill -9 at random moments: after running again, every table equals the truth."""

from __future__ import annotations

import json
import os
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
from lakeflow_teams.local.write import upkeep
incremental.ROWS_PER_BATCH, upkeep.COMMITS, upkeep._MANY_FILES = json.loads(sys.argv[1])
print("ready", flush=True)
spec, target, options = json.loads(sys.stdin.read())
ingest_local(spec, target, options, report=False)
"""
#: Roots and replies of the large tenant; 300000 takes a quarter of an hour.
ROWS = int(os.environ.get("KILL_ROWS", "12000"))
BOTH = ("messages", "message_replies")


@pytest.fixture(scope="module")
def tenant():
    with GraphEmulator(teams=4, channels_per_team=2, messages_per_channel=20, users=8, chats=6, seed=11) as graph:
        yield graph


def start(graph, target, tables=TABLES, rows_per_batch=60):
    """An ingest that begins now: its imports, which take longer than it does, are done."""
    process = subprocess.Popen(
        [sys.executable, "-c", INGEST, json.dumps([rows_per_batch, 3, 2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    # Small pages make many moments.
    spec = pipeline(*(entry(table, top=20) for table in tables))
    process.stdin.write(json.dumps([spec, str(target), dict(graph.options)]))
    process.stdin.close()
    return process


def close(process):
    process.stdout.close()
    process.stderr.close()


def finish(process):
    said = process.stderr.read()
    close(process)
    assert process.wait(timeout=900) == 0, said


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


@pytest.mark.slow
def test_ten_kills_of_a_first_ingest_and_ten_of_an_increment(tmp_path):
    """Small files are put together and deleted meanwhile, so that kills hit that too."""
    size = {"teams": 4, "channels_per_team": 5, "messages_per_channel": ROWS // 40}
    with GraphEmulator(**size, missing_teams=0, empty_channel=False, big_threads=0, seed=5) as graph:
        moments = random.Random(17)
        whole = time.monotonic()
        finish(start(graph, tmp_path / "whole", BOTH, ROWS // 20))
        whole = time.monotonic() - whole
        for turn in range(10):
            killed(graph, tmp_path / "killed", moments.uniform(0.05, 0.5) * whole)
            if turn == 4:
                graph.mutate(edits=20, reply_edits=20, new_messages=20, late_replies=20, deletes=5)
                graph.advance(60)
        finish(start(graph, tmp_path / "killed", BOTH, ROWS // 20))
        assert differences(graph, tmp_path / "killed", BOTH) == []
        graph.advance(3600)
        changed = time.monotonic()
        finish(start(graph, tmp_path / "whole", BOTH, ROWS // 20))
        changed = time.monotonic() - changed
        for _ in range(10):
            graph.mutate(edits=ROWS // 400, reply_edits=ROWS // 400, new_messages=40, late_replies=40, deletes=5)
            graph.advance(3600)
            killed(graph, tmp_path / "killed", moments.uniform(0.1, 1.0) * changed)
        finish(start(graph, tmp_path / "killed", BOTH, ROWS // 20))
        assert differences(graph, tmp_path / "killed", BOTH) == []


def killed(graph, target, seconds):
    process = start(graph, target, BOTH, ROWS // 20)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    close(process)
