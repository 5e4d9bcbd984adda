"""A small tenant in which everybody has the app, and bots of it."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator
from lakeflow_teams.bot import TeamsBot


@pytest.fixture
def graph():
    size = {"teams": 2, "channels_per_team": 2, "messages_per_channel": 2, "users": 8, "chats": 1}
    with GraphEmulator(**size, app_installed=1.0) as emulator:
        yield emulator


@pytest.fixture
def user(graph):
    return graph.truth("users")[0]["id"]


@pytest.fixture
def other(graph):
    return graph.truth("users")[1]["id"]


@pytest.fixture
def make(graph, tmp_path):
    def bot(**options):
        return TeamsBot(dict(graph.options), target=tmp_path, **options)

    return bot


@pytest.fixture
def channel(graph):
    return graph.truth("channels")[0]["id"]
