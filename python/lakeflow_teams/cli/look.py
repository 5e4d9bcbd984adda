"""Looking before ingesting: ``tables``, ``schema`` and ``preview``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from lakeflow_teams import _core
from lakeflow_teams.cli.complete import complete_option, complete_table
from lakeflow_teams.cli.inputs import client, split
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.results.html import type_name
from lakeflow_teams.results.terminal import wide_console

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
option = click.option(
    "-o",
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=complete_option,
    help="An option; repeatable.",
)


@click.command()
@as_json
def tables(as_json: bool) -> None:
    """List the tables, their keys and the permissions they need."""
    if as_json:
        print_json(_core.tables())
        return
    screen = Table(box=None, header_style="bold")
    for heading in ("table", "how", "key", "cursor", "options", "permissions"):
        screen.add_column(heading, overflow="fold")
    for info in _core.tables():
        screen.add_row(
            info["name"],
            info["ingestion_type"],
            ", ".join(info["primary_keys"]),
            info["cursor_field"] or "",
            info["required_options"],
            ", ".join(info["permissions"]),
        )
    wide_console().print(screen)


@click.command()
@click.argument("table", shell_complete=complete_table)
@option
@as_json
def schema(table: str, options: tuple[str, ...], as_json: bool) -> None:
    """Show the columns of TABLE."""
    found = _core.schema(table, split(options)[1]).to_dict()
    if as_json:
        print_json(found)
        return
    for field in found["fields"]:
        click.echo(f"{field['name']}: {type_name(field['type'])}")
        click.echo(f"    {field['metadata']['comment']}")


@click.command()
@click.argument("table", shell_complete=complete_table)
@option
@click.option("-n", "--rows", default=10, show_default=True, type=click.IntRange(1), help="How many rows.")
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@as_json
def preview(table: str, options: tuple[str, ...], rows: int, connection: Path | None, as_json: bool) -> None:
    """Read the first rows of TABLE."""
    connect, read = split(options)
    found = list(islice(_rows(client(connect, connection).read(table, read)), rows))
    if as_json:
        for row in found:
            print_json(row, indent=None)
        return
    names = [name for name in (found[0] if found else {}) if any(row[name] not in (None, [], "") for row in found)]
    screen = Table(*names, header_style="bold")
    for row in found:
        screen.add_row(*(_cell(row[name]) for name in names))
    wide_console().print(screen if found else "no rows")


def _rows(stream: _core.BatchStream) -> Iterator[dict[str, Any]]:
    for batch in stream:
        yield from batch.to_pylist()


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split()).replace("[", "\\[")
    return text if len(text) <= 60 else text[:59] + "…"
