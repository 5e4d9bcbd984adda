"""The rows of one version of a table: looked up by key, and changed in one commit.

There are two ways to do it. ``by_files`` reads and writes the files itself, and touches none but those that hold what
changes. ``by_engine`` leaves it to deltalake's engine, for tables that ask for more than plain files (deletion vectors,
constraints, renamed columns, partitions): slower, and right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from deltalake import CommitProperties

#: In what is found: the number of the row that was looked for, and where the stored one is.
WANTED = "__wanted"
FILE = "__file"
ROW = "__row"
PLACE = (FILE, ROW)


@dataclass(frozen=True)
class Change:
    """What one commit does to the rows that are stored.

    ``updates`` are stored rows as they were found (place and identity), with the new values of the columns they name;
    ``removes`` are stored rows as they were found. ``inserts`` may come as a stream.
    """

    inserts: Iterable[pa.Table] = ()
    updates: pa.Table | None = None
    removes: pa.Table | None = None


class Stored(Protocol):
    """One version of a table."""

    @property
    def schema(self) -> pa.Schema:
        """The columns, as pyarrow's."""

    def find(self, wanted: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """The stored rows whose key ``on`` is among ``wanted``: ``columns``, their place and the row they were found for."""

    def more(self, found: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """Columns of rows that were found by the key ``on``, which ``found`` has, in its order."""

    def scan(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """All rows, some at a time: ``columns`` and their place."""

    def commit(self, change: Change, identity: Sequence[str], properties: CommitProperties | None) -> int:
        """Makes the change in one commit, and tells how many rows were added.

        ``identity`` are the columns that no two rows share.
        """


def placed(values: pa.Table, found: pa.Table) -> pa.Table:
    """For stored rows that were found, the rows that they were found for, with their place."""
    rows = values.take(found[WANTED]) if found.num_rows else values.slice(0, 0)
    for name in PLACE:
        rows = rows.append_column(name, found[name])
    return rows


def chosen(found: pa.Table, mask: pa.ChunkedArray | pa.Array) -> pa.Table:
    """The rows of which the mask is true; a null is false."""
    return found.filter(mask, null_selection_behavior="drop")
