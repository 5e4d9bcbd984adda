"""Importing the package costs next to nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import lakeflow_teams

PROBE = """
import sys, time
before = set(sys.modules)
begin = time.perf_counter()
import lakeflow_teams
seconds = time.perf_counter() - begin
loaded = {name.split(".")[0] for name in set(sys.modules) - before}
foreign = sorted(name for name in loaded if name not in sys.stdlib_module_names and name != "lakeflow_teams")
print(seconds, foreign, "lakeflow_teams._core" in sys.modules)
"""


def test_import_is_fast_and_loads_nothing_else():
    runs = [subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True) for _ in range(3)]
    seconds = min(float(run.stdout.split()[0]) for run in runs)
    assert seconds < 0.1
    assert all(run.stdout.split()[1:] == ["[]", "False"] for run in runs)


BLOCKED = """
import sys
for name in ("pyspark", "pyarrow", "deltalake", "yaml", "click", "rich"):
    sys.modules[name] = None
import lakeflow_teams as t
with t.GraphEmulator(teams=2) as graph:
    print(sum(len(batch) for batch in t.TeamsClient(graph.options).read("teams")) == len(graph.truth("teams")))
    connector = t.MicrosoftTeamsLakeflowConnect(graph.options)
    rows, offset = connector.read_table("teams", None, {})
    print(len(list(rows)) == len(graph.truth("teams")), offset)
    for call in (lambda: connector.get_table_schema("teams", {}), lambda: t.ingest_local("p.yaml", "t")):
        try:
            call()
        except ImportError as error:
            print(error)
sys.argv = ["lakeflow-teams", "tables"]
from lakeflow_teams.cli import main
main()
"""


def test_base_install_reads_and_says_which_extra_is_missing():
    run = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True)
    lines = run.stdout.splitlines()
    assert lines[:2] == ["True", "True {}"]
    assert 'pip install "lakeflow-teams[spark]"' in lines[2]
    assert 'pip install "lakeflow-teams[local]"' in lines[3]
    assert run.returncode == 2
    assert run.stderr.splitlines() == [
        'lakeflow-teams: the command line needs click, which is not installed: pip install "lakeflow-teams[cli]"'
    ]


def test_every_public_name_is_there():
    for name in lakeflow_teams.__all__:
        assert getattr(lakeflow_teams, name) is not None, name
        assert name in dir(lakeflow_teams)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("cli", "main"),
        ("environment", "connection_from_environment"),
        ("lakeflow", "MicrosoftTeamsLakeflowConnect"),
        ("local", "ingest_local"),
        ("options", "as_options"),
        ("pipelines", "ingest"),
        ("pytest_plugin", "graph_emulator_factory"),
        ("spark", "MicrosoftTeamsDataSource"),
        ("spark", "TeamsDataSource"),
        ("stream", "TableStream"),
        ("telemetry", "reading"),
        ("client", "TeamsClient"),
    ],
)
def test_programs_find_names_where_they_were(module, name):
    assert hasattr(importlib.import_module(f"lakeflow_teams.{module}"), name)


def test_errors_are_what_callers_catch():
    assert issubclass(lakeflow_teams.LakeflowTeamsError, RuntimeError)
    assert issubclass(lakeflow_teams.ConfigurationError, ValueError)
    for name in ("Authentication", "PermissionDenied", "NotFound", "Throttled", "Service", "Protocol"):
        assert issubclass(getattr(lakeflow_teams, f"{name}Error"), lakeflow_teams.LakeflowTeamsError)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lakeflow_teams.nothing
