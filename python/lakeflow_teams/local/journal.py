"""What is known of each destination beyond its Delta table: when it was last checked, how that went, and who is at it.

A table that had nothing new gets no commit, and a run that was killed can say nothing any more. So a run leaves a mark in
``<target>/_state`` while it goes, and after each reading writes what it found to ``state.json``, which ``status`` reads.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from lakeflow_teams import _core
from lakeflow_teams.local.process import lives
from lakeflow_teams.results.summary import DestinationSummary
from lakeflow_teams.run_report import files
from lakeflow_teams.store.location import Location

FOLDER = "_state"
STATE = "state.json"

_log = logging.getLogger(__name__)
RUNNING = "running"


@dataclass(frozen=True)
class Entry:
    """What is known of one destination. Times are ISO 8601 in UTC, by the clock of the machine that ran.

    ``checked`` is when it was last read to the end, ``changed`` when that last changed a row. ``error`` is that of the last
    run, at ``error_at``; ``None`` where it went well. ``left_out`` maps scopes that refused to be read, and whose rows were
    kept, to the time since when these are stale.
    """

    source_table: str = ""
    checked: str | None = None
    changed: str | None = None
    error: str | None = None
    error_at: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A run that has not ended: it goes on, or it was killed. ``alive`` is ``None`` for a run of another machine."""

    started: str
    host: str
    pid: int
    destinations: tuple[str, ...]
    alive: bool | None


class Journal:
    """The journal of one run into ``target``."""

    def __init__(self, target: Location) -> None:
        self._target = target

    def left_out(self, destination: str) -> Mapping[str, str]:
        """The scopes of a destination whose rows were stale before this run."""
        entry = entries(self._target).get(destination)
        return entry.left_out if entry else {}

    def last_checked(self, destination: str) -> str | None:
        """When the destination was last read to the end."""
        entry = entries(self._target).get(destination)
        return entry.checked if entry else None

    def write(self, lines: Iterable[DestinationSummary]) -> None:
        """Notes how readings went. A journal that cannot be written is no reason to fail: the rows are committed."""
        known, now = entries(self._target), _now()
        for line in lines:
            before = known.get(line.destination, Entry())
            if line.error is not None:
                known[line.destination] = replace(before, source_table=line.source_table, error=line.error, error_at=now)
                continue
            has_changed = bool(line.inserts or line.updates or line.deletes)
            known[line.destination] = Entry(
                line.source_table, now, now if has_changed else before.changed, left_out=dict(line.left_out)
            )
        _save(self._target, known)


@contextmanager
def running(target: Location, destinations: Mapping[str, str]) -> Iterator[Journal]:
    """Marks a run while it goes. ``destinations`` maps the names of what it fills to their source tables."""
    mark = _folder(target) / RUNNING / f"{uuid4().hex}.json"
    written = {"started": _now(), "host": socket.gethostname(), "pid": os.getpid(), "destinations": list(destinations)}
    known = entries(target)
    new = {name: Entry(source) for name, source in destinations.items() if name not in known}
    _write(mark, written)
    if new:
        _save(target, {**known, **new})
    try:
        yield Journal(target)
    finally:
        _end(mark)
        for other in _marks(target):
            if (_running(other) or {}).get("alive") is False:
                _end(other)  # a killed run is history once another one has ended


def entries(target: Location) -> dict[str, Entry]:
    """What is known of each destination, by name."""
    content = files.read_json(_folder(target) / STATE) or {}
    known = {each.name for each in fields(Entry)}
    found = content.get("destinations", {})
    return {name: Entry(**{key: value for key, value in entry.items() if key in known}) for name, entry in found.items()}


def unfinished(target: Location) -> list[Running]:
    """Runs that have begun and not ended, oldest first."""
    found = [_running(mark) for mark in _marks(target)]
    runs = [
        Running(each["started"], each["host"], each["pid"], tuple(each["destinations"]), each["alive"])
        for each in found
        if each is not None
    ]
    return sorted(runs, key=lambda run: run.started)


def _running(mark: Location) -> dict[str, Any] | None:
    content = files.read_json(mark)
    if content is None or not {"started", "host", "pid", "destinations"} <= content.keys():
        return None
    is_here = content["host"] == socket.gethostname()
    return {**content, "alive": lives(content["pid"]) if is_here else None}


def _marks(target: Location) -> list[Location]:
    return [file for file in (_folder(target) / RUNNING).files() if file.name.endswith(".json")]


def _end(mark: Location) -> None:
    """Removes the mark of a run. Credentials that may write and not delete leave one that says nothing."""
    try:
        mark.remove()
    except (OSError, _core.LakeflowTeamsError):
        _log.debug("%s could not be removed", mark, exc_info=True)
        _write(mark, {})


def _save(target: Location, known: Mapping[str, Entry]) -> None:
    content = {"version": 1, "destinations": {name: asdict(entry) for name, entry in known.items()}}
    _write(_folder(target) / STATE, content)


def _write(file: Location, content: object) -> None:
    """What cannot be written is no reason to fail: the tables say themselves whether they can be."""
    try:
        files.write_json(file, content)
    except (OSError, _core.LakeflowTeamsError):
        _log.debug("%s could not be written", file, exc_info=True)


def _folder(target: Location) -> Location:
    return target / FOLDER


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
