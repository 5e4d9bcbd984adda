"""What a shell offers when Tab is pressed: names of tables and options. Loaded by click only then."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from lakeflow_teams import _core


def complete_table(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Tables that begin with what was typed."""
    return [
        CompletionItem(info["name"], help=info["description"]) for info in _core.tables() if info["name"].startswith(begun)
    ]


def complete_tables(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The same for the last one of a list by comma."""
    done, comma, last = begun.rpartition(",")
    return [CompletionItem(f"{done}{comma}{item.value}") for item in complete_table(context, parameter, last)]


def complete_option(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """``key=`` of every option that may stand on a command line."""
    return [
        CompletionItem(f"{option['name']}=", help=option["description"])
        for option in _core.options()
        if not option["secret"] and option["name"].startswith(begun)
    ]
