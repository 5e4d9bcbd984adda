"""``lakeflow-teams plan``: requests and time of a pipeline, before anything is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from lakeflow_teams import _core
from lakeflow_teams.cli.exit_code import FAILED, OK
from lakeflow_teams.cli.inputs import load_pipeline, pipeline_client, split
from lakeflow_teams.cli.look import as_json, option
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.cli.values import Amount
from lakeflow_teams.options.environment import connection_from_environment
from lakeflow_teams.results import listing
from lakeflow_teams.results.cost import RUNS, PlanResult, RunCost, duration, predict

_COLUMNS = (
    listing.Column("tables", breaks=True),
    *(listing.Column(f"{run} run", breaks=True) for run in RUNS),
    listing.Column("limited by", rank=1, breaks=True),
)
_DETAIL = (
    listing.Column("first run", breaks=True),
    listing.Column("requests", justify="right"),
    listing.Column("formula", breaks=True),
)


def _count_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each count, in the order of the core."""
    for name, assumed, meaning in reversed(_core.counts()):
        text = meaning if assumed is None else f"{meaning} Assumed to be {assumed:g}."
        command = click.option(f"--{name.replace('_', '-')}", name, type=Amount(0), help=text)(command)
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
    console = listing.console()
    rows = [_row(", ".join(step.tables), [getattr(step, run) for run in RUNS], step.first.limit) for step in result.passes]
    totals = [_cell(result.requests(run), result.seconds(run)) for run in RUNS]
    rows.append([Text("all", style="bold"), *(Text(text, style="bold") for text in totals), ""])
    listing.show(console, _COLUMNS, rows)
    console.print()
    parts = [part for step in result.passes for part in step.first.parts]
    detail = ((f"GET {part.endpoint}", f"{part.requests:,.0f}", part.formula) for part in parts)
    listing.show(console, _DETAIL, detail)
    used = ", ".join(f"{name} {count:,.10g}" for name, count in result.counts.items())
    listing.note(console, f"counts: {used}")
    if result.probe_requests:
        listing.note(console, f"the probe took {result.probe_requests} requests")
    for name, why in result.unknown.items():
        listing.note(console, f"unknown: {name}: {why}. Or give --{name.replace('_', '-')}", style="red")
    for note in result.notes:
        listing.note(console, f"note: {note}", style="yellow")


def _row(tables: str, runs: list[RunCost], limit: str) -> list[str | Text]:
    return [tables, *(_cell(run.requests, run.seconds) for run in runs), limit]


def _cell(requests: int | None, seconds: float | None) -> str:
    if requests is None or seconds is None:
        return "unknown"
    return f"{requests:,} request{'' if requests == 1 else 's'}, {duration(seconds)}"
