"""A tenant with channels of every kind."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator


@pytest.fixture
def graph():
    """A small tenant of the test's own, with standard, private and shared channels."""
    with GraphEmulator(teams=4, channels_per_team=3, messages_per_channel=10, users=12, chats=6, seed=7) as emulator:
        assert {row["membershipType"] for row in emulator.truth("channels")} == {"standard", "private", "shared"}
        yield emulator
