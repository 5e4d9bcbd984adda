"""Keys that a table holds more than once: found, and healed in one commit.

Commits of this version never double a key, whoever writes at the same time. Earlier ones could, where two ingests created a
table, and other programs can at any time; so a table is looked at once, and again after another program has written to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write.buckets import Buckets
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import newest
from lakeflow_teams.local.write.scd2 import END, START, holding, resettled
from lakeflow_teams.local.write.stamp import Found, Stamp
from lakeflow_teams.local.write.stored import Change, Stored


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
    stored = destination.stored(table)
    keys = doubled(stored, destination.shape.keys, identity)
    if keys.num_rows:
        removed = _replace(destination, stored, keys, identity, stamp)
    elif found.stamp is not None:
        destination.commit(stored, Change(), stamp)
    return destination.found(), removed


def doubled(stored: Stored, keys: Sequence[str], identity: Sequence[str]) -> pa.Table:
    """The keys of which there is more than one row, or in a history more than one version that holds."""
    history = START in stored.schema.names
    columns = list(dict.fromkeys((*keys, START, END) if history else (*keys, *identity)))
    names = pa.schema([stored.schema.field(name) for name in columns])
    found = [pa.schema([stored.schema.field(key) for key in keys]).empty_table()]
    with Buckets(keys) as buckets:
        buckets.fill("stored", names, stored.scan(columns))
        for rows in buckets.side("stored"):
            found.append(_repeated(rows, (*keys, START) if history else identity, keys))
            if history:
                found.append(_repeated(holding(rows), keys, keys))
    return pa.concat_tables(found).group_by(list(keys)).aggregate([])


def _repeated(rows: pa.Table, identity: Sequence[str], keys: Sequence[str]) -> pa.Table:
    counted = rows.group_by(list(identity)).aggregate([([], "count_all")])
    return counted.filter(pc.greater(counted["count_all"], 1)).select(list(keys)).group_by(list(keys)).aggregate([])


def _replace(destination: Destination, stored: Stored, doubled: pa.Table, identity: Sequence[str], stamp: Stamp) -> int:
    """Takes out every row of these keys and puts back one of each, in one commit."""
    shape = destination.shape
    found = stored.find(doubled, shape.keys, stored.schema.names)
    rows = found.select(stored.schema.names)
    kept = resettled(rows, shape) if START in rows.schema.names else newest(rows, identity, shape.cursor)
    destination.commit(stored, Change([kept], removes=found), stamp)
    removed: int = found.num_rows - kept.num_rows
    return removed
