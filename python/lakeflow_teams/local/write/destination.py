"""One Delta table: opening it, and the commits that carry a stamp."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.by_engine import ByEngine
from lakeflow_teams.local.write.by_files import ByFiles, Known
from lakeflow_teams.local.write.data_file import in_order
from lakeflow_teams.local.write.recent import Recent
from lakeflow_teams.local.write.sql import covers
from lakeflow_teams.local.write.stamp import APP_ID, Found, Stamp, find
from lakeflow_teams.local.write.stored import Change, Stored
from lakeflow_teams.store.locate import Target, locate

#: Further columns that files are found by, where a table has them.
_TIMES = ("createdDateTime", "__START_AT", "__END_AT")


@dataclass(frozen=True)
class Shape:
    """How rows of a destination are told apart (``keys``) and ordered (``cursor``; ``None`` for snapshots).

    ``own`` is the source table's own key where ``primary_keys`` names another, ``time`` the type of times that are not the
    source's: from when and until when a version held. ``described`` are the columns that the table's description names as
    its key, ``__START_AT`` of histories among them. ``message`` is the part of the key that rows share which are replaced
    together.
    """

    keys: tuple[str, ...]
    cursor: str | None
    own: tuple[str, ...] = ()
    time: pa.DataType = field(default_factory=pa.string)
    described: tuple[str, ...] = ()
    message: tuple[str, ...] = ()

    @property
    def sequence(self) -> str:
        """The cursor, where there must be one."""
        if self.cursor is None:
            raise ValueError("this way of writing needs a cursor")
        return self.cursor


class Destination:
    """A Delta table at ``path`` that may not exist yet. ``name`` is the one that messages use."""

    def __init__(self, name: str, path: Target, shape: Shape) -> None:
        self.name = name
        self.path = locate(path)
        self.shape = shape
        self._known = Known(Recent([shape.keys, shape.message]))
        self._table: DeltaTable | None = None

    def open(self) -> DeltaTable | None:
        """The table in its newest version, or ``None`` before its first commit. Each call moves what earlier ones gave."""
        with delta.reading(self.path):
            self._table = delta.opened(self.path) if self._table is None else delta.refreshed(self._table, self.path)
        return self._table

    def stored(self, table: DeltaTable) -> Stored:
        """The rows of an opened version."""
        if delta.is_plain(table):
            return ByFiles(table, self.path, self.shape.keys, self._columns(delta.arrow_schema(table)), self._known)
        return ByEngine(table, self.path)

    def current(self, stamp: Stamp) -> DeltaTable | None:
        """The table that the commit of ``stamp`` goes on from.

        Raises :class:`OvertakenError` where another ingest has made the commit of that number. From here on Delta sees it:
        both carry the number as a transaction, of which the second one conflicts.
        """
        table = self.open()
        if table is not None and (table.transaction_version(APP_ID) or 0) >= stamp.batch:
            raise delta.OvertakenError(f"{self.path}: another ingest made commit {stamp.batch} of it")
        if table is not None:
            self.require_columns(table)
        return table

    def found(self) -> Found:
        """The newest stamp. Raises :class:`ConfigurationError` for a table without one, which another program made."""
        table = self.open()
        if table is None:
            return Found(None, None)
        found = find(table)
        if found.batch is None:
            raise _core.ConfigurationError(
                f"destination {self.name}: {self.path} is a Delta table that lakeflow-teams did not write; "
                "choose another destination_table or target"
            )
        return found

    def require_columns(self, table: DeltaTable) -> None:
        """Raises :class:`ConfigurationError` where a column is gone without which no stored row is told from another one."""
        names = {field.name for field in table.schema().fields}
        for name in (*self.shape.keys, *filter(None, [self.shape.cursor])):
            if name not in names:
                raise _core.ConfigurationError(
                    f"destination {self.name}: {self.path} has no column {name} any more, which another program dropped or "
                    "renamed; RESTORE the table to the version before, or remove its folder to read everything again"
                )

    def create(self, schema: pa.Schema, rows: Iterable[pa.Table], stamp: Stamp) -> int:
        """Makes the table in one commit, with its first rows, and tells how many they are."""
        ordered = (some for given in rows for some in in_order(given, self.shape.keys))
        count = delta.create(self.path, self._told(schema), ordered, stamp.properties(), self._columns(schema))
        table = self.open() if isinstance(rows, Sequence) and count and self.shape.keys else None
        if table is not None and table.version() == 0:
            keys = pa.concat_tables(some.select(self.shape.keys) for some in rows)
            self._known.recent.note([file.path for file in delta.files(table, [])], keys)
        return count

    def _told(self, schema: pa.Schema) -> pa.Schema:
        """The schema, whose description says what a row is told by: Delta has no place for a key that is not enforced."""
        about = dict(schema.metadata or {})
        if not self.shape.described:
            return schema
        key = f"Key: {', '.join(self.shape.described)}."
        sentences = filter(None, [about.get(b"description"), key.encode()])
        return schema.with_metadata({**about, b"description": b" ".join(sentences)})

    def commit(self, stored: Stored, change: Change, stamp: Stamp, identity: Iterable[str] = ()) -> int:
        """Changes a version in one commit, and tells how many rows were added.

        ``identity`` are the columns that no two rows share; the key, unless they are named.
        """
        return stored.commit(change, list(identity) or list(self.shape.keys), stamp.properties())

    def append(self, rows: pa.Table, stamp: Stamp, table: DeltaTable | None = None) -> int:
        """Adds rows in one commit, which also creates the table. Without rows, the commit only carries the stamp.

        ``table`` is the version that the rows were made for.
        """
        table = table or self.current(stamp)
        if table is None:
            return self.create(rows.schema, [rows], stamp)
        return self.commit(self.stored(self.widen(table, rows.schema)), Change([rows]), stamp)

    def widen(self, table: DeltaTable, schema: pa.Schema) -> DeltaTable:
        """The table with the columns and struct fields of ``schema`` that it lacked, added in a commit of their own."""
        if covers(delta.arrow_schema(table), schema):
            return table
        delta.append(table, self.path, schema.empty_table())
        return delta.opened(self.path) or table

    def _columns(self, schema: pa.Schema) -> list[str]:
        """Those that files are found by."""
        names = dict.fromkeys((*self.shape.keys, *filter(None, [self.shape.cursor]), *_TIMES))
        return [name for name in names if name in schema.names]
