"""What ``init`` asks on a terminal: in groups, each answer checked at once, and what was typed kept to be mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from lakeflow_teams import _core
from lakeflow_teams.cli import scaffold

T = TypeVar("T")


def tables() -> str:
    """Group by group, which tables to read; by comma."""
    click.echo("Which tables? For each group: y all, n none, or names by comma.", err=True)
    chosen: list[str] = []
    for title, names in scaffold.GROUPS:
        usual = "y" if set(names) & set(scaffold.USUAL) else "n"
        picked = _checked(f"  {title}: {', '.join(names)}", usual, lambda answer, names=names: _of(answer, names))  # type: ignore[misc]
        chosen += picked
    while not chosen:
        chosen = _checked("At least one table, by comma", ",".join(scaffold.USUAL), lambda answer: _of(answer, None))
    return ",".join(chosen)


def team_id() -> str:
    """The teams to read; empty for every team."""
    return _checked("Team ids, by comma; empty for every team", "", _option("channels", "team_id"))


def start_date() -> str:
    """Where history starts; empty for its beginning."""
    return _checked("Messages since which date (2025-01-01); empty for all", "", _option("messages", "start_date"))


def _checked(question: str, default: str, check: Callable[[str], T]) -> T:
    """Asks until the answer is right; a wrong one is what the next question offers."""
    while True:
        answer = str(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()
        try:
            return check(answer)
        except _core.ConfigurationError as error:
            click.echo(f"  {error}", err=True)
            default = answer


def _of(answer: str, names: Sequence[str] | None) -> list[str]:
    if names is not None and answer.lower() in ("y", "yes"):
        return list(names)
    if names is not None and answer.lower() in ("n", "no", ""):
        return []
    return [info["name"] for info in scaffold.choose([name.strip() for name in answer.split(",") if name.strip()])]


def _option(table: str, name: str) -> Callable[[str], str]:
    def check(answer: str) -> str:
        if answer:
            _core.schema(table, {name: answer})
        return answer

    return check
