"""What a step of a broadcast did, as an object that shows in a notebook and on a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from lakeflow_teams.results.html import facts

STATES = (
    "queued",
    "attempting",
    "succeeded",
    "accepted",
    "failed",
    "not_found",
    "not_installed",
    "blocked",
    "throttled",
    "skipped_guest",
    "skipped_unlicensed",
    "unknown",
    "canceled",
    "recalled",
)
#: States in which nothing is left to do.
DONE = ("succeeded", "accepted", "skipped_guest", "skipped_unlicensed", "recalled")


@dataclass
class BroadcastSummary:
    """One step of a broadcast.

    ``counts`` are recipients by state, and add up to ``total``. ``reasons`` counts the service's codes of those that failed.
    ``doubles`` were named more than once. ``stopped`` says why the step ended before its end. ``minutes`` is what sending
    to those who are queued takes at the limits: ``send`` where conversations are known, ``open`` where each has to be
    opened, and ``install`` where the app has to be installed for each.
    """

    step: str
    name: str
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubles: int = 0
    largest_bytes: int = 0
    stopped: str | None = None
    failed: bool = False
    minutes: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    seconds: float = 0.0
    messages_per_second: list[int] = field(default_factory=list, repr=False)
    running: bool = False

    @property
    def total(self) -> int:
        """All recipients, whatever became of them."""
        return sum(self.counts.values())

    @property
    def exit_code(self) -> int:
        """0: done; 1: failed; 2: the card is refused; 3: done but for some recipients."""
        if self.failed:
            return 1
        if self.step == "check":
            return 2 if self.problems else 0
        if self.step in {"status", "purge"}:
            return 0
        return 3 if any(count for state, count in self.counts.items() if state not in DONE) or self.stopped else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "total": self.total, "exit_code": self.exit_code}

    def _repr_html_(self) -> str:
        return facts(
            {
                "broadcast": self.name,
                "step": self.step,
                **{state: f"{self.counts[state]:,}" for state in STATES if self.counts.get(state)},
                "reasons": [f"{count:,} x {code}" for code, count in self.reasons.items()] or "none",
                "problems": self.problems or "none",
                "stopped": self.stopped or "no",
            }
        )
