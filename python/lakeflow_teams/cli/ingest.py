"""``lakeflow-teams ingest``: a pipeline spec into local Delta tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import exit_code
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.results.terminal import progress, show_summary


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--target", required=True, type=click.Path(), help="Folder of the lakehouse, or its address in a store.")
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--report/--no-report", default=True, help="Write a page about the run to TARGET/_reports (default).")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def ingest(pipeline: Path, target: str, connection: Path | None, as_json: bool, report: bool, quiet: bool) -> int:
    """Run PIPELINE (a YAML spec) into Delta tables.

    Each table is at TARGET/<catalog>/<schema>/<table>. Run it again to read what changed since; a run that was interrupted
    goes on where it was.
    """
    for module in ("deltalake", "jinja2", "pyarrow", "yaml"):
        need(module, "local", "ingest")
    from lakeflow_teams.local.runner import run
    from lakeflow_teams.spec.pipeline import load, load_connection

    spec = load(pipeline)
    options = load_connection(connection) if connection else None
    with progress(quiet=quiet or as_json) as tell:
        summary = run(spec, target, options, on_progress=tell, report=report)
    if as_json:
        print_json(summary.to_dict())
    elif not quiet:
        show_summary(summary)
    for text in dict.fromkeys(line.error for line in summary.destinations if line.error):
        names = ", ".join(line.destination for line in summary.destinations if line.error == text)
        print(f"lakeflow-teams: {text} (destination {names})", file=sys.stderr)
    return exit_code(summary.error) if summary.error is not None else 0
