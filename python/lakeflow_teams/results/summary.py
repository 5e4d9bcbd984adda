"""What a run reports while it goes, and what it did when it is over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from lakeflow_teams.results.html import facts, grid
from lakeflow_teams.results.report import describe_skip


@dataclass(frozen=True)
class Counts:
    """Rows of a destination that one commit added, changed and removed."""

    inserts: int = 0
    updates: int = 0
    deletes: int = 0


@dataclass(frozen=True)
class Sample:
    """Totals since the run began; ``second`` is the time since then."""

    second: float
    requests: int
    retries: int
    throttled_seconds: float
    planned_seconds: float
    rows: int


@dataclass(frozen=True)
class Progress:
    """One destination's state after a step. ``rows`` is what was read so far; ``micro_batches`` what was committed.

    ``share`` is how much of the reading is begun, from 0 to 1, where that is known.
    """

    destination: str
    rows: int
    micro_batches: int
    done: bool = False
    error: str | None = None
    share: float | None = None


@dataclass
class DestinationSummary:
    """What a run did to one destination. ``rows`` were read; ``inserts``, ``updates`` and ``deletes`` were committed.

    Of the deletes ``confirmed`` ones were marked as deleted before.

    ``left_out`` maps scopes that refused to be read, and whose rows were kept, to the time since when these are stale.
    """

    destination: str
    source_table: str
    path: str
    rows: int = 0
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    micro_batches: int = 0
    confirmed: int = 0
    error: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, counts: Counts) -> None:
        """Adds what one commit did."""
        self.inserts += counts.inserts
        self.updates += counts.updates
        self.deletes += counts.deletes

    def healed(self, removed: int, notes: list[str]) -> None:
        """Adds what the healing of doubled keys took out, and a note about it."""
        if removed:
            self.deletes += removed
            notes.append(f"{self.destination}: {removed} rows had the key of another one, and were removed")


@dataclass
class RunSummary:
    """A whole run. Times are in seconds; ``skipped`` and ``notes`` come from the core's report and from the run.

    ``endpoints`` counts requests by path template, ``timeline`` holds samples of the report while the run went, and ``page``
    is the run report's file, where one was written.
    """

    connection_name: str
    destinations: list[DestinationSummary]
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    planned_seconds: float = 0.0
    bytes: int = 0
    endpoints: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    skipped_count: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    page: str | None = None
    timeline: list[Sample] = field(default_factory=list, repr=False)
    error: Exception | None = field(default=None, repr=False)

    @property
    def failed(self) -> bool:
        """Whether any destination ended with an error."""
        return self.error is not None

    def raise_for_error(self) -> None:
        """Raises the first destination's error, if there was one."""
        if self.error is not None:
            raise self.error

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the timeline, ready for JSON."""
        apart = ("destinations", "error", "timeline")
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in apart}
        plain["destinations"] = [asdict(destination) for destination in self.destinations]
        plain["failed"] = self.failed
        plain["error"] = one_line(self.error) if self.error is not None else None
        return plain

    def _repr_html_(self) -> str:
        names = ("destination", "rows", "inserts", "updates", "deletes", "error")
        lines = grid(names, ([getattr(line, name) for name in names] for line in self.destinations))
        rest = {
            "requests": f"{self.requests:,} ({self.retries:,} repeated), throttled {self.throttled_seconds:.1f} s",
            "skipped": [describe_skip(scope) for scope in self.skipped] or "nothing",
            "notes": self.notes or "none",
            "report": self.page or "none",
        }
        return lines + facts(rest)


def one_line(error: BaseException) -> str:
    """The error's text on one line, without what a lower layer added of its own traceback."""
    lines = [line.strip() for line in str(error).split("Traceback (most recent call last)")[0].splitlines() if line.strip()]
    return " ".join(lines) or type(error).__name__
