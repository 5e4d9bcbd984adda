"""The folder of a lakehouse, as it was named."""

from __future__ import annotations

import re
from os import PathLike, fspath
from pathlib import Path

from lakeflow_teams import _core

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def folder(target: str | PathLike[str]) -> Path:
    """The folder. Raises :class:`ConfigurationError` for the address of a store, of which a path would make a folder."""
    if _ADDRESS.match(fspath(target)):
        raise _core.ConfigurationError(
            f"target {fspath(target)}: the local lakehouse is a folder of this machine; mount the store, or use Spark"
        )
    return Path(target)
