"""The two files that people fill in before `run`: who is who (`users.csv`), and what becomes what (`channels.csv`).

Both have a BOM, so that spreadsheets show every name right, and are read with the separators that spreadsheets write.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TypeVar

from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.deliver.sources.delimited import Delimited
from lakeflow_teams.deliver.sources.model import Problem

#: `kind` of a container, as in the source model.
KINDS = ("standard", "private", "shared", "oneOnOne", "group")
ACTIONS = ("import", "skip")

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: What a spreadsheet would take for a formula; such a cell is written with an apostrophe before it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class MappedUser(NamedTuple):
    """A row of `users.csv`. Whoever has neither an `entra_id` nor an `email` that Graph finds is the fallback author's."""

    source_id: str
    email: str | None = None
    display_name: str | None = None
    entra_id: str | None = None


class MappedContainer(NamedTuple):
    """A row of `channels.csv`: the container `source_id` becomes `name` in `team`, or goes into `existing_id`."""

    source_id: str
    source_name: str | None = None
    kind: str | None = None
    team: str | None = None
    name: str | None = None
    existing_id: str | None = None
    action: str = "import"


Row = TypeVar("Row", MappedUser, MappedContainer)
#: What is wrong with a row, and the remedy.
Check = Callable[[dict[str, str]], "tuple[str, str] | None"]


def write_users(path: str | PathLike[str], users: Iterable[MappedUser]) -> None:
    """Writes `users.csv`."""
    _write(path, MappedUser, users)


def read_users(path: str | PathLike[str], problems: list[Problem]) -> dict[str, MappedUser]:
    """The rows of `users.csv` by `source_id`. What is wrong in one row is a problem, and the row is left out.

    Raises :class:`SourceError` where the file cannot be read or its columns are others.
    """
    return _read(path, MappedUser, _check_user, problems)


def write_channels(path: str | PathLike[str], containers: Iterable[MappedContainer]) -> None:
    """Writes `channels.csv`."""
    _write(path, MappedContainer, containers)


def read_channels(path: str | PathLike[str], problems: list[Problem]) -> dict[str, MappedContainer]:
    """The rows of `channels.csv` by `source_id`; otherwise as :func:`read_users`."""
    return _read(path, MappedContainer, _check_container, problems)


def _write(path: str | PathLike[str], kind: type[Row], rows: Iterable[Row]) -> None:
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(kind._fields)
        writer.writerows([_shown(cell) for cell in row] for row in rows)


def _read(path: str | PathLike[str], kind: type[Row], check: Check, problems: list[Problem]) -> dict[str, Row]:
    table = Delimited(path)
    table.require(kind._fields, ("source_id",))
    found: dict[str, Row] = {}
    lines: dict[str, int] = {}
    for line, cells in table.rows(problems):
        row = {name: _meant(cell) for name, cell in cells.items()}
        where = f"{table.path.name} line {line}"
        wrong = _check_id(row, lines) or check(row)
        if wrong:
            problems.append(Problem(where, *wrong))
            continue
        lines[row["source_id"]] = line
        found[row["source_id"]] = kind(**row)
    return found


def _check_id(row: dict[str, str], lines: dict[str, int]) -> tuple[str, str] | None:
    source_id = row.get("source_id")
    if not source_id:
        return "source_id is empty", "Write the id that the source uses, or remove the line"
    if source_id in lines:
        return f"{source_id} stands in line {lines[source_id]} already", "Remove one of the two lines"
    return None


def _check_user(row: dict[str, str]) -> tuple[str, str] | None:
    entra_id = row.get("entra_id")
    if entra_id and not _GUID.fullmatch(entra_id):
        return (
            f"entra_id {entra_id} is no object id",
            "Write the user's object id as Entra ID shows it, or leave the cell empty",
        )
    return None


def _check_container(row: dict[str, str]) -> tuple[str, str] | None:
    for name, known in (("action", ACTIONS), ("kind", KINDS)):
        value = row.get(name)
        if value is not None and value not in known:
            return f"{name} {value} is not known{did_you_mean(value, known)}", f"Write one of {', '.join(known)}"
    return None


def _shown(cell: str | None) -> str:
    return "'" + cell if cell and cell.startswith(_FORMULA) else cell or ""


def _meant(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
