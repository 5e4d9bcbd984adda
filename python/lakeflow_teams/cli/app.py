"""The command group, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from lakeflow_teams import _core
from lakeflow_teams.cli.bot import bot
from lakeflow_teams.cli.broadcast import broadcast
from lakeflow_teams.cli.check import check
from lakeflow_teams.cli.databricks import databricks
from lakeflow_teams.cli.deliver import import_
from lakeflow_teams.cli.exit_code import BAD_INPUT, INTERRUPTED, OK, exit_code
from lakeflow_teams.cli.ingest import ingest
from lakeflow_teams.cli.init import init
from lakeflow_teams.cli.listen import listen
from lakeflow_teams.cli.look import preview, schema, tables
from lakeflow_teams.cli.maintain import maintain
from lakeflow_teams.cli.output import LOG_FORMAT, flushed, terminal
from lakeflow_teams.cli.pairup import pairup
from lakeflow_teams.cli.plan import plan
from lakeflow_teams.cli.status import status
from lakeflow_teams.cli.tenant import demo, emulator
from lakeflow_teams.cli.verify import verify
from lakeflow_teams.cli.views import views


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_core.__version__, prog_name="lakeflow-teams")
@click.option("-v", "--verbose", is_flag=True, help="Log what the connector does, to stderr.")
def app(verbose: bool) -> None:
    """Microsoft Teams in the lakehouse.

    Credentials come from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, any other connection option from
    LAKEFLOW_TEAMS_<OPTION>, or from a file; never from the command line. Exit codes: 0 done, 1 the run failed
    (or a check found something missing), 2 bad input, 3 done but for some items.
    """
    level = logging.INFO if verbose else logging.ERROR
    logging.basicConfig(level=level, format=LOG_FORMAT, stream=sys.stderr)


for command in (
    demo,
    init,
    check,
    plan,
    ingest,
    import_,
    broadcast,
    pairup,
    bot,
    listen,
    status,
    verify,
    maintain,
    views,
    tables,
    schema,
    preview,
    databricks,
    emulator,
):
    app.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    with terminal():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = app.main(args=arguments, prog_name="lakeflow-teams", standalone_mode=False)
        flushed(sys.stdout)
    except click.exceptions.NoArgsIsHelpError as error:  # a page to read, and no mistake to put into a line
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return BAD_INPUT
    except click.ClickException as error:
        return _line(error.format_message(), BAD_INPUT)
    except (KeyboardInterrupt, click.Abort):
        return _line("interrupted; what was committed stays, and the next run goes on from there", INTERRUPTED)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        flushed(sys.stdout)
        return OK
    except Exception as error:  # the command line never shows a traceback unless asked to
        return _failed(error)
    return result if isinstance(result, int) else OK


def _failed(error: Exception) -> int:
    if os.environ.get("LAKEFLOW_TEAMS_DEBUG"):
        logging.getLogger("lakeflow_teams").error("traceback", exc_info=error)
    text = " ".join(str(error).split()) or "no details"
    return _line(f"{type(error).__name__}: {text}", exit_code(error))


def _line(text: str, code: int) -> int:
    with suppress(BrokenPipeError):  # nobody reads it; the exit code says it too
        click.echo(f"lakeflow-teams: {' '.join(text.split())}", err=True)
    return code
