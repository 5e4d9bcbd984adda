"""Append only: every version of every row, each (key, cursor) once."""

from __future__ import annotations

import pyarrow as pa

from lakeflow_teams.local.write import sql
from lakeflow_teams.local.write.delta import is_empty
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import newest, require_keys
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts


def write(destination: Destination, rows: pa.Table, _deletes: pa.Table | None, stamp: Stamp) -> Counts:
    """Adds what is not there yet, in one commit. Nothing is changed or removed, so deletes have no effect."""
    keys, cursor = destination.shape.keys, destination.shape.cursor
    require_keys(rows, keys, destination.name, destination.shape.own)
    versions = (*keys, cursor) if cursor else keys
    source = newest(rows, versions, None)
    table = destination.current(stamp)
    if table is None or is_empty(table):
        return destination.append(source, stamp, table)
    table = destination.widen(table, rows.schema)
    predicate = sql.same(keys) + (f" AND {sql.same_or_null(cursor)}" if cursor else "")
    merger = destination.merge(table, source, predicate, stamp)
    merger = merger.when_not_matched_insert(sql.assignments(source.schema.names))
    return destination.finish(merger, table, rows, stamp)
