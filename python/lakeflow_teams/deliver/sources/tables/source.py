"""The source: three tables of any system, or messages alone."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.deliver.sources.html import clean
from lakeflow_teams.deliver.sources.in_order import InOrder, each_once
from lakeflow_teams.deliver.sources.model import CONTAINERS, USERS, Problem, SourceError
from lakeflow_teams.deliver.sources.problems import Problems
from lakeflow_teams.deliver.sources.rows import Message, batch
from lakeflow_teams.deliver.sources.tables.fast import in_form
from lakeflow_teams.deliver.sources.tables.files import Batch, Row, TableFile, find_tables
from lakeflow_teams.deliver.sources.tables.message import COLUMNS, NEEDED, message_of, untimely
from lakeflow_teams.deliver.sources.tables.values import BadRowError, flag, items, text, time

_KINDS = ("standard", "private", "shared", "oneOnOne", "group")
_PEOPLE = ("person", "guest", "bot")


class Tables:
    """Reads ``messages``, and ``users`` and ``containers`` where there are any, in a folder or beside the file of messages.

    ``timezone`` is that of times that name none, such as ``UTC``; without it they are refused.
    """

    def __init__(self, path: str | PathLike[str], *, timezone: str | None = None) -> None:
        self.problems: list[Problem] = Problems()
        self._zone = _zone(timezone)
        self._files = find_tables(Path(path))
        _check_columns(self._files["messages"], COLUMNS, NEEDED)
        _check_zone(self._files["messages"], self._zone)
        self._now = int(clock.time() * 1_000_000)
        self._users = self._listed("users", USERS, self._user)
        self._containers = self._listed("containers", CONTAINERS, self._container)
        self._messages: InOrder | None = None
        self._of_messages: list[str] = []
        self._authors: dict[str, str | None] = {}

    def users(self) -> pa.Table:
        """The table of users; without one, everybody who wrote a message."""
        if self._users is not None:
            return pa.Table.from_pylist(list(self._users.values()), USERS)
        self._sorted()
        rows = [
            {"source_id": author, "email": author if "@" in author else None, "display_name": name}
            for author, name in sorted(self._authors.items())
        ]
        return pa.Table.from_pylist(rows, USERS)

    def containers(self) -> pa.Table:
        """The table of containers; those that only messages name are standard channels."""
        known = dict(self._containers or {})
        self._sorted()
        for container in self._of_messages:
            known.setdefault(container, {"source_id": container, "name": container, "kind": "standard"})
        return pa.Table.from_pylist(list(known.values()), CONTAINERS)

    def messages(self, containers: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The messages, sorted by container and time; the first reading sorts them in a temporary folder."""
        ordered = self._sorted()
        chosen = None if containers is None else set(containers)
        for container in self._of_messages:
            if chosen is None or container in chosen:
                yield from each_once(ordered.messages(container), partial(self._again, container))

    def content(self, key: str) -> bytes:
        """The bytes of a file: its key is a path below the folder of the tables."""
        folder = self._files["messages"].path.parent.resolve()
        path = (folder / key).resolve()
        if not path.is_relative_to(folder):
            raise SourceError(f"file {key}: it lies outside of {folder}; put it below the folder of the tables")
        try:
            return path.read_bytes()
        except OSError as error:
            raise SourceError(f"file {key}: it cannot be read ({error.strerror}); a link takes its place") from None

    def _sorted(self) -> InOrder:
        if self._messages is None:
            ordered = InOrder()
            file = self._files["messages"]
            for given in file.batches(self.problems):
                rows, places = self._checked(file, given)
                if rows is not None:
                    self._take_names(file, rows, places)
                    ordered.add(rows, places)
            self._of_messages = ordered.finish()
            self._messages = ordered
        return self._messages

    def _checked(self, file: TableFile, given: Batch) -> tuple[pa.RecordBatch | None, list[int]]:
        """The batch in the model's form and its rows' places, at once where all of it is right, else row by row."""
        if isinstance(given.rows, pa.RecordBatch):
            found = in_form(given.rows, self._now)
            if found is not None:
                return found, given.places
        messages: dict[int, Message] = {}
        for place, row in given.each():
            with self._costs_the_row(file, place):
                message = messages[place] = message_of(row, self._zone)
                if wrong := untimely(message.created, self._now):
                    self.problems.append(Problem(file.where(place), *wrong))
        return (batch(list(messages.values())) if messages else None), list(messages)

    @contextmanager
    def _costs_the_row(self, file: TableFile, place: int) -> Iterator[None]:
        try:
            yield
        except BadRowError as error:
            self.problems.append(Problem(file.where(place), error.what, error.remedy))

    def _take_names(self, file: TableFile, rows: pa.RecordBatch, places: list[int]) -> None:
        """Notes who writes where, and names those that are in no table, once each."""
        pairs = zip(rows.column("author").to_pylist(), rows.column("author_name").to_pylist(), strict=True)
        for place, (author, name) in zip(places, pairs, strict=True):
            if author is None or self._authors.get(author) is not None:
                continue
            if author not in self._authors and self._users is not None and author not in self._users:
                remedy = "Add the author there; until then the fallback author writes for it"
                self.problems.append(Problem(file.where(place), f"author {author} is not in the table of users", remedy))
            self._authors[author] = name
        if self._containers is None:
            return
        for place, container in zip(places, rows.column("container").to_pylist(), strict=True):
            if container not in self._containers:
                self._containers[container] = {"source_id": container, "name": container, "kind": "standard"}
                remedy = "Add it there; until then it is a standard channel"
                self.problems.append(
                    Problem(file.where(place), f"container {container} is not in the table of containers", remedy)
                )

    def _again(self, container: str, source_id: str, place: int) -> None:
        what = f"source_id {source_id} stands in another row of container {container} too"
        where = self._files["messages"].where(place)
        self.problems.append(Problem(where, what, "Remove one of the rows; the older one is imported"))

    def _listed(self, name: str, schema: pa.Schema, read: Any) -> dict[str, Row] | None:
        file = self._files.get(name)
        if file is None:
            return None
        _check_columns(file, tuple(schema.names), ("source_id",))
        found: dict[str, Row] = {}
        for given in file.batches(self.problems):
            for place, row in given.each():
                with self._costs_the_row(file, place):
                    _add(found, read(row))
        return found

    def _user(self, row: Row) -> Row:
        return {
            "source_id": _id(row),
            "email": text(row, "email"),
            "display_name": text(row, "display_name"),
            "kind": _one_of(row, "kind", _PEOPLE),
            "deleted": flag(row, "deleted"),
            "entra_id": text(row, "entra_id"),
        }

    def _container(self, row: Row) -> Row:
        return {
            "source_id": _id(row),
            "name": text(row, "name"),
            "kind": _one_of(row, "kind", _KINDS) or "standard",
            "team": text(row, "team"),
            "description": text(row, "description"),
            "created": time(row, "created", self._zone),
            "creator": text(row, "creator"),
            "archived": flag(row, "archived"),
            "general": flag(row, "general"),
            "members": [clean(str(member)) for member in items(row, "members") or ()],
        }


def _add(found: dict[str, Row], one: Row) -> None:
    if one["source_id"] in found:
        raise BadRowError(f"source_id {one['source_id']} is there twice", "Remove one of the rows; the first counts")
    found[one["source_id"]] = one


def _id(row: Row) -> str:
    found = text(row, "source_id")
    if found is None:
        raise BadRowError("source_id is empty", "Write the id that messages use")
    return found


def _one_of(row: Row, name: str, known: tuple[str, ...]) -> str | None:
    value = text(row, name)
    if value is not None and value not in known:
        raise BadRowError(
            f"{name} {value[:40]!r} is not known{did_you_mean(value, known)}", f"Write one of {', '.join(known)}"
        )
    return value


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SourceError(f"timezone {name!r}: there is no such time zone; write one such as UTC or Europe/Zurich") from None


def _check_columns(file: TableFile, known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if file.schema is None:
        return
    for name in needed:
        if name not in file.schema.names:
            raise SourceError(f"{file.path}: there is no column {name}; it has {', '.join(file.schema.names)}")
    for name in file.schema.names:
        if name not in known:
            near = did_you_mean(name, known, otherwise=f"; known are {', '.join(known)}")
            raise SourceError(f"{file.path}: there is no meaning for a column {name}{near}")


def _check_zone(file: TableFile, zone: tzinfo | None) -> None:
    """A typed column without a zone has none in any row."""
    if file.schema is None or zone is not None:
        return
    kind = file.schema.field("created").type
    if (pa.types.is_timestamp(kind) and kind.tz is None) or pa.types.is_date(kind):
        raise SourceError(
            f"{file.path}: the column created has no time zone; write it with one, or give the source a timezone"
        )
