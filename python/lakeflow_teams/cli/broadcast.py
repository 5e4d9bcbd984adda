"""``lakeflow-teams broadcast``: a card to many people, and what became of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import OK


@click.group()
def broadcast() -> None:
    """Send a card to people, team members, groups, everyone or channels, and know what became of each.

    `check` says what would happen, `run` sends and goes on where it stopped, `status` tells how far it is, `export` writes
    the outcome to a file, `recall` deletes what was sent, `purge` forgets a run. Exit codes: 0 done, 1 failed, 2 bad input,
    3 done but for some recipients.
    """


_PLAN = click.argument("plan", type=click.Path(path_type=Path))
_TARGET = click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
_CONNECTION = click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
_QUIET = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


@broadcast.command()
@_PLAN
@click.option("--target", type=click.Path(path_type=Path), default=Path("lakehouse"), help="Folder of the lakehouse.")
@_CONNECTION
@_JSON
@_QUIET
def check(plan: Path, target: Path, connection: Path | None, as_json: bool, quiet: bool) -> int:
    """Say to how many PLAN goes, who is left out and why, what is wrong with the card, and how long it takes."""
    return _step("check", plan, target, connection, as_json, quiet)


@broadcast.command()
@_PLAN
@_TARGET
@_CONNECTION
@click.option("--update", is_flag=True, help="Replace the card of what was sent, instead of sending.")
@click.option("--retry-failed", is_flag=True, help="Try those again that failed, lack the app or block it.")
@_JSON
@_QUIET
def run(
    plan: Path, target: Path, connection: Path | None, update: bool, retry_failed: bool, as_json: bool, quiet: bool
) -> int:
    """Send PLAN to everyone who did not get it yet."""
    step = "update" if update else "run"
    return _step(step, plan, target, connection, as_json, quiet, retry_failed=retry_failed)


@broadcast.command()
@_PLAN
@_TARGET
@_JSON
def status(plan: Path, target: Path, as_json: bool) -> int:
    """Tell how far a run of PLAN is, also while another process runs it."""
    return _step("status", plan, target, None, as_json, quiet=False)


@broadcast.command()
@_PLAN
@_TARGET
@click.option("--to", required=True, type=click.Path(path_type=Path), help="A .csv, .parquet or .zip.")
def export(plan: Path, target: Path, to: Path) -> int:
    """Write recipients and what became of each to a file."""
    _needs()
    from lakeflow_teams.deliver.broadcast.entry import export_deliveries

    count = export_deliveries(plan, target, to)
    click.echo(f"wrote {to}: {count:,} recipients")
    return OK


@broadcast.command()
@_PLAN
@_TARGET
@_CONNECTION
@_JSON
@_QUIET
def recall(plan: Path, target: Path, connection: Path | None, as_json: bool, quiet: bool) -> int:
    """Delete what was sent."""
    return _step("recall", plan, target, connection, as_json, quiet)


@broadcast.command()
@_PLAN
@_TARGET
@click.option("--older-than", help="Only if it was begun longer ago, such as 30d.")
@click.option("--yes", is_flag=True, help="Do it; without it nothing is removed.")
@_JSON
def purge(plan: Path, target: Path, older_than: str | None, yes: bool, as_json: bool) -> int:
    """Forget a run: its journal, its recipients and its rows. What was sent stays where it is."""
    _needs()
    from lakeflow_teams.deliver.broadcast.entry import days

    age = days(older_than) if older_than else None
    if not yes:
        raise click.UsageError("purge removes the run for good: say --yes")
    return _step("purge", plan, target, None, as_json, quiet=False, older_than_days=age)


def _step(step: Any, plan: Path, target: Path, connection: Path | None, as_json: bool, quiet: bool, **more: Any) -> int:
    _needs()
    from lakeflow_teams.cli.broadcast_output import progress, show
    from lakeflow_teams.cli.delivery_step import take
    from lakeflow_teams.deliver.broadcast.entry import broadcast as go

    return take(step, go, (plan, target, connection), (progress, show), as_json=as_json, quiet=quiet, **more)


def _needs() -> None:
    for module in ("deltalake", "pyarrow", "yaml"):
        need(module, "local", "broadcast")
