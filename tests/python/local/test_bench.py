"""`make bench`: measures and prints, asserts nothing about speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TENANT = {"channels_per_team": 5, "messages_per_channel": 500, "replies_per_message": 1, "users": 50, "chats": 0}

READ = """
import json, resource, sys, time
from lakeflow_teams import TeamsClient
client = TeamsClient({**json.loads(sys.argv[1]), "rate_limits": "off"})
begin = time.perf_counter()
rows = 0
for _, batch in client.read_many(["messages", "message_replies"], fetch_all_teams=True, fetch_all_channels=True):
    rows += len(batch)
seconds = time.perf_counter() - begin
print(json.dumps({
    "rows": rows,
    "seconds": round(seconds, 2),
    "rows_per_second": round(rows / seconds),
    "rows_per_request": round(rows / client.report.requests, 1),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}))
"""

IMPORT = "import time; b = time.perf_counter(); import lakeflow_teams; print(round((time.perf_counter() - b) * 1000, 1))"


@pytest.fixture(scope="module")
def tenant():
    """An emulator in a process of its own, so that the reader's memory is the reader's."""
    knobs = [part for name, value in TENANT.items() for part in ("-o", f"{name}={value}")]
    command = [sys.executable, "-m", "lakeflow_teams", "emulator", "--port", "0", "--teams", "20", "--json", *knobs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())["options"]
        process.terminate()


@pytest.mark.bench
def test_a_hundred_thousand_messages_and_replies(tenant):
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", READ, json.dumps(tenant)], check=True, capture_output=True, text=True)
        print(run.stdout.strip())


@pytest.mark.bench
def test_import_and_size():
    import lakeflow_teams

    times = [subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True) for _ in range(5)]
    print("import:", min(float(run.stdout) for run in times), "ms")
    for library in Path(lakeflow_teams.__file__).parent.glob("_core*.so"):
        print(library.name, round(library.stat().st_size / 1e6, 1), "MB")
