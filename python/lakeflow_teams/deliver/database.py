"""Small SQLite files that several threads and processes write to, each commit of which is on disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

#: A writer waits so long for another one.
_WAIT_SECONDS = 30.0
#: Threads of a process make a file one after the other.
_MAKING = threading.Lock()


@contextmanager
def opened(path: Path, make: Callable[[sqlite3.Connection], None]) -> Iterator[sqlite3.Connection]:
    """The file, with what ``make`` makes where it is not there."""
    with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS)) as connection:
        with _MAKING:
            _write_ahead(connection)
            make(connection)
        connection.execute("pragma synchronous = full")
        yield connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and a writer do not wait for each other; one process turns a new file to it, and no other is let to wait."""
    end = time.monotonic() + _WAIT_SECONDS
    while not _turned(connection) and time.monotonic() < end:
        time.sleep(0.02)


def _turned(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("pragma journal_mode = wal")
    except sqlite3.OperationalError:
        return False
    return True
