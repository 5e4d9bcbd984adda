"""What a step of an import did, as an object that shows in a notebook and on a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from lakeflow_teams.results.html import facts, grid

STATES = ("posted", "pending", "attempting", "refused", "skipped")


@dataclass
class ContainerSummary:
    """One container. The states add up to its posts: a message that was split is several."""

    source_id: str
    name: str
    kind: str
    team: str | None = None
    teams_id: str | None = None
    messages: int = 0
    posted: int = 0
    pending: int = 0
    attempting: int = 0
    refused: int = 0
    skipped: int = 0
    completed: bool = False
    problem: str | None = None

    @property
    def total(self) -> int:
        """All posts, whatever became of them."""
        return self.posted + self.pending + self.attempting + self.refused + self.skipped


@dataclass
class ImportSummary:
    """One step of an import.

    ``changed`` counts what was changed on the way (a time moved, a message split, an image linked), ``left_out`` why
    messages are skipped or refused. ``stopped`` names containers that ended early, ``reopened`` those that had been
    completed, ``to_do`` what is left for people. ``differences`` are what ``verify`` found. ``hours`` is the time that the
    pending messages take at five and at one a second and channel. Times are in seconds.
    """

    step: str
    containers: list[ContainerSummary] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    unmapped: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    stopped: list[dict[str, str]] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    verified: dict[str, int] = field(default_factory=dict)
    hours: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    seconds: float = 0.0
    posts_per_second: list[int] = field(default_factory=list, repr=False)
    page: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many posts are in each state."""
        return {state: sum(getattr(one, state) for one in self.containers) for state in STATES}

    @property
    def exit_code(self) -> int:
        """0: done; 3: done but for some items."""
        counts = self.counts
        unfinished = {"check": ("refused",), "run": ("refused", "pending", "attempting")}.get(self.step, ())
        failed = self.stopped or self.differences or self.problems or any(counts[state] for state in unfinished)
        return 3 if failed else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "counts": self.counts, "exit_code": self.exit_code}

    def _repr_html_(self) -> str:
        names = ("name", "kind", "messages", *STATES, "problem")
        lines = grid(names, ([getattr(one, name) for name in names] for one in self.containers))
        rest = {
            "step": self.step,
            "changed": [f"{count:,} x {text}" for text, count in self.changed.items()] or "nothing",
            "left out": [f"{count:,} x {text}" for text, count in self.left_out.items()] or "nothing",
            "to do": self.to_do or "nothing",
            "differences": [difference_line(one) for one in self.differences] or "none",
            "report": self.page or "none",
        }
        return lines + facts(rest)


def difference_line(one: dict[str, Any]) -> str:
    """One difference in a line."""
    named = one["source_id"] or one["teams_id"]
    return f"{one['kind']}: {one['container']} {named}: {one['detail']}"
