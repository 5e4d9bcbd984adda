"""The bot's conversations: known to all broadcasts of a target and to the bot, in ``<target>/_bot/conversations.sqlite``.

SQLite, because a bot and a broadcast write to it at the same time. The table ``bot_conversations`` is made from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from lakeflow_teams.store.staging import address

FOLDER = "_bot"
TABLE = ("main", "default", "bot_conversations")
#: A row: recipient, kind, conversation, service URL, tenant, whether the app is there, and when it was last seen (UTC).
SCHEMA = pa.schema(
    [
        pa.field("recipient_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("conversation_id", pa.string()),
        pa.field("service_url", pa.string()),
        pa.field("tenant_id", pa.string()),
        pa.field("installed", pa.bool_(), nullable=False),
        pa.field("last_seen", pa.timestamp("us", tz="UTC")),
    ]
)
_CREATE = """
create table if not exists conversations (
    recipient_id text primary key, kind text not null, conversation_id text, service_url text, tenant_id text,
    installed integer not null, last_seen integer not null
)"""
_UPSERT = """
insert into conversations values (?, ?, ?, ?, ?, ?, ?)
on conflict (recipient_id) do update set
    kind = excluded.kind, conversation_id = excluded.conversation_id,
    service_url = coalesce(excluded.service_url, service_url), tenant_id = coalesce(excluded.tenant_id, tenant_id),
    installed = excluded.installed, last_seen = excluded.last_seen
where excluded.last_seen >= last_seen"""
_WAIT_SECONDS = 30.0

#: recipient, kind, conversation, service URL, tenant, installed, milliseconds since 1970
Row = tuple[str, str, str | None, str | None, str | None, bool, int]


@contextmanager
def _open(target: Path) -> Iterator[sqlite3.Connection]:
    folder = target / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "conversations.sqlite", timeout=_WAIT_SECONDS)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute(_CREATE)
        yield connection


def remember(target: Path, rows: Iterable[Row]) -> None:
    """Keeps what is known of conversations; what is older than what is there changes nothing."""
    with _open(target) as connection, connection:
        connection.executemany(_UPSERT, rows)


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
    with _open(target) as connection:
        rows = connection.execute("select * from conversations order by recipient_id").fetchall()
    columns = list(zip(*rows, strict=True)) or [() for _ in SCHEMA]
    times = [datetime.fromtimestamp(at / 1000, timezone.utc) for at in columns[6]]
    arrays = [*columns[:5], [bool(one) for one in columns[5]], times]
    table = pa.table([pa.array(values, field.type) for values, field in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA)
    path = target.joinpath(*TABLE)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_deltalake(address(path), table, mode="overwrite", schema_mode="overwrite")
