"""``lakeflow-teams status``: whether everything is fresh, and if not, what is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import FAILED, OK
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.cli.values import DURATION
from lakeflow_teams.results import listing
from lakeflow_teams.results.lakehouse import since, size_text
from lakeflow_teams.results.report import describe_skip

if TYPE_CHECKING:
    from lakeflow_teams.results.lakehouse import LakehouseStatus, TableStatus

_COLUMNS = (
    listing.Column("table"),
    listing.Column("state"),
    listing.Column("rows", justify="right"),
    listing.Column("checked", rank=1),
    listing.Column("changed", rank=2),
    listing.Column("read until", rank=3),
    listing.Column("size", rank=4, justify="right"),
    listing.Column("version", rank=5, justify="right"),
)
_STYLES = {"done": "", "untracked": "dim", "failed": "red", "never written": "red"}


@click.command()
@click.option("--target", required=True, type=click.Path(), help="Folder of the lakehouse, or its address in a store.")
@click.option(
    "--max-age",
    type=DURATION,
    metavar="AGE",
    help="Exit with 1 where a table was not checked for so long (26h, 90min, 2d), failed, or was never written.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(target: str, max_age: timedelta | None, as_json: bool) -> int:
    """Show what TARGET holds: rows, when each table was last checked and changed, and what the last run skipped.

    `checked` is the last time that a table was read to its end, whether that brought something or not. It reads the Delta
    tables, what their commits carry, TARGET/_state and TARGET/_reports; it sends no request. Exit codes: 0 done, 1 with
    --max-age something needs a look, 2 bad input.
    """
    for module in ("deltalake", "pyarrow"):
        need(module, "local", "status")
    from lakeflow_teams.local.status import status as look

    found, now = look(target), datetime.now(timezone.utc)
    alarms = found.alarms(max_age, now) if max_age is not None else []
    if as_json:
        print_json({**found.to_dict(), **({"alarms": alarms} if max_age is not None else {})})
    else:
        _show(found, now)
        for alarm in alarms:
            click.echo(f"lakeflow-teams: {alarm}", err=True)
    return FAILED if alarms else OK


def _show(found: LakehouseStatus, now: datetime) -> None:
    screen = listing.console()
    listing.show(screen, _COLUMNS, (_row(table, now) for table in found.tables))
    for failure in found.failures(now):
        listing.note(screen, failure, style="red")
    for table in found.tables:
        for scope, then in table.left_out.items():
            listing.note(screen, f"{table.table}: the rows of {scope} are stale since {then}", style="yellow")
    for run in found.unfinished:
        what = {"running": "is running", "killed": "was killed; the next one goes on from there"}.get(run.state)
        text = what or f"has not ended on {run.host}: it is running there, or was killed"
        listing.note(screen, f"a run that began {since(run.started, now)} {text} (process {run.pid})", style="yellow")
    if found.last_run is None:
        listing.note(screen, "no run report: the last ingest wrote none", style="yellow")
        return
    for line in _last_run(found.last_run):
        listing.note(screen, line)


def _row(table: TableStatus, now: datetime) -> list[str | Text]:
    state = "failed" if table.error is not None and table.state != "never written" else table.state
    return [
        table.table,
        Text(state, style=_STYLES.get(state, "yellow")),
        f"{table.rows:,}",
        since(table.checked, now),
        since(table.changed or table.committed, now),
        (table.read_until or "")[:19],
        size_text(table.bytes),
        "" if table.version is None else str(table.version),
    ]


def _last_run(run: dict[str, Any]) -> list[str]:
    failed = [line["destination"] for line in run.get("destinations", []) if line.get("error")]
    how = f"failed for {', '.join(failed)}" if failed else "failed" if run["failed"] else "done"
    lines = [f"last run {run['started']}, {run['seconds']:.1f} s, {run['requests']:,} requests: {how}"]
    lines += dict.fromkeys(f"skipped: {describe_skip(scope)}" for scope in run["skipped"])
    if run["skipped_count"] > len(run["skipped"]):
        lines.append(f"and {run['skipped_count'] - len(run['skipped']):,} more were skipped")
    return lines
