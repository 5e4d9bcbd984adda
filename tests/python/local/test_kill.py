"""kill -9 at random moments: after running again, every table equals the truth."""

from __future__ import annotations

import random
import signal
import time

import pytest

from lakeflow_teams import GraphEmulator
from support.killing import check_ten_kills_each, close, finish, start
from support.lakehouse import differences
from support.quick import quick


@pytest.fixture(scope="module")
def tenant():
    with GraphEmulator(teams=4, channels_per_team=2, messages_per_channel=20, users=8, chats=6, seed=11) as graph:
        yield graph


@pytest.fixture(scope="module")
def whole(tenant, tmp_path_factory):
    """Seconds an undisturbed run takes while every answer is slow."""
    tenant.set(latency_ms=30)
    process = start(tenant, tmp_path_factory.mktemp("whole"))
    begin = time.monotonic()
    finish(process)
    return time.monotonic() - begin


@pytest.mark.parametrize("turn", quick([0, 1], 2, 3, 4, 5))
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
    check_ten_kills_each(tmp_path / "whole", tmp_path / "killed")
