"""A full refresh of a history: versions that are stored take the values that are read for them now.

A version whose key and cursor are stored is no new one, so that writing it changes nothing. Where a column was added since,
the version lacks it; here it is filled.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write import sql
from lakeflow_teams.local.write.scd2 import START


def versions(job: Job, rows: pa.Table, batch: int) -> int:
    """Updates the stored versions that ``rows`` are, in commit number ``batch``; returns how many there were.

    The commit carries the stamp that is stored: it is no step of the reading.
    """
    destination = job.destination
    table, stamp = destination.open(), destination.found().stamp
    if table is None or stamp is None or not rows.num_rows:
        return 0
    keys, cursor = destination.shape.keys, destination.shape.sequence
    table = destination.widen(table, rows.schema)
    start = f"({sql.column('s', cursor)} IS NOT DISTINCT FROM {sql.column('t', START)})"
    merger = destination.merge(table, rows, f"{sql.same(keys)} AND {start}", replace(stamp, batch=batch))
    merger = merger.when_matched_update(sql.assignments(rows.schema.names), predicate=sql.differs(rows.schema.names))
    return destination.finish(merger, table, rows, replace(stamp, batch=batch)).updates
