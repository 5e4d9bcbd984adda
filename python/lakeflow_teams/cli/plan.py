"""``lakeflow-teams plan``: requests and time of a pipeline, before anything is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lakeflow_teams import _core
from lakeflow_teams.cli.exit_code import FAILED, OK
from lakeflow_teams.cli.inputs import load_pipeline, pipeline_client, split
from lakeflow_teams.cli.look import as_json, option
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.options.environment import connection_from_environment
from lakeflow_teams.results.cost import RUNS, PlanResult, duration, predict


def _count_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each count, in the order of the core."""
    for name, assumed, meaning in reversed(_core.counts()):
        text = meaning if assumed is None else f"{meaning} Assumed to be {assumed:g}."
        command = click.option(f"--{name.replace('_', '-')}", name, type=click.FloatRange(0), help=text)(command)
    return command


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@_count_options
@click.option("--probe", is_flag=True, help="Ask the tenant for the counts that are not given, with a few requests.")
@option
@click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
@as_json
def plan(
    pipeline: Path,
    probe: bool,
    options: tuple[str, ...],
    connection: Path | None,
    as_json: bool,
    **counts: float | None,
) -> int:
    """Predict requests and time of PIPELINE, from counts or from a probe.

    Counts are those of what the pipeline reads; ids that it names count themselves. The time is that of the rates which
    the connector plans with: 80 % of Graph's documented limits. Exit codes: 0 done, 1 the probe failed or was refused a
    count, which is unknown then, 2 bad input.
    """
    given = {name: count for name, count in counts.items() if count is not None}
    connect, read = split(options)
    spec = load_pipeline(pipeline)
    tables = [(table.source_table, {**table.options, **read}) for table in spec.tables]
    notes: tuple[str, ...] = ()
    unknown: dict[str, str] = {}
    requests = 0
    if probe:
        _, client, settings = pipeline_client(pipeline, connect, connection)
        found = json.loads(client.sample(tables))
        notes, requests = tuple(found["notes"]), found["requests"]
        unknown = {name: why for name, why in found["unknown"].items() if name not in given}
        given = {**found["counts"], **given}
    else:
        settings = connection_from_environment({**spec.connection, **connect})
    ceiling = settings.get("requests_per_second")
    rate = float(ceiling) if ceiling else None
    result = predict(tables, given, unknown=unknown, requests_per_second=rate)
    result = replace(result, notes=notes, probe_requests=requests)
    if as_json:
        print_json(result.to_dict())
    else:
        _show(result)
    return FAILED if result.unknown else OK


def _show(result: PlanResult) -> None:
    console = Console()
    console = console if console.is_terminal else Console(width=240)
    screen = Table("tables", *(f"{run} run" for run in RUNS), "limited by", header_style="bold", box=None)
    for step in result.passes:
        runs = [getattr(step, run) for run in RUNS]
        screen.add_row(", ".join(step.tables), *(_cell(run.requests, run.seconds) for run in runs), step.first.limit)
    screen.add_row("all", *(_cell(result.requests(run), result.seconds(run)) for run in RUNS), style="bold")
    console.print(screen)
    console.print()
    detail = Table("first run", "requests", "formula", header_style="bold", box=None)
    for step in result.passes:
        for part in step.first.parts:
            detail.add_row(f"GET {part.endpoint}", f"{part.requests:,.0f}", part.formula)
    console.print(detail)
    used = ", ".join(f"{name} {count:,.10g}" for name, count in result.counts.items())
    console.print(f"counts: {used}", markup=False, highlight=False, soft_wrap=True)
    if result.probe_requests:
        console.print(f"the probe took {result.probe_requests} requests", highlight=False)
    for name, why in result.unknown.items():
        text = f"unknown: {name}: {why}. Or give --{name.replace('_', '-')}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    for note in result.notes:
        console.print(f"note: {note}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def _cell(requests: int | None, seconds: float | None) -> str:
    if requests is None or seconds is None:
        return "unknown"
    return f"{requests:,} request{'' if requests == 1 else 's'}, {duration(seconds)}"
