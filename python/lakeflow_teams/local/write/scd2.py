"""SCD type 2: every version of every row, with the time from which and until which it held.

``__START_AT`` is the version's cursor, ``__END_AT`` the next version's (or the delete's), null while it holds. A
version's end is computed anew from all versions of its key, so late and repeated rows end up where they belong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.comparison import Comparison
from lakeflow_teams.local.write.data_file import conformed
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.rows import fitted, newest, require_keys
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.local.write.stored import PLACE, WANTED, Change
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
    versions = versions.append_column(_own(START, versions[cursor].type), versions[cursor])
    dead = [] if deletes is None else _pairs(deletes, keys, cursor)
    table = destination.current(stamp)
    if table is None:
        added, _, _ = _settled(versions, dead, None, keys)
        return Counts(inserts=destination.append(added, stamp))
    stored = destination.stored(
        destination.widen(table, pa.schema([*versions.schema, _own(END, versions.schema.field(START).type)]))
    )
    wanted = versions.select(keys)
    if deletes is not None:
        wanted = pa.concat_tables([wanted, deletes.select(keys)])
    found = stored.find(wanted.group_by(list(keys)).aggregate([]), keys, [*keys, START, END])
    added, closed, removed = _settled(versions, dead, found, keys)
    change = Change([fitted(added, stored.schema)], closed)
    inserts = destination.commit(stored, change, stamp, (*keys, START))
    closings = closed.num_rows if closed is not None else 0
    return Counts(inserts, closings - min(removed, closings), min(removed, closings))


def write_snapshot(
    destination: Destination,
    rows: Iterable[pa.Table],
    schema: pa.Schema,
    stamp: Stamp,
    now: str,
    *,
    may_delete: Callable[[int], None] = lambda _: None,
    gone: Callable[[pa.Table], pa.Table] = lambda missing: missing,
) -> Counts:
    """The same for a whole snapshot: what changed, came or went since the last one did so at ``now`` (ISO 8601, UTC).

    ``now`` must be later than every time that is stored: :func:`later` sees to it. ``may_delete`` and ``gone`` are as
    for snapshots without a history.
    """
    with Comparison(destination, rows, schema) as snapshot:
        table = destination.current(stamp)
        kind = destination.shape.time
        at = times.moment(now, kind)
        dated = pa.schema([*schema, _own(START, kind), _own(END, kind)], metadata=schema.metadata)
        if table is None:
            return Counts(inserts=destination.create(dated, (_from(rows, at, kind) for rows in snapshot.rows()), stamp))
        stored = destination.stored(destination.widen(table, dated))
        places = [*destination.shape.keys, START, *PLACE]
        written, ended = snapshot.spool(stored.schema), []
        inserts = updates = deletes = 0
        for part in snapshot.parts(stored, map(holding, stored.scan(stored.schema.names)), gone):
            for new in (part.new, part.now):
                written.add(conformed(_from(new, at, kind), stored.schema))
            ended += [part.before.select(places), part.gone.select(places)]
            inserts += part.new.num_rows + part.now.num_rows
            updates += part.now.num_rows
            deletes += part.gone.num_rows
        may_delete(deletes)
        counts = Counts(inserts, updates, deletes)
        if counts != Counts():
            closed = pa.concat_tables(ended)
            closed = closed.append_column(END, pa.repeat(pa.scalar(at, kind), closed.num_rows))
            destination.commit(stored, Change(written.read(), closed), stamp, (*destination.shape.keys, START))
        return counts


def later(destination: Destination, last: str | None, now: str) -> str:
    """``now``, or a millisecond after the last snapshot where the machine's clock is not past it.

    ``last`` is that snapshot's time, ``None`` where it is not known: then it is taken from the table.
    """
    if last is None and (table := destination.open()) is not None:
        scanned = destination.stored(table).scan([START, END])
        newest = (pc.max(rows[name]).as_py() for rows in scanned for name in (START, END))
        last = max((times.text(value) for value in newest if value is not None), default=None)
    if not last or now > last:
        return now
    return times.text(times.moment(last, times.TIMESTAMP) + timedelta(milliseconds=1))


def holding(rows: pa.Table) -> pa.Table:
    """The stored rows that are still current: in a history those without an end, elsewhere all."""
    return rows.filter(pc.is_null(rows[END])) if END in rows.schema.names else rows


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


def _own(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, metadata={"comment": _ABOUT[name]})


def _from(rows: pa.Table, at: Any, kind: pa.DataType) -> pa.Table:
    """Versions that hold from that time on."""
    begin = pa.repeat(pa.scalar(at, kind), rows.num_rows)
    return rows.append_column(_own(START, kind), begin).append_column(_own(END, kind), pa.nulls(rows.num_rows, kind))


def _settled(
    versions: pa.Table, dead: list[tuple[Key, Any]], found: pa.Table | None, keys: Sequence[str]
) -> tuple[pa.Table, pa.Table | None, int]:
    """Versions that are new, with their ends; stored ones with another end than before; and how many a delete ended."""
    kind = versions.schema.field(START).type
    first = times.oldest(kind)
    single = versions.select(keys).group_by(list(keys)).aggregate([]).num_rows == versions.num_rows
    if single and not dead and (found is None or found.num_rows == 0):
        return versions.append_column(_own(END, kind), pa.nulls(versions.num_rows, kind)), None, 0
    incoming = _tuples(versions, keys)
    starts = versions[START].to_pylist()
    before = [] if found is None else _tuples(found, (*keys, START, END))
    histories: dict[Key, _History] = {key: _History() for key in (*incoming, *(key for key, _ in dead))}
    for *parts, begin, end in before:
        histories[tuple(parts)].remember(begin or first, end)
    for key, at in dead:
        histories[key].deaths.add(at or first)
    for key, start in zip(incoming, starts, strict=True):
        histories[key].starts.add(start or first)
    ends = {key: history.settle() for key, history in histories.items()}
    is_new = [(start or first) not in histories[key].stored for key, start in zip(incoming, starts, strict=True)]
    closing = [ends[key][start or first] for key, start in zip(incoming, starts, strict=True)]
    added = versions.append_column(_own(END, kind), pa.array(closing, kind)).filter(pa.array(is_new, pa.bool_()))
    removed = sum(1 for key, at in dead if at in ends[key].values())
    if found is None:
        return added, None, removed
    after = pa.array([ends[tuple(parts)][begin or first] for *parts, begin, _ in before], kind)
    moved = pa.array([new != row[-1] for new, row in zip(after.to_pylist(), before, strict=True)], pa.bool_())
    closed = found.set_column(found.schema.get_field_index(END), END, after).drop_columns([WANTED]).filter(moved)
    return added, closed, removed


def _tuples(rows: pa.Table, names: Sequence[str]) -> list[Key]:
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


def _key(row: dict[str, Any], keys: Sequence[str]) -> Key:
    return tuple(row[key] for key in keys)


def _pairs(deletes: pa.Table, keys: Sequence[str], cursor: str) -> list[tuple[Key, Any]]:
    *columns, at = (deletes[name].to_pylist() for name in (*keys, cursor))
    return list(zip(zip(*columns, strict=True), at, strict=True))
