"""The name under which programs import :func:`connection_from_environment`; it lives in ``lakeflow_teams.options``."""

from __future__ import annotations

from lakeflow_teams.options import connection_from_environment

__all__ = ["connection_from_environment"]
