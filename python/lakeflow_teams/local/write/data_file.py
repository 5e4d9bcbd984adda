"""Parquet files as all of a table's are: row groups small enough to be written anew one by one, one type per column.

A row group has two thousand rows: to change a row costs its row group, everything else of the file is copied as it lies
there. Of smaller ones a file has more to say at its end, which is read wherever it is looked into.
Rows are in the order of the last text column of the key. For messages that is the id, which is the time in milliseconds, so
that the rows of the last days lie together, and so do those of any other day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from time import time
from types import TracebackType
from typing import Any, TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.local.write import times

#: Rows that are written anew where one of them changes.
ROW_GROUP_ROWS = 2_000
#: Rows of a file, some 5 MB of messages: what is copied where one of them changes.
FILE_ROWS = 16_000
_COPIED_ROWS = 4 * ROW_GROUP_ROWS

Bounds = dict[str, tuple[Any, Any]]

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Moment(int):
    """A time in microseconds since 1970, as files have it. To make a ``datetime`` of each takes most of reading a footer."""


@dataclass(frozen=True)
class Group:
    """A row group: its first row in the file, how many there are, and what is known of ``columns``.

    ``limits`` are least and greatest values, and ``bounds`` those of them that keys are held against.
    """

    first: int
    rows: int
    columns: frozenset[str]
    bounds: Bounds
    limits: Bounds
    nulls: dict[str, int]

    def with_columns(self, newer: Group) -> Group:
        """The same row group, where some columns are others."""

        def merged(mine: dict[str, _T], theirs: dict[str, _T]) -> dict[str, _T]:
            return {**{name: value for name, value in mine.items() if name not in newer.columns}, **theirs}

        bounds, limits = merged(self.bounds, newer.bounds), merged(self.limits, newer.limits)
        return replace(self, bounds=bounds, limits=limits, nulls=merged(self.nulls, newer.nulls))


def groups_in(file: _core.DataFile, schema: pa.Schema, columns: Sequence[str]) -> list[Group]:
    """The row groups of a file that has the columns of ``schema``, with what it says of some of them."""
    first, groups, names = 0, [], frozenset(columns)
    moments = [name for name in columns if pa.types.is_timestamp(schema.field(name).type)]
    for rows, limits, nulls in file.groups([*columns]):
        bounds = {name: pair for name, pair in limits.items() if name not in moments}
        limits.update({name: (_Moment(low), _Moment(high)) for name, (low, high) in limits.items() if name in moments})
        groups.append(Group(first, rows, names, bounds, limits, nulls))
        first += rows
    return groups


def groups_of(footer: pq.FileMetaData, columns: Sequence[str]) -> list[Group]:
    """The same of a footer that pyarrow has read or written."""
    first, groups = 0, []
    places = _places(footer, columns)
    names = frozenset(name for name, _ in places)
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        statistics = {name: found for name, at in places if (found := group.column(at).statistics) is not None}
        limits = {name: _limits(found) for name, found in statistics.items() if found.has_min_max}
        bounds = {
            name: pair
            for name, pair in limits.items()
            if isinstance(pair[0], (str, int)) and not isinstance(pair[0], _Moment)
        }
        nulls = {name: found.null_count for name, found in statistics.items() if found.has_null_count}
        groups.append(Group(first, group.num_rows, names, bounds, limits, nulls))
        first += group.num_rows
    return groups


def _places(footer: pq.FileMetaData, columns: Sequence[str]) -> list[tuple[str, int]]:
    if footer.num_row_groups == 0:
        return []
    group = footer.row_group(0)
    return [(path, at) for at in range(footer.num_columns) if (path := group.column(at).path_in_schema) in columns]


def _limits(found: pq.Statistics) -> tuple[Any, Any]:
    if found.converted_type == "TIMESTAMP_MICROS":  # in UTC
        return _Moment(found.min_raw), _Moment(found.max_raw)
    return found.min, found.max


def described(path: str, size: int, groups: Sequence[Group], columns: Sequence[str], *, change: bool = True) -> AddAction:
    """The file as the table's log names it. ``change`` tells whether its rows are other ones than before."""
    rows = sum(group.rows for group in groups)
    stats: dict[str, Any] = {"numRecords": rows, "minValues": {}, "maxValues": {}, "nullCount": {}}
    for name in columns:
        nulls = [group.nulls[name] for group in groups if name in group.nulls]
        if len(nulls) < len(groups):
            continue
        stats["nullCount"][name] = sum(nulls)
        valued = [group for group, absent in zip(groups, nulls, strict=True) if absent < group.rows]
        limits = [group.limits[name] for group in valued if name in group.limits]
        if valued and len(limits) == len(valued):
            stats["minValues"][name] = _logged(min(least for least, _ in limits))
            stats["maxValues"][name] = _logged(max(most for _, most in limits), timedelta(microseconds=999))
    return AddAction(path, size, {}, int(time() * 1000), change, json.dumps(stats, ensure_ascii=False))


def _logged(value: Any, least: timedelta = timedelta()) -> Any:
    """A bound as Delta's log has it: of a timestamp the milliseconds, at or beyond it."""
    moment = _EPOCH + timedelta(microseconds=value) if isinstance(value, _Moment) else value
    return times.text(moment + least) if isinstance(moment, datetime) else moment


class Writer:
    """Rows into new files of a folder, a row group at a time. ``columns`` are those that files are found by."""

    def __init__(self, folder: fs.FileSystem, schema: pa.Schema, columns: Sequence[str], *, change: bool = True) -> None:
        self._folder = folder
        self._schema = schema
        self._columns = [name for name in columns if name in schema.names]
        self._change = change
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._file: _Open | None = None
        self._done: list[AddAction] = []

    def __enter__(self) -> Writer:  # noqa: PYI034 (Self needs Python 3.11)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """What was written before an error is the table's nowhere, and is removed."""
        if kind is None:
            return
        if self._file is not None:
            self._file.abandon()
        for name in [*(file.path for file in self._done), *([self._file.name] if self._file is not None else [])]:
            with suppress(OSError):
                self._folder.delete_file(name)

    def write(self, rows: pa.Table) -> None:
        """Takes rows of the schema; whole row groups are written at once, the rest waits for more."""
        if rows.num_rows == 0:
            return
        self._waiting.append(rows)
        self._rows += rows.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            waiting = pa.concat_tables(self._waiting)
            whole = self._rows - self._rows % ROW_GROUP_ROWS
            self._waiting, self._rows = [waiting.slice(whole)], self._rows - whole
            self._groups(waiting.slice(0, whole))

    def close(self) -> list[AddAction]:
        """What was written, for the table's log."""
        if self._rows:
            self._groups(pa.concat_tables(self._waiting))
            self._waiting, self._rows = [], 0
        self._end()
        return self._done

    def _groups(self, rows: pa.Table) -> None:
        while rows.num_rows:
            if self._file is None:
                self._file = _Open(self._folder, self._schema, self._columns)
            fits = rows.slice(0, FILE_ROWS - self._file.rows)
            self._file.write(fits)
            rows = rows.slice(fits.num_rows)
            if self._file.rows >= FILE_ROWS:
                self._end()

    def _end(self) -> None:
        if self._file is not None:
            size, footer = self._file.close()
            groups = groups_of(footer, self._columns)
            self._done.append(described(self._file.name, size, groups, self._columns, change=self._change))
            self._file = None


class _Open:
    """A file that is being written."""

    def __init__(self, folder: fs.FileSystem, schema: pa.Schema, columns: Sequence[str]) -> None:
        self.name = new_name()
        self.rows = 0
        self._footers: list[pq.FileMetaData] = []
        self._sink = folder.open_output_stream(self.name)
        self._writer = parquet_writer(self._sink, schema, columns, self._footers)

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
        self.rows += rows.num_rows

    def abandon(self) -> None:
        self._writer.is_open = False  # it would close itself when it is collected, and tell what fails of that
        with suppress(OSError):
            self._sink.close()

    def close(self) -> tuple[int, pq.FileMetaData]:
        self._writer.close()
        size: int = self._sink.tell()
        self._sink.close()
        return size, self._footers[0]


def parquet_writer(sink: Any, schema: pa.Schema, columns: Sequence[str], footers: list[pq.FileMetaData]) -> pq.ParquetWriter:
    """How every file is encoded. Dictionaries cost more than they save in so small groups, but for columns that repeat."""
    return pq.ParquetWriter(
        sink,
        schema,
        compression="snappy",
        use_dictionary=[name for name in ("team_id", "channel_id", "messageType") if name in schema.names],
        write_statistics=list(columns),
        store_schema=False,
        metadata_collector=footers,
    )


def layout(schema: pa.Schema) -> pa.Buffer:
    """A file without rows: those that this program writes have its columns."""
    sink = pa.BufferOutputStream()
    parquet_writer(sink, schema, [], []).close()
    return sink.getvalue()


def new_name() -> str:
    """A name that no file of the table has."""
    return f"part-{uuid4()}.snappy.parquet"


def in_order(rows: pa.Table, keys: Sequence[str]) -> Iterator[pa.Table]:
    """The rows in the order in which files keep them, some row groups at a time: a copy of all of them is never there."""
    column = order_column(rows.schema, keys)
    if not column:
        yield rows
        return
    order = pc.sort_indices(rows[column])
    for first in range(0, len(order), _COPIED_ROWS):
        yield rows.take(order.slice(first, _COPIED_ROWS))


def order_column(schema: pa.Schema, keys: Sequence[str]) -> str:
    """The column that rows of a file are ordered by: the last text column of the key. Empty where there is no key."""
    here = [key for key in keys if key in schema.names]
    text = [key for key in here if pa.types.is_string(schema.field(key).type)]
    return next(reversed(text or here), "")


def conformed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows as a table of this schema: columns and struct fields that they lack are null."""
    if rows.schema.equals(schema):
        return rows
    columns = [
        rows.column(field.name).cast(field.type) if field.name in rows.schema.names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def together(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Tables of one schema, of which there may be none."""
    return pa.concat_tables([schema.empty_table(), *tables])
