"""What an ingest shows: bars on a terminal, plain lines in a log, a summary at the end. Needs rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn
from rich.text import Text

from lakeflow_teams.results import listing
from lakeflow_teams.results.lakehouse import age_text
from lakeflow_teams.results.report import describe_skip

if TYPE_CHECKING:
    from lakeflow_teams.results.summary import Progress as Step
    from lakeflow_teams.results.summary import RunSummary

_SUMMARY = (
    listing.Column("table"),
    *(listing.Column(name, justify="right") for name in ("rows read", "inserted", "updated", "deleted")),
    listing.Column(""),
)
#: Columns of a terminal from which on a bar has room beside a table's full name.
_ROOM_FOR_BARS = 80
#: Seconds between two lines of one destination in a log.
LOG_EVERY = 10.0

Tell = Callable[["Step"], None]


@contextmanager
def progress(*, quiet: bool = False, lines: bool = False, console: Console | None = None) -> Iterator[Tell]:
    """A receiver of progress that shows it as fits where stderr goes; ``lines`` keeps it to lines, beside a log's."""
    console = console or listing.PatientConsole(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal and not lines:
        with _bars(console) as tell:
            yield tell
    else:
        yield _lines(console)


@contextmanager
def _bars(console: Console) -> Iterator[Tell]:
    columns: list[ProgressColumn] = [TextColumn("{task.fields[mark]}"), TextColumn("{task.description}")]
    if console.width >= _ROOM_FOR_BARS:
        columns.append(BarColumn(bar_width=20))
    columns += [TextColumn("{task.fields[rows]:>7,} rows"), TextColumn("{task.fields[left]}")]
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as bars:

        def tell(step: Step) -> None:
            if step.destination not in tasks:
                name = step.destination if console.width >= _ROOM_FOR_BARS else step.destination.rpartition(".")[2]
                tasks[step.destination] = bars.add_task(escape(name), total=None, rows=0, mark="…", left="")
            task = tasks[step.destination]
            elapsed = bars.tasks[task].elapsed or 0.0
            if step.done:
                failed = step.error is not None
                mark, left = ("[red]✗", "[red]failed") if failed else ("[green]✓", f"{elapsed:.1f} s")
                bars.update(task, rows=step.rows, total=1, completed=0 if failed else 1, mark=mark, left=left)
                bars.stop_task(task)
            else:
                left = _left(elapsed, step.share)
                total = None if step.share is None else 1.0
                bars.update(task, rows=step.rows, left=left, total=total, completed=step.share)

        yield tell


def _left(elapsed: float, share: float | None) -> str:
    """The share of a reading and the time that the rest of it takes at this pace, where the share is known."""
    if not share:
        return f"{elapsed:.0f} s"
    rest = elapsed * (1 - share) / share
    return f"{share:.0%}, {age_text(timedelta(seconds=rest))} left"


def _lines(console: Console) -> Tell:
    last: dict[str, float] = {}
    begin = monotonic()

    def tell(step: Step) -> None:
        now = monotonic()
        if not step.done and now - last.setdefault(step.destination, now) < LOG_EVERY:
            return
        last[step.destination] = now
        state = "failed" if step.error else "done" if step.done else "reading"
        counts = f"{_counted(step.rows, 'row')}, {_counted(step.micro_batches, 'batch')}"
        text = f"{now - begin:7.1f}s {step.destination} {state}: {counts}"
        if step.share and not step.done:
            text += f", {_left(now - begin, step.share)}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    return tell


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}{'es' if what.endswith('ch') else 's'}"


def show_summary(summary: RunSummary, console: Console | None = None) -> None:
    """One row per destination, then what the run cost and what was left out."""
    console = console or listing.console()
    rows = (
        [
            line.destination,
            *(f"{count:,}" for count in (line.rows, line.inserts, line.updates, line.deletes)),
            Text("failed", style="red") if line.error else "",
        ]
        for line in summary.destinations
    )
    listing.show(console, _SUMMARY, rows)
    if any(line.rows > line.inserts + line.updates for line in summary.destinations):
        listing.note(console, "rows read are Graph's answers, which overlap; what is stored already is not written again")
    listing.note(
        console,
        f"{summary.requests:,} requests ({summary.retries:,} repeated), {summary.bytes / 1e6:,.1f} MB, "
        f"throttled {summary.throttled_seconds:.1f} s, {summary.seconds:.1f} s in all",
    )
    if summary.page:
        console.print(f"report: {summary.page}", markup=False, highlight=False, soft_wrap=True)
    for scope in summary.skipped:
        listing.note(console, f"skipped: {describe_skip(scope)}", style="yellow")
    if summary.skipped_count > len(summary.skipped):
        listing.note(console, f"and {summary.skipped_count - len(summary.skipped):,} more were skipped", style="yellow")
    for note in summary.notes:
        listing.note(console, f"note: {note}", style="yellow")
