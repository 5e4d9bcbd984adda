"""One file of a table, opened once for all that is read of it: keys, rows by their number, whole row groups."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.data_file import Group, conformed, groups_of, together
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.store.location import Location

#: Values that are read at once: a file's rows of a few columns, or some thousand rows with all of them.
_BATCH_VALUES = 1 << 18


@dataclass(frozen=True)
class DataFiles:
    """Where the files of the table at ``table`` are, which has the columns of ``schema``.

    ``footers`` are the row groups of files, with what is known of ``columns``, as far as this process has read or made them.
    """

    folder: fs.FileSystem
    table: Location
    schema: pa.Schema
    columns: Sequence[str]
    footers: dict[str, list[Group]]


class TableFile:
    """The file ``name`` of a table."""

    def __init__(self, data: DataFiles, name: str) -> None:
        self._data = data
        self.name = name

    @cached_property
    def opened(self) -> pq.ParquetFile:
        """Its footer is read, which takes some milliseconds: a row group has hundreds of numbers."""
        return delta.parquet(self._data.folder, self.name, self._data.table)

    @property
    def groups(self) -> list[Group]:
        """Its row groups."""
        footers = self._data.footers
        if self.name not in footers:
            footers[self.name] = groups_of(self.opened.metadata, self._data.columns)
        return footers[self.name]

    def fitting(self, keys: Wanted) -> list[int]:
        """The numbers of rows that may have one of the keys, by the column that tells most of them apart."""
        candidates = [at for at, group in enumerate(self.groups) if keys.may_be_within(group.bounds)]
        places, rows, first = _Places([self.groups[at] for at in candidates]), [], 0
        for batch in self.batches([keys.best], candidates) if candidates else ():
            rows += places.in_file([first + row for row in keys.fitting(batch)])
            first += batch.num_rows
        return rows

    def take(self, rows: list[int], columns: Sequence[str]) -> pa.Table:
        """Columns of some rows, in the order in which they are named."""
        ordered = sorted(range(len(rows)), key=rows.__getitem__)
        numbers = [rows[at] for at in ordered]
        touched = [
            at
            for at, group in enumerate(self.groups)
            if bisect_left(numbers, group.first) < bisect_left(numbers, group.first + group.rows)
        ]
        left, tables, first = _Places([self.groups[at] for at in touched]).among_them(numbers), [], 0
        for batch in self.batches(columns, touched):
            here = bisect_left(left, first + batch.num_rows)
            tables.append(batch.take(pa.array([row - first for row in left[:here]], pa.int64())))
            first, left = first + batch.num_rows, left[here:]
        taken = together(tables, self._schema_of(columns))
        if ordered == list(range(len(rows))):
            return taken
        return taken.take(pa.array(sorted(range(len(rows)), key=ordered.__getitem__), pa.int64()))

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Columns of all rows."""
        return together(self.batches(columns), self._schema_of(columns))

    def batches(self, columns: Sequence[str], groups: Iterable[int] | None = None) -> Iterator[pa.Table]:
        """Columns of some row groups, or of all, a batch at a time; those that the file lacks are null."""
        names = set(self.opened.schema_arrow.names)
        here = [name for name in columns if name in names] or self.opened.schema_arrow.names[:1]
        some = list(range(self.opened.num_row_groups) if groups is None else groups)
        schema = self._schema_of(columns)
        rows = max(_BATCH_VALUES // len(here), 1)
        for batch in self.opened.iter_batches(rows, row_groups=some, columns=here, use_threads=False):
            yield conformed(pa.Table.from_batches([batch]), schema)

    def _schema_of(self, columns: Sequence[str]) -> pa.Schema:
        return pa.schema([self._data.schema.field(name) for name in columns])


class _Places:
    """Numbers of rows in a file, and among the rows of some of its groups, read one after the other."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = groups
        self._firsts = [group.first for group in groups]
        self._starts = [0, *accumulate(group.rows for group in groups)]

    def in_file(self, rows: list[int]) -> list[int]:
        """Of rows in ascending order."""
        return self._moved(rows, self._starts[:-1], self._firsts)

    def among_them(self, rows: list[int]) -> list[int]:
        """Of rows in ascending order."""
        return self._moved(rows, self._firsts, self._starts)

    def _moved(self, rows: list[int], before: list[int], after: list[int]) -> list[int]:
        moved, begin = [], 0
        for at, group in enumerate(self._groups):
            end = bisect_left(rows, before[at] + group.rows, begin)
            moved += [row - before[at] + after[at] for row in rows[begin:end]]
            begin = end
        return moved
