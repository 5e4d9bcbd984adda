"""Fixtures shared by all tests. The tenant is the emulator; nothing here leaves the machine."""

from __future__ import annotations

import os
import warnings

import pytest

from support.debug_build import SILENCED

#: Also in the processes that tests start, and in Spark's workers.
os.environ["PYTHONWARNINGS"] = SILENCED
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the core is loaded here, once, and speaks of a debug build only then
    from lakeflow_teams import GraphEmulator

pytest_plugins = ["pytester", "support.spark_session"]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    """No credential of the machine reaches a test, and no width of a terminal, which pytest's workers are given."""
    for name in list(os.environ):
        if name == "COLUMNS" or name.startswith(("AWS_", "AZURE_", "GOOGLE_", "LAKEFLOW_TEAMS_")):
            monkeypatch.delenv(name)


@pytest.fixture
def graph():
    """A small tenant of the test's own."""
    with GraphEmulator(teams=4, channels_per_team=2, messages_per_channel=15, users=8, chats=6, seed=7) as emulator:
        yield emulator


@pytest.fixture
def options(graph):
    """Connection options that reach the tenant."""
    return dict(graph.options)
