"""Small JSON files in ``<target>/_listen``: replaced as a whole, so that a reader sees the old one or the new one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

FOLDER = "_listen"


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
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    os.replace(fresh, path)  # noqa: PTH105
