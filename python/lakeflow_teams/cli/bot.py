"""``lakeflow-teams bot``: cards, looked at before they are sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lakeflow_teams import _core
from lakeflow_teams.cli.exit_code import BAD_INPUT, OK
from lakeflow_teams.cli.manifest import manifest
from lakeflow_teams.cli.output import print_json


@click.group()
def bot() -> None:
    """Make cards for a bot, and see what Teams would refuse of them."""


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
