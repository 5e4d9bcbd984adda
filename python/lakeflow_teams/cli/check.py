"""``lakeflow-teams check``: whether a read would be allowed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from rich.text import Text

from lakeflow_teams import _core
from lakeflow_teams.cli.inputs import pipeline_client, split
from lakeflow_teams.cli.look import as_json, option
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.results import listing
from lakeflow_teams.results.check import CheckResult, run_check

MISSING = 1

_COLUMNS = (
    listing.Column("table"),
    listing.Column("permission", breaks=True),
    listing.Column("status"),
    listing.Column("", breaks=True),
)
_STYLES = {"granted": "green", "unknown": "yellow"}


@click.command()
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option("-t", "--table", "tables", multiple=True, help="A table to check; repeatable. Without it and PIPELINE: all.")
@option
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@as_json
def check(
    pipeline: Path | None, tables: tuple[str, ...], options: tuple[str, ...], connection: Path | None, as_json: bool
) -> int:
    """Compare the token's permissions with those that the tables of PIPELINE need, and ask a little of each.

    Exit codes: 0 all good, 1 something is missing, refused or unreachable, 2 bad input.
    """
    if pipeline is not None and tables:
        raise _core.ConfigurationError("check: give a pipeline or --table, not both")
    connect, read = split(options)
    spec, client, signed_in = pipeline_client(pipeline, connect, connection)
    wanted: list[tuple[str, Mapping[str, str]]]
    if spec is not None:
        wanted = [(table.source_table, {**table.options, **read}) for table in spec.tables]
        for name, configuration in wanted:
            client.validate([name], configuration)
    else:
        names = tables or tuple(info["name"] for info in _core.tables())
        wanted = [(name, read) for name in names]
    result = run_check(client, signed_in, wanted)
    if as_json:
        print_json(result.to_dict())
    else:
        _show(result)
    return 0 if result.ok else MISSING


def _show(result: CheckResult) -> None:
    console = listing.console()
    listing.note(console, result.authentication, style="green" if result.authenticated else "red")
    rows = ((row.table, row.permission, Text(row.status, _STYLES.get(row.status, "red")), row.detail) for row in result.rows)
    listing.show(console, _COLUMNS, rows)
    for note in result.notes:
        listing.note(console, f"note: {note}", style="yellow")
    if result.missing:
        listing.note(console, f"Grant with admin consent: {', '.join(result.missing)}", style="bold")
    listing.note(console, "For a Unity Catalog connection, externalOptionsAllowList:")
    console.print(result.allow_list, markup=False, highlight=False, soft_wrap=True)  # one word, to be copied
