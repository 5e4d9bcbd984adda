"""The Spark script of the examples, as a new user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "examples" / "spark.py"


@pytest.mark.spark
def test_the_script_counts_the_tenants_messages(graph, options, tmp_path):
    tenant = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **tenant}, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    shown = {
        line.split("|")[1].strip(): line.split("|")[2].strip() for line in done.stdout.splitlines() if line.count("|") == 3
    }
    counts = Counter(row["team_id"] for row in graph.truth("messages"))
    assert {name: shown[name] for name in shown if name != "displayName"} == {
        row["displayName"].strip(): str(counts[row["id"]]) for row in graph.truth("teams")
    }
