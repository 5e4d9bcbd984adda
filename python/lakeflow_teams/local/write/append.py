"""Append only: every version of every row, each (key, cursor) once."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import fitted, newest, require_keys, unmatched
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.local.write.stored import WANTED, Change, chosen
from lakeflow_teams.results.summary import Counts


def write(destination: Destination, rows: pa.Table, _deletes: pa.Table | None, stamp: Stamp) -> Counts:
    """Adds what is not there yet, in one commit. Nothing is changed or removed, so deletes have no effect."""
    keys, cursor = destination.shape.keys, destination.shape.cursor
    require_keys(rows, keys, destination.name, destination.shape.own)
    source = newest(rows, (*keys, cursor) if cursor else keys, None)
    table = destination.current(stamp)
    if table is None:
        return Counts(inserts=destination.append(source, stamp))
    table = destination.widen(table, rows.schema)
    stored = destination.stored(table)
    found = stored.find(source, keys, [cursor] if cursor else keys)
    if cursor:
        one, other = source[cursor].take(found[WANTED]), found[cursor]
        found = chosen(found, pc.or_(pc.fill_null(pc.equal(one, other), False), pc.and_(pc.is_null(one), pc.is_null(other))))
    change = Change([unmatched(fitted(source, stored.schema), found[WANTED])])
    return Counts(destination.commit(stored, change, stamp))
