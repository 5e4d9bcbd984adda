"""What ``ingest`` wrote, as a source: a tenant is moved to another one, or restored.

Read are the tables ``messages`` and ``message_replies`` with ``channels`` and ``teams``, and ``chat_messages`` with
``chats``, at ``<path>/main/default``. ``users``, ``members``, ``channel_members`` and ``chat_members`` say who is who;
``hosted_contents`` and ``chat_hosted_contents`` hold images, where their bytes were read.
"""

from __future__ import annotations

import re
import shutil
import weakref
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from os import PathLike
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakeflow_teams.deliver.sources.html import escape
from lakeflow_teams.deliver.sources.lakehouse_body import body
from lakeflow_teams.deliver.sources.model import CONTAINERS, USERS, Problem, SourceError
from lakeflow_teams.deliver.sources.rows import Message, batches
from lakeflow_teams.store.staging import address

Row = dict[str, Any]

_LOG = "_delta_log"

#: Containers are read together up to so many messages.
_AT_ONCE = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$")
_COLUMNS = [
    "id",
    "messageType",
    "createdDateTime",
    "lastEditedDateTime",
    "deletedDateTime",
    "subject",
    "importance",
    "from",
    "body",
    "attachments",
    "mentions",
    "reactions",
]
_GONE = "<p><em>This message was deleted.</em></p>"


class Lakehouse:
    """Reads a lakehouse. ``catalog`` and ``schema`` say where in it the tables are."""

    def __init__(self, path: str | PathLike[str], *, catalog: str = "main", schema: str = "default") -> None:
        self.problems: list[Problem] = []
        self._root = Path(path) / catalog / schema
        self._contents: Path | None = None
        if not (self._has("messages") or self._has("chat_messages")):
            raise SourceError(
                f"source {path}: there is no table messages or chat_messages in {catalog}/{schema}; "
                "`lakeflow-teams ingest` writes them, with channels, teams, chats and users beside them"
            )
        for messages, parents in (("messages", "channels"), ("messages", "teams"), ("chat_messages", "chats")):
            if self._has(messages) and not self._has(parents):
                raise SourceError(f"source {path}: {messages} needs the table {parents} beside it; ingest that too")

    def users(self) -> pa.Table:
        """Everybody in ``users``, and who else is a member of something."""
        found: dict[str, Row] = {}
        for row in self._rows("users", ["id", "displayName", "mail", "userPrincipalName", "userType", "accountEnabled"]):
            found[row["id"]] = {
                "source_id": row["id"],
                "email": row["mail"] or row["userPrincipalName"],
                "display_name": row["displayName"],
                "kind": "guest" if row["userType"] == "Guest" else "person",
                "deleted": False,
                "entra_id": row["id"],
            }
        for name in ("members", "channel_members", "chat_members"):
            for row in self._rows(name, ["userId", "displayName", "email"]):
                user = row["userId"]
                if user and user not in found:
                    known = {"source_id": user, "email": row["email"], "display_name": row["displayName"]}
                    found[user] = {**known, "kind": None, "deleted": False, "entra_id": user}
        return pa.Table.from_pylist(list(found.values()), USERS)

    def containers(self) -> pa.Table:
        """Channels and chats."""
        return pa.Table.from_pylist([*self._channels(), *self._chats()], CONTAINERS)

    def _channels(self) -> Iterator[Row]:
        teams = {row["id"]: row for row in self._rows("teams", ["id", "displayName"])}
        of_team = self._members("members", "team_id")
        of_channel = self._members("channel_members", "channel_id")
        columns = ["id", "team_id", "displayName", "description", "membershipType", "createdDateTime", "isArchived"]
        firsts: dict[str, str] = {}
        rows = list(self._rows("channels", columns))
        for row in sorted(rows, key=lambda row: _microseconds(row["createdDateTime"]) or 0):
            if row["displayName"] == "General":
                firsts.setdefault(row["team_id"], row["id"])
        for row in rows:
            kind = row["membershipType"] if row["membershipType"] in ("private", "shared") else "standard"
            team = teams.get(row["team_id"])
            yield {
                "source_id": row["id"],
                "name": row["displayName"],
                "kind": kind,
                "team": team["displayName"] if team else row["team_id"],
                "description": row["description"],
                "created": _microseconds(row["createdDateTime"]),
                "archived": row["isArchived"],
                "general": firsts.get(row["team_id"]) == row["id"],
                "members": of_team.get(row["team_id"], []) if kind == "standard" else of_channel.get(row["id"], []),
            }

    def _chats(self) -> Iterator[Row]:
        members = self._members("chat_members", "chat_id")
        for row in self._rows("chats", ["id", "topic", "chatType", "createdDateTime"]):
            yield {
                "source_id": row["id"],
                "name": row["topic"],
                "kind": "oneOnOne" if row["chatType"] == "oneOnOne" else "group",
                "created": _microseconds(row["createdDateTime"]),
                "general": False,
                "members": members.get(row["id"], []),
            }

    def _members(self, table: str, key: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self._rows(table, [key, "userId"]):
            if row["userId"]:
                found.setdefault(row[key], []).append(row["userId"])
        return found

    def messages(self, containers: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The messages, container after container, some containers read together."""
        channels = [row["source_id"] for row in self._channels()]
        chats = [row["source_id"] for row in self._chats()]
        for ids, key, tables in (
            (channels, "channel_id", ("messages", "message_replies")),
            (chats, "chat_id", ("chat_messages",)),
        ):
            wanted = ids if containers is None else [one for one in ids if one in set(containers)]
            yield from batches(
                message for group in self._groups(wanted, key, tables) for message in self._group(group, key, tables)
            )

    def _groups(self, wanted: list[str], key: str, tables: Sequence[str]) -> Iterator[list[str]]:
        counts: dict[str, int] = {}
        for table in tables:
            for row in self._counted(table, key):
                counts[row[key]] = counts.get(row[key], 0) + row["count"]
        group: list[str] = []
        size = 0
        for one in wanted:
            if group and size + counts.get(one, 0) > _AT_ONCE:
                yield group
                group, size = [], 0
            group.append(one)
            size += counts.get(one, 0)
        if group:
            yield group

    def _counted(self, table: str, key: str) -> list[Row]:
        dataset = self._dataset(table)
        if dataset is None:
            return []
        found = dataset.to_table(columns=[key]).column(key).value_counts()
        return [{key: row["values"], "count": row["counts"]} for row in found.to_pylist()]

    def _group(self, group: list[str], key: str, tables: Sequence[str]) -> Iterator[Message]:
        rows: dict[str, list[Row]] = {}
        for table in tables:
            dataset = self._dataset(table)
            if dataset is None:
                continue
            parent = ["parent_message_id"] if table == "message_replies" else []
            columns = [name for name in [key, *_COLUMNS, *parent] if name in dataset.schema.names]
            for batch in dataset.to_batches(columns=columns, filter=pc.field(key).isin(group)):
                for row in batch.to_pylist():
                    rows.setdefault(row[key], []).append(row)
        for container in group:
            own = rows.pop(container, [])
            own.sort(key=lambda row: (_microseconds(row["createdDateTime"]) or 0, len(row["id"]), row["id"]))
            alive = {row.get("parent_message_id") for row in own if not row["deletedDateTime"]}
            for row in own:
                message = self._message(container, row, has_replies=row["id"] in alive)
                if message is not None:
                    yield message

    def _message(self, container: str, row: Row, *, has_replies: bool) -> Message | None:
        created = _microseconds(row["createdDateTime"])
        if created is None:
            what = f"its createdDateTime {row['createdDateTime']!r} is no time"
            self.problems.append(Problem(f"message {row['id']}", what, "Ingest the message anew; it is left out"))
            return None
        sender = row["from"] or {}
        user, application = sender.get("user") or {}, sender.get("application") or {}
        common = {
            "container": container,
            "source_id": row["id"],
            "parent": row.get("parent_message_id"),
            "author": user.get("id"),
            "author_name": user.get("displayName") or application.get("displayName"),
            "created": created,
        }
        if row["messageType"] != "message":
            return Message(**common, skip="system event")
        if row["deletedDateTime"]:
            if has_replies:
                return Message(**common, html=_GONE, notes=["deleted message with replies, marked as deleted"])
            return Message(**common, skip="deleted")
        text = body(container, row)
        return Message(
            **common,
            subject=row["subject"],
            importance=row["importance"],
            html=text.html,
            mentions=text.mentions,
            images=text.images,
            attachments=text.attachments,
            reactions=[reaction for one in row["reactions"] or [] if (reaction := _reaction(one))],
            edited=_microseconds(row["lastEditedDateTime"]),
            notes=text.notes,
        )

    def content(self, key: str) -> bytes:
        """The bytes of an image, out of ``hosted_contents``."""
        if self._contents is None:
            self._contents = self._unpack()
        file = self._contents / _file_name(key)
        try:
            return file.read_bytes()
        except FileNotFoundError:
            text = f"image {key}: the lakehouse has no bytes of it; ingest hosted_contents with hosted_contents_max_bytes"
            raise SourceError(text) from None

    def _unpack(self) -> Path:
        """All images as files: a Delta table has no way to one row that does not read the others too."""
        folder = Path(mkdtemp(prefix="lakeflow-teams-images-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        for table, key in (("hosted_contents", "channel_id"), ("chat_hosted_contents", "chat_id")):
            dataset = self._dataset(table)
            if dataset is None:
                continue
            columns = [key, "message_id", "id", "contentBytes"]
            for batch in dataset.to_batches(columns=columns, batch_size=64):
                for row in batch.to_pylist():
                    if row["contentBytes"]:
                        name = _file_name(f"{row[key]}|{row['message_id']}|{row['id']}")
                        (folder / name).write_bytes(row["contentBytes"])
        return folder

    def _has(self, table: str) -> bool:
        return (self._root / table / _LOG).is_dir()

    def _dataset(self, table: str) -> Any:
        return DeltaTable(address(self._root / table)).to_pyarrow_dataset() if self._has(table) else None

    def _rows(self, table: str, columns: list[str]) -> Iterator[Row]:
        dataset = self._dataset(table)
        if dataset is None:
            return
        there = [name for name in columns if name in dataset.schema.names]
        empty = dict.fromkeys(columns)
        for batch in dataset.to_batches(columns=there):
            for row in batch.to_pylist():
                yield {**empty, **row}


def _reaction(one: Row) -> Row | None:
    user = ((one.get("user") or {}).get("user") or {}).get("id")
    kind = one.get("reactionType")
    if not kind:
        return None
    if kind == "custom":
        kind = f":{one.get('displayName') or kind}:"
    return {
        "reaction": escape(kind) if kind.startswith("<") else kind,
        "user": user,
        "created": _microseconds(one["createdDateTime"]),
    }


def _file_name(key: str) -> str:
    from hashlib import sha256

    return sha256(key.encode()).hexdigest()


def _microseconds(time: str | datetime | None) -> int | None:
    """Since 1970. A lakehouse has timestamps, or the text that Graph sent."""
    if isinstance(time, datetime):
        return (time - _EPOCH) // timedelta(microseconds=1)
    found = _TIME.match(time or "")
    if found is None:
        return None
    whole, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{whole}{'+00:00' if zone in (None, 'Z') else zone}")
    if moment.year < _EPOCH.year:
        return None
    return int(moment.timestamp()) * 1_000_000 + int(((fraction or "") + "000000")[:6])
