"""What a lakehouse holds, table by table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class TableStatus:
    """One Delta table. Times are ISO 8601 in UTC.

    ``committed`` is the last commit's time; ``read_until`` is Graph's clock at the end of the last reading that the rows
    belong to, where there is an offset. ``state`` is ``done``, ``reading`` (an ingest was interrupted, or is at it: the
    next one goes on), ``untracked`` (it holds no offset: a log, or a table that another program made), or ``never written``.

    ``checked`` is when it was last read to the end, whether that brought something or not, and ``changed`` when a reading
    last changed a row. ``error`` is that of the last run, at ``error_at``. ``left_out`` maps scopes that refuse to be read,
    and whose rows are kept, to the time since when these are stale.
    """

    table: str
    path: str
    state: str
    source_table: str | None
    rows: int
    version: int | None
    files: int
    bytes: int
    way: str | None
    committed: str | None
    read_until: str | None
    checked: str | None = None
    changed: str | None = None
    error: str | None = None
    error_at: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunState:
    """A run that has not ended: ``running``, ``killed``, or ``unknown`` where another machine (``host``) began it."""

    started: str
    state: str
    host: str
    pid: int


@dataclass(frozen=True)
class LakehouseStatus:
    """Every table under a folder, runs that have not ended, and the last run's report, if one was written."""

    target: str
    tables: list[TableStatus]
    last_run: dict[str, Any] | None
    unfinished: list[RunState] = field(default_factory=list)

    def alarms(self, max_age: timedelta, now: datetime) -> list[str]:
        """What somebody should look at, in a line each.

        These are causes of failure, tables that were never written or not checked for longer than ``max_age``, scopes whose
        rows are stale for longer, and runs that were killed.
        """
        found = [f"the run of {run.started} was killed" for run in self.unfinished if run.state == "killed"]
        found += self.failures(now)
        for table in self.tables:
            if table.state == "untracked":
                continue
            last = table.checked or table.read_until or table.committed
            if table.state == "never written":
                found.append(f"{table.table}: never written")
            elif last is not None and _age(last, now) > max_age:
                found.append(f"{table.table}: not checked since {last}, {age_text(_age(last, now))} ago")
            for scope, since in table.left_out.items():
                if _age(since, now) > max_age:
                    found.append(f"{table.table}: the rows of {scope} are stale since {since}")
        return found

    def failures(self, now: datetime) -> list[str]:
        """Each cause once, with the tables that it ended."""
        causes: dict[str, list[TableStatus]] = {}
        for table in self.tables:
            if table.error is not None:
                causes.setdefault(table.error, []).append(table)
        return [
            f"{', '.join(table.table for table in tables)} failed {since(tables[0].error_at, now)}: {cause}"
            for cause, tables in causes.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def age_text(age: timedelta) -> str:
    """A span of time for people, in its two largest units."""
    minutes = int(age.total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {rest} min"
    return f"{rest} min" if rest else f"{max(int(age.total_seconds()), 0)} s"


def since(then: str | None, now: datetime) -> str:
    """How long ago that was."""
    return f"{age_text(_age(then, now))} ago" if then else ""


def _age(then: str, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(then.replace("Z", "+00:00"))


@dataclass(frozen=True)
class TableUpkeep:
    """What ``maintain`` did to a table: its files ``before`` and ``after``, and how many of older versions it deleted."""

    table: str
    before: int
    after: int
    deleted: int


def size_text(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
