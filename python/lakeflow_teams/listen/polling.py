"""Polling beside the notifications: after a start, over a gap, and once a day everything, because losses are silent.

A poll is an ordinary ``ingest`` of the tables concerned: it goes on from its own offset, which no notification moves, so it
covers whatever came since the last one. A whole one also reads the keys of everything, and so finds what is gone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from lakeflow_teams.listen import losses
from lakeflow_teams.listen.files import read_json, replace_json
from lakeflow_teams.local.choice import Choice
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.runner import run
from lakeflow_teams.spec.pipeline import PipelineSpec
from lakeflow_teams.spec.writing import is_snapshot
from lakeflow_teams.store.location import Location

_log = logging.getLogger(__name__)

_FILE = "polled.json"


@dataclass(frozen=True)
class Gap:
    """A time in which a resource was not subscribed to, and the tables that it feeds."""

    resource: str
    until: str
    tables: frozenset[str]


@dataclass(frozen=True)
class Request:
    """A poll that is to be made. ``tables`` are source tables, none for all; ``gaps`` are told of once it is done."""

    reason: str
    tables: frozenset[str] = frozenset()
    whole: bool = False
    gaps: tuple[Gap, ...] = ()

    def joined(self, other: Request) -> Request:
        """One poll that does what both ask for."""
        tables = self.tables | other.tables if self.tables and other.tables else frozenset()
        reasons = dict.fromkeys([*self.reason.split(", "), *other.reason.split(", ")])
        return Request(", ".join(reasons), tables, self.whole or other.whole, tuple({*self.gaps, *other.gaps}))

    def rest(self, failed: frozenset[str]) -> Request:
        """What of it is still to be done where these tables failed."""
        gaps = tuple(gap for gap in self.gaps if gap.tables & failed)
        return Request(self.reason, failed, self.whole, gaps)


class Poller:
    """Polls the destinations of a pipeline, and writes down what only that found."""

    def __init__(
        self,
        spec: PipelineSpec,
        root: Location,
        folder: Path,
        jobs: Iterable[Job],
        *,
        connection: Mapping[str, Any] | None,
        credential: object | None,
    ) -> None:
        self._spec, self._root, self._folder = spec, root, folder
        self._jobs = list(jobs)
        self._connection, self._credential = connection, credential

    def poll(self, request: Request, now: str | None) -> losses.Poll:
        """Makes one poll; errors of its tables are in what it returns. ``now`` is Graph's clock."""
        state = read_json(self._folder / _FILE)
        names = tuple(job.name for job in self._jobs if not request.tables or job.spec.source_table in request.tables)
        choice = Choice(only=names, removes_gone=request.whole, confirms_deletes=request.whole)
        _log.info("polling (%s)", request.reason)
        summary = run(self._spec, self._root, self._connection, credential=self._credential, report=False, choice=choice)
        known: dict[str, str] = state.get("destinations", {})
        # Items of messages count with their messages.
        counted = {job.name: not is_snapshot(job.way) for job in self._jobs if job.name in known and not job.set_keys}
        at = now or _now()
        poll = losses.count(summary.destinations, counted, reason=request.reason, at=at, whole=request.whole)
        losses.add(self._folder, poll)
        read = {line.destination: at for line in summary.destinations if not line.error}
        whole = at if request.whole else state.get("whole", at)
        replace_json(self._folder / _FILE, {"destinations": {**known, **read}, "whole": whole})
        if poll.found:
            _log.warning("polling found %s rows that no notification had brought (%s)", poll.found, request.reason)
        return poll

    def failed(self, poll: losses.Poll) -> frozenset[str]:
        """The source tables that a poll could not read."""
        return frozenset(job.spec.source_table for job in self._jobs if job.name in poll.errors)

    def is_due(self, now: str | None, hours: float) -> bool:
        """Whether a day has passed by Graph's clock since everything was compared."""
        last = read_json(self._folder / _FILE).get("whole")
        return now is not None and last is not None and moment(now) - moment(last) >= timedelta(hours=hours)


class Waiting:
    """The polls that are asked for, joined into one until it begins."""

    def __init__(self) -> None:
        self._asked: Request | None = None
        self._changed = threading.Condition()

    def ask(self, request: Request) -> None:
        """Asks for a poll, in one with what is asked for already."""
        with self._changed:
            self._asked = request if self._asked is None else self._asked.joined(request)
            self._changed.notify_all()

    def take(self, seconds: float) -> Request | None:
        """What is asked for, after a while of nothing ``None``."""
        with self._changed:
            if self._asked is None:
                self._changed.wait(seconds)
            asked, self._asked = self._asked, None
            return asked

    def wake(self) -> None:
        """Ends a wait."""
        with self._changed:
            self._changed.notify_all()


def moment(text: str) -> datetime:
    """A time of Graph's or of ours."""
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
