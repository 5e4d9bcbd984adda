"""The names of all options, from the core's catalogue."""

from __future__ import annotations

from functools import cache
from typing import Literal

from lakeflow_teams import _core

#: What the community framework itself passes through a connection: for tables, and for its agent's operations.
FRAMEWORK = (
    "tableName",
    "tableNameList",
    "tableConfigs",
    "isDeleteFlow",
    *("operation", "path", "name", "search", "metadataKey", "catalogName", "schemaName"),
)


@cache
def names(door: Literal["connection", "table"]) -> tuple[str, ...]:
    """The options of one door in the order of the documentation."""
    return tuple(option["name"] for option in _core.options() if option["door"] == door)


@cache
def secrets() -> tuple[str, ...]:
    """The options whose value is a secret."""
    return tuple(option["name"] for option in _core.options() if option["secret"])


def allow_list() -> str:
    """The value of ``externalOptionsAllowList``: every option that a table may be read with."""
    return ",".join((*FRAMEWORK, *names("table")))
