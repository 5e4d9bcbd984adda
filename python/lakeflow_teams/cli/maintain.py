"""``lakeflow-teams maintain``: the tables' files, put together and cleaned."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakeflow_teams._extras import need
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.results import listing

_COLUMNS = (
    listing.Column("table"),
    listing.Column("files before", justify="right"),
    listing.Column("files now", justify="right"),
    listing.Column("old files deleted", justify="right"),
)


@click.command()
@click.option("--target", required=True, help="Where the lakehouse is: a folder, or the address of a store.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def maintain(target: str, as_json: bool) -> None:
    """Put small files of TARGET's tables together, and delete those that no version of the last week names.

    Ingests do it by themselves every 32 commits. It sends no request, and may run beside ingests and readers.
    """
    for module in ("deltalake", "pyarrow"):
        need(module, "local", "maintain")
    from lakeflow_teams.local.maintain import maintain as look_after

    tables = look_after(target)
    if as_json:
        print_json([asdict(table) for table in tables])
        return
    rows = ([each.table, f"{each.before:,}", f"{each.after:,}", f"{each.deleted:,}"] for each in tables)
    listing.show(listing.console(), _COLUMNS, rows)
