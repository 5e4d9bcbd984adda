"""``lakeflow-teams emulator`` and ``lakeflow-teams demo``: a tenant without an account."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from threading import Event
from typing import Any

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.inputs import pairs
from lakeflow_teams.cli.output import print_json


@click.command()
@click.option("--port", default=8480, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--teams", default=20, show_default=True, type=click.IntRange(0), help="How many teams it has.")
@click.option("--seed", default=7, show_default=True, type=int, help="The same seed is the same tenant.")
@click.option("-o", "--option", "options", multiple=True, metavar="KNOB=VALUE", help="Any other knob; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the connection options as JSON.")
def emulator(port: int, teams: int, seed: int, options: tuple[str, ...], as_json: bool) -> None:
    """Serve a Microsoft Graph tenant on loopback until interrupted."""
    knobs = {name: _value(text) for name, text in pairs(options).items()}
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _core.GraphEmulator(port=port, teams=teams, seed=seed, **knobs) as graph:
        if as_json:
            print_json({"url": graph.url, "options": graph.options}, indent=None)
        else:
            click.echo(f"# Microsoft Graph, emulated, at {graph.url}; Ctrl-C ends it. In another shell:")
            for name, value in graph.options.items():
                click.echo(f"export LAKEFLOW_TEAMS_{name.upper()}='{value}'")
        while not stop.wait(1.0):
            pass


@click.command()
@click.option("--target", default="lakehouse/demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--teams", default=20, show_default=True, type=click.IntRange(1), help="How many teams the tenant has.")
@click.option("--seed", default=7, show_default=True, type=int, help="The same seed is the same tenant.")
@click.option("--json", "as_json", is_flag=True, help="Print the summaries of both runs as JSON.")
def demo(target: Path, teams: int, seed: int, as_json: bool) -> None:
    """Ingest an emulated tenant twice, and compare every table with the truth."""
    for module in ("deltalake", "pyarrow", "yaml"):
        need(module, "local", "the demo")
    from rich.console import Console

    from lakeflow_teams.demo import run

    runs = run(target, teams=teams, seed=seed, console=Console(quiet=as_json))
    if as_json:
        print_json([summary.to_dict() for summary in runs])


def _value(text: str) -> Any:
    """A knob's value: a number, true/false or a JSON list where it reads as one, otherwise text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
