"""How figures are shown: a table per question."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import stage
from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]
QUICK = os.environ.get("BENCH") == "quick"


CONSOLE = Console(width=140)


def show(title: str, head: list[str], lines: list[list[str]], note: str = "") -> None:
    table = Table(title=title, title_justify="left", caption=note or None, caption_justify="left")
    for at, name in enumerate(head):
        table.add_column(name, justify="left" if at == 0 else "right")
    for line in lines:
        table.add_row(*line)
    CONSOLE.print(table)


def attempt(measure: Callable[[], Figures]) -> Figures:
    try:
        return measure()
    except stage.SkippedError as reason:
        return {"skipped": str(reason)}


def median_of(turns: int, measure: Callable[[], Figures]) -> Figures:
    """The run with the median processor time."""
    return sorted((measure() for _ in range(turns)), key=lambda result: result["cpu"])[turns // 2]


def per_million(result: Figures) -> float:
    return result["cpu"] / result["rows"] * 1e6
