"""`make bench`: 200,000 messages into a Spark DataFrame, in Arrow batches and in rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import PROGRAMS, TESTS

COMMUNITY = os.environ.get("LAKEFLOW_COMMUNITY_CONNECTORS", "")
TENANT = {"channels_per_team": 5, "messages_per_channel": 2000, "replies_per_message": 0, "users": 50, "chats": 0}


@pytest.fixture(scope="module")
def tenant():
    """An emulator in a process of its own."""
    knobs = [part for name, value in TENANT.items() for part in ("-o", f"{name}={value}")]
    command = [sys.executable, "-m", "lakeflow_teams", "emulator", "--port", "0", "--teams", "20", "--json", *knobs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield {**json.loads(process.stdout.readline())["options"], "rate_limits": "off"}
        process.terminate()


@pytest.mark.bench
@pytest.mark.slow
def test_two_hundred_thousand_messages(tenant):
    community = [str(Path(COMMUNITY) / "src")] if COMMUNITY else []
    paths = [*community, str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    run = subprocess.run(
        [sys.executable, PROGRAMS / "doors.py", json.dumps(tenant)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    print()
    print(run.stdout, end="")
    assert run.returncode == 0
