"""``lakeflow-teams emulator`` and ``lakeflow-teams demo``: a tenant without an account."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.cli.inputs import pairs
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.cli.values import Count


class _Emulator(click.Group):
    """Every knob is one of ``-o``; who writes it as an option of its own is told so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, or a click error that names the knob."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name, knobs = error.option_name.lstrip("-").replace("-", "_"), _core.GraphEmulator.knobs()
            first = [knob for knob in knobs if knob.startswith(name)][:1]
            near = did_you_mean(name, first or knobs, show=lambda knob: f"-o {knob}=...")
            near = near or "".join(f"; did you mean -o {knob}=...?" for knob in first)
            raise click.UsageError(f"there is no option {error.option_name}{near}") from None


@click.group(cls=_Emulator, invoke_without_command=True)
@click.option("--port", default=8480, show_default=True, type=Count(0, 65535), help="0 takes a free one.")
@click.option("--teams", default=20, show_default=True, type=Count(0), help="How many teams it has.")
@click.option("--seed", default=7, show_default=True, type=int, help="The same seed is the same tenant.")
@click.option("--live", is_flag=True, help="Today's date; every few seconds people write, answer, react and edit.")
@click.option("-o", "--option", "options", multiple=True, metavar="KNOB=VALUE", help="Any other knob; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the connection options as JSON.")
@click.pass_context
def emulator(
    context: click.Context, port: int, teams: int, seed: int, live: bool, options: tuple[str, ...], as_json: bool
) -> None:
    """Serve a Microsoft Graph tenant on loopback until interrupted; its commands change one that is running.

    Knobs are described in the page "Testing your own pipelines": `-o messages_per_channel=200 -o live_seconds=1`.
    """
    if context.invoked_subcommand is not None:
        return
    knobs = {name: _value(text) for name, text in pairs(options).items()}
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _started({"port": port, "teams": teams, "seed": seed, "live": live, **knobs}) as graph:
        if as_json:
            print_json({"url": graph.url, "options": graph.options}, indent=None)
        else:
            click.echo(f"# Microsoft Graph, emulated, at {graph.url}; Ctrl-C ends it. In another shell:")
            for name, value in graph.options.items():
                click.echo(f"export LAKEFLOW_TEAMS_{name.upper()}='{value}'")
        sys.stdout.flush()
        while not stop.wait(1.0):
            pass


def _started(knobs: dict[str, Any]) -> _core.GraphEmulator:
    """An emulator, or the mistake in its knobs in one line."""
    try:
        return _core.GraphEmulator(**knobs)
    except TypeError as error:
        name = (str(error).partition("argument ")[2] or str(error)).replace("'", "")  # with the nearest one, if any
        raise _core.ConfigurationError(f"the emulator has no knob {name}") from None
    except ValueError as error:
        raise _core.ConfigurationError(f"a knob of the emulator: {str(error).removeprefix('GraphEmulator(): ')}") from None
    except OSError as error:
        raise _core.ConfigurationError(f"--port {knobs['port']}: {error}; name another one, or 0 for a free one") from None


_url = click.option(
    "--url",
    envvar="LAKEFLOW_TEAMS_GRAPH_BASE_URL",
    required=True,
    help="Where the emulator runs; without it LAKEFLOW_TEAMS_GRAPH_BASE_URL.",
)


@emulator.command()
@click.argument("changes", nargs=-1, required=True, metavar="CHANGE=COUNT...")
@_url
def mutate(changes: tuple[str, ...], url: str) -> None:
    """Make things happen in a running emulator, and print what was changed: new_messages=3 edits=2 advance_seconds=3600."""
    print_json(_tell(url, "mutate", {name: _value(text) for name, text in pairs(changes).items()}))


@emulator.command()
@click.argument("text")
@click.option("--author", help="A user's id, principal name or display name; without it some member.")
@click.option("--at", help="When it was written, as ISO 8601; without it now.")
@click.option("--team-id", help="The team to write in.")
@click.option("--channel-id", help="The channel to write in; without it the first one.")
@click.option("--chat-id", help="The chat to write in.")
@click.option("--reply-to", help="The id of the message to answer.")
@click.option("--subject", help="The subject of a new thread.")
@_url
def post(text: str, url: str, **details: str | None) -> None:
    """Write one message in a running emulator, and print the ids that find it."""
    given = {name: value for name, value in details.items() if value is not None}
    print_json(_tell(url, "post", {"text": text, **given}))


def _tell(url: str, what: str, content: dict[str, Any]) -> Any:
    """Asks a running emulator for a change. Its refusal, and an address where none answers, are one line each."""
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise _core.ConfigurationError(f"--url {url}: an emulator is on this machine, such as http://127.0.0.1:8480")
    request = Request(f"{url.rstrip('/')}/emulator/{what}", json.dumps(content).encode(), method="POST")  # noqa: S310
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)
    except HTTPError as error:
        said = json.loads(error.read() or b"{}").get("error") if error.code == 400 else None
        raise _core.ConfigurationError(f"emulator {what}: {_plainly(said) if said else f'{url} is no emulator'}") from None
    except OSError as error:
        raise _core.LakeflowTeamsError(f"emulator {what}: nothing answers at {url} ({error}); is it running?") from None


def _plainly(said: str) -> str:
    """What the emulator says of an unknown name, with the nearest right one."""
    if not said.startswith("unknown field"):
        return said
    name, *known = said.split("`")[1::2]
    return f"there is no {name}{did_you_mean(name, known, otherwise='; there are ' + ', '.join(known))}"


@click.command()
@click.option("--target", default="lakehouse/demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--teams", default=20, show_default=True, type=Count(1), help="How many teams the tenant has.")
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
