"""How a step of a broadcast looks on a terminal and in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console

from lakeflow_teams.cli.line_of_progress import LineOfProgress
from lakeflow_teams.deliver.broadcast.summary import STATES, BroadcastSummary


@contextmanager
def progress(step: str, *, quiet: bool) -> Iterator[Callable[[tuple[int, int, int]], None] | None]:
    """What tells how far a step is that sends; nothing for others, and where nothing is to be said."""
    if quiet or step not in {"run", "update", "recall"}:
        yield None
        return
    with LineOfProgress(step) as line:
        yield lambda counts: line.tell(_through(counts))


def _through(counts: tuple[int, int, int]) -> str:
    """How many recipients are through."""
    done, succeeded, failed = counts
    return f"{done:,} recipients, {succeeded:,} succeeded{f', {failed:,} failed' if failed else ''}"


def show(summary: BroadcastSummary) -> None:
    """Prints a summary."""
    console = Console()
    print_counts(console, summary.name, "recipients", summary.counts, STATES)
    if summary.doubles:
        console.print(f"{summary.doubles:,} were named more than once, and are recipients once")
    print_minutes(console, summary.minutes)
    if summary.largest_bytes:
        console.print(f"the largest message takes {summary.largest_bytes:,} bytes in UTF-16")
    print_findings(console, summary.reasons, summary.problems, summary.warnings)
    print_end(console, summary.stopped, running=summary.running)


def print_counts(console: Console, name: str, of: str, counts: Mapping[str, int], states: Sequence[str]) -> None:
    """How many there are of each state."""
    shown = ", ".join(f"{counts[state]:,} {state}" for state in states if counts.get(state))
    console.print(f"{name}: {sum(counts.values()):,} {of}: {shown or 'none'}", soft_wrap=True, markup=False)


def print_minutes(console: Console, minutes: Mapping[str, float]) -> None:
    """How long it takes at the limits."""
    if minutes:
        times = ", ".join(f"{time} to {what}" for what, time in minutes.items())
        console.print(f"minutes at the limits: {times}")


def print_findings(console: Console, reasons: Mapping[str, int], problems: Sequence[str], warnings: Sequence[str]) -> None:
    """What is wrong, and with how many."""
    for title, lines in (
        ("reasons", [f"{count:,} x {code}" for code, count in reasons.items()]),
        ("problems", problems),
        ("warnings", warnings),
    ):
        if lines:
            console.print(f"{title}:")
            for line in lines:
                console.print(f"  {line}", soft_wrap=True, markup=False)


def print_end(console: Console, stopped: str | None, *, running: bool) -> None:
    """Whether it is over, and why."""
    if running:
        console.print("another process runs it")
    if stopped:
        console.print(f"stopped: {stopped}", soft_wrap=True, markup=False)
