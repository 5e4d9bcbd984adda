"""``lakeflow-teams verify``: whether the lakehouse holds what Graph has."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import FAILED, OK
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.results import listing

if TYPE_CHECKING:
    from lakeflow_teams.local.verify import Verified

_COLUMNS = (
    listing.Column("table"),
    listing.Column("state"),
    listing.Column("rows", justify="right"),
    listing.Column("in Graph", justify="right"),
    listing.Column("missing", justify="right"),
    listing.Column("gone", justify="right"),
    listing.Column("doubled keys", justify="right"),
)
#: Scopes that are named one by one.
_LISTED = 10


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--target", required=True, type=click.Path(), help="Folder of the lakehouse, or its address in a store.")
@click.option("--only", multiple=True, metavar="TABLE", help="Look at this table only; repeatable.")
@click.option("--offline", is_flag=True, help="Send nothing: look whether keys are unique, and no further.")
@click.option("--repair", is_flag=True, help="Remove doubled keys, and read tables with gaps from the beginning.")
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def verify(
    pipeline: Path,
    target: str,
    only: tuple[str, ...],
    offline: bool,
    repair: bool,
    connection: Path | None,
    as_json: bool,
) -> int:
    """Compare TARGET with what Graph has, by the keys of every row of PIPELINE's tables.

    Rows that came after the last ingest are no gaps. It costs a full read of the tables. Exit codes: 0 all equal, or
    repaired; 1 something differs; 2 bad input.
    """
    for module in ("deltalake", "pyarrow", "yaml"):
        need(module, "local", "verify")
    from lakeflow_teams.local.verify import verify as compare
    from lakeflow_teams.spec.pipeline import load, load_connection

    options = load_connection(connection) if connection else None
    found = compare(load(pipeline), target, options, only=only, offline=offline, repair=repair)
    if as_json:
        print_json([{**asdict(each), "ok": each.ok} for each in found])
    else:
        _show(found)
    return OK if all(each.ok or each.repaired for each in found) else FAILED


def _show(found: list[Verified]) -> None:
    screen = listing.console()
    listing.show(screen, _COLUMNS, (_row(each) for each in found))
    for each in found:
        if each.error:
            listing.note(screen, f"{each.destination}: {each.error}", style="red")
        for scope in each.scopes[:_LISTED]:
            listing.note(screen, f"{each.destination} {scope.scope}: {scope.stored:,} stored, {scope.in_graph:,} in Graph")
        if len(each.scopes) > _LISTED:
            listing.note(screen, f"{each.destination}: and {len(each.scopes) - _LISTED:,} more scopes (--json)")
        for done in each.repaired:
            listing.note(screen, f"{each.destination}: repaired, {done}", style="green")
    if any(each.ok and each.in_graph is not None and each.in_graph > each.rows for each in found):
        listing.note(screen, "what Graph has beyond the rows came after the last ingest, and is no gap")
    if any(not each.ok and not each.repaired and not each.error for each in found):
        listing.note(screen, "--repair removes doubled keys, and reads tables with gaps or rows that are gone again")


def _row(each: Verified) -> list[str | Text]:
    state = Text("equal" if each.in_graph is not None else "unique keys", style="green")
    if not each.ok:
        state = Text("repaired", style="yellow") if each.repaired else Text("differs", style="red")
    in_graph = "" if each.in_graph is None else f"{each.in_graph:,}"
    return [each.destination, state, f"{each.rows:,}", in_graph, f"{each.missing:,}", f"{each.gone:,}", f"{each.doubled:,}"]
