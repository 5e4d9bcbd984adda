"""Snapshots: afterwards the table holds exactly the rows that were read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from lakeflow_teams.local.write.comparison import Comparison
from lakeflow_teams.local.write.data_file import conformed
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.local.write.stored import PLACE, Change
from lakeflow_teams.results.summary import Counts


def write(
    destination: Destination,
    rows: Iterable[pa.Table],
    schema: pa.Schema,
    stamp: Stamp,
    *,
    may_delete: Callable[[int], None] = lambda _: None,
    gone: Callable[[pa.Table], pa.Table] = lambda missing: missing,
) -> Counts:
    """Replaces the table's content in one commit, or makes none where nothing changed. ``rows`` are the whole snapshot.

    ``may_delete`` is told how many rows would be deleted, before anything is written, and raises where that is too much.
    ``gone`` tells which of the stored rows that were not read are deleted.
    """
    with Comparison(destination, rows, schema) as snapshot:
        table = destination.current(stamp)
        if table is None:
            return Counts(inserts=destination.create(schema, snapshot.rows(), stamp))
        stored = destination.stored(destination.widen(table, schema))
        places = [*destination.shape.keys, *PLACE]
        written, removed = snapshot.spool(stored.schema), []
        inserts = updates = deletes = 0
        for part in snapshot.parts(stored, stored.scan(stored.schema.names), gone):
            written.add(conformed(part.new, stored.schema))
            written.add(_over(part.before, part.now, stored.schema))
            removed += [part.before.select(places), part.gone.select(places)]
            inserts += part.new.num_rows
            updates += part.now.num_rows
            deletes += part.gone.num_rows
        may_delete(deletes)
        counts = Counts(inserts, updates, deletes)
        if counts != Counts():
            destination.commit(stored, Change(written.read(), removes=pa.concat_tables(removed)), stamp)
        return counts


def _over(before: pa.Table, now: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows as they were read; columns that only the stored ones have keep their values."""
    return pa.table([(now if field.name in now.schema.names else before)[field.name] for field in schema], schema=schema)
