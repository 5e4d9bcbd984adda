"""Where run reports lie: ``<target>/_reports/<run>.html`` and ``.json``, and ``latest`` of both."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = "_reports"
#: Runs whose reports are kept; older ones are removed.
KEPT = 100

_LATEST = "latest"


def latest(target: Path) -> dict[str, Any] | None:
    """The last run's report, or ``None`` where there is none that can be read."""
    return read_json(target / FOLDER / f"{_LATEST}.json")


def earlier(target: Path, most: int) -> list[dict[str, Any]]:
    """The last runs' reports, oldest first."""
    found = (read_json(file) for file in _runs(target)[-most:])
    return [report for report in found if report is not None]


def write(target: Path, run: str, document: dict[str, Any], html: str) -> Path:
    """Writes both forms under the run's name and as ``latest``, and removes the oldest. Returns the run's page."""
    folder = target / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    for name in (run, _LATEST):
        _replace(folder / f"{name}.json", text)
        _replace(folder / f"{name}.html", html)
    for file in _runs(target)[:-KEPT]:
        file.unlink(missing_ok=True)
        file.with_suffix(".html").unlink(missing_ok=True)
    return folder / f"{run}.html"


def replace_json(file: Path, content: object) -> None:
    """Writes JSON: a reader sees the old file or the new one, never a half."""
    _replace(file, json.dumps(content, indent=2, ensure_ascii=False))


def _runs(target: Path) -> list[Path]:
    return sorted(file for file in (target / FOLDER).glob("*.json") if file.stem != _LATEST)


def _replace(file: Path, text: str) -> None:
    """A reader sees the old file or the new one, never a half."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    draft.write_text(text, encoding="utf-8", errors="replace")
    os.replace(draft, file)  # noqa: PTH105


def read_json(file: Path) -> dict[str, Any] | None:
    """The object in a file, or ``None`` where there is none that can be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
