"""Where the framework's own loader, and code written for its source, import the connector from."""

from __future__ import annotations

from lakeflow_teams.lakeflow import MicrosoftTeamsLakeflowConnect

__all__ = ["MicrosoftTeamsLakeflowConnect"]
