"""The Spark script of the examples, in the tests' session."""

from __future__ import annotations

import runpy
from collections import Counter

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
