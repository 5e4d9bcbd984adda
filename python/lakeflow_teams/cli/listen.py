"""``lakeflow-teams listen``: changes that Graph pushes, in the tables of a pipeline."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import FAILED, OK
from lakeflow_teams.cli.output import LOG_FORMAT, flushed, print_json
from lakeflow_teams.results import listing

if TYPE_CHECKING:
    from lakeflow_teams.listen.settings import Hub

_RUN = "run"
_STOP_SECONDS = 15.0


class _Group(click.Group):
    """``listen FILE`` runs: whatever does not begin with a subcommand is that."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Group)
def listen() -> None:
    """Keep the tables of a pipeline fresh by what Graph pushes, within seconds.

    `listen PIPELINE --target DIR --url https://...` subscribes, receives and merges until it is stopped; Ctrl-C leaves the
    subscriptions, and the next start goes on. `status`, `stop`, `reconcile` (polls now what is polled daily), `rotate` (new
    certificate) and `check` (whether Graph could reach this machine) go with it.
    """


_PIPELINE = click.argument("pipeline", type=click.Path(path_type=Path))
_TARGET = click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
_CONNECTION = click.option("--connection", type=click.Path(path_type=Path), help="YAML file with connection options.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; a proxy ends TLS.")
_PORT = click.option("--port", default=8443, show_default=True, type=click.IntRange(0, 65_535), help="Port to listen on.")


@listen.command(_RUN, hidden=True)
@_PIPELINE
@_TARGET
@click.option("--url", help="Public https address that Graph posts to.")
@_HOST
@_PORT
@click.option("--event-hub", help="NAMESPACE/HUB that Graph sends to instead.")
@click.option("--event-hub-tenant", help="Domain of the hub's tenant; default: the connection's tenant.")
@click.option("--blob-store-url", help="Where Graph puts what is too large for a hub.")
@click.option("--kafka", help="HOST:PORT of the broker to read from, if it is not the hub itself.")
@click.option("--topic", help="Topic of that broker.")
@click.option("--certificate", type=click.Path(path_type=Path), help="Key and certificate, if none is to be made.")
@click.option("--certificate-label", help="What Graph is to call that certificate.")
@click.option("--keep-notifications", is_flag=True, help="Keep notifications as they came, in main.default.notifications.")
@_CONNECTION
@_JSON
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Say what happens, to stderr.")
def run(
    pipeline: Path,
    target: Path,
    url: str | None,
    host: str,
    port: int,
    event_hub: str | None,
    event_hub_tenant: str | None,
    blob_store_url: str | None,
    kafka: str | None,
    topic: str | None,
    certificate: Path | None,
    certificate_label: str | None,
    keep_notifications: bool,
    connection: Path | None,
    as_json: bool,
    quiet: bool,
    is_verbose: bool,
) -> int:
    """Subscribe, receive and merge what changes in the tables of PIPELINE, until it is stopped."""
    _needs(serves=kafka is None and event_hub is None, reads=kafka is not None or event_hub is not None)
    from lakeflow_teams.listen import server
    from lakeflow_teams.listen.kafka import source
    from lakeflow_teams.listen.service import Service
    from lakeflow_teams.listen.settings import Settings
    from lakeflow_teams.spec.pipeline import load, load_connection

    logging.basicConfig(level=logging.INFO if is_verbose else logging.WARNING, format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("lakeflow_teams").setLevel(logging.INFO if is_verbose else logging.WARNING)
    server.require_loopback(host)
    settings = Settings(
        url=url,
        hub=_hub(event_hub),
        hub_tenant=event_hub_tenant,
        keep_notifications=keep_notifications,
        certificate=None if certificate is None else str(certificate),
        certificate_label=certificate_label,
        blob_store_url=blob_store_url,
    )
    settings.for_core(None)
    reads = source(settings.hub, kafka, topic) if settings.hub is not None or kafka is not None else None
    if reads is not None:
        reads.settings(os.environ)
    spec = load(pipeline)
    service = Service(spec, target, settings, load_connection(connection) if connection else None)
    told = _teller(quiet=quiet, as_json=as_json)
    ended = server.serve(service, host, port, told) if reads is None else server.read(service, reads, told)
    if not ended:
        # A thread waits for Graph; what it would still do is done by the next start.
        flushed(sys.stdout)
        flushed(sys.stderr)
        os._exit(OK)
    return OK


@listen.command()
@_TARGET
@_JSON
def status(target: Path, as_json: bool) -> int:
    """Tell subscriptions, spool, lag and losses found, also while a listener runs."""
    _needs()
    from lakeflow_teams.listen.status import status as look

    found = look(target)
    if as_json:
        print_json(found)
    else:
        _show(found)
    return OK


@listen.command()
@_TARGET
@_JSON
def stop(target: Path, as_json: bool) -> int:
    """Stop the listener of TARGET. Its subscriptions stay, and the next start goes on."""
    _needs()
    from lakeflow_teams.listen.files import FOLDER
    from lakeflow_teams.listen.server import wait_until_stopped
    from lakeflow_teams.listen.service import STOP
    from lakeflow_teams.listen.status import status as look

    was_running = look(target)["running"]
    if was_running:
        (target / FOLDER / STOP).touch()
    stopped = wait_until_stopped(lambda: look(target)["running"], _STOP_SECONDS)
    if as_json:
        print_json({"was_running": was_running, "stopped": stopped})
    elif not stopped:
        click.echo(f"lakeflow-teams: the listener of {target} still runs after {_STOP_SECONDS:.0f} s", err=True)
    else:
        click.echo("stopped" if was_running else "nothing listens")
    return OK if stopped else FAILED


@listen.command()
@_PIPELINE
@_TARGET
@_CONNECTION
@_JSON
def reconcile(pipeline: Path, target: Path, connection: Path | None, as_json: bool) -> int:
    """Poll everything of PIPELINE now, as is done daily, and say which rows only that found."""
    _needs()
    from lakeflow_teams.listen.reconcile import reconcile as poll
    from lakeflow_teams.spec.pipeline import load, load_connection

    found = poll(load(pipeline), target, load_connection(connection) if connection else None)
    if as_json:
        print_json(found)
    else:
        click.echo(f"losses found: {found['losses_found']:,}")
        for kind in ("missing", "changed", "gone"):
            for name, count in found[kind].items():
                click.echo(f"  {name}: {count:,} {kind}")
    for name, text in found["errors"].items():
        click.echo(f"lakeflow-teams: {text} (destination {name})", err=True)
    return FAILED if found["errors"] else OK


@listen.command()
@_TARGET
@_JSON
def rotate(target: Path, as_json: bool) -> int:
    """Make a new certificate; a running listener tells Graph of it. Old keys stay until nothing can name them."""
    _needs()
    from lakeflow_teams.listen.files import FOLDER

    key = _core.rotate_listen_key(target / FOLDER)
    if as_json:
        print_json(dict(key))
    else:
        click.echo(f"new certificate {key['label']}, good until {key['not_after']}")
    return OK


@listen.command()
@_PIPELINE
@click.option("--url", required=True, help="Public https address that Graph is to post to.")
@click.option("--target", type=click.Path(path_type=Path), default=Path("lakehouse"), help="Folder of the lakehouse.")
@_HOST
@_PORT
@_CONNECTION
@_JSON
def check(pipeline: Path, url: str, target: Path, host: str, port: int, connection: Path | None, as_json: bool) -> int:
    """Call the public address as Graph would, and compare permissions with what PIPELINE needs. Subscribes to nothing.

    Exit code 1 if something would fail.
    """
    _needs()
    from lakeflow_teams.listen import doctor
    from lakeflow_teams.listen.merging import can_merge
    from lakeflow_teams.local.plan import plan
    from lakeflow_teams.local.runner import connect, rooted
    from lakeflow_teams.spec.pipeline import load, load_connection

    spec = load(pipeline)
    client, options = connect(spec, load_connection(connection) if connection else None, None)
    passes = plan(spec, rooted(spec, target), options, client)
    jobs = [job for step in passes for job in step.jobs if can_merge(job)]
    findings = doctor.look(url, client, jobs, host, port)
    if as_json:
        print_json([finding.to_dict() for finding in findings])
    else:
        columns = (listing.Column("check"), listing.Column("state"), listing.Column("found", breaks=True))
        screen = listing.console()
        listing.show(screen, columns, ((each.check, each.state, each.found) for each in findings))
        for each in findings:
            if each.remedy:
                listing.note(screen, f"{each.check}: {each.remedy}", style="yellow")
    return FAILED if any(finding.state == "failed" for finding in findings) else OK


def _hub(text: str | None) -> Hub | None:
    from lakeflow_teams.listen.settings import hub

    return hub(text) if text else None


def _teller(*, quiet: bool, as_json: bool) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if as_json:
            print_json({"listening": text}, indent=None)
        elif not quiet:
            click.echo(text)
        flushed(sys.stdout)

    return tell


def _show(found: dict[str, Any]) -> None:
    screen = listing.console()
    click.echo("running" if found["running"] else "not running")
    columns = (
        listing.Column("resource"),
        listing.Column("state"),
        listing.Column("expires", rank=2),
        listing.Column("last notification", rank=1),
    )
    rows = (
        (each["resource"], each["state"], each["expires_at"], each["last_notification"]) for each in found["subscriptions"]
    )
    listing.show(screen, columns, ([str(cell or "-") for cell in row] for row in rows))
    spool = found["spool"]
    click.echo(f"spool: {spool['items']:,} notifications, {spool['bytes']:,} bytes; lag {found['lag_seconds']:.1f} s")
    click.echo(f"losses found: {found['losses_found']:,}")
    for name, failure in found["failures"].items():
        listing.note(screen, f"{name}: {failure['error']} ({failure['at']})", style="yellow")


def _needs(*, serves: bool = False, reads: bool = False) -> None:
    for module in ("deltalake", "pyarrow", "yaml"):
        need(module, "local", "listen")
    if serves:
        need("uvicorn", "listen", "listen")
    if reads:
        need("confluent_kafka", "kafka", "reading a hub")
