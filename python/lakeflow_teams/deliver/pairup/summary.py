"""What a step of a pair-up did, as an object that shows in a notebook and on a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from lakeflow_teams.deliver.broadcast.summary import DONE, STATES
from lakeflow_teams.results.html import facts

#: Of those who are in no group, beside the states of a broadcast's recipients.
LEFT_OUT = ("paused", "unmatched")


@dataclass
class PairUpSummary:
    """One step of a pair-up.

    ``counts`` are people by state, and add up to ``total``: the states of a broadcast's recipients, ``paused``, and
    ``unmatched`` for somebody for whom nobody is there. ``round`` is the week or month, ``groups`` how many there are, and
    ``repeats`` the pairs that met before.
    """

    step: str
    name: str
    round: str
    groups: int = 0
    repeats: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubles: int = 0
    stopped: str | None = None
    failed: bool = False
    minutes: dict[str, float] = field(default_factory=dict)
    running: bool = False
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """All people whom the plan names, whatever became of them."""
        return sum(self.counts.values())

    @property
    def exit_code(self) -> int:
        """0: done; 1: failed; 2: the card is refused; 3: done but for some people."""
        if self.failed:
            return 1
        if self.step == "check":
            return 2 if self.problems else 0
        if self.step == "status":
            return 0
        done = (*DONE, *LEFT_OUT)
        return 3 if any(count for state, count in self.counts.items() if state not in done) or self.stopped else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "total": self.total, "exit_code": self.exit_code}

    def _repr_html_(self) -> str:
        return facts(
            {
                "pair-up": self.name,
                "round": self.round,
                "step": self.step,
                "groups": f"{self.groups:,}",
                "pairs that met before": f"{self.repeats:,}",
                **{state: f"{self.counts[state]:,}" for state in (*STATES, *LEFT_OUT) if self.counts.get(state)},
                "reasons": [f"{count:,} x {code}" for code, count in self.reasons.items()] or "none",
                "problems": self.problems or "none",
                "stopped": self.stopped or "no",
            }
        )
