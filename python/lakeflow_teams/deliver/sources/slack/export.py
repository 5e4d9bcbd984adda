"""The source: an export of Slack, read day by day."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from os import PathLike
from pathlib import PurePosixPath

import pyarrow as pa

from lakeflow_teams.deliver.sources.archive import open_archive
from lakeflow_teams.deliver.sources.json_items import array_items
from lakeflow_teams.deliver.sources.model import CONTAINERS, USERS, Problem, SourceError
from lakeflow_teams.deliver.sources.problems import Problems
from lakeflow_teams.deliver.sources.rows import Message, batches
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.body import Directory
from lakeflow_teams.deliver.sources.slack.content import Content
from lakeflow_teams.deliver.sources.slack.layout import Conversation, conversations_of, read_layout
from lakeflow_teams.deliver.sources.slack.message import Reader
from lakeflow_teams.deliver.sources.slack.values import micros

#: A day of a workspace's time zone begins up to 14 hours before that of UTC.
_EARLIEST_DAY = timedelta(hours=14)
_EXPORT_AGAIN = "Correct it in the file, or export it again; the other messages are read"


class SlackExport:
    """Reads an export of Slack: a zip, or the folder that it was unpacked to.

    ``token`` is one of Slack with the scope `files:read`: with it images and files that are only linked can be fetched.
    ``token_env`` names the environment variable that holds it, so that it need not stand in a file.
    """

    def __init__(self, path: str | PathLike[str], *, token: str | None = None, token_env: str | None = None) -> None:
        self.problems: list[Problem] = Problems()
        self._archive = open_archive(path, self.problems)
        self._layout = read_layout(self._archive, self.problems)
        self._content = Content(self._archive, _token(token, token_env))

    def users(self) -> pa.Table:
        """Everybody in the lists of users. Authors in no list have their name at their messages."""
        rows = [
            {"source_id": one.id, "email": one.email, "display_name": one.name, "kind": one.kind, "deleted": one.deleted}
            for one in self._layout.people.values()
        ]
        return pa.Table.from_pylist(rows, USERS)

    def containers(self) -> pa.Table:
        """Channels, groups and DMs, archived ones too."""
        rows = [
            {
                "source_id": one.id,
                "name": one.name if one.kind in {"standard", "private"} else None,
                "kind": one.kind,
                "team": one.team,
                "description": one.description,
                "created": one.created,
                "creator": one.creator,
                "archived": one.archived,
                "general": one.general,
                "members": one.members,
            }
            for one in self._layout.conversations.values()
        ]
        return pa.Table.from_pylist(rows, CONTAINERS)

    def messages(self, containers: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The messages, a conversation after the other; two days of one are held at most."""
        reader = Reader(Directory(self._layout), self._content.key_of)
        for conversation in conversations_of(self._layout, containers):
            yield from batches(_Days(conversation, reader, self))

    def content(self, key: str) -> bytes:
        """The bytes of a file: from the archive, or from Slack."""
        return self._content.read(key)

    def day(self, name: str) -> Iterator[object]:
        """The items of a day file."""
        return array_items(self._archive, name, self.problems)

    def report(self, where: str, what: str) -> None:
        """A message that cannot be read."""
        self.problems.append(Problem(where, what, _EXPORT_AGAIN))


def _token(token: str | None, variable: str | None) -> str | None:
    if variable is None:
        return token
    if token is not None:
        raise SourceError("token and token_env are both given; leave one of them")
    if not os.environ.get(variable):
        raise SourceError(
            f"token_env: the environment variable {variable} is not set; set it to a token of Slack with files:read"
        )
    return os.environ[variable]


class _Days:
    """The messages of a conversation by their time, each once.

    Slack sorts them into days of the workspace's time zone, so a message is held until no later file can have an older one.
    """

    def __init__(self, conversation: Conversation, reader: Reader, export: SlackExport) -> None:
        self._conversation = conversation
        self._reader = reader
        self._export = export
        self._now = int(time.time() * 1_000_000)
        self._held: dict[int, Message] = {}
        self._given = -1

    def __iter__(self) -> Iterator[Message]:
        for day in self._conversation.days:
            yield from self._release(_begin(day))
            for index, item in enumerate(self._export.day(day)):
                self._take(item, day, f"{day} item {index + 1}")
        yield from self._release(None)

    def _take(self, item: object, day: str, where: str) -> None:
        if not isinstance(item, dict):
            self._export.report(where, "it is no message but another value")
            return
        created = micros(item.get("ts"))
        if created is None:
            self._export.report(where, "it has no ts, which says when it was written")
            return
        if created > self._now:
            self._export.report(where, "its ts is in the future")
        message = self._reader.read(item, created, self._conversation.id, day)
        if created <= self._given:
            message = _noted(message, notes.OTHER_DAY)
        known = self._held.get(created)
        if known is not None:
            message = _once(known, message)
        self._held[created] = message

    def _release(self, before: int | None) -> Iterator[Message]:
        ready = sorted(self._held) if before is None else sorted(moment for moment in self._held if moment < before)
        for moment in ready:
            yield self._held.pop(moment)
        if ready:
            self._given = max(self._given, ready[-1])


def _begin(day: str) -> int:
    """Microseconds of the earliest moment that a day file can hold."""
    try:
        date = datetime.strptime(PurePosixPath(day).stem, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:  # 2021-02-31.json
        return 0
    return int((date - _EARLIEST_DAY).timestamp()) * 1_000_000


def _once(one: Message, other: Message) -> Message:
    """A reply that was sent to the channel too can stand there and in its thread: it is a reply."""
    kept, left = (other, one) if one.parent is None and other.parent is not None else (one, other)
    note = notes.BROADCAST if notes.BROADCAST in (left.notes or ()) else notes.TWICE
    return kept if notes.BROADCAST in (kept.notes or ()) else _noted(kept, note)


def _noted(message: Message, note: str) -> Message:
    return message._replace(notes=[*(message.notes or ()), note])
