"""Files made of row groups of others, copied as they lie there, and of row groups that are written anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.local.write.data_file import FILE_ROWS, ROW_GROUP_ROWS, described, new_name, parquet_writer

_FRESH = "fresh.parquet"

#: A row group: its file, ``None`` for the rows that are written anew; its number in it, and its rows.
Part = tuple[str | None, int, int]


class Splice:
    """A place for the row groups that are written anew, beside the table's folder of data files."""

    def __init__(self, folder: fs.FileSystem, local: Path | None, schema: pa.Schema, columns: Sequence[str]) -> None:
        self._folder = folder
        self._local = local
        self._schema = schema
        self._columns = [name for name in columns if name in schema.names]

    def write(self, parts: Iterable[Part], fresh: Iterable[pa.Table], *, change: bool) -> list[AddAction]:
        """New files of these row groups, in their order.

        ``fresh`` are the row groups that parts without a file name; it is read first, and may add the parts meanwhile.
        """
        with self._scratch() as scratch:
            self._encode(fresh, scratch / _FRESH)
            return [self._file(some, scratch, change=change) for some in _files(parts)]

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with TemporaryDirectory(prefix="lakeflow-teams-") as scratch:
            yield Path(scratch)

    def _encode(self, fresh: Iterable[pa.Table], path: Path) -> None:
        """A row group of each table."""
        with path.open("wb") as sink, parquet_writer(sink, self._schema, self._columns, []) as writer:
            for rows in fresh:
                writer.write_table(rows, row_group_size=max(rows.num_rows, 1))

    def _file(self, parts: list[Part], scratch: Path, *, change: bool) -> AddAction:
        names = list(dict.fromkeys(name for name, _, _ in parts))
        sources = [str(scratch / _FRESH) if name is None else str(self._at_hand(name, scratch)) for name in names]
        name = new_name()
        target = (self._local or scratch) / name
        _core.splice_row_groups(sources, [(names.index(source), number) for source, number, _ in parts], str(target))
        if self._local is None:
            fs.copy_files(str(target), name, source_filesystem=fs.LocalFileSystem(), destination_filesystem=self._folder)
        return described(name, target.stat().st_size, pq.read_metadata(target), self._columns, change=change)

    def _at_hand(self, name: str, scratch: Path) -> Path:
        """A file of the table as one of this machine."""
        if self._local is not None:
            return self._local / name
        copy = scratch / name.replace("/", "_")
        if not copy.exists():
            fs.copy_files(name, str(copy), source_filesystem=self._folder, destination_filesystem=fs.LocalFileSystem())
        return copy


def _files(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """The row groups of each new file."""
    some: list[Part] = []
    for part in parts:
        if some and sum(rows for _, _, rows in some) + part[2] > FILE_ROWS:
            yield some
            some = []
        some.append(part)
    if some:
        yield some


def row_groups(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows, a row group at a time."""
    for first in range(0, rows.num_rows, ROW_GROUP_ROWS):
        yield rows.slice(first, ROW_GROUP_ROWS)
