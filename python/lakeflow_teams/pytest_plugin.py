"""The pytest plugin, by the name that pytest and ``-p`` load it: fixtures of an emulated tenant."""

from __future__ import annotations

from lakeflow_teams.testing.fixtures import graph_emulator, graph_emulator_factory

__all__ = ["graph_emulator", "graph_emulator_factory"]
