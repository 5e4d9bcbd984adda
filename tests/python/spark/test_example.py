"""The Spark script of the examples, in the tests' session."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections import Counter

import pytest

from support.paths import ROOT

SCRIPT = ROOT / "examples" / "spark.py"


def test_the_script_counts_the_tenants_messages(spark, graph, options, monkeypatch, capsys):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    shown = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in lines if line.count("|") == 3}
    counts = Counter(row["team_id"] for row in graph.truth("messages"))
    assert {name: shown[name] for name in shown if name != "displayName"} == {
        row["displayName"].strip(): str(counts[row["id"]]) for row in graph.truth("teams")
    }


@pytest.mark.slow
def test_it_runs_where_no_environment_is_activated(graph, options, tmp_path):
    given = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}
    kept = {name: value for name, value in os.environ.items() if name not in ("PYSPARK_PYTHON", "VIRTUAL_ENV", "PATH")}
    plain = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if "venv" not in part)
    environment = {**kept, **given, "PATH": plain}
    done = subprocess.run([sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert graph.truth("teams")[0]["displayName"].strip() in done.stdout
