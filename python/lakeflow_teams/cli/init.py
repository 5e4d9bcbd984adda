"""``lakeflow-teams init``: a commented pipeline, and the way to credentials that may read its tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from lakeflow_teams import _core
from lakeflow_teams.cli import questions, scaffold
from lakeflow_teams.cli.complete import complete_tables
from lakeflow_teams.cli.output import print_json

NEXT = "lakeflow-teams ingest {path} --target ./lakehouse"


@click.command()
@click.option("--tables", metavar="A,B", shell_complete=complete_tables, help="Tables to read, by comma; `all` takes each.")
@click.option("--team-id", metavar="ID,ID", help="Read these teams only; without it, every team.")
@click.option("--start-date", metavar="DATE", help="Where the history of messages starts; without it, at the beginning.")
@click.option("--catalog", default="main", show_default=True, help="Catalog of the destinations.")
@click.option("--schema", default="teams", show_default=True, help="Schema of the destinations.")
@click.option("--output", default="pipeline.yaml", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@click.option("--yes", is_flag=True, help="Ask nothing; what no option says takes its default.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written and what it needs as JSON; asks nothing.")
def init(
    tables: str | None,
    team_id: str | None,
    start_date: str | None,
    catalog: str,
    schema: str,
    output: Path,
    force: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Write a commented pipeline, and say which permissions it needs.

    On a terminal it asks for what no option says. It sends no request and needs no account.
    """
    if output.exists() and not force:
        raise _core.ConfigurationError(f"--output: {output} exists; name another file, or replace it with --force")
    if not output.parent.is_dir():
        raise _core.ConfigurationError(f"--output: the folder {output.parent} is not there; make it, or name another file")
    asking = sys.stdin.isatty() and not (yes or as_json)
    if tables is None:
        tables = questions.tables() if asking else ",".join(scaffold.USUAL)
    if team_id is None:
        team_id = questions.team_id() if asking else ""
    if start_date is None:
        start_date = questions.start_date() if asking else ""
    names = [info["name"] for info in _core.tables()] if tables == "all" else [name.strip() for name in tables.split(",")]
    chosen = scaffold.choose(names)
    text = scaffold.pipeline(
        chosen, path=_readable(output), catalog=catalog, schema=schema, team_id=team_id, start_date=start_date
    )
    output.write_text(text, encoding="utf-8")
    needed = scaffold.permissions(chosen)
    steps = scaffold.registration(needed)
    if as_json:
        written = {
            "pipeline": str(output),
            "tables": [info["name"] for info in chosen],
            "permissions": needed,
            "steps": steps,
        }
        print_json(written)
        return
    click.echo(f"{output} reads {', '.join(info['name'] for info in chosen)}.\n\nThe application that may read them:\n")
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
    click.echo(f"\nThen: {NEXT.format(path=output)}")
    click.echo("No account at hand? `lakeflow-teams emulator` is a tenant on this machine.")


def _readable(path: Path) -> str:
    """The path as text that UTF-8 can hold: under another locale Python keeps its bytes as halves of characters."""
    return os.fsencode(path.as_posix()).decode("utf-8", errors="replace")
