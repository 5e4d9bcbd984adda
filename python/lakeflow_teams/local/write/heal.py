"""Keys that a table holds more than once: found, and healed in one commit.

Commits of this version never double a key, whoever writes at the same time. Earlier ones could, where two ingests created a
table, and other programs can at any time; so a table is looked at once, and again after another program has written to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakeflow_teams.local.write import sql
from lakeflow_teams.local.write.delta import arrow_schema, read
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import among, newest
from lakeflow_teams.local.write.scd2 import END, START, resettled
from lakeflow_teams.local.write.stamp import Found, Stamp

_GONE = "__gone"
_COUNT = "__count"


def heal(destination: Destination, identity: Sequence[str], found: Found, fresh: Stamp) -> tuple[Found, int]:
    """What is found after healing, and how many rows it took out.

    ``identity`` are the columns that tell rows apart; a history has its own. ``fresh`` is the stamp of a table whose log no
    longer holds one. Where nothing is doubled, a commit without rows says so.
    """
    if found.batch is None or (found.stamp is not None and found.stamp.unique and not found.touched):
        return found, 0
    stamp = replace(found.stamp or fresh, batch=found.batch + 1, unique=True)
    table = destination.current(stamp)
    if table is None:
        return found, 0
    removed = 0
    keys = doubled(table, destination.shape.keys, identity)
    if keys.num_rows:
        removed = _replace(destination, table, keys, identity, stamp)
    elif found.stamp is not None:
        destination.append(arrow_schema(table).empty_table(), stamp, table)
    return destination.found(), removed


def doubled(table: DeltaTable, keys: Sequence[str], identity: Sequence[str]) -> pa.Table:
    """The keys of which there is more than one row, or in a history more than one version that holds."""
    if START not in arrow_schema(table).names:
        return _repeated(read(table, identity), identity, keys)
    stored = read(table, [*keys, START, END])
    same = _repeated(stored, (*keys, START), keys)
    holding = _repeated(stored.filter(pc.is_null(stored[END])), keys, keys)
    return pa.concat_tables([same, holding]).group_by(list(keys)).aggregate([])


def _repeated(rows: pa.Table, identity: Sequence[str], keys: Sequence[str]) -> pa.Table:
    counted = rows.group_by(list(identity)).aggregate([([], "count_all")])
    return counted.filter(pc.greater(counted["count_all"], 1)).select(list(keys)).group_by(list(keys)).aggregate([])


def _replace(destination: Destination, table: DeltaTable, doubled: pa.Table, identity: Sequence[str], stamp: Stamp) -> int:
    """Takes out every row of these keys and puts back one of each, in one merge."""
    shape = destination.shape
    first = shape.keys[0]
    stored = read(table, filter=pc.field(first).isin(doubled[first].unique()))
    stored = among(stored, doubled, shape.keys)
    kept = resettled(stored, shape) if START in stored.schema.names else newest(stored, identity, shape.cursor)
    gone = doubled.append_column(_GONE, pa.repeat(pa.scalar(True), doubled.num_rows))
    kept_too = kept.append_column(_GONE, pa.repeat(pa.scalar(False), kept.num_rows))
    source = pa.concat_tables([kept_too, gone], promote_options="default")
    marked = sql.column("s", _GONE)
    merger = (
        destination.merge(table, source, f"{marked} AND {sql.same(shape.keys)}", stamp)
        .when_matched_delete()
        .when_not_matched_insert(sql.assignments(kept.schema.names), predicate=f"NOT {marked}")
    )
    destination.finish(merger, table, kept, stamp)
    removed: int = stored.num_rows - kept.num_rows
    return removed
