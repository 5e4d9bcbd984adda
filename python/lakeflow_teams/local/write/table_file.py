"""One file of a table, opened once for all that is read of it: keys, rows by their number, whole row groups.

There are two ways to do it. What this program wrote to a folder of this machine is read by the core, which steps over rows
that are not asked for. Everything else is left to pyarrow: files of other programs, and those in a store, of which it asks
for parts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.data_file import Group, conformed, groups_in, groups_of, layout, together
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.store.location import Location

#: Values that are read at once: a file's rows of a few columns, or some thousand rows with all of them.
_BATCH_VALUES = 1 << 18


@dataclass(frozen=True)
class DataFiles:
    """Where the files of the table at ``table`` are, which has the columns of ``schema``.

    ``local`` is their folder as a path of this machine, ``None`` where they lie in a store. ``footers`` are the row groups
    of files, with what is known of ``columns``, as far as this process has read or made them.
    """

    folder: fs.FileSystem
    local: Path | None
    table: Location
    schema: pa.Schema
    columns: Sequence[str]
    footers: dict[str, list[Group]]

    @cached_property
    def ours(self) -> _core.FileLayout:
        """The columns of files that this program writes, for the core."""
        return _core.FileLayout(self._sample.to_pybytes())

    @cached_property
    def schema_of_ours(self) -> pq.ParquetSchema:
        """The same for pyarrow."""
        return pq.ParquetFile(pa.BufferReader(self._sample)).schema

    @cached_property
    def _sample(self) -> pa.Buffer:
        return layout(self.schema)


class TableFile:
    """The file ``name`` of a table."""

    def __init__(self, data: DataFiles, name: str) -> None:
        self._data = data
        self.name = name

    @cached_property
    def _by_core(self) -> _core.DataFile | None:
        """``None`` where it is left to pyarrow."""
        if self._data.local is None:
            return None
        with delta.opening(self.name, self._data.table):
            return self._data.ours.open(str(self._data.local / self.name))

    @cached_property
    def _by_pyarrow(self) -> pq.ParquetFile:
        """To open it takes milliseconds: a footer has hundreds of numbers for each row group."""
        with delta.opening(self.name, self._data.table):
            return delta.parquet(self._data.folder, self.name)

    @property
    def is_ours(self) -> bool:
        """Whether it is encoded as this program does, so that row groups can be written beside its own."""
        return self._by_core is not None or self._by_pyarrow.schema.equals(self._data.schema_of_ours)

    @property
    def groups(self) -> list[Group]:
        """Its row groups."""
        footers = self._data.footers
        if self.name not in footers:
            footers[self.name] = (
                groups_in(self._by_core, self._data.schema, self._data.columns)
                if self._by_core is not None
                else groups_of(self._by_pyarrow.metadata, self._data.columns)
            )
        return footers[self.name]

    def fitting(self, keys: Wanted) -> list[int]:
        """The numbers of rows that may have one of the keys, by the column that tells most of them apart."""
        candidates = [at for at, group in enumerate(self.groups) if keys.may_be_within(group.bounds)]
        if self._by_core is not None and keys.hashes is not None:
            with delta.opening(self.name, self._data.table):
                return self._by_core.fitting(keys.best, candidates, keys.hashes) if candidates else []
        places, rows, first = _Places([self.groups[at] for at in candidates]), [], 0
        for batch in self.batches([keys.best], candidates) if candidates else ():
            rows += places.in_file([first + row for row in keys.fitting(batch)])
            first += batch.num_rows
        return rows

    def take(self, rows: list[int], columns: Sequence[str]) -> pa.Table:
        """Columns of some rows, in the order in which they are named."""
        numbers = sorted(set(rows))
        taken = self._taken(numbers, columns)
        if numbers == rows:
            return taken
        places = {number: at for at, number in enumerate(numbers)}
        return taken.take(pa.array([places[number] for number in rows], pa.int64()))

    def _taken(self, numbers: list[int], columns: Sequence[str]) -> pa.Table:
        if self._by_core is not None:
            with delta.opening(self.name, self._data.table):
                return self._conformed(self._by_core.take([*columns], numbers), columns)
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
        return together(tables, self._schema_of(columns))

    def group(self, number: int, columns: Sequence[str]) -> pa.Table:
        """Columns of a row group, which may be held in memory."""
        if self._by_core is not None:
            with delta.opening(self.name, self._data.table):
                return self._conformed(self._by_core.read([*columns], [number]), columns)
        return together(self.batches(columns, [number]), self._schema_of(columns))

    def _conformed(self, rows: object, columns: Sequence[str]) -> pa.Table:
        return conformed(pa.table(rows).select(columns), self._schema_of(columns))

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Columns of all rows."""
        return together(self.batches(columns), self._schema_of(columns))

    def batches(self, columns: Sequence[str], groups: Iterable[int] | None = None) -> Iterator[pa.Table]:
        """Columns of some row groups, or of all, a batch at a time; those that the file lacks are null."""
        names = set(self._by_pyarrow.schema_arrow.names)
        here = [name for name in columns if name in names] or self._by_pyarrow.schema_arrow.names[:1]
        some = list(range(self._by_pyarrow.num_row_groups) if groups is None else groups)
        schema = self._schema_of(columns)
        rows = max(_BATCH_VALUES // len(here), 1)
        for batch in self._by_pyarrow.iter_batches(rows, row_groups=some, columns=here, use_threads=False):
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
