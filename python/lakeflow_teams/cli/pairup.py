"""``lakeflow-teams pairup``: people brought together in small groups, each week or month."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import OK


@click.group()
def pairup() -> None:
    """Bring people together in small groups, each week or month, nobody with the same person while others are left.

    `check` says who would be grouped, `run` forms the groups of this week or month and tells everybody, and goes on where it
    stopped, `status` tells how far the last round is, `pause` and `resume` leave a person out and take them in again. Exit
    codes: 0 done, 1 failed, 2 bad input, 3 done but for some people.
    """


_PLAN = click.argument("plan", type=click.Path(path_type=Path))
_TARGET = click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
_CONNECTION = click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
_USER = click.option("--user", required=True, help="Object id, or the user principal name of somebody who was in a round.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
_QUIET = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


@pairup.command()
@_PLAN
@_TARGET
@_CONNECTION
@_JSON
@_QUIET
def check(plan: Path, target: Path, connection: Path | None, as_json: bool, quiet: bool) -> int:
    """Say who would be grouped and who is left out, and what is wrong with the card; nothing is sent."""
    return _step("check", plan, target, connection, as_json, quiet)


@pairup.command()
@_PLAN
@_TARGET
@_CONNECTION
@click.option("--retry-failed", is_flag=True, help="Try those again that failed, lack the app or block it.")
@_JSON
@_QUIET
def run(plan: Path, target: Path, connection: Path | None, retry_failed: bool, as_json: bool, quiet: bool) -> int:
    """Form the groups of this week or month once, and tell everybody who was not told yet."""
    return _step("run", plan, target, connection, as_json, quiet, retry_failed=retry_failed)


@pairup.command()
@_PLAN
@_TARGET
@_JSON
def status(plan: Path, target: Path, as_json: bool) -> int:
    """Tell how far the last round of PLAN is, also while another process runs it."""
    return _step("status", plan, target, None, as_json, quiet=False)


@pairup.command()
@_PLAN
@_TARGET
@_USER
def pause(plan: Path, target: Path, user: str) -> int:
    """Leave a person out from the next round on."""
    _needs()
    from lakeflow_teams.deliver.pairup.document import load
    from lakeflow_teams.deliver.pairup.pauses import pause_pairup

    changed = pause_pairup(load(plan).name, target, user)
    click.echo("left out from the next round on" if changed else "left out already")
    return OK


@pairup.command()
@_PLAN
@_TARGET
@_USER
def resume(plan: Path, target: Path, user: str) -> int:
    """Take a person in again from the next round on."""
    _needs()
    from lakeflow_teams.deliver.pairup.document import load
    from lakeflow_teams.deliver.pairup.pauses import resume_pairup

    changed = resume_pairup(load(plan).name, target, user)
    click.echo("taken in from the next round on" if changed else "not left out")
    return OK


def _step(step: Any, plan: Path, target: Path, connection: Path | None, as_json: bool, quiet: bool, **more: Any) -> int:
    _needs()
    from lakeflow_teams.cli.broadcast_output import progress
    from lakeflow_teams.cli.delivery_step import take
    from lakeflow_teams.cli.pairup_output import show
    from lakeflow_teams.deliver.pairup.entry import pairup as go

    return take(step, go, (plan, target, connection), (progress, show), as_json=as_json, quiet=quiet, **more)


def _needs() -> None:
    for module in ("deltalake", "pyarrow", "yaml"):
        need(module, "local", "pairup")
