"""How a step of an import looks on a terminal and in a log."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lakeflow_teams.deliver.summary import STATES, ImportSummary, difference_line

#: Lines of one list; the report and the ledger table have all.
_MOST = 20

Counts = list[tuple[str, str, int, int]]


def told(step: str, counts: Counts) -> tuple[str, str]:
    """How far the containers are together, and the busiest of them."""
    done, refused = sum(one[2] for one in counts), sum(one[3] for one in counts)
    what = "read" if step == "verify" else "posted"
    busy = sorted((one for one in counts if one[2]), key=lambda one: -one[2])[:3]
    names = ", ".join(f"{one[1] or one[0]} {one[2]:,}" for one in busy)
    return f"{done:,} {what}{f', {refused:,} refused' if refused else ''}", names


def show(summary: ImportSummary) -> None:
    """Prints a summary."""
    console = Console()
    table = Table(show_edge=False, pad_edge=False)
    for name in ("container", "kind", "messages", *STATES):
        table.add_column(name, justify="left" if name in ("container", "kind") else "right")
    for one in summary.containers[:_MOST]:
        cells = [f"{one.messages:,}", *(f"{getattr(one, state):,}" for state in STATES)]
        table.add_row(escape(one.name or one.source_id), one.kind, *cells)
    console.print(table)
    if len(summary.containers) > _MOST:
        console.print(f"and {len(summary.containers) - _MOST} more containers")
    counts = summary.counts
    console.print(", ".join(f"{counts[state]:,} {state}" for state in STATES), f"in {summary.seconds:.1f} s")
    if any(summary.hours.values()):
        console.print(f"{summary.hours['fast']} hours at five posts a second and channel, {summary.hours['slow']} at one")
    _list(console, "changed", [f"{count:,} x {text}" for text, count in summary.changed.items()])
    _list(console, "left out", [f"{count:,} x {text}" for text, count in summary.left_out.items()])
    _list(console, "without an account", [f"{name} ({one})" for one, name in summary.unmapped.items()])
    _list(console, "problems", summary.problems)
    _list(console, "stopped", [f"{one['container']}: {one['reason']}" for one in summary.stopped])
    _list(console, "opened again", summary.reopened)
    _list(console, "differences", [difference_line(one) for one in summary.differences])
    _list(console, "to do", summary.to_do)
    if summary.verified:
        console.print(f"read {summary.verified['read']:,} messages, {summary.verified['equal']:,} as they were sent")
    console.print(f"report: {summary.page}", soft_wrap=True)


def _list(console: Console, title: str, lines: list[str]) -> None:
    if not lines:
        return
    console.print(f"{title}:")
    for line in lines[:_MOST]:
        console.print(f"  {escape(line)}", soft_wrap=True)
    if len(lines) > _MOST:
        console.print(f"  and {len(lines) - _MOST} more")
