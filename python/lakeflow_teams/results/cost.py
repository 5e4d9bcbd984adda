"""What a pipeline costs in requests and time, before anything is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
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

    ``limit`` names the budget that decides the time. Where a count that it depends on is unknown, ``requests`` and
    ``seconds`` are ``None``, and ``limit`` names the count.
    """

    requests: int | None
    seconds: float | None
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
    ``probe_requests``. ``unknown`` are the counts that a probe was refused, each with the error and its remedy: what
    depends on them is not predicted.
    """

    passes: tuple[PassCost, ...]
    counts: dict[str, float]
    notes: tuple[str, ...] = ()
    probe_requests: int = 0
    unknown: Mapping[str, str] = field(default_factory=dict)

    def requests(self, run: Run) -> int | None:
        """All requests of a run; ``None`` where those of a pass are unknown."""
        each = [getattr(step, run).requests for step in self.passes]
        return None if None in each else sum(each)

    def seconds(self, run: Run) -> float | None:
        """The time of a run; ``None`` where that of a pass is unknown."""
        each = [getattr(step, run).seconds for step in self.passes]
        return None if None in each else float(sum(each))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        totals = {run: {"requests": self.requests(run), "seconds": self.seconds(run)} for run in RUNS}
        return {"totals": totals, **asdict(self)}


def predict(
    tables: Sequence[tuple[str, Mapping[str, str]]],
    counts: Mapping[str, float],
    *,
    unknown: Mapping[str, str] | None = None,
    requests_per_second: float | None = None,
) -> PlanResult:
    """The cost of tables, each with the options it is read with. Sends no request.

    ``counts`` are those of :func:`lakeflow_teams._core.counts`, of what is read: ids in the options count themselves.
    ``unknown`` are counts that cannot be known, each with the reason: what costs by one of them is unknown too.
    Micro-batches cost nothing of their own. Raises :class:`ConfigurationError` for a count that is missing.
    """
    reasons = unknown or {}
    lacking: dict[str, str] = {}
    readings = {info["name"]: info["reading"] for info in _core.tables()}
    passes: dict[tuple[Any, ...], list[str]] = {}
    for table, options in tables:
        key = (readings.get(table, table), tuple(sorted(options.items())))
        passes.setdefault(key, []).append(table)
    found = []
    for (_, options_of), names in passes.items():
        options = dict(options_of)
        costs: dict[str, RunCost] = {}
        for run in RUNS:
            needed = {count: reasons[count] for name in names for count in _needed(name, options, run) if count in reasons}
            lacking.update(needed)
            if needed:
                costs[run] = RunCost(None, None, f"unknown: {', '.join(needed)}", ())
            else:
                each = [_run(name, options, counts, run, requests_per_second) for name in names]
                costs[run] = max(each, key=lambda cost: cost.requests or 0)
        found.append(PassCost(tuple(dict.fromkeys(names)), **costs))
    return PlanResult(tuple(found), dict(counts), unknown=lacking)


def _needed(table: str, options: Mapping[str, str], run: Run) -> list[str]:
    return _core.needed_counts(table, options, run=run)


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
