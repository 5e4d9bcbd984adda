"""``lakeflow-teams ingest``: a pipeline spec into local Delta tables."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import BAD_INPUT, FAILED, OK
from lakeflow_teams.cli.output import print_json, verbose
from lakeflow_teams.cli.values import Count
from lakeflow_teams.results import listing
from lakeflow_teams.results.terminal import progress, show_summary

if TYPE_CHECKING:
    from lakeflow_teams.local.choice import Choice
    from lakeflow_teams.results.summary import RunSummary
    from lakeflow_teams.spec.pipeline import PipelineSpec

_OUTLOOK = (listing.Column("table"), listing.Column("how", rank=1), listing.Column("what would be done", breaks=True))


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--target", required=True, type=click.Path(), help="Folder of the lakehouse, or its address in a store.")
@click.option("--only", multiple=True, metavar="TABLE", help="Run this table only; repeatable, or several by comma.")
@click.option("--full-refresh", multiple=True, metavar="TABLE", help="Read this table from the beginning; repeatable.")
@click.option("--dry-run", is_flag=True, help="Say what would be done. Sends nothing, writes nothing.")
@click.option("--max-delete-percent", type=Count(0, 100), help="Share of a table that this run may delete.")
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--report/--no-report", default=True, help="Write a page about the run to TARGET/_reports (default).")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Say what happens, to stderr.")
def ingest(
    pipeline: Path,
    target: str,
    only: tuple[str, ...],
    full_refresh: tuple[str, ...],
    dry_run: bool,
    max_delete_percent: int | None,
    connection: Path | None,
    as_json: bool,
    report: bool,
    quiet: bool,
    is_verbose: bool,
) -> int:
    """Run PIPELINE (a YAML spec) into Delta tables.

    Each table is at TARGET/<catalog>/<schema>/<table>. Run it again to read what changed since; a run that was interrupted
    goes on where it was. TABLE is a destination (catalog.schema.table, or its last part) or a source table.
    """
    for module in ("deltalake", "jinja2", "pyarrow", "yaml"):
        need(module, "local", "ingest")
    from lakeflow_teams.local.choice import Choice
    from lakeflow_teams.local.runner import run
    from lakeflow_teams.spec.pipeline import load, load_connection

    if is_verbose:
        verbose()
    spec = load(pipeline)
    options = load_connection(connection) if connection else None
    choice = Choice(_names("--only", only), _names("--full-refresh", full_refresh), max_delete_percent)
    if dry_run:
        return _dry_run(spec, target, options, choice, as_json=as_json)
    with progress(quiet=quiet or as_json, lines=is_verbose) as tell:
        summary = run(spec, target, options, on_progress=tell, report=report, choice=choice)
    if as_json:
        print_json(summary.to_dict())
    elif not quiet:
        show_summary(summary)
    _print_errors(summary)
    return _exit_code(summary)


def _names(option: str, given: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for each in given for name in each.split(",") if name.strip())
    if given and not names:
        raise _core.ConfigurationError(f"{option}: {', '.join(map(repr, given))} names no table")
    return names


def _dry_run(spec: PipelineSpec, target: str, connection: dict[str, str] | None, choice: Choice, *, as_json: bool) -> int:
    from lakeflow_teams.local.outlook import look

    lines, notes = look(spec, target, connection, choice)
    if as_json:
        print_json({"destinations": lines, "notes": notes})
        return OK
    screen = listing.console()
    listing.show(screen, _OUTLOOK, ((line["destination"], line["way"], line["what"]) for line in lines))
    for note in notes:
        listing.note(screen, f"note: {note}", style="yellow")
    return OK


def _print_errors(summary: RunSummary) -> None:
    """Each cause once, with the tables that it ended."""
    for text in dict.fromkeys(line.error for line in summary.destinations if line.error):
        names = [line.destination for line in summary.destinations if line.error == text]
        of_all = f"all {len(names)} tables" if len(names) == len(summary.destinations) > 1 else ""
        with suppress(BrokenPipeError):
            print(f"lakeflow-teams: {text} ({of_all or 'destination ' + ', '.join(names)})", file=sys.stderr)


def _exit_code(summary: RunSummary) -> int:
    """2 is for what the user wrote, and promises that nothing was sent."""
    if summary.error is None:
        return OK
    return BAD_INPUT if isinstance(summary.error, _core.ConfigurationError) and not summary.requests else FAILED
