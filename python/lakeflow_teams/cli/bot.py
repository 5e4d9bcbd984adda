"""``lakeflow-teams bot``: a bot on a server, the conversations that it has, and cards, looked at before they are sent."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.exit_code import BAD_INPUT, FAILED, OK
from lakeflow_teams.cli.manifest import manifest
from lakeflow_teams.cli.output import print_json


@click.group()
def bot() -> None:
    """Run a bot, see whom it talks to, and what Teams would refuse of its cards."""


@bot.command()
@click.argument("app")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; a proxy in front ends TLS.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=3978, show_default=True, help="Port to listen on; 0 takes a free one."
)
def serve(app: str, host: str, port: int) -> int:
    """Serve APP, such as app:bot for `bot` in app.py, until SIGTERM or Ctrl-C.

    What was acknowledged and not handled before is handled first. Exit codes: 0 stopped, 1 it did not start, 2 bad input.
    """
    need("uvicorn", "bot", "bot serve")
    from lakeflow_teams.bot.server import load
    from lakeflow_teams.bot.server import serve as go
    from lakeflow_teams.listen.http_server import bound

    logging.getLogger("lakeflow_teams").setLevel(logging.INFO)
    found = load(app)
    started = go(found, bound(host, port), lambda line: click.echo(f"lakeflow-teams: {line}", err=True))
    return OK if started else FAILED


@bot.command()
@click.option("--target", required=True, type=click.Path(path_type=Path), help="Folder of the lakehouse.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def conversations(target: Path, as_json: bool) -> int:
    """Print the bot's conversations: with whom, whether the app is installed there, and when it was last seen."""
    for module in ("deltalake", "pyarrow"):
        need(module, "local", "bot conversations")
    from lakeflow_teams.deliver import conversations as kept
    from lakeflow_teams.results import listing

    if not (target / kept.FOLDER).is_dir():
        raise _core.ConfigurationError(f"--target {target}: no bot and no broadcast has a conversation there")
    rows = [
        {**row._asdict(), "installed": bool(row.installed), "last_seen": _time(row.last_seen)} for row in kept.every(target)
    ]
    if as_json:
        print_json(rows)
        return OK
    columns = [
        listing.Column("kind"),
        listing.Column("recipient"),
        listing.Column("name", rank=1),
        listing.Column("installed"),
        listing.Column("last seen", rank=2),
        listing.Column("conversation", rank=3),
    ]
    cells = [
        [
            str(row["kind"]),
            str(row["recipient_id"]),
            str(row["name"] or ""),
            "yes" if row["installed"] else "no",
            str(row["last_seen"])[:19],
            str(row["conversation_id"] or ""),
        ]
        for row in rows
    ]
    listing.show(listing.console(), columns, cells)
    return OK


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(timespec="seconds")


@bot.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="JSON file with the data, or a list of them: a card for each.")
@click.option("--json", "as_json", is_flag=True, help="Print cards, problems and sizes as JSON.")
def card(file: Path, data: Path | None, as_json: bool) -> int:
    """Print the card in FILE with data bound into it, and say what Teams would refuse of it.

    Exit code 2 if a card is no card, or is refused.
    """
    from lakeflow_teams.bot import Card

    template = Card.file(file)
    rows = _rows(data) if data else None
    cards = [template] if rows is None else [template.expand(row) for row in rows]
    columns = template.columns
    if as_json:
        print_json({"columns": columns, "cards": [_shown(card) for card in cards]})
    else:
        for card in cards:
            click.echo(json.dumps(card.content, indent=2, ensure_ascii=False))
    for at, card in enumerate(cards, 1):
        for problem in card.problems:
            row = f"card {at}: " if len(cards) > 1 else ""
            click.echo(f"lakeflow-teams: {problem.severity}: {row}{problem}", err=True)
    if data is None and columns:
        click.echo(f"lakeflow-teams: it is a template, and takes data with {', '.join(columns)}: --data FILE", err=True)
    refused = any(problem.severity == "error" for card in cards for problem in card.problems)
    return BAD_INPUT if refused else OK


bot.add_command(manifest)


def _rows(path: Path) -> list[Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _core.ConfigurationError(f"data {path}: it cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise _core.ConfigurationError(f"data {path}: it is no JSON: {error}") from None
    return data if isinstance(data, list) else [data]


def _shown(card: Any) -> dict[str, Any]:
    text = json.dumps({"type": "message", "attachments": [card.attachment()]}, ensure_ascii=False)
    return {
        "card": card.content,
        "problems": [vars(problem) for problem in card.problems],
        "bytes": _core.card_size(text)[0],
    }
