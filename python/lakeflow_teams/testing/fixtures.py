"""pytest fixtures: a Microsoft Teams tenant for your own tests.

pytest loads this module at each start wherever the package is installed, so nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lakeflow_teams._core import GraphEmulator


@pytest.fixture
def graph_emulator_factory() -> Iterator[Callable[..., GraphEmulator]]:
    """Makes emulators with the knobs a test wants, and closes them when it ends.

    For example::

        def test_big_tenant(graph_emulator_factory):
            graph = graph_emulator_factory(teams=50, seed=1)
    """
    from lakeflow_teams._core import GraphEmulator

    running: list[GraphEmulator] = []

    def make(**knobs: Any) -> GraphEmulator:
        emulator = GraphEmulator(**knobs)
        running.append(emulator)
        return emulator

    yield make
    for emulator in running:
        emulator.close()


@pytest.fixture
def graph_emulator(graph_emulator_factory: Callable[..., GraphEmulator]) -> GraphEmulator:
    """A fresh small tenant on loopback; ``TeamsClient(graph_emulator.options)`` reaches it."""
    return graph_emulator_factory()
