"""A debug build says so, once; the optimised one says nothing."""

from __future__ import annotations

import os
import subprocess
import sys

from lakeflow_teams import _core

USE = """
from lakeflow_teams import _core
import lakeflow_teams
with lakeflow_teams.GraphEmulator(teams=1) as graph:
    list(lakeflow_teams.TeamsClient(graph.options).read("teams"))
"""


def test_a_debug_build_warns_once_per_process():
    env = {**os.environ, "PYTHONWARNINGS": "always"}
    done = subprocess.run([sys.executable, "-c", USE], env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.count("RuntimeWarning: lakeflow_teams is a debug build") == int(_core.__debug_build__)
    assert done.stderr.count("Warning") == int(_core.__debug_build__)


def test_importing_the_package_says_nothing():
    done = subprocess.run([sys.executable, "-W", "error", "-c", "import lakeflow_teams"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
