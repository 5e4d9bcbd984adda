"""What an ingest shows: bars on a terminal, plain lines in a log, a summary at the end. Needs rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from lakeflow_teams.results.report import describe_skip

if TYPE_CHECKING:
    from lakeflow_teams.results.summary import Progress as Step
    from lakeflow_teams.results.summary import RunSummary

#: Seconds between two lines of one destination in a log.
LOG_EVERY = 10.0

Tell = Callable[["Step"], None]


@contextmanager
def progress(*, quiet: bool = False, console: Console | None = None) -> Iterator[Tell]:
    """A receiver of progress that shows it as fits where stderr goes."""
    console = console or Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with _bars(console) as tell:
            yield tell
    else:
        yield _lines(console)


@contextmanager
def _bars(console: Console) -> Iterator[Tell]:
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[rows]:>10,} rows  {task.fields[speed]:>8,.0f}/s"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as bars:

        def tell(step: Step) -> None:
            if step.destination not in tasks:
                tasks[step.destination] = bars.add_task(step.destination, total=None, rows=0, speed=0.0)
            task = tasks[step.destination]
            elapsed = bars.tasks[task].elapsed or 0.0
            speed = step.rows / elapsed if elapsed > 0.1 else 0.0
            bars.update(task, rows=step.rows, speed=speed)
            if step.done:
                name = f"[red]{step.destination}" if step.error else step.destination
                bars.update(task, description=name, total=1, completed=0 if step.error else 1)
                bars.stop_task(task)

        yield tell


def _lines(console: Console) -> Tell:
    last: dict[str, float] = {}
    begin = monotonic()

    def tell(step: Step) -> None:
        now = monotonic()
        if not step.done and now - last.setdefault(step.destination, now) < LOG_EVERY:
            return
        last[step.destination] = now
        state = "failed" if step.error else "done" if step.done else "reading"
        text = f"{now - begin:7.1f}s {step.destination} {state}: {step.rows} rows, {step.micro_batches} batches"
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    return tell


def wide_console() -> Console:
    """The terminal; anything else is wide enough not to break lines."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def show_summary(summary: RunSummary, console: Console | None = None) -> None:
    """One row per destination, then what the run cost and what was left out."""
    console = console or Console()
    screen = Table("table", "rows read", "inserted", "updated", "deleted", "", header_style="bold", box=None)
    for name in ("rows read", "inserted", "updated", "deleted"):
        next(column for column in screen.columns if column.header == name).justify = "right"
    for line in summary.destinations:
        counts = (f"{count:,}" for count in (line.rows, line.inserts, line.updates, line.deletes))
        screen.add_row(line.destination, *counts, "[red]failed" if line.error else "")
    console.print(screen)
    console.print(
        f"{summary.requests:,} requests ({summary.retries:,} repeated), {summary.bytes / 1e6:,.1f} MB, "
        f"throttled {summary.throttled_seconds:.1f} s, {summary.seconds:.1f} s in all",
        highlight=False,
    )
    if summary.page:
        console.print(f"report: {summary.page}", markup=False, highlight=False, soft_wrap=True)
    for scope in summary.skipped:
        console.print(f"skipped: {describe_skip(scope)}", style="yellow", markup=False, soft_wrap=True)
    if summary.skipped_count > len(summary.skipped):
        console.print(f"and {summary.skipped_count - len(summary.skipped):,} more were skipped", style="yellow")
    for note in summary.notes:
        console.print(f"note: {note}", style="yellow", markup=False, soft_wrap=True)
