"""A table of plain files: what is looked for is found by statistics, and only files that hold what changes are rewritten."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.data_file import (
    ROW_GROUP_ROWS,
    Group,
    Writer,
    conformed,
    groups_of,
    in_order,
    parquet_writer,
    together,
)
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.local.write.recent import Recent
from lakeflow_teams.local.write.splice import Part, Splice, row_groups
from lakeflow_teams.local.write.stored import FILE, ROW, WANTED, Change
from lakeflow_teams.store.location import Location

#: A larger row group, as other programs write them, is not held in memory: its file is rewritten as a stream.
_MOST_GROUP_ROWS = 8 * ROW_GROUP_ROWS
#: A smaller one is put together with others when files are.
_LEAST_GROUP_ROWS = ROW_GROUP_ROWS // 2
_BATCH_ROWS = 8_192


@dataclass(frozen=True)
class Known:
    """What is known of the files of a table. It outlives versions, as files do."""

    recent: Recent
    footers: dict[str, list[Group]] = field(default_factory=dict)

    def keep(self, paths: set[str]) -> None:
        """The table has no other files any more."""
        for gone in self.footers.keys() - paths:
            del self.footers[gone]
        self.recent.keep(paths)


class ByFiles:
    """One version of a table. ``columns`` are those that rows are found by."""

    def __init__(self, table: DeltaTable, path: Location, keys: Sequence[str], columns: Sequence[str], known: Known) -> None:
        self._table = table
        self._version = table.version()
        self._path = path
        self._keys = keys
        self._columns = [*columns]
        self._known = known
        self._folder = delta.data_folder(table)
        self.schema = delta.arrow_schema(table)
        self.files = delta.files(table, columns)
        known.keep({file.path for file in self.files})

    def find(self, wanted: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """See :class:`Stored`. Keys are read where statistics allow them to be, other columns where a key was found."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        places = {WANTED: pa.int64(), FILE: pa.int32(), ROW: pa.int64()}
        tables = []
        if wanted.num_rows:
            keys = Wanted(wanted, on)
            numbers = [number for number, file in enumerate(self.files) if keys.overlap(file.bounds)]
            known = self._known.recent.among([self.files[number].path for number in numbers], wanted, on)
            for number in numbers:
                rows, indices = self._matches_of_few(number, wanted, keys, known.get(self.files[number].path))
                if rows:
                    found = self._take(number, rows, columns)
                    tables.append(_placed(found, number, rows).append_column(WANTED, pa.array(indices, pa.int64())))
        return together(tables, pa.schema([*schema, (FILE, places[FILE]), (ROW, places[ROW]), (WANTED, places[WANTED])]))

    def more(self, found: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:  # noqa: ARG002
        """See :class:`Stored`."""
        files: dict[int, list[int]] = {}
        for at, number in enumerate(found[FILE].to_pylist()):
            files.setdefault(number, []).append(at)
        rows = found[ROW].to_pylist()
        tables = [self._take(number, [rows[at] for at in members], columns) for number, members in files.items()]
        order = [at for members in files.values() for at in members]
        taken = together(tables, pa.schema([self.schema.field(name) for name in columns]))
        if order == list(range(len(order))):
            return taken
        return taken.take(pa.array(sorted(range(len(order)), key=order.__getitem__), pa.int64()))

    def scan(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """See :class:`Stored`."""
        needed = list(dict.fromkeys(columns))
        for number in range(len(self.files)):
            first = 0
            for batch in self._batches(number, needed):
                yield _placed(batch, number, range(first, first + batch.num_rows))
                first += batch.num_rows

    def commit(self, change: Change, identity: Sequence[str], properties: CommitProperties | None) -> int:  # noqa: ARG002
        """See :class:`Stored`. What was found is where it was found; another commit since then makes this one fail."""
        if self._table.version() != self._version:
            raise delta.OvertakenError(f"{self._path}: version {self._version} is not the newest any more")
        added, inserted = self._appended(change.inserts)
        actions: list[AddAction | RemoveAction] = [*added]
        for number, edits in _edits(change):
            rewritten = self._rewritten(number, edits)
            self._known.recent.follow([self.files[number].path], [file.path for file in rewritten])
            actions += [*rewritten, delta.removal(self.files[number].path)]
        delta.commit(self._table, self._path, actions, properties)
        return inserted

    def _appended(self, inserts: Iterable[pa.Table]) -> tuple[list[AddAction], int]:
        """New files, and how many rows they have. Of a stream, as snapshots come, nothing is kept in memory."""
        inserted = 0
        with Writer(self._folder, self.schema, self._columns) as writer:
            for rows in inserts:
                some = in_order(conformed(rows, self.schema), self._keys)
                writer.write(some)
                inserted += some.num_rows
            added = writer.close()
        if isinstance(inserts, Sequence) and inserted and self._keys:
            keys = pa.concat_tables(some.select(self._keys) for some in inserts)
            self._known.recent.note([file.path for file in added], keys)
        return added, inserted

    def compacted(self, numbers: Sequence[int]) -> list[AddAction]:
        """New files with the rows of these ones. Row groups that are large enough are copied as they lie there."""
        parts: list[Part] = []
        fresh: list[pa.Table] = []
        for number in numbers:
            opened = self.open(number)
            copied = self._copies(opened)
            for at, group in enumerate(self.groups(number, opened)):
                if copied and group.rows >= _LEAST_GROUP_ROWS:
                    parts.append((self.files[number].path, at, group.rows))
                else:
                    fresh += (conformed(batch, self.schema) for batch in _of(opened, [at], self.schema.names))
        fresh = list(row_groups(in_order(together(fresh, self.schema), self._keys)))
        parts += ((None, at, rows.num_rows) for at, rows in enumerate(fresh))
        added = self._splice.write(parts, fresh, change=False)
        self._known.recent.follow([self.files[number].path for number in numbers], [file.path for file in added])
        return added

    def open(self, number: int) -> pq.ParquetFile:
        """One of the files."""
        return delta.parquet(self._folder, self.files[number].path, self._path)

    def groups(self, number: int, opened: pq.ParquetFile | None = None) -> list[Group]:
        """Its row groups, which are read once."""
        path = self.files[number].path
        if path not in self._known.footers:
            self._known.footers[path] = groups_of((opened or self.open(number)).metadata, self._columns)
        return self._known.footers[path]

    def _matches_of_few(
        self, number: int, wanted: pa.Table, keys: Wanted, few: list[int] | None
    ) -> tuple[list[int], list[int]]:
        """The same as :meth:`_matches`, where ``few`` tells which of the keys the file may hold, if it is known."""
        if few is None:
            return self._matches(number, keys) if keys.may_be_within(self.files[number].bounds) else ([], [])
        if not few:
            return [], []
        rows, indices = self._matches(number, Wanted(wanted.take(few), keys.on))
        return rows, [few[index] for index in indices]

    def _matches(self, number: int, keys: Wanted) -> tuple[list[int], list[int]]:
        """Rows of a file that have one of the keys, and which one."""
        opened: pq.ParquetFile | None = None
        if self.files[number].path not in self._known.footers:
            opened = self.open(number)
        candidates = [at for at, group in enumerate(self.groups(number, opened)) if keys.may_be_within(group.bounds)]
        if not candidates:
            return [], []
        opened = opened or self.open(number)
        schema = pa.schema([self.schema.field(name) for name in keys.on])
        places = _Places([self.groups(number)[at] for at in candidates])
        found, wanted, first = [], [], 0
        for batch in _of(opened, candidates, keys.on):
            rows, indices = keys.among(conformed(batch, schema))
            found += places.in_file([first + row for row in rows])
            wanted += indices
            first += batch.num_rows
        return found, wanted

    def _take(self, number: int, rows: list[int], columns: Sequence[str]) -> pa.Table:
        """Columns of some rows of a file, in the order in which they are named."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        opened = self.open(number)
        groups = self.groups(number, opened)
        ordered = sorted(range(len(rows)), key=rows.__getitem__)
        numbers = [rows[at] for at in ordered]
        touched = [
            at
            for at, group in enumerate(groups)
            if bisect_left(numbers, group.first) < bisect_left(numbers, group.first + group.rows)
        ]
        left, tables, first = _Places([groups[at] for at in touched]).among_them(numbers), [], 0
        for batch in _of(opened, touched, columns):
            here = bisect_left(left, first + batch.num_rows)
            tables.append(conformed(batch, schema).take(pa.array([row - first for row in left[:here]], pa.int64())))
            first, left = first + batch.num_rows, left[here:]
        taken = together(tables, schema)
        if ordered == list(range(len(rows))):
            return taken
        return taken.take(pa.array(sorted(range(len(rows)), key=ordered.__getitem__), pa.int64()))

    def _batches(self, number: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        schema = pa.schema([self.schema.field(name) for name in columns])
        opened = self.open(number)
        for batch in _of(opened, range(opened.num_row_groups), columns):
            yield conformed(batch, schema)

    def _rewritten(self, number: int, edits: _Edits) -> list[AddAction]:
        """New files with the rows of one, some of them changed or left out."""
        opened = self.open(number)
        if self._copies(opened):
            return self._spliced(number, opened, edits)
        first = 0
        with Writer(self._folder, self.schema, self._columns) as writer:
            for batch in self._batches(number, self.schema.names):
                writer.write(edits.applied(batch, first))
                first += batch.num_rows
            return writer.close()

    def _copies(self, opened: pq.ParquetFile) -> bool:
        """Whether row groups of the file can stand beside new ones. Those of other programs may be too large."""
        groups = (opened.metadata.row_group(number) for number in range(opened.num_row_groups))
        return opened.schema.equals(self._parquet_schema) and all(group.num_rows <= _MOST_GROUP_ROWS for group in groups)

    def _spliced(self, number: int, opened: pq.ParquetFile, edits: _Edits) -> list[AddAction]:
        path = self.files[number].path
        parts: list[Part] = []

        def fresh() -> Iterator[pa.Table]:
            written = 0
            for at, group in enumerate(self.groups(number, opened)):
                if not edits.touch(group.first, group.rows):
                    parts.append((path, at, group.rows))
                    continue
                stored = conformed(opened.read_row_group(at, use_threads=False), self.schema)
                for rows in row_groups(edits.applied(stored, group.first)):
                    parts.append((None, written, rows.num_rows))
                    written += 1
                    yield rows

        return self._splice.write(parts, fresh(), change=True)

    @cached_property
    def _splice(self) -> Splice:
        return Splice(self._folder, delta.local_folder(self._table), self.schema, self._columns)

    @cached_property
    def _parquet_schema(self) -> pq.ParquetSchema:
        sink = pa.BufferOutputStream()
        parquet_writer(sink, self.schema, [], []).close()
        return pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema


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


class _Edits:
    """What becomes of rows of a file: by their number, the number of an update, or ``None`` to leave the row out."""

    def __init__(self, edits: dict[int, int | None], updates: pa.Table | None) -> None:
        self._edits = edits
        self._rows = sorted(edits)
        self._updates = updates

    def touch(self, first: int, rows: int) -> bool:
        """Whether anything becomes of the rows from ``first`` on."""
        return bool(self._between(first, rows))

    def applied(self, stored: pa.Table, first: int) -> pa.Table:
        """Rows of a file from the one with the number ``first`` on, as they are from now on."""
        here = self._between(first, stored.num_rows)
        if not here:
            return stored
        new = self._new(stored, [row for row in here if self._edits[row] is not None], first)
        pieces, done, used = [], 0, 0
        for row in here:
            pieces.append(stored.slice(done, row - first - done))
            done = row - first + 1
            if self._edits[row] is not None:
                pieces.append(new.slice(used, 1))
                used += 1
        return pa.concat_tables([*pieces, stored.slice(done)])

    def _between(self, first: int, rows: int) -> list[int]:
        return self._rows[bisect_left(self._rows, first) : bisect_left(self._rows, first + rows)]

    def _new(self, stored: pa.Table, changed: list[int], first: int) -> pa.Table:
        if self._updates is None or not changed:
            return stored.slice(0, 0)
        old = pa.array([row - first for row in changed], pa.int64())
        new = self._updates.take(pa.array([self._edits[row] for row in changed], pa.int64()))
        columns = [
            new[field.name] if field.name in new.schema.names else stored[field.name].take(old) for field in stored.schema
        ]
        return pa.table(columns, schema=stored.schema)


def _edits(change: Change) -> Iterator[tuple[int, _Edits]]:
    """By the number of the file."""
    files: dict[int, dict[int, int | None]] = {}
    for rows, updated in ((change.removes, False), (change.updates, True)):
        if rows is not None:
            for at, (file, row) in enumerate(zip(rows[FILE].to_pylist(), rows[ROW].to_pylist(), strict=True)):
                files.setdefault(file, {})[row] = at if updated else None
    updates = change.updates.combine_chunks() if change.updates is not None else None
    for number in sorted(files):
        yield number, _Edits(files[number], updates)


def _of(opened: pq.ParquetFile, groups: Iterable[int], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Batches of some row groups, of the columns that the file has."""
    names = set(opened.schema_arrow.names)
    here = [name for name in columns if name in names] or opened.schema_arrow.names[:1]
    for batch in opened.iter_batches(_BATCH_ROWS, row_groups=list(groups), columns=here, use_threads=False):
        yield pa.Table.from_batches([batch])


def _placed(rows: pa.Table, number: int, places: Iterable[int]) -> pa.Table:
    file = pa.repeat(pa.scalar(number, pa.int32()), rows.num_rows)
    return rows.append_column(FILE, file).append_column(ROW, pa.array(places, pa.int64()))
