"""One Delta table on disk: opening, appending, and the counts of what a commit did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake
from deltalake.table import TableMerger
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.local.write.sql import covers
from lakeflow_teams.local.write.stamp import Found, Stamp, find
from lakeflow_teams.results.summary import Counts

_KEPT = "_kept"


@dataclass(frozen=True)
class Shape:
    """How rows of a destination are told apart (``keys``) and ordered (``cursor``; ``None`` for snapshots)."""

    keys: tuple[str, ...]
    cursor: str | None

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
        if not DeltaTable.is_deltatable(str(self.path)):
            return None
        return DeltaTable(str(self.path))

    def columns(self) -> list[str]:
        """The names of the stored columns; none before the first commit."""
        table = self.open()
        return [field.name for field in table.schema().fields] if table is not None else []

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

    def append(self, rows: pa.Table, stamp: Stamp) -> Counts:
        """Adds rows in one commit, which also creates the table. Without rows, the commit only carries the stamp."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_deltalake(str(self.path), rows, mode="append", schema_mode="merge", commit_properties=stamp.properties())
        return Counts(inserts=rows.num_rows)

    def merge(self, table: DeltaTable, rows: pa.Table, predicate: str, stamp: Stamp) -> TableMerger:
        """A merge of ``rows`` (alias ``s``) into the table (alias ``t``) that will carry the stamp."""
        return table.merge(rows, predicate, source_alias="s", target_alias="t", commit_properties=stamp.properties())

    def widen(self, table: DeltaTable, schema: pa.Schema) -> DeltaTable:
        """The table with the columns and struct fields of ``schema`` that it lacked, added in a commit of their own.

        A merge could widen the schema too, but then empties struct columns that it does not assign.
        """
        if covers(arrow_schema(table), schema):
            return table
        write_deltalake(table, schema.empty_table(), mode="append", schema_mode="merge")
        return DeltaTable(str(self.path))

    def finish(self, merger: TableMerger, rows: pa.Table, stamp: Stamp, *, always: bool = True) -> Counts:
        """Runs a merge. One that changes nothing makes no commit; ``always`` then commits the stamp alone."""
        metrics = merger.execute()
        counts = Counts(
            metrics["num_target_rows_inserted"], metrics["num_target_rows_updated"], metrics["num_target_rows_deleted"]
        )
        if always and counts == Counts():
            self.append(rows.slice(0, 0), stamp)
        return counts


def read(path: Path, columns: Sequence[str] | None = None, filter: pc.Expression | None = None) -> pa.Table:  # noqa: A002
    """Rows of the Delta table at ``path``.

    Read through a native file system: with the default one, Python code runs on Arrow's threads, and a process that ends
    right afterwards may be aborted.

    The filter is computed as a column: Arrow holds a pushed one against each file's statistics too, and can't compare those
    of the text that merges write, which are views.
    """
    files = fs.SubTreeFileSystem(str(path.resolve()), fs.LocalFileSystem())
    rows = DeltaTable(str(path)).to_pyarrow_dataset(filesystem=files)
    if filter is None:
        return rows.to_table(columns=columns)
    wanted = {name: pc.field(name) for name in columns or rows.schema.names}
    scanner = rows.scanner(columns={**wanted, _KEPT: filter})
    kept = (batch.filter(batch[_KEPT]) for batch in scanner.to_batches())
    return pa.Table.from_batches(kept, scanner.projected_schema).drop_columns(_KEPT)


def is_empty(table: DeltaTable) -> bool:
    """Whether the table holds no file, so that a plain append is a merge."""
    return not table.file_uris()


def arrow_schema(table: DeltaTable) -> pa.Schema:
    """The stored schema as pyarrow's."""
    return pa.schema(table.schema().to_arrow())
