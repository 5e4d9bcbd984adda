"""Who is in which group, and who asked to be."""

import csv
import sqlite3
from contextlib import closing, contextmanager


class Members:
    """SQLite, because the bot and the programs beside it write to it at the same time."""

    def __init__(self, path):
        self._path = path
        with self._open() as connection:
            connection.execute(
                "create table if not exists members (name text, user_id text, state text, primary key (name, user_id))"
            )

    @contextmanager
    def _open(self):
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            yield connection

    def join(self, name, user_id, *, asks=False):
        """In, or asking to be. Whoever is in stays in."""
        put = (
            """insert into members values (?, ?, ?) on conflict do update set state = excluded.state where state = 'asks'"""
        )
        with self._open() as connection:
            connection.execute(put, (name, user_id, "asks" if asks else "in"))

    def leave(self, name, user_id):
        """Out, or not asking any more."""
        with self._open() as connection:
            connection.execute("delete from members where name = ? and user_id = ?", (name, user_id))

    def asks(self, name, user_id):
        """Whether somebody waits for the owner."""
        with self._open() as connection:
            query = "select 1 from members where name = ? and user_id = ? and state = 'asks'"
            return connection.execute(query, (name, user_id)).fetchone() is not None

    def of(self, name):
        """Ids of those who are in."""
        with self._open() as connection:
            query = "select user_id from members where name = ? and state = 'in' order by user_id"
            return [row[0] for row in connection.execute(query, (name,))]

    def write(self, name, path):
        """The table of recipients that broadcasts and pair-ups take; whether anybody is in it."""
        members = self.of(name)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["user_id"], *([one] for one in members)])
        return bool(members)
