"""Tables that may be larger than memory, compared key by key: on disk, by a hash of the key, a part of them at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc

_BUCKETS = 64
#: Rows of a bucket that wait in memory; with so few, a small table never comes to the disk.
_WAITING_ROWS = 250


class Spool:
    """Rows that are read again in the order in which they came: in memory as long as they are few, then in a file."""

    def __init__(self, file: Path, schema: pa.Schema, most: int) -> None:
        self._file = file
        self._schema = schema
        self._most = most
        self._waiting: list[pa.Table] = []
        self._count = 0
        self._writer: pa.RecordBatchFileWriter | None = None
        self._closed = False

    def add(self, rows: pa.Table) -> None:
        """Takes rows of the schema."""
        if rows.num_rows:
            self._waiting.append(rows)
            self._count += rows.num_rows
        if self._count > self._most:
            if self._writer is None:
                self._writer = pa.ipc.new_file(str(self._file), self._schema)
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting, self._count = [], 0

    def read(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """All rows; none may be added afterwards."""
        names = list(columns or self._schema.names)
        if self._writer is not None:
            if not self._closed:
                self._writer.close()
                self._closed = True
            with pa.memory_map(str(self._file)) as source:
                reader = pa.ipc.open_file(source)
                for number in range(reader.num_record_batches):
                    yield pa.Table.from_batches([reader.get_batch(number)]).select(names)
        for rows in self._waiting:
            yield rows.select(names)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows at once."""
        names = list(columns or self._schema.names)
        empty = pa.schema([self._schema.field(name) for name in names]).empty_table()
        return pa.concat_tables([empty, *self.read(names)])


class Buckets:
    """Sides of a comparison. The rows of one key are in one bucket, whichever side they are of."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)
        self._folder = TemporaryDirectory(prefix="lakeflow-teams-")
        self._sides: dict[str, list[Spool]] = {}

    def __enter__(self) -> Buckets:  # noqa: PYI034 (Self needs Python 3.11)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._sides = {}
        self._folder.cleanup()

    @contextmanager
    def closed_by_error(self) -> Iterator[None]:
        """Around what fills it first."""
        try:
            yield
        except BaseException:
            self._folder.cleanup()
            raise

    def fill(self, side: str, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        """Takes the rows of one side, all of this schema."""
        self._sides[side] = [self.spool(f"{side}{number}", schema, _WAITING_ROWS) for number in range(_BUCKETS)]
        for rows in tables:
            self._add(self._sides[side], rows.select(schema.names))

    def _add(self, spools: list[Spool], rows: pa.Table) -> None:
        keys = zip(*(rows[key].to_pylist() for key in self._keys), strict=True)
        numbers = pa.array([hash(key) % _BUCKETS for key in keys], pa.int64())
        rows = rows.take(pc.sort_indices(numbers))
        first = 0
        for bucket in sorted(pc.value_counts(numbers).to_pylist(), key=lambda one: one["values"]):
            spools[bucket["values"]].add(rows.slice(first, bucket["counts"]))
            first += bucket["counts"]

    def spool(self, name: str, schema: pa.Schema, most: int) -> Spool:
        """Room for rows beside the sides."""
        return Spool(Path(self._folder.name) / name, schema, most)

    def side(self, side: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """One side, a bucket at a time."""
        return (spool.table(columns) for spool in self._sides[side])
