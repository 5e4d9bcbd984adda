"""Looking before ingesting: ``tables``, ``schema`` and ``preview``."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from textwrap import fill
from typing import Any

import click

from lakeflow_teams import _core
from lakeflow_teams.cli.complete import complete_option, complete_table
from lakeflow_teams.cli.inputs import client, split
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.cli.values import Count
from lakeflow_teams.results import listing
from lakeflow_teams.results.html import type_name

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


_TABLES = (
    listing.Column("table"),
    listing.Column("how", rank=1),
    listing.Column("options", breaks=True),
    listing.Column("permissions", rank=2, breaks=True),
    listing.Column("key", rank=3, breaks=True),
    listing.Column("cursor", rank=4, breaks=True),
)
#: Endings of the columns that tell a person most, best first; ids come last.
_TELLING = ("displayName", "topic", "subject", "from", "body", "createdDateTime", "email")
_TAG = re.compile(r"<[^>]+>")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")


@click.command()
@as_json
def tables(as_json: bool) -> None:
    """List the tables, their keys and the permissions they need."""
    if as_json:
        print_json(_core.tables())
        return
    rows = (
        (
            info["name"],
            info["ingestion_type"],
            info["required_options"],
            ", ".join(info["permissions"]),
            ", ".join(info["primary_keys"]),
            info["cursor_field"] or "",
        )
        for info in _core.tables()
    )
    listing.show(listing.console(), _TABLES, rows)


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
    width = listing.console().width
    for field in found["fields"]:
        for line in _type_lines(field["name"], field["type"], width, 0):
            click.echo(line)
        click.echo(fill(field["metadata"]["comment"], width, initial_indent="    ", subsequent_indent="    "))


@click.command()
@click.argument("table", shell_complete=complete_table)
@option
@click.option("-n", "--rows", default=10, show_default=True, type=Count(1), help="How many rows.")
@click.option("--columns", metavar="A,B", help="Columns to read and show, by comma; without it those that fit.")
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@as_json
def preview(
    table: str, options: tuple[str, ...], rows: int, columns: str | None, connection: Path | None, as_json: bool
) -> None:
    """Read the first rows of TABLE."""
    connect, read = split(options)
    wanted = [name.strip() for name in columns.split(",")] if columns else None
    stream = client(connect, connection).read(table, read, wanted, keeps_doubtful=True)
    found = list(islice(_rows(stream), rows))
    if as_json:
        for row in found:
            print_json(row, indent=None)
        return
    screen = listing.console()
    names = [name for name in (found[0] if found else {}) if any(_cell(row[name]) not in ("", "[]") for row in found)]
    if not wanted:
        names.sort(key=_order)
    shown = [listing.Column("row"), *(listing.Column(name, rank=at + 1, breaks=True) for at, name in enumerate(names))]
    if found:
        cells = ([str(number), *(_cell(row[name]) for name in names)] for number, row in enumerate(found, 1))
        listing.show(screen, shown, cells, "--columns, --json")
    else:
        listing.note(screen, "no rows")


def _rows(stream: _core.BatchStream) -> Iterator[dict[str, Any]]:
    for batch in stream:
        yield from batch.to_pylist()


def _order(name: str) -> int:
    """Names before texts, times and ids: a person looks for what they know."""
    if name in _TELLING:
        return _TELLING.index(name)
    is_id = name.lower().endswith("id") or name in ("etag", "webUrl", "_raw")
    return len(_TELLING) + is_id


def _cell(value: Any) -> str:
    if isinstance(value, dict):  # an identity or a body: what a person would read of it
        if "content" in value:
            value = html.unescape(_TAG.sub(" ", value["content"] or ""))
        value = value if isinstance(value, str) else value.get("displayName") or _named(value) or value
    if isinstance(value, str) and (time := _TIME.fullmatch(value)):
        value = time[1]
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def _named(value: dict[str, Any]) -> str | None:
    inside = (part.get("displayName") for part in value.values() if isinstance(part, dict))
    return next((name for name in inside if isinstance(name, str) and name), None)


def _type_lines(name: str, kind: Any, width: int, depth: int) -> Iterator[str]:
    """One line, or where that is too long one for each field of a struct, indented."""
    line = f"{'  ' * depth}{name}: {type_name(kind)}"
    inner = kind
    while isinstance(inner, dict) and inner["type"] == "array":
        inner = inner["elementType"]
    if len(line) <= width or not isinstance(inner, dict):
        yield line
        return
    yield f"{'  ' * depth}{name}: {'array of struct' if inner is not kind else 'struct'}"
    for field in inner["fields"]:
        yield from _type_lines(field["name"], field["type"], width, depth + 1)
