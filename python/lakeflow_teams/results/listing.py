"""Tables for terminals of any width: all columns where they fit, fewer where they do not, and below that one block a row.

A pipe or a file has no width, and takes every column; there ``COLUMNS`` sets one. Needs rich.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

#: Below this a table is no help: every cell would be broken.
NARROW = 60
#: A column that may be broken is at least this wide.
BREAKABLE = 20
_WIDE = 240
_GAP = 2


@dataclass(frozen=True)
class Column:
    """A heading, and what may be done with the column where there is no room for it.

    ``rank`` orders the columns that may be left out: the highest goes first, and 0 stays. ``breaks`` says that its cells may
    take several lines.
    """

    heading: str
    rank: int = 0
    breaks: bool = False
    justify: Literal["left", "right"] = "left"


class PatientConsole(Console):
    """A console whose reader may leave: what it would print is lost then, and the command goes on."""

    def on_broken_pipe(self) -> None:
        """Rich would end the process here, in the middle of whatever it does."""
        self.quiet = True


def console() -> Console:
    """The terminal as wide as it is; anything else wide enough not to break lines, unless ``COLUMNS`` says how wide."""
    found = PatientConsole()
    return found if found.is_terminal or os.environ.get("COLUMNS") else PatientConsole(width=_WIDE)


def show(screen: Console, columns: Sequence[Column], rows: Iterable[Sequence[str | Text]], more: str = "--json") -> None:
    """Prints rows; ``more`` is where a reader finds what is left out."""
    cells = [[_text(cell) for cell in row] for row in rows]
    chosen = _fitting(screen.width, columns, cells)
    if chosen is None:
        _blocks(screen, columns, cells)
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for at in chosen:
        column = columns[at]
        table.add_column(
            column.heading,
            justify=column.justify,
            overflow="fold",
            no_wrap=not column.breaks,
            min_width=_least(column, at, cells),
        )
    for row in cells:
        table.add_row(*(row[at] for at in chosen))
    screen.print(table)
    left = [column.heading for at, column in enumerate(columns) if at not in chosen and any(row[at].plain for row in cells)]
    if left:
        note(screen, f"not shown here: {', '.join(left)} ({more})", style="dim")


def note(screen: Console, text: str, style: str = "") -> None:
    """A line of text, broken at words on a terminal and nowhere else."""
    screen.print(
        Text(text), style=style, highlight=False, soft_wrap=not screen.is_terminal and not os.environ.get("COLUMNS")
    )


def wrapped(text: str) -> str:
    """The same for what is printed by other means: broken at words where a terminal, or ``COLUMNS``, says how wide."""
    screen = console()
    return text if screen.width == _WIDE else "\n".join(textwrap.wrap(text, screen.width, break_long_words=False))


def _text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _fitting(width: int, columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> list[int] | None:
    """The columns to show, or ``None`` where not even those that must be there fit."""
    chosen = list(range(len(columns)))
    while sum(_least(columns[at], at, cells) + _GAP for at in chosen) - _GAP > width or width < NARROW:
        droppable = [at for at in chosen if columns[at].rank]
        if not droppable or width < NARROW:
            return None
        chosen.remove(max(droppable, key=lambda at: (columns[at].rank, at)))
    return chosen


def _least(column: Column, at: int, cells: Sequence[Sequence[Text]]) -> int:
    widest = max([cell_len(column.heading), *(row[at].cell_len for row in cells)])
    return min(widest, BREAKABLE) if column.breaks else widest


def _blocks(screen: Console, columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> None:
    for row in cells:
        title = row[0].copy()
        title.stylize("bold")
        screen.print(title, overflow="fold")
        block = Table.grid(padding=(0, 1, 0, 0))
        block.add_column(style="dim", no_wrap=True)
        block.add_column(overflow="fold")
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell.plain:
                block.add_row(column.heading, cell)
        screen.print(Padding(block, (0, 0, 0, 2)))
