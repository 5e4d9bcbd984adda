"""SCD type 1: each key once, in its newest version."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write import sql
from lakeflow_teams.local.write.delta import is_empty
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import newest, require_keys
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts

_GONE = "__gone"


def write(destination: Destination, rows: pa.Table, deletes: pa.Table | None, stamp: Stamp) -> Counts:
    """Merges one micro-batch in one commit.

    A row replaces the stored one unless its cursor is older; an equal row changes nothing. A delete (key and cursor) removes
    rows that are not newer than it; at an equal cursor the delete wins.
    """
    keys, cursor = destination.shape.keys, destination.shape.sequence
    require_keys(rows, keys, destination.name, destination.shape.own)
    source = newest(_with_deletes(rows, deletes), keys, cursor)
    table = destination.current(stamp)
    if table is None or is_empty(table):
        return destination.append(source.filter(pc.invert(source[_GONE])).drop_columns([_GONE]), stamp, table)

    table = destination.widen(table, rows.schema)
    s, t = sql.column("s", cursor), sql.column("t", cursor)
    newer = f"({s} > {t} OR {t} IS NULL OR ({s} = {t} AND {sql.differs(rows.schema.names)}))"
    gone, kept = sql.column("s", _GONE), f"NOT {sql.column('s', _GONE)}"
    values = sql.assignments(rows.schema.names)
    merger = destination.merge(table, source, sql.same(keys), stamp)
    if deletes is not None:
        merger = merger.when_matched_delete(predicate=f"{gone} AND {sql.not_older(cursor)}")
    merger = merger.when_matched_update(values, predicate=f"{kept} AND {newer}")
    merger = merger.when_not_matched_insert(values, predicate=kept)
    return destination.finish(merger, table, rows, stamp)


def _with_deletes(rows: pa.Table, deletes: pa.Table | None) -> pa.Table:
    marked = rows.append_column(_GONE, pa.repeat(pa.scalar(False), rows.num_rows))
    if deletes is None or deletes.num_rows == 0:
        return marked
    gone = deletes.append_column(_GONE, pa.repeat(pa.scalar(True), deletes.num_rows))
    return pa.concat_tables([marked, gone], promote_options="default")  # deletes last: they win at an equal cursor
