"""SCD type 2: every version of every row, with the time from which and until which it held.

``__START_AT`` is the version's cursor, ``__END_AT`` the next version's (or the delete's), null while it holds. A
version's end is computed anew from all versions of its key, so late and repeated rows end up where they belong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakeflow_teams.local.write import sql, times
from lakeflow_teams.local.write.delta import arrow_schema, read
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.rows import fitted, matching, newest, require_keys
from lakeflow_teams.local.write.snapshot import unique
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts

START = "__START_AT"
END = "__END_AT"

_ABOUT = {START: "From when on this version of the row held.", END: "Until when it held; null while it does."}

Key = tuple[Any, ...]


@dataclass
class _History:
    """What is known of one key. Times are text or timestamps, and instead of a null cursor the oldest of all."""

    stored: dict[Any, Any] = field(default_factory=dict)
    starts: set[Any] = field(default_factory=set)
    deaths: set[Any] = field(default_factory=set)

    def remember(self, start: Any, end: Any) -> None:
        self.stored[start] = end
        self.starts.add(start)

    def settle(self) -> dict[Any, Any]:
        """The end of every version. A stored end that starts no other version was a delete, and stays one."""
        for start, end in self.stored.items():
            if end is not None and (end == start or end not in self.stored):
                self.deaths.add(end)
        ordered = sorted(self.starts)
        following: list[Any] = [*ordered[1:], None] if ordered else []
        return {start: self._end(start, after) for start, after in zip(ordered, following, strict=True)}

    def _end(self, start: Any, following: Any) -> Any:
        ends = [death for death in self.deaths if death >= start]
        if following is not None:
            ends.append(following)
        return min(ends, default=None)


def write(destination: Destination, rows: pa.Table, deletes: pa.Table | None, stamp: Stamp) -> Counts:
    """Adds new versions and closes old ones, in one commit. A row whose key and cursor are stored is no new version."""
    keys, cursor = destination.shape.keys, destination.shape.sequence
    require_keys(rows, keys, destination.name, destination.shape.own)
    versions = newest(rows, (*keys, cursor), None)
    gone = _pairs(deletes, keys, cursor) if deletes is not None else []
    return _apply(destination, versions, versions[cursor].to_pylist(), gone, stamp, always=True)


def write_snapshot(destination: Destination, rows: pa.Table, stamp: Stamp, now: str) -> Counts:
    """The same for a whole snapshot: what changed, came or went since the last one did so at ``now`` (ISO 8601, UTC).

    ``now`` must be later than every time that is stored: :func:`later` sees to it.
    """
    unique(destination, rows)
    keys = destination.shape.keys
    table = destination.current(stamp)
    before: dict[Key, dict[str, Any]] = {}
    if table is not None:
        rows = fitted(rows, arrow_schema(table))
        before = {_key(row, keys): row for row in read(table, filter=holding(table)).to_pylist()}
    incoming = rows.to_pylist()
    changed = [index for index, row in enumerate(incoming) if _changed(before.get(_key(row, keys)), row)]
    present = {_key(row, keys) for row in incoming}
    at = times.moment(now, destination.shape.time)
    gone = [(key, at) for key in before if key not in present]
    if table is not None and not changed and not gone:
        return Counts()
    versions = rows.take(pa.array(changed, pa.int64()))
    return _apply(destination, versions, [at] * len(changed), gone, stamp, always=False)


def later(destination: Destination, last: str | None, now: str) -> str:
    """``now``, or a millisecond after the last snapshot where the machine's clock is not past it.

    ``last`` is that snapshot's time, ``None`` where it is not known: then it is taken from the table.
    """
    if last is None and (table := destination.open()) is not None:
        stored = read(table, [START, END])
        newest = (pc.max(stored[name]).as_py() for name in (START, END))
        last = max((times.text(value) for value in newest if value is not None), default=None)
    if not last or now > last:
        return now
    return times.text(times.moment(last, times.TIMESTAMP) + timedelta(milliseconds=1))


def resettled(stored: pa.Table, shape: Shape) -> pa.Table:
    """All versions of some keys, each once and ended by the next one.

    Of a snapshot's versions that both hold and say the same, which two first readings leave, the earlier one stays.
    """
    versions: dict[Key, list[dict[str, Any]]] = {}
    for row in newest(stored, (*shape.keys, START), END).to_pylist():
        versions.setdefault(_key(row, shape.keys), []).append(row)
    kept: list[dict[str, Any]] = []
    first = times.oldest(stored.schema.field(START).type)
    for rows in versions.values():
        rows.sort(key=lambda row: row[START] or first)
        if shape.cursor is None:
            rows[:] = [row for at, row in enumerate(rows) if at == 0 or not _holds_the_same(rows[at - 1], row)]
        history = _History()
        for row in rows:
            history.remember(row[START] or first, row[END])
        ends = history.settle()
        kept += ({**row, END: ends[row[START] or first]} for row in rows)
    return pa.Table.from_pylist(kept, stored.schema)


def _holds_the_same(before: dict[str, Any], row: dict[str, Any]) -> bool:
    return before[END] is None and row[END] is None and {**before, START: None} == {**row, START: None}


def holding(table: DeltaTable) -> pc.Expression:
    """Which stored rows are still current: in a history those without an end, elsewhere all."""
    return pc.field(END).is_null() if END in arrow_schema(table).names else pc.scalar(True)


def _apply(
    destination: Destination,
    rows: pa.Table,
    starts: list[Any],
    gone: Iterable[tuple[Key, Any]],
    stamp: Stamp,
    *,
    always: bool,
) -> Counts:
    keys, kind = destination.shape.keys, destination.shape.time
    first = times.oldest(kind)
    table = destination.current(stamp)
    incoming = list(zip(*(rows[key].to_pylist() for key in keys), strict=True))
    deaths = list(gone)
    histories: dict[Key, _History] = {key: _History() for key in (*incoming, *(key for key, _ in deaths))}
    if table is not None and histories:
        for *parts, begin, end in _stored(table, keys, histories, rows.schema):
            histories[tuple(parts)].remember(begin or first, end)
    for key, at in deaths:
        histories[key].deaths.add(at or first)
    for key, start in zip(incoming, starts, strict=True):
        histories[key].starts.add(start or first)

    ends = {key: history.settle() for key, history in histories.items()}
    is_new = [(start or first) not in histories[key].stored for key, start in zip(incoming, starts, strict=True)]
    closing = [ends[key][start or first] for key, start in zip(incoming, starts, strict=True)]
    added = rows.append_column(_own(START, kind), pa.array(starts, kind)).append_column(
        _own(END, kind), pa.array(closing, kind)
    )
    added = added.filter(pa.array(is_new, pa.bool_()))
    closed = [
        (*key, None if start == first else start, ends[key][start])
        for key, history in histories.items()
        for start, end in history.stored.items()
        if ends[key][start] != end
    ]
    removed = sum(1 for key, at in deaths if at in ends[key].values())
    if table is None or not closed:
        if not (always or table is None or added.num_rows):
            return Counts()
        return destination.append(added, stamp, table)
    source = pa.concat_tables([added, _closing(closed, added.schema, keys)], promote_options="default")
    table = destination.widen(table, source.schema)
    predicate = f"{sql.same(keys)} AND {sql.same_or_null(START)}"
    merger = (
        destination.merge(table, source, predicate, stamp)
        .when_matched_update(sql.assignments([END]))
        .when_not_matched_insert(sql.assignments(source.schema.names))
    )
    counts = destination.finish(merger, table, added, stamp)
    removed = min(removed, counts.updates)
    return Counts(counts.inserts, counts.updates - removed, removed)


def _own(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, metadata={"comment": _ABOUT[name]})


def _closing(closed: list[tuple[Any, ...]], schema: pa.Schema, keys: Sequence[str]) -> pa.Table:
    narrow = pa.schema([*(schema.field(key) for key in keys), schema.field(START), schema.field(END)])
    columns = list(zip(*closed, strict=True))
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, narrow.types, strict=True)], schema=narrow)


def _stored(
    table: DeltaTable, keys: Sequence[str], histories: Iterable[Key], schema: pa.Schema
) -> Iterable[tuple[Any, ...]]:
    """Key, start and end of every stored version of these keys."""
    columns = list(zip(*histories, strict=True))
    wanted = pa.table({key: pa.array(column, schema.field(key).type) for key, column in zip(keys, columns, strict=True)})
    narrow = read(table, [*keys, START, END])
    found = matching(narrow, wanted, keys).select([*keys, START, END])
    return zip(*(column.to_pylist() for column in found.columns), strict=True)


def _changed(before: dict[str, Any] | None, row: dict[str, Any]) -> bool:
    return before is None or any(before.get(name) != value for name, value in row.items())


def _key(row: dict[str, Any], keys: Sequence[str]) -> Key:
    return tuple(row[key] for key in keys)


def _pairs(deletes: pa.Table, keys: Sequence[str], cursor: str) -> list[tuple[Key, Any]]:
    *columns, at = (deletes[name].to_pylist() for name in (*keys, cursor))
    return list(zip(zip(*columns, strict=True), at, strict=True))
