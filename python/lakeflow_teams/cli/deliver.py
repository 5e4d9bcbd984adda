"""``lakeflow-teams import``: message history into Teams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.output import print_json


@click.group("import")
def import_() -> None:
    """Bring message history into Teams: from Slack, Mattermost, a lakehouse or tables.

    `init` writes the plan, `check` says what would happen, `run` posts, `verify` reads back, `complete` shows it to people.
    Each may be run again and goes on where it was. Exit codes: 0 done, 1 failed, 2 bad input, 3 done but for some items.
    """


_SHARED = [
    click.argument("plan", type=click.Path(path_type=Path)),
    click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options."),
    click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
]


def _shared(command: Any) -> Any:
    for decorate in reversed(_SHARED):
        command = decorate(command)
    return command


@import_.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--format", "kind", help="slack, mattermost, lakehouse or tables; without it, what the source looks like.")
@click.option("--to", type=click.Path(path_type=Path), default=Path("import.yaml"), help="Where to write (import.yaml).")
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def init(source: Path, kind: str | None, to: Path, connection: Path | None, force: bool, as_json: bool) -> int:
    """Write import.yaml, users.csv and channels.csv for SOURCE, filled in as far as can be known.

    With a connection, people are looked up in the tenant by their e-mail addresses.
    """
    _needs()
    from lakeflow_teams.deliver.scaffold import init as write

    written = write(source, to, kind, _maybe(connection), force=force)
    if as_json:
        print_json(written)
        return 0
    click.echo(f"{written['containers']} containers, {written['users']} people, {written['with_account']} with an account")
    for file in written["files"]:
        click.echo(f"wrote {file}")
    for problem in written["problems"]:
        click.echo(f"lakeflow-teams: {problem}", err=True)
    return 0


@import_.command()
@_shared
@click.option("--target", type=click.Path(path_type=Path), default=Path("lakehouse"), help="Folder of the lakehouse.")
def check(plan: Path, connection: Path | None, as_json: bool, quiet: bool, target: Path) -> int:
    """Say what a run of PLAN would do, change and refuse, and how long it takes. Sends nothing that has an effect."""
    return _step("check", plan, target, connection, as_json, quiet)


@import_.command()
@_shared
@click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
def run(plan: Path, connection: Path | None, as_json: bool, quiet: bool, target: Path) -> int:
    """Make the teams, channels and chats of PLAN, and post what is not posted yet."""
    return _step("run", plan, target, connection, as_json, quiet)


@import_.command()
@_shared
@click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
def verify(plan: Path, connection: Path | None, as_json: bool, quiet: bool, target: Path) -> int:
    """Read everything back and compare it with what was sent."""
    return _step("verify", plan, target, connection, as_json, quiet)


@import_.command()
@_shared
@click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
def complete(plan: Path, connection: Path | None, as_json: bool, quiet: bool, target: Path) -> int:
    """End migration mode, so that people can write again, and add members."""
    return _step("complete", plan, target, connection, as_json, quiet)


def _step(step: Any, plan: Path, target: Path, connection: Path | None, as_json: bool, quiet: bool) -> int:
    _needs()
    from lakeflow_teams.cli.deliver_output import show
    from lakeflow_teams.cli.delivery_step import take
    from lakeflow_teams.deliver.entry import import_messages

    return take(step, import_messages, (plan, target, connection), (_progress, show), as_json=as_json, quiet=quiet)


def _needs() -> None:
    for module in ("deltalake", "jinja2", "pyarrow", "yaml"):
        need(module, "local", "import")


def _maybe(connection: Path | None) -> _core.Client | None:
    """A client, where a connection is named or found in the environment."""
    from lakeflow_teams.options.environment import connection_from_environment
    from lakeflow_teams.spec.pipeline import load_connection

    if connection is not None:
        return _core.Client(connection_from_environment(load_connection(connection)), strict=True)
    options = connection_from_environment({})
    return _core.Client(options, strict=True) if "client_id" in options else None


@contextmanager
def _progress(step: str, *, quiet: bool) -> Iterator[Any]:
    from lakeflow_teams.cli.deliver_output import told
    from lakeflow_teams.cli.line_of_progress import LineOfProgress

    if quiet:
        yield None
        return
    with LineOfProgress(step) as line:
        yield lambda counts: line.tell(*told(step, counts))
