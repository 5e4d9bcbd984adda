"""One Delta table on disk: opening, appending, and the counts of what a commit did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.table import TableMerger

from lakeflow_teams import _core
from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.rows import fitted
from lakeflow_teams.local.write.sql import covers
from lakeflow_teams.local.write.stamp import APP_ID, Found, Stamp, find
from lakeflow_teams.results.summary import Counts


@dataclass(frozen=True)
class Shape:
    """How rows of a destination are told apart (``keys``) and ordered (``cursor``; ``None`` for snapshots).

    ``own`` is the source table's own key where ``primary_keys`` names another, ``time`` the type of times that are not the
    source's: from when and until when a version held.
    """

    keys: tuple[str, ...]
    cursor: str | None
    own: tuple[str, ...] = ()
    time: pa.DataType = field(default_factory=pa.string)

    @property
    def sequence(self) -> str:
        """The cursor, where there must be one."""
        if self.cursor is None:
            raise ValueError("this way of writing needs a cursor")
        return self.cursor


class Destination:
    """A Delta table at ``path`` that may not exist yet. ``name`` is the one that messages use."""

    def __init__(self, name: str, path: Path, shape: Shape) -> None:
        self.name = name
        self.path = path
        self.shape = shape

    def open(self) -> DeltaTable | None:
        """The table in its newest version, or ``None`` before its first commit."""
        return delta.opened(self.path)

    def current(self, stamp: Stamp) -> DeltaTable | None:
        """The table that the commit of ``stamp`` goes on from.

        Raises :class:`OvertakenError` where another ingest has made the commit of that number. From here on Delta sees it:
        both carry the number as a transaction, of which the second one conflicts.
        """
        table = self.open()
        if table is not None and (table.transaction_version(APP_ID) or 0) >= stamp.batch:
            raise delta.OvertakenError(f"{self.path}: another ingest made commit {stamp.batch} of it")
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

    def append(self, rows: pa.Table, stamp: Stamp, table: DeltaTable | None = None) -> Counts:
        """Adds rows in one commit, which also creates the table. Without rows, the commit only carries the stamp.

        ``table`` is the version that the rows were made for.
        """
        table = table or self.current(stamp)
        if table is None:
            delta.create(self.path, rows, stamp.properties())
        else:
            delta.append(table, self.path, rows, stamp.properties())
        return Counts(inserts=rows.num_rows)

    def merge(self, table: DeltaTable, rows: pa.Table, predicate: str, stamp: Stamp) -> TableMerger:
        """A merge of ``rows`` (alias ``s``) into the table (alias ``t``) that will carry the stamp."""
        rows = fitted(rows, delta.arrow_schema(table))
        return table.merge(rows, predicate, source_alias="s", target_alias="t", commit_properties=stamp.properties())

    def widen(self, table: DeltaTable, schema: pa.Schema) -> DeltaTable:
        """The table with the columns and struct fields of ``schema`` that it lacked, added in a commit of their own.

        A merge could widen the schema too, but then empties struct columns that it does not assign.
        """
        if covers(delta.arrow_schema(table), schema):
            return table
        delta.append(table, self.path, schema.empty_table())
        return delta.opened(self.path) or table

    def finish(self, merger: TableMerger, table: DeltaTable, rows: pa.Table, stamp: Stamp, *, always: bool = True) -> Counts:
        """Runs a merge into ``table``. One that changes nothing makes no commit; ``always`` then commits the stamp alone."""
        with delta.committing(self.path):
            metrics = merger.execute()
        counts = Counts(
            metrics["num_target_rows_inserted"], metrics["num_target_rows_updated"], metrics["num_target_rows_deleted"]
        )
        if always and counts == Counts():
            self.append(rows.slice(0, 0), stamp, table)
        return counts
