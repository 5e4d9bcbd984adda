"""Files made of row groups of others, copied as they lie there, and of row groups or columns that are written anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.local.write.data_file import (
    FILE_ROWS,
    ROW_GROUP_ROWS,
    Group,
    described,
    groups_of,
    new_name,
    parquet_writer,
)
from lakeflow_teams.local.write.table_file import DataFiles


class Splice:
    """New files of a table, of row groups in the order in which they are given."""

    def __init__(self, data: DataFiles, *, change: bool) -> None:
        self._data = data
        self._local = data.local
        self._change = change
        self._scratch = TemporaryDirectory(prefix="lakeflow-teams-")
        self._fresh: dict[tuple[str, ...], _Fresh] = {}
        self._parts: list[_Part] = []

    def __enter__(self) -> Splice:  # noqa: PYI034 (Self needs Python 3.11)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._scratch:
            for fresh in self._fresh.values():
                with suppress(OSError):  # of a full disk, which was told when rows were written
                    fresh.close()

    def copy(self, name: str, number: int, group: Group, over: pa.Table | None = None) -> None:
        """A row group of one of the table's files. ``over`` has columns that are others there, for all of its rows."""
        self._parts.append([_Copied(name, number, group), *([self._encoded(over)] if over is not None else [])])

    def write(self, rows: pa.Table) -> None:
        """Row groups of these rows, with all columns."""
        self._parts.extend([self._encoded(some)] for some in _row_groups(rows))

    def close(self) -> list[AddAction]:
        """Makes the files, whose footers are known from then on."""
        for fresh in self._fresh.values():
            fresh.close()
        return [self._file(parts) for parts in _files(self._parts)]

    def _encoded(self, rows: pa.Table) -> _Encoded:
        names = tuple(rows.schema.names)
        if names not in self._fresh:
            path = Path(self._scratch.name) / f"fresh-{len(self._fresh)}.parquet"
            self._fresh[names] = _Fresh(path, rows.schema, self._data)
        return _Encoded(self._fresh[names], self._fresh[names].add(rows))

    def _file(self, parts: list[_Part]) -> AddAction:
        sources: dict[str | _Fresh, int] = {}
        places = [[(sources.setdefault(layer.source, len(sources)), layer.number) for layer in part] for part in parts]
        name = new_name()
        target = (self._local or Path(self._scratch.name)) / name
        _core.splice_row_groups([str(self._path(source)) for source in sources], places, str(target))
        if self._local is None:
            store = self._data.folder
            fs.copy_files(str(target), name, source_filesystem=fs.LocalFileSystem(), destination_filesystem=store)
        groups, first = [], 0
        for part in parts:
            group = _group(part)
            groups.append(group if group.first == first else replace(group, first=first))
            first += group.rows
        self._data.footers[name] = groups
        return described(name, target.stat().st_size, groups, self._data.columns, change=self._change)

    def _path(self, source: str | _Fresh) -> Path:
        """Where it is on this machine. A file of the table in a store is fetched."""
        if isinstance(source, _Fresh):
            return source.path
        if self._local is not None:
            return self._local / source
        copy = Path(self._scratch.name) / source.replace("/", "_")
        if not copy.exists():
            store = self._data.folder
            fs.copy_files(source, str(copy), source_filesystem=store, destination_filesystem=fs.LocalFileSystem())
        return copy


class _Fresh:
    """Row groups of some columns that are written anew, in a file beside the table."""

    def __init__(self, path: Path, schema: pa.Schema, data: DataFiles) -> None:
        self.path = path
        self.groups: list[Group] = []
        self._columns = [name for name in data.columns if name in schema.names]
        self._footers: list[pq.FileMetaData] = []
        self._count = 0
        self._writer: pq.ParquetWriter | None = parquet_writer(str(path), schema, self._columns, self._footers)

    def add(self, rows: pa.Table) -> int:
        """The number of the row group that these rows are."""
        assert self._writer is not None  # noqa: S101  (nothing is given after the end)
        self._writer.write_table(rows, row_group_size=max(rows.num_rows, 1))
        self._count += 1
        return self._count - 1

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self.groups = groups_of(self._footers[0], self._columns)


@dataclass(frozen=True)
class _Copied:
    source: str
    number: int
    group: Group


@dataclass(frozen=True)
class _Encoded:
    source: _Fresh
    number: int

    @property
    def group(self) -> Group:
        """What its file says of it, once that is closed."""
        return self.source.groups[self.number]


#: A row group of a new file: where it lies, and where columns lie that are taken in place of its own.
_Part = list[_Copied | _Encoded]


def _group(part: _Part) -> Group:
    group = part[0].group
    for layer in part[1:]:
        group = group.with_columns(layer.group)
    return group


def _files(parts: list[_Part]) -> Iterator[list[_Part]]:
    """The row groups of each new file."""
    some: list[_Part] = []
    rows = 0
    for part in parts:
        if some and rows + part[0].group.rows > FILE_ROWS:
            yield some
            some, rows = [], 0
        some.append(part)
        rows += part[0].group.rows
    if some:
        yield some


def _row_groups(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows, a row group at a time."""
    for first in range(0, rows.num_rows, ROW_GROUP_ROWS):
        yield rows.slice(first, ROW_GROUP_ROWS)
