"""Where run reports lie: ``<target>/_reports/<run>.html`` and ``.json``, and ``latest`` of both."""

from __future__ import annotations

import json
from typing import Any

from lakeflow_teams.store.location import Location

FOLDER = "_reports"
#: Runs whose reports are kept; older ones are removed.
KEPT = 100

_LATEST = "latest"
_JSON = ".json"


def latest(target: Location) -> dict[str, Any] | None:
    """The last run's report, or ``None`` where there is none that can be read."""
    return read_json(target / FOLDER / f"{_LATEST}{_JSON}")


def earlier(target: Location, most: int) -> list[dict[str, Any]]:
    """The last runs' reports, oldest first."""
    found = (read_json(target / FOLDER / f"{run}{_JSON}") for run in _runs(target)[-most:])
    return [report for report in found if report is not None]


def write(target: Location, run: str, document: dict[str, Any], html: str) -> Location:
    """Writes both forms under the run's name and as ``latest``, and removes the oldest. Returns the run's page."""
    folder = target / FOLDER
    text = json.dumps(document, indent=2, ensure_ascii=False)
    for name in (run, _LATEST):
        (folder / f"{name}{_JSON}").write(_bytes(text))
        (folder / f"{name}.html").write(_bytes(html))
    for old in _runs(target)[:-KEPT]:
        (folder / f"{old}{_JSON}").remove()
        (folder / f"{old}.html").remove()
    return folder / f"{run}.html"


def write_json(file: Location, content: object) -> None:
    """Writes JSON: a reader sees the old file or the new one, never a half."""
    file.write(_bytes(json.dumps(content, indent=2, ensure_ascii=False)))


def _runs(target: Location) -> list[str]:
    """The names of all runs, oldest first."""
    names = (file.name for file in (target / FOLDER).files())
    return [name.removesuffix(_JSON) for name in names if name.endswith(_JSON) and name != f"{_LATEST}{_JSON}"]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def read_json(file: Location) -> dict[str, Any] | None:
    """The object in a file, or ``None`` where there is none that can be read."""
    try:
        content = json.loads(file.read() or b"")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
