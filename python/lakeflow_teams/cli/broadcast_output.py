"""How a step of a broadcast looks on a terminal and in a log."""

from __future__ import annotations

from rich.console import Console

from lakeflow_teams.deliver.broadcast.summary import STATES, BroadcastSummary


def told(counts: tuple[int, int, int]) -> str:
    """How many recipients are through."""
    done, succeeded, failed = counts
    return f"{done:,} recipients, {succeeded:,} succeeded{f', {failed:,} failed' if failed else ''}"


def show(summary: BroadcastSummary) -> None:
    """Prints a summary."""
    console = Console()
    counts = ", ".join(f"{summary.counts[state]:,} {state}" for state in STATES if summary.counts.get(state))
    console.print(f"{summary.name}: {summary.total:,} recipients: {counts or 'none'}", soft_wrap=True, markup=False)
    if summary.doubles:
        console.print(f"{summary.doubles:,} were named more than once, and are recipients once")
    if summary.minutes:
        times = ", ".join(f"{minutes} to {what}" for what, minutes in summary.minutes.items())
        console.print(f"minutes at the limits: {times}")
    if summary.largest_bytes:
        console.print(f"the largest message takes {summary.largest_bytes:,} bytes in UTF-16")
    for title, lines in (
        ("reasons", [f"{count:,} x {code}" for code, count in summary.reasons.items()]),
        ("problems", summary.problems),
        ("warnings", summary.warnings),
    ):
        if lines:
            console.print(f"{title}:")
            for line in lines:
                console.print(f"  {line}", soft_wrap=True, markup=False)
    if summary.running:
        console.print("another process runs it")
    if summary.stopped:
        console.print(f"stopped: {summary.stopped}", soft_wrap=True, markup=False)
