"""SCD type 1: each key once, in its newest version."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.equality import differing
from lakeflow_teams.local.write.rows import fitted, newest, require_keys, unmatched
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.local.write.stored import PLACE, WANTED, Change, Stored, chosen, placed
from lakeflow_teams.results.summary import Counts

_GONE = "__gone"
#: Graph gives each version of a message another one, also where its cursor stays.
_VERSION = "etag"
#: When a message was deleted. What is older than that does not bring it back.
_DELETED = "deletedDateTime"
_MODIFIED = "lastModifiedDateTime"


def write(destination: Destination, rows: pa.Table, deletes: pa.Table | None, stamp: Stamp) -> Counts:
    """Merges one micro-batch in one commit.

    A row replaces the stored one unless its cursor is older; an equal row changes nothing. A delete (key and cursor) removes
    rows that are not newer than it; at an equal cursor the delete wins. A message that is stored as deleted comes back by
    what was modified after that: Graph shows deleted messages as they were for hours.
    """
    keys, cursor = destination.shape.keys, destination.shape.sequence
    require_keys(rows, keys, destination.name, destination.shape.own)
    source = newest(_with_deletes(rows, deletes), keys, cursor)
    table = destination.current(stamp)
    if table is None:
        return Counts(inserts=destination.append(_kept(source), stamp))
    table = destination.widen(table, rows.schema)
    stored = destination.stored(table)
    source = fitted(source, stored.schema)
    further = [name for name in (_VERSION, _DELETED) if name in stored.schema.names and name in source.schema.names]
    found = stored.find(source, keys, list(dict.fromkeys([*keys, cursor, *further])))
    gone = source[_GONE].take(found[WANTED])
    order = _order(source[cursor].take(found[WANTED]), found[cursor])
    if cursor == _MODIFIED and _DELETED in further:
        order = pc.if_else(gone, order, _order_of_deletes(source.take(found[WANTED]), found, order))
    removes = chosen(found, pc.and_(gone, pc.greater_equal(order, 0)))
    kept = pc.invert(gone)
    same = chosen(found, pc.and_(kept, pc.equal(order, 0)))
    places = [
        chosen(found, pc.and_(kept, pc.greater(order, 0))),
        _changed(stored, source, _doubtful(source, same, stamp), rows.schema.names, keys),
    ]
    updates = placed(source.select(rows.schema.names), pa.concat_tables(one.select([*PLACE, WANTED]) for one in places))
    inserts = _kept(unmatched(source, found[WANTED]))
    change = Change([inserts], updates, removes)
    return Counts(destination.commit(stored, change, stamp), updates.num_rows, removes.num_rows)


def _with_deletes(rows: pa.Table, deletes: pa.Table | None) -> pa.Table:
    marked = rows.append_column(_GONE, pa.repeat(pa.scalar(False), rows.num_rows))
    if deletes is None or deletes.num_rows == 0:
        return marked
    gone = deletes.append_column(_GONE, pa.repeat(pa.scalar(True), deletes.num_rows))
    return pa.concat_tables([marked, gone], promote_options="default")  # deletes last: they win at an equal cursor


def _kept(source: pa.Table) -> pa.Table:
    rows = source.filter(pc.invert(source[_GONE])) if pc.any(source[_GONE]).as_py() else source
    return rows.drop_columns([_GONE])


def _order(incoming: pa.ChunkedArray, stored: pa.ChunkedArray) -> pa.ChunkedArray:
    """Above 0 where what comes in is newer, below 0 where it is older; a null is the oldest."""
    first = pa.scalar(times.oldest(stored.type))
    one, other = pc.fill_null(incoming, first), pc.fill_null(stored, first)
    return pc.subtract(pc.greater(one, other).cast(pa.int8()), pc.less(one, other).cast(pa.int8()))


def _order_of_deletes(incoming: pa.Table, stored: pa.Table, order: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same where one of the two is deleted: a delete may leave the cursor as it was, and its time counts for it."""
    is_deleted, was_deleted = pc.is_valid(incoming[_DELETED]), pc.is_valid(stored[_DELETED])
    dies = pc.and_(is_deleted, pc.invert(was_deleted))
    revives = pc.and_(was_deleted, pc.invert(is_deleted))
    # At an equal time the delete wins, whichever came first.
    order = pc.if_else(dies, _order(_later(incoming), stored[_MODIFIED]), order)
    back = pc.if_else(pc.greater(_order(incoming[_MODIFIED], _later(stored)), 0), 1, -1).cast(pa.int8())
    return pc.if_else(revives, back, order)


def _later(rows: pa.Table) -> pa.ChunkedArray:
    return times.later(rows[_MODIFIED], rows[_DELETED])


def _doubtful(source: pa.Table, same: pa.Table, stamp: Stamp) -> pa.Table:
    """Of found rows with the same cursor those that may say something else: not the same version of a message.

    A full refresh writes them all the same, because a version of this program may make more of a message than one before.
    """
    if stamp.afresh or _VERSION not in same.schema.names:
        return same
    equal = pc.equal(source[_VERSION].take(same[WANTED]), same[_VERSION])
    return same.filter(pc.invert(pc.fill_null(equal, False)))


def _changed(stored: Stored, source: pa.Table, same: pa.Table, columns: Sequence[str], keys: Sequence[str]) -> pa.Table:
    """Of found rows with the same cursor those that say something else."""
    if same.num_rows == 0:
        return same
    return same.filter(differing(source.take(same[WANTED]), stored.more(same, keys, columns), columns))
