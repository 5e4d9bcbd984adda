"""Ingests in programs of their own, which are killed; afterwards every table has to equal the truth."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

from lakeflow_teams import GraphEmulator
from support.lakehouse import TABLES, differences, entry, pipeline

INGEST = """
import json, sys
from lakeflow_teams.local import incremental, ingest_local, runner
from lakeflow_teams.local.write import upkeep
if sys.argv[2:]: import obstore, lakeflow_teams.store.bucket
incremental.ROWS_PER_BATCH, upkeep.COMMITS, upkeep._MANY_FILES = json.loads(sys.argv[1])
print("ready", flush=True)
spec, target, options = json.loads(sys.stdin.read())
ingest_local(spec, target, options, report=False)
"""
#: Roots and replies of the large tenant; 300000 takes a quarter of an hour.
ROWS = int(os.environ.get("KILL_ROWS", "12000"))
BOTH = ("messages", "message_replies")
#: What happens in the tenant while a first ingest is killed, and before each increment is.
MEANWHILE = {"edits": 20, "reply_edits": 20, "new_messages": 20, "late_replies": 20, "deletes": 5}
CHANGES = {**MEANWHILE, "edits": ROWS // 400, "reply_edits": ROWS // 400, "new_messages": 40, "late_replies": 40}


def start(graph, target, tables=TABLES, rows_per_batch=60):
    """An ingest that begins now: its imports, which take longer than it does, are done."""
    process = subprocess.Popen(
        [sys.executable, "-c", INGEST, json.dumps([rows_per_batch, 3, 2]), *(["store"] if "://" in str(target) else [])],
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


def timed(graph, target):
    """Seconds of an ingest that nobody disturbs."""
    begin = time.monotonic()
    finish(start(graph, target, BOTH, ROWS // 20))
    return time.monotonic() - begin


def killed(graph, target, seconds):
    process = start(graph, target, BOTH, ROWS // 20)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    close(process)


def check_ten_kills_each(undisturbed, target):
    """Kills a first ingest at ten random moments, then ten increments. ``undisturbed`` is a target that is as fast.

    Small files are put together and deleted meanwhile, so that kills hit that too.
    """
    size = {"teams": 4, "channels_per_team": 5, "messages_per_channel": ROWS // 40}
    with GraphEmulator(**size, missing_teams=0, empty_channel=False, big_threads=0, seed=5) as graph:
        moments = random.Random(17)
        whole = timed(graph, undisturbed)
        for turn in range(10):
            killed(graph, target, moments.uniform(0.02, 0.17) * whole)
            if turn == 4:
                graph.mutate(**MEANWHILE)
                graph.advance(60)
        finish(start(graph, target, BOTH, ROWS // 20))
        assert differences(graph, target, BOTH) == []
        graph.advance(3600)
        changed = timed(graph, undisturbed)
        for _ in range(10):
            graph.mutate(**CHANGES)
            graph.advance(3600)
            killed(graph, target, moments.uniform(0.1, 1.0) * changed)
        finish(start(graph, target, BOTH, ROWS // 20))
        assert differences(graph, target, BOTH) == []
