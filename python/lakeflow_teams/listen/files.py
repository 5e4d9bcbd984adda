"""What is kept in ``<target>/_listen`` beside what the core keeps there: small JSON files, and the lock of one listener."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.deliver.files import alone, replace

FOLDER = "_listen"


def listening_alone(folder: Path) -> AbstractContextManager[None]:
    """The lock on a folder. Raises :class:`LakeflowTeamsError` where a listener holds it, also one of this process."""
    return alone(folder, "listener")


def is_running(folder: Path) -> bool:
    """Whether a listener holds the lock."""
    if not folder.is_dir():
        return False
    try:
        with listening_alone(folder):
            return False
    except _core.LakeflowTeamsError:
        return True


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in a file; an empty one where there is none, or what is there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def replace_json(path: Path, content: dict[str, Any]) -> None:
    """Puts a mapping in place of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, json.dumps(content))
