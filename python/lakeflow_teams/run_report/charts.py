"""Figures to shapes: the few numbers that the template draws as SVG. Coordinates are in the chart's own units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10
from typing import Any

WIDE, NARROW, HEIGHT = 900.0, 420.0, 150.0


@dataclass(frozen=True)
class Bar:
    """One rectangle; ``series`` picks its colour, ``label`` is read when the pointer rests on it."""

    x: float
    y: float
    width: float
    height: float
    series: int
    label: str


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it is, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Stacked columns with two axes."""

    bars: list[Bar]
    ticks_x: list[Tick]
    ticks_y: list[Tick]
    width: float
    height: float = HEIGHT


def columns(
    rows: Sequence[Mapping[str, Any]], label: str, series: Sequence[str], *, unit: str = "", width: float = WIDE
) -> Chart:
    """Stacked columns, one per row; ``label`` names the column that stands below them, ``series`` those that are stacked."""
    marks = int(width // 100)
    top, ticks = scale(max((sum(row[name] for name in series) for row in rows), default=0))
    step = width / max(len(rows), 1)
    gap = min(2.0, step * 0.25)
    bars = []
    for index, row in enumerate(rows):
        base = HEIGHT
        text = f"{row[label]}: " + ", ".join(f"{_number(row[name])} {name.replace('_', ' ')}" for name in series) + unit
        for number, name in enumerate(series):
            height = row[name] / top * HEIGHT
            base -= height
            if height > 0:
                bars.append(
                    Bar(round(index * step, 2), round(base, 2), round(step - gap, 2), round(height, 2), number, text)
                )
    every = max(1, -(-len(rows) // marks))
    ticks_x = [Tick(round((index + 0.5) * step, 2), str(rows[index][label])) for index in range(0, len(rows), every)]
    ticks_y = [Tick(round(HEIGHT - value / top * HEIGHT, 2), _number(value)) for value in ticks]
    return Chart(bars, ticks_x, ticks_y, width)


def scale(highest: float) -> tuple[float, list[float]]:
    """The top of an axis that holds ``highest``, and its three or four round marks from zero."""
    if highest <= 0:
        return 1.0, [0.0]
    power = 10.0 ** floor(log10(highest / 3))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * 3.5 >= highest)
    marks = [0.0]
    while marks[-1] + step <= highest * 1.0001:
        marks.append(marks[-1] + step)
    return max(highest, marks[-1]), marks


def rates(samples: Sequence[Mapping[str, Any]], buckets: int = 60) -> list[dict[str, Any]]:
    """Totals over time as a row per stretch of equal length: what happened in it.

    ``at`` is the stretch's begin as text, ``requests`` and ``rows`` counts, ``throttled`` and ``planned`` seconds waited.
    A stretch without a sample shares what came after it.
    """
    if len(samples) < 2 or samples[-1]["second"] <= 0:
        return []
    length = samples[-1]["second"] / min(buckets, len(samples) - 1)
    count = round(samples[-1]["second"] / length)
    edges = [_at(samples, index * length) for index in range(count + 1)]
    return [
        {
            "at": _seconds(index * length),
            "requests": round(after["requests"] - before["requests"], 1),
            "rows": round(after["rows"] - before["rows"]),
            "throttled": round(after["throttled_seconds"] - before["throttled_seconds"], 2),
            "planned": round(after["planned_seconds"] - before["planned_seconds"], 2),
        }
        for index, (before, after) in enumerate(pairwise(edges))
    ]


def _at(samples: Sequence[Mapping[str, Any]], second: float) -> dict[str, float]:
    """The totals at a moment, on the line between the samples around it."""
    names = ("requests", "rows", "throttled_seconds", "planned_seconds")
    for before, after in pairwise(samples):
        if second <= after["second"]:
            span = after["second"] - before["second"]
            share = (second - before["second"]) / span if span > 0 else 1.0
            return {name: before[name] + (after[name] - before[name]) * share for name in names}
    return {name: samples[-1][name] for name in names}


def _seconds(second: float) -> str:
    if second < 10:
        return f"{second:.1f} s"
    minutes, rest = divmod(round(second), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}".rstrip("0")
