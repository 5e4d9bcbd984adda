"""``lakeflow-teams maintain``: the tables' files, put together and cleaned."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakeflow_teams._extras import need
from lakeflow_teams.cli.output import print_json


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
    for table in tables:
        click.echo(f"{table.table}: {table.before} files, now {table.after}; {table.deleted} old ones deleted")
