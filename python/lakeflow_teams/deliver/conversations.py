"""The bot's conversations: known to all broadcasts of a target and to the bot, in ``<target>/_bot/conversations.sqlite``.

SQLite, because a bot and a broadcast write to it at the same time. The table ``bot_conversations`` is made from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from deltalake import write_deltalake

from lakeflow_teams.deliver.database import opened
from lakeflow_teams.store.staging import address

FOLDER = "_bot"
TABLE = ("main", "default", "bot_conversations")
#: A row: recipient, kind (user, channel, group_chat), conversation, service URL, tenant, whether the app is there, when it
#: was last seen (UTC), the name of a channel or person, and a channel's team.
SCHEMA = pa.schema(
    [
        pa.field("recipient_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("conversation_id", pa.string()),
        pa.field("service_url", pa.string()),
        pa.field("tenant_id", pa.string()),
        pa.field("installed", pa.bool_(), nullable=False),
        pa.field("last_seen", pa.timestamp("us", tz="UTC")),
        pa.field("name", pa.string()),
        pa.field("team_id", pa.string()),
    ]
)
_COLUMNS = ", ".join(SCHEMA.names)
_CREATE = """
create table if not exists conversations (
    recipient_id text primary key, kind text not null, conversation_id text, service_url text, tenant_id text,
    installed integer not null, last_seen integer not null, name text, team_id text
)"""
#: An installation is told by two activities, each of which may come several times: the first one has it.
_CREATE_INSTALLATIONS = """
create table if not exists installations (
    conversation_id text primary key, installed integer not null, activity text not null, at integer not null
)"""
_UPSERT = f"""
insert into conversations ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (recipient_id) do update set
    kind = excluded.kind, conversation_id = excluded.conversation_id,
    service_url = coalesce(excluded.service_url, service_url), tenant_id = coalesce(excluded.tenant_id, tenant_id),
    installed = excluded.installed, last_seen = excluded.last_seen,
    name = coalesce(excluded.name, name), team_id = coalesce(excluded.team_id, team_id)
where excluded.last_seen >= last_seen"""
#: Activities of one installation are no further apart, in milliseconds; without a removal between them either.
_ONE_INSTALLATION_MS = 10 * 60_000


class Row(NamedTuple):
    """What is known of a conversation."""

    recipient_id: str
    kind: str
    conversation_id: str | None
    service_url: str | None
    tenant_id: str | None
    installed: bool
    last_seen: int
    """Milliseconds since 1970."""
    name: str | None = None
    team_id: str | None = None


def folder(target: Path) -> Path:
    """Where a bot's state lies, which is made if it is not there."""
    found = target / FOLDER
    found.mkdir(parents=True, exist_ok=True)
    return found


def _make(connection: sqlite3.Connection) -> None:
    connection.execute(_CREATE)
    connection.execute(_CREATE_INSTALLATIONS)
    # Of an earlier version.
    there = {row[1] for row in connection.execute("pragma table_info(conversations)")}
    for column in ("name", "team_id"):
        if column not in there:
            connection.execute(f"alter table conversations add column {column} text")


def _open(target: Path) -> AbstractContextManager[sqlite3.Connection]:
    return opened(folder(target) / "conversations.sqlite", _make)


def remember(target: Path, rows: Iterable[Row]) -> None:
    """Keeps what is known of conversations; what is older than what is there changes nothing."""
    with _open(target) as connection, connection:
        connection.executemany(_UPSERT, rows)


def find(target: Path, recipient: str) -> Row | None:
    """What is known of a person, by object id, or of a channel."""
    query = f"select {_COLUMNS} from conversations where recipient_id = ?"
    with _open(target) as connection:
        row = connection.execute(query, (recipient,)).fetchone()
    return Row(*row) if row else None


def of(target: Path, conversation: str) -> Row | None:
    """Whose a conversation is, by its id without a thread."""
    query = f"select {_COLUMNS} from conversations where conversation_id = ? order by last_seen desc limit 1"
    with _open(target) as connection:
        row = connection.execute(query, (conversation,)).fetchone()
    return Row(*row) if row else None


def every(target: Path) -> list[Row]:
    """All that is known, by recipient."""
    with _open(target) as connection:
        return [Row(*row) for row in connection.execute(f"select {_COLUMNS} from conversations order by recipient_id")]


def forget(target: Path, recipient: str) -> None:
    """The conversation is no longer good: it has to be asked for."""
    with _open(target) as connection, connection:
        connection.execute("update conversations set conversation_id = null where recipient_id = ?", (recipient,))


def lost_team(target: Path, team: str, at: int) -> None:
    """The app was removed from a team, and so from its channels."""
    query = "update conversations set installed = 0, last_seen = ? where team_id = ? and last_seen <= ?"
    with _open(target) as connection, connection:
        connection.execute(query, (at, team, at))


def is_news(target: Path, conversation: str, *, installed: bool, activity: str, at: int) -> bool:
    """Whether this activity is the first to tell that the app was installed or removed.

    It stays so for the same activity, which comes again when its handler was cut off.
    """
    query = "select installed, activity, at from installations where conversation_id = ?"
    put = "insert or replace into installations values (?, ?, ?, ?)"
    with _open(target) as connection:
        connection.execute("begin immediate")
        with connection:
            before = connection.execute(query, (conversation,)).fetchone()
            if before is not None:
                was, teller, told = before
                if activity == teller:
                    return True
                if bool(was) == installed and abs(at - told) < _ONE_INSTALLATION_MS:
                    return False
                if at < told:
                    return False
            connection.execute(put, (conversation, installed, activity, at))
    return True


def known(target: Path) -> Iterator[tuple[str, str, str]]:
    """Conversations of people that can be used: recipient, conversation and service URL."""
    if not (target / FOLDER / "conversations.sqlite").is_file():
        return
    query = """select recipient_id, conversation_id, service_url from conversations
               where installed and kind = 'user' and conversation_id is not null and service_url is not null"""
    with _open(target) as connection:
        yield from connection.execute(query)


def write_table(target: Path) -> None:
    """Writes the table ``bot_conversations`` anew."""
    path = target.joinpath(*TABLE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(target) as connection:
        # One writer: a bot and a broadcast that overwrite the table at the same time would refuse each other.
        connection.execute("begin immediate")
        with connection:
            rows = connection.execute(f"select {_COLUMNS} from conversations order by recipient_id").fetchall()
            columns = (
                dict(zip(SCHEMA.names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(SCHEMA.names, ())
            )
            values = {
                **columns,
                "installed": [bool(one) for one in columns["installed"]],
                "last_seen": [datetime.fromtimestamp(at / 1000, timezone.utc) for at in columns["last_seen"]],
            }
            write_deltalake(address(path), pa.table(values, schema=SCHEMA), mode="overwrite", schema_mode="overwrite")
