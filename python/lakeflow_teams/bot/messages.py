"""The ledger of what a bot sends by itself: a row before each message leaves, and what became of it.

SQLite in ``<target>/_bot/messages.sqlite``, because programs that send and the one that receives write to it at the same
time. A row that stays ``attempting`` belongs to a process that ended: its message may have been delivered.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from lakeflow_teams.deliver.conversations import folder
from lakeflow_teams.deliver.database import opened

_CREATE = """
create table if not exists messages (
    number integer primary key, verb text not null, recipient_id text not null, answers integer, state text not null,
    conversation_id text, service_url text, activity_id text, code text, begun_at integer not null, ended_at integer
)"""


@dataclass(frozen=True)
class Fate:
    """What became of a message."""

    state: str
    conversation_id: str | None = None
    service_url: str | None = None
    activity_id: str | None = None
    code: str | None = None


def _make(connection: sqlite3.Connection) -> None:
    connection.execute(_CREATE)
    connection.execute("create index if not exists by_answers on messages (answers) where answers is not null")


def _open(target: Path) -> AbstractContextManager[sqlite3.Connection]:
    return opened(folder(target) / "messages.sqlite", _make)


def attempt(target: Path, verb: str, recipient: str, answers: int | None) -> int:
    """Notes that a message is about to leave, which may answer the activity of a number; returns its own number."""
    query = "insert into messages (verb, recipient_id, answers, state, begun_at) values (?, ?, ?, 'attempting', ?)"
    with _open(target) as connection, connection:
        return int(connection.execute(query, (verb, recipient, answers, _now())).lastrowid or 0)


def end(target: Path, number: int, fate: Fate) -> None:
    """Notes what became of it."""
    query = """update messages set state = ?, conversation_id = ?, service_url = ?, activity_id = ?, code = ?, ended_at = ?
               where number = ?"""
    row = (fate.state, fate.conversation_id, fate.service_url, fate.activity_id, fate.code, _now(), number)
    with _open(target) as connection, connection:
        connection.execute(query, row)


def answered(target: Path, answers: int) -> bool:
    """Whether an activity was answered before the process that did it ended: it is not answered twice."""
    query = "select 1 from messages where answers = ? and state in ('attempting', 'succeeded', 'unknown') limit 1"
    with _open(target) as connection:
        return connection.execute(query, (answers,)).fetchone() is not None


def _now() -> int:
    return int(time.time() * 1000)
