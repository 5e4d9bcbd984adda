"""Fixtures shared by all tests. The tenant is the emulator; nothing here leaves the machine."""

from __future__ import annotations

import os

import pytest

from lakeflow_teams import GraphEmulator

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    """No credential of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "LAKEFLOW_TEAMS_")):
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
