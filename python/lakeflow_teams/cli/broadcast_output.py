"""How a step of a broadcast looks on a terminal and in a log."""

from __future__ import annotations

from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from lakeflow_teams.deliver.broadcast.summary import STATES, BroadcastSummary

if TYPE_CHECKING:
    from typing_extensions import Self

_LOG_SECONDS = 15.0


class Progress:
    """One line that is written over on a terminal; a plain line now and then in a log."""

    def __init__(self, step: str) -> None:
        self._console = Console(stderr=True)
        self._step = step
        self._status = self._console.status(f"{step}: beginning") if self._console.is_terminal else None
        self._said = monotonic()

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status:
            self._status.stop()

    def tell(self, counts: tuple[int, int, int]) -> None:
        """Shows how many recipients are through."""
        done, succeeded, failed = counts
        text = f"{self._step}: {done:,} recipients, {succeeded:,} succeeded{f', {failed:,} failed' if failed else ''}"
        if self._status:
            self._status.update(escape(text))
        elif monotonic() - self._said >= _LOG_SECONDS:
            self._said = monotonic()
            self._console.print(escape(text))


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
