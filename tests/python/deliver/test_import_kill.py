"""kill -9 at random moments of an import whose answers get lost: nothing is missing, nothing stands there twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from support.history import History, ledger, people, plan, standing

RUN = """
import json, sys
from lakeflow_teams.deliver.entry import import_messages
plan, target, options = json.loads(sys.stdin.read())
print("ready", flush=True)
import_messages(plan, target, options)
"""
LOST = ("POST /teams/{id}/channels/{id}/messages", "POST /teams/{id}/channels/{id}/messages/{id}/replies")


def start(path, target, graph):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(json.dumps([str(path), str(target), dict(graph.options)]))
    process.stdin.close()
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def kill_until_done(graph, tmp_path, history, *, kills, seed):
    """Kills the import that often, each time after it got some posts further; then it runs to its end."""
    path, target = plan(tmp_path, history.write(tmp_path / "source")), tmp_path / "lake"
    for number, place in enumerate(LOST):
        for kind in ("reset", "status"):
            graph.fault(path=place, kind=kind, status=504, after=True, probability=0.025, seed=seed * 10 + number)
    moments = random.Random(seed)
    total = len(history.rows)
    posted = lambda: sum(graph.request_counts().get(name, 0) for name in LOST)  # noqa: E731
    for _ in range(kills):
        process = start(path, target, graph)
        goal = posted() + moments.uniform(0, 1.6) * total / kills
        while posted() < goal and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.counts["posted"], ran.exit_code) == (total, 0), ran
    assert standing(graph) == history.planned()
    rows = ledger(target)
    assert len(rows) == total
    assert {row["state"] for row in rows} == {"posted"}
    assert len({row["teams_id"] for row in rows}) <= total
    graph.clear_faults()
    verified = import_messages(path, target, dict(graph.options), step="verify")
    assert (verified.differences, verified.verified["equal"]) == ([], total)


@pytest.mark.parametrize("seed", range(2))
def test_an_import_that_is_killed_ends_equal_to_its_source(tmp_path, seed):
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=8, chats=0, seed=5) as graph:
        history = History(people(graph), channels=6, messages=100, seed=seed)
        kill_until_done(graph, tmp_path, history, kills=5, seed=seed)


@pytest.mark.slow
def test_twenty_thousand_messages_in_forty_channels_and_ten_kills(tmp_path):
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=20, chats=0, seed=5, threads=2) as graph:
        history = History(people(graph, 15), channels=40, messages=500, seed=9)
        kill_until_done(graph, tmp_path, history, kills=10, seed=9)


def test_two_at_a_time_are_refused(tmp_path):
    from lakeflow_teams import LakeflowTeamsError

    with GraphEmulator(teams=1, users=8, chats=0, latency_ms=30) as graph:
        history = History(people(graph), channels=1, messages=100)
        path, target = plan(tmp_path, history.write(tmp_path / "source")), tmp_path / "lake"
        process = start(path, target, graph)
        while not graph.request_counts().get(LOST[0]):
            time.sleep(0.01)
        with pytest.raises(LakeflowTeamsError, match="another process runs this import"):
            import_messages(path, target, dict(graph.options))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
