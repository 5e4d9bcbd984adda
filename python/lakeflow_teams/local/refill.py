"""A full refresh of a history: versions that are stored take the values that are read for them now.

A version whose key and cursor are stored is no new one, so that writing it changes nothing. Where a column was added since,
the version lacks it; here it is filled.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write.equality import differing
from lakeflow_teams.local.write.rows import fitted
from lakeflow_teams.local.write.scd2 import START
from lakeflow_teams.local.write.stored import PLACE, WANTED, Change, placed


def versions(job: Job, rows: pa.Table, batch: int) -> int:
    """Updates the stored versions that ``rows`` are, in commit number ``batch``; returns how many there were.

    The commit carries the stamp that is stored: it is no step of the reading.
    """
    destination = job.destination
    table, stamp = destination.open(), destination.found().stamp
    if table is None or stamp is None or not rows.num_rows:
        return 0
    identity = (*destination.shape.keys, START)
    wanted = rows.append_column(START, rows[destination.shape.sequence])
    stored = destination.stored(destination.widen(table, wanted.schema))
    wanted = fitted(wanted, stored.schema)
    found = stored.find(wanted, identity, wanted.schema.names)
    unlike = found.filter(differing(wanted.take(found[WANTED]), found, rows.schema.names))
    count: int = unlike.num_rows
    if count:
        updates = placed(wanted, unlike.select([*PLACE, WANTED]))
        destination.commit(stored, Change(updates=updates), replace(stamp, batch=batch), identity)
    return count
