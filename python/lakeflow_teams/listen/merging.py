"""Notifications into the tables that ``ingest`` fills: the same writers, and versions decide which state stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams import _core
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write import append, emptied, merge, pushed, scd2, times, upkeep
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts
from lakeflow_teams.spec.writing import is_snapshot, keeps_history
from lakeflow_teams.store.location import Location

_WRITERS = {"merge": merge.write, "append": append.write, "scd2": scd2.write}
_MODIFIED, _DELETED = "lastModifiedDateTime", "deletedDateTime"
#: Where notifications are kept as they came, if that is asked for.
NOTIFICATIONS = ("main", "default", "notifications")


@dataclass(frozen=True)
class Change:
    """A row that a notification brought, once it is in its table.

    ``kind`` is ``created``, ``updated`` or ``deleted``; ``row`` has the columns of the table with Python's values, and of a
    row without a version that was deleted its keys only. The same change may come more than once.
    """

    table: str
    kind: str
    row: Mapping[str, Any]
    arrived_at: Any


@dataclass
class Merged:
    """What a stretch of notifications did: rows by destination, and the rows themselves by source table."""

    counts: dict[str, Counts] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    rows: dict[str, tuple[pa.Table, pa.Table]] = field(default_factory=dict)

    @property
    def last_arrival(self) -> str | None:
        """When the newest of the rows came, as ISO 8601."""
        newest = max(
            (found for _, about in self.rows.values() if (found := pc.max(about["_arrived_at"]).as_py())), default=None
        )
        return None if newest is None else times.text(newest)

    def changes(self, table: str, kind: str | None) -> Iterator[Change]:
        """The rows of one table and kind, in the order in which they came."""
        if table not in self.rows:
            return
        rows, about = self.rows[table]
        kinds, arrivals = about["_change_type"].to_pylist(), about["_arrived_at"].to_pylist()
        for at, (own, arrived) in enumerate(zip(kinds, arrivals, strict=True)):
            if kind in (None, own):
                yield Change(table, own, rows.slice(at, 1).to_pylist()[0], arrived)


def can_merge(job: Job) -> bool:
    """Whether pushed rows can be written to a destination. A history of snapshots is made of whole snapshots only."""
    return not (is_snapshot(job.way) and keeps_history(job.way))


class Merger:
    """The destinations of a listener, by source table."""

    def __init__(self, jobs: Sequence[Job], root: Location, *, keeps_notifications: bool = False) -> None:
        self._jobs = {job.spec.source_table: job for job in jobs}
        self._notifications = _notifications(root) if keeps_notifications else None

    def merge(self, batch: _core.Notifications) -> Merged:
        """Writes a stretch of notifications, a commit for each destination. What fails of one leaves the others alone."""
        merged = Merged()
        for table in batch.tables:
            job = self._jobs.get(table)
            if job is None:
                continue
            rows, about = _table(batch.rows(table)), _table(batch.changes(table))
            if rows.num_rows == 0:
                continue
            merged.rows[table] = (rows, about)
            try:
                merged.counts[job.name] = pushed.again(partial(_write, job, rows, about))
            except Exception as error:  # the neighbours go on; the caller gives this stretch again
                merged.errors[job.name] = error
        if self._notifications is not None and not merged.errors:
            self._keep(batch)
        return merged

    def _keep(self, batch: _core.Notifications) -> None:
        destination, rows = self._notifications, _table(batch.received())
        if destination is None or rows.num_rows == 0:
            return

        def write() -> Counts:
            found = destination.found()
            return append.write(destination, rows, None, Stamp((found.batch or 0) + 1))

        pushed.again(write)


def _notifications(root: Location) -> Destination:
    place = root
    for part in NOTIFICATIONS:
        place = place / part
    return Destination(".".join(NOTIFICATIONS), place, Shape(("position", "item"), None))


def _table(batch: object) -> pa.Table:
    found = pa.record_batch(batch)
    return pa.Table.from_batches([found])


def _write(job: Job, rows: pa.Table, about: pa.Table) -> Counts:
    destination = job.destination
    stamp = pushed.stamp_on(destination.found(), job.settings)
    if is_snapshot(job.way):
        deleted = pc.equal(about["_change_type"], "deleted")
        kept = pc.invert(deleted)
        there = pushed.completed(destination, rows.filter(kept), about["_carried"].filter(kept), destination.shape.keys)
        counts = pushed.write_unversioned(destination, there, rows.filter(deleted), stamp)
    else:
        deletes = None
        if job.set_keys:
            if job.way != "append":
                rows, deletes = emptied.replace(destination, rows, job.set_keys)
        else:
            rows = pushed.completed(destination, rows, about["_carried"], destination.shape.keys)
        if job.way != "merge":
            rows = _dated(rows, destination.shape.cursor)
        counts = _WRITERS[job.way](destination, rows, deletes, stamp)
    upkeep.after_commit(destination, stamp.batch)
    return counts


def _dated(rows: pa.Table, cursor: str | None) -> pa.Table:
    """A delete is a version of its own, also where it left the message's modification time as it was."""
    if cursor != _MODIFIED or _DELETED not in rows.schema.names:
        return rows
    at = rows.schema.get_field_index(_MODIFIED)
    return rows.set_column(at, rows.schema.field(at), times.later(rows[_MODIFIED], rows[_DELETED]))
