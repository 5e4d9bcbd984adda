"""What a pipeline costs in requests and time, before anything is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lakeflow_teams import _core

Run = Literal["first", "quiet", "daily"]
RUNS: tuple[Run, ...] = ("first", "quiet", "daily")


@dataclass(frozen=True)
class Part:
    """The requests that one endpoint gets, and the formula that they come from.

    ``rate`` is what is planned per second for the application, ``narrow`` in words for what is asked for.
    """

    endpoint: str
    requests: float
    formula: str
    rate: float
    narrow: str


@dataclass(frozen=True)
class RunCost:
    """One run of a pass: its requests on the wire, and the seconds they take at the planned rate.

    ``limit`` names the budget that decides the time.
    """

    requests: int
    seconds: float
    limit: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class PassCost:
    """Tables that are filled from one reading: a first run, a later one with nothing new, and the daily one of these."""

    tables: tuple[str, ...]
    first: RunCost
    quiet: RunCost
    daily: RunCost


@dataclass(frozen=True)
class PlanResult:
    """What a pipeline costs. Passes run one after the other, so that their costs add up.

    ``counts`` are those that it was computed from, ``notes`` how they were found where the tenant was probed, which took
    ``probe_requests``.
    """

    passes: tuple[PassCost, ...]
    counts: dict[str, float]
    notes: tuple[str, ...] = ()
    probe_requests: int = 0

    def requests(self, run: Run) -> int:
        """All requests of a run."""
        return sum(getattr(step, run).requests for step in self.passes)

    def seconds(self, run: Run) -> float:
        """The time of a run."""
        return float(sum(getattr(step, run).seconds for step in self.passes))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        totals = {run: {"requests": self.requests(run), "seconds": self.seconds(run)} for run in RUNS}
        return {"totals": totals, **asdict(self)}


def predict(
    tables: Sequence[tuple[str, Mapping[str, str]]],
    counts: Mapping[str, float],
    *,
    requests_per_second: float | None = None,
) -> PlanResult:
    """The cost of tables, each with the options it is read with. Sends no request.

    ``counts`` are those of :func:`lakeflow_teams._core.counts`, of what is read: ids in the options count themselves.
    Micro-batches cost nothing of their own. Raises :class:`ConfigurationError` for a count that is missing.
    """
    readings = {info["name"]: info["reading"] for info in _core.tables()}
    passes: dict[tuple[Any, ...], list[str]] = {}
    for table, options in tables:
        key = (readings.get(table, table), tuple(sorted(options.items())))
        passes.setdefault(key, []).append(table)
    found = []
    for (_, options_of), names in passes.items():
        options = dict(options_of)
        costs = {
            run: max(
                (_run(name, options, counts, run, requests_per_second) for name in names),
                key=lambda cost: cost.requests,
            )
            for run in RUNS
        }
        found.append(PassCost(tuple(dict.fromkeys(names)), **costs))
    return PlanResult(tuple(found), dict(counts))


def _run(
    table: str, options: Mapping[str, str], counts: Mapping[str, float], run: Run, requests_per_second: float | None
) -> RunCost:
    cost = json.loads(_core.cost(table, options, counts, run=run, requests_per_second=requests_per_second))
    pace = cost["pace"] or {"seconds": 0.0, "rate": 0.0, "budget": "", "endpoint": ""}
    parts = tuple(_part(part) for part in cost["parts"])
    return RunCost(round(cost["requests"]), pace["seconds"], describe(pace), parts)


def _part(part: Mapping[str, Any]) -> Part:
    rates = part["rates"]
    narrow = f"{rates['narrow'][1]:g} per second and {rates['narrow'][0]}" if rates["narrow"] else ""
    return Part(part["endpoint"], part["requests"], part["formula"], rates["app"], narrow)


def describe(pace: Mapping[str, Any]) -> str:
    """The budget that decides the time, in words."""
    if pace["budget"] == "requests_per_second":
        return f"requests_per_second={pace['rate']:g}"
    return f"{pace['rate']:g} per second and {pace['budget']} at {pace['endpoint']}" if pace["budget"] else ""


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"
