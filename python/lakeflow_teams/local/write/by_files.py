"""A table of plain files: what is looked for is found by statistics, and only files that hold what changes are rewritten."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.data_file import (
    ROW_GROUP_ROWS,
    Group,
    Writer,
    conformed,
    in_order,
    together,
)
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.local.write.recent import Recent
from lakeflow_teams.local.write.splice import Splice
from lakeflow_teams.local.write.stored import FILE, PLACE, ROW, WANTED, Change
from lakeflow_teams.local.write.table_file import DataFiles, TableFile
from lakeflow_teams.store.location import Location

#: A larger row group, as other programs write them, is not held in memory: its file is rewritten as a stream.
_MOST_GROUP_ROWS = 8 * ROW_GROUP_ROWS
#: A smaller one is put together with others when files are.
_LEAST_GROUP_ROWS = ROW_GROUP_ROWS // 2
#: Rows that may have a key, of one file or several, after which they are looked at.
_LOOKED_AT_ONCE = 2_000
#: Files whose row groups are remembered, some 15 kB each.
_MOST_FOOTERS = 1_024


@dataclass(frozen=True)
class Known:
    """What is known of the files of a table. It outlives versions, as files do."""

    recent: Recent
    footers: dict[str, list[Group]] = field(default_factory=dict)

    def keep(self, paths: set[str]) -> None:
        """The table has no other files any more."""
        for gone in self.footers.keys() - paths:
            del self.footers[gone]
        for oldest in list(self.footers)[:-_MOST_FOOTERS]:
            del self.footers[oldest]
        self.recent.keep(paths)


class ByFiles:
    """One version of a table. ``columns`` are those of it that rows are found by."""

    def __init__(self, table: DeltaTable, path: Location, keys: Sequence[str], columns: Sequence[str], known: Known) -> None:
        self._table = table
        self._version = table.version()
        self._path = path
        self._keys = keys
        self._known = known
        self.schema = delta.arrow_schema(table)
        folder, local = delta.data_folder(table), delta.local_folder(table)
        self._data = DataFiles(folder, local, path, self.schema, columns, known.footers)
        self.files = delta.files(table, columns)
        known.keep({file.path for file in self.files})

    def find(self, wanted: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """See :class:`Stored`. One column is read where statistics allow keys to be, others where it has a value of one."""
        places = [(FILE, pa.int32()), (ROW, pa.int64()), (WANTED, pa.int64())]
        tables = []
        if wanted.num_rows:
            keys = Wanted(wanted, on)
            for fits in _some_at_once(self._fits(wanted, keys, list(dict.fromkeys([*columns, *on])))):
                found, indices = keys.among(fits)
                some = fits.select([*columns, *PLACE]).take(pa.array(found, pa.int64()))
                tables.append(some.append_column(WANTED, pa.array(indices, pa.int64())))
        return together(tables, pa.schema([*(self.schema.field(name) for name in columns), *places]))

    def _fits(self, wanted: pa.Table, keys: Wanted, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows of each file that may have one of the keys, with their place."""
        numbers = [number for number, file in enumerate(self.files) if keys.overlap(file.bounds)]
        known = self._known.recent.among([self.files[number].path for number in numbers], wanted, keys.on)
        for number in numbers:
            file = self._file(number)
            rows = self._fitting(number, file, wanted, keys, known.get(self.files[number].path))
            if rows:
                yield _placed(file.take(rows, columns), number, rows)

    def more(self, found: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:  # noqa: ARG002
        """See :class:`Stored`."""
        files: dict[int, list[int]] = {}
        for at, number in enumerate(found[FILE].to_pylist()):
            files.setdefault(number, []).append(at)
        rows = found[ROW].to_pylist()
        tables = [self._file(number).take([rows[at] for at in members], columns) for number, members in files.items()]
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
            for batch in self._file(number).batches(needed):
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
        with Writer(self._data.folder, self.schema, self._data.columns) as writer:
            for rows in inserts:
                inserted += rows.num_rows
                for some in in_order(conformed(rows, self.schema), self._keys):
                    writer.write(some)
            added = writer.close()
        if isinstance(inserts, Sequence) and inserted and self._keys:
            keys = pa.concat_tables(some.select(self._keys) for some in inserts)
            self._known.recent.note([file.path for file in added], keys)
        return added, inserted

    def compacted(self, numbers: Sequence[int]) -> list[AddAction]:
        """New files with the rows of these ones. Row groups that are large enough are copied as they lie there."""
        fresh: list[pa.Table] = []
        with Splice(self._data, change=False) as splice:
            for number in numbers:
                file = self._file(number)
                copied = _copies(file)
                for at, group in enumerate(file.groups):
                    if copied and group.rows >= _LEAST_GROUP_ROWS:
                        splice.copy(file.name, at, group)
                    else:
                        fresh += file.batches(self.schema.names, [at])
            for rows in in_order(together(fresh, self.schema), self._keys):
                splice.write(rows)
            added = splice.close()
        # What was known of these files may be known of all that were written with them, and would grow from one to the next.
        for made in added if self._keys else ():
            self._known.recent.note([made.path], TableFile(self._data, made.path).read(self._keys))
        return added

    def _file(self, number: int) -> TableFile:
        return TableFile(self._data, self.files[number].path)

    def _fitting(self, number: int, file: TableFile, wanted: pa.Table, keys: Wanted, few: list[int] | None) -> list[int]:
        """Rows of a file that may have one of the keys. ``few`` are those keys it may hold, where that is known."""
        if few is None:
            return file.fitting(keys) if keys.may_be_within(self.files[number].bounds) else []
        return file.fitting(Wanted(wanted.take(few), keys.on)) if few else []

    def _rewritten(self, number: int, edits: _Edits) -> list[AddAction]:
        """New files with the rows of one, some of them changed or left out."""
        file = self._file(number)
        if _copies(file):
            return self._spliced(file, edits)
        first = 0
        with Writer(self._data.folder, self.schema, self._data.columns) as writer:
            for batch in file.batches(self.schema.names):
                writer.write(edits.applied(batch, first))
                first += batch.num_rows
            return writer.close()

    def _spliced(self, file: TableFile, edits: _Edits) -> list[AddAction]:
        with Splice(self._data, change=True) as splice:
            for at, group in enumerate(file.groups):
                if not edits.touch(group.first, group.rows):
                    splice.copy(file.name, at, group)
                    continue
                if group.rows <= ROW_GROUP_ROWS and not edits.leave_out(group.first, group.rows):
                    others = edits.others(file, group, self.schema.names)
                    over = edits.applied(file.group(at, others), group.first) if others else None
                    splice.copy(file.name, at, group, over)
                else:
                    splice.write(edits.applied(file.group(at, self.schema.names), group.first))
            return splice.close()


def _copies(file: TableFile) -> bool:
    """Whether row groups of the file can stand beside new ones. Those of other programs may be too large."""
    return file.is_ours and all(group.rows <= _MOST_GROUP_ROWS for group in file.groups)


class _Edits:
    """What becomes of rows of a file: by their number, the number of an update, or ``None`` to leave the row out."""

    def __init__(self, edits: dict[int, int | None], updates: pa.Table | None) -> None:
        self._edits = edits
        self._rows = sorted(edits)
        self._updates = updates

    def touch(self, first: int, rows: int) -> bool:
        """Whether anything becomes of the rows from ``first`` on."""
        return bool(self._between(first, rows))

    def leave_out(self, first: int, rows: int) -> bool:
        """Whether there are fewer rows afterwards."""
        return any(self._edits[row] is None for row in self._between(first, rows))

    def others(self, file: TableFile, group: Group, columns: Sequence[str]) -> list[str]:
        """Those of the columns in which rows of a row group say something else from now on."""
        if self._updates is None:
            return []
        rows = self._between(group.first, group.rows)
        stored = file.take(rows, [name for name in columns if name in self._updates.schema.names])
        pairs = list(enumerate(self._edits[row] for row in rows))
        found = ((name, self._updates[name], stored[name]) for name in stored.schema.names)
        return [name for name, new, old in found if any(new.slice(at, 1) != old.slice(row, 1) for row, at in pairs)]

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
        named = self._updates.select([name for name in stored.schema.names if name in self._updates.schema.names])
        new = named.take(pa.array([self._edits[row] for row in changed], pa.int64()))
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


def _some_at_once(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of small tables together, as long as they are few: to look at each by itself takes a millisecond."""
    waiting: list[pa.Table] = []
    count = 0
    for rows in tables:
        waiting.append(rows)
        count += rows.num_rows
        if count >= _LOOKED_AT_ONCE:
            yield pa.concat_tables(waiting)
            waiting, count = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def _placed(rows: pa.Table, number: int, places: Iterable[int]) -> pa.Table:
    file = pa.repeat(pa.scalar(number, pa.int32()), rows.num_rows)
    return rows.append_column(FILE, file).append_column(ROW, pa.array(places, pa.int64()))
