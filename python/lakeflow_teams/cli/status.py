"""``lakeflow-teams status``: what is in the lakehouse, how fresh it is, and what the last run left out."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from lakeflow_teams._extras import need
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.results.lakehouse import size_text
from lakeflow_teams.results.report import describe_skip
from lakeflow_teams.results.terminal import wide_console


@click.command()
@click.option("--target", required=True, type=click.Path(), help="Folder of the lakehouse, or its address in a store.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(target: str, as_json: bool) -> None:
    """Show what TARGET holds: rows, freshness, and what the last run skipped.

    It reads the Delta tables and what their commits carry; it sends no request.
    """
    for module in ("deltalake", "pyarrow"):
        need(module, "local", "status")
    from lakeflow_teams.local.status import status as look

    found = look(target)
    if as_json:
        print_json(found.to_dict())
        return
    console = wide_console()
    screen = Table(box=None, header_style="bold")
    for heading in ("table", "state", "rows", "version", "size", "committed", "read until"):
        screen.add_column(heading, justify="right" if heading in {"rows", "version", "size"} else "left")
    for table in found.tables:
        screen.add_row(
            table.table,
            table.state if table.state == "done" else f"[yellow]{table.state}",
            f"{table.rows:,}",
            str(table.version),
            size_text(table.bytes),
            table.committed or "",
            (table.read_until or "")[:19],
        )
    console.print(screen)
    if found.last_run is None:
        console.print("no run report: the last ingest wrote none", style="yellow")
        return
    for line in _last_run(found.last_run):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _last_run(run: dict[str, Any]) -> list[str]:
    how = f"failed: {run['error']}" if run["failed"] else "done"
    lines = [f"last run {run['started']}, {run['seconds']:.1f} s, {run['requests']:,} requests: {how}"]
    lines += dict.fromkeys(f"skipped: {describe_skip(scope)}" for scope in run["skipped"])
    if run["skipped_count"] > len(run["skipped"]):
        lines.append(f"and {run['skipped_count'] - len(run['skipped']):,} more were skipped")
    return lines
