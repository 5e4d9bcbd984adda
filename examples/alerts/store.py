"""The product's own tables: issues, and who in Teams is who here."""

import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass

TABLES = """
create table if not exists issues (
    id integer primary key, title text not null, detail text not null, severity text not null, state text not null,
    assignee text, changed_by text, changed_at integer not null, conversation_id text, activity_id text, service_url text
);
create table if not exists identities (user_id text primary key, login text not null);
"""


@dataclass(frozen=True)
class Issue:
    """A row of the table."""

    id: int
    title: str
    detail: str
    severity: str
    state: str
    assignee: str | None
    changed_by: str | None
    changed_at: int
    conversation_id: str | None
    activity_id: str | None
    service_url: str | None


class Store:
    """SQLite here; the product's own database there."""

    def __init__(self, path):
        self._path = path
        with self._open() as connection:
            connection.executescript(TABLES)

    @contextmanager
    def _open(self):
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            yield connection

    def add(self, title, detail, severity="warning"):
        """A new issue; returns its id."""
        insert = "insert into issues (title, detail, severity, state, changed_at) values (?, ?, ?, 'open', ?)"
        with self._open() as connection:
            return connection.execute(insert, (title, detail, severity, int(time.time()))).lastrowid

    def get(self, issue):
        """One issue. Raises :class:`KeyError`."""
        with self._open() as connection:
            row = connection.execute("select * from issues where id = ?", (issue,)).fetchone()
        if row is None:
            raise KeyError(issue)
        return Issue(*row)

    def change(self, issue, login, *, state=None, assignee=None):
        """Changes an issue, in somebody's name."""
        update = """update issues set state = coalesce(?, state), assignee = coalesce(?, assignee),
                    changed_by = ?, changed_at = ? where id = ?"""
        with self._open() as connection:
            connection.execute(update, (state, assignee, login, int(time.time()), issue))

    def keep_card(self, issue, sent):
        """Where the issue's card is, so that it can be changed from elsewhere too."""
        update = "update issues set conversation_id = ?, activity_id = ?, service_url = ? where id = ?"
        with self._open() as connection:
            connection.execute(update, (sent.conversation_id, sent.activity_id, sent.service_url, issue))

    def link(self, user_id, login):
        """Somebody in Teams is this login."""
        with self._open() as connection:
            connection.execute("insert or replace into identities values (?, ?)", (user_id, login))

    def unlink(self, user_id):
        """Whether there was something to forget."""
        with self._open() as connection:
            return connection.execute("delete from identities where user_id = ?", (user_id,)).rowcount > 0

    def login_of(self, user_id):
        """The login of somebody in Teams, or nothing."""
        with self._open() as connection:
            row = connection.execute("select login from identities where user_id = ?", (user_id,)).fetchone()
        return row[0] if row else None

    def logins(self):
        """Everybody whom an issue can be assigned to."""
        with self._open() as connection:
            return [row[0] for row in connection.execute("select distinct login from identities order by login")]
