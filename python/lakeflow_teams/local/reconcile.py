"""Rows that Graph no longer has, where nothing said that they were deleted.

Graph shows a soft delete as a row with ``deletedDateTime``, and a hard delete not at all. A reconciliation reads the keys of
everything that can be read now, and what is stored but was not read is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams import _core
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.buckets import Buckets
from lakeflow_teams.local.write.destination import Shape
from lakeflow_teams.local.write.rows import table_of
from lakeflow_teams.local.write.scd2 import END, holding
from lakeflow_teams.local.write.stored import Stored

_TOMBSTONE = "deletedDateTime"
#: The parts of a key that say in which channel or chat a row is.
_CONVERSATION = ("team_id", "channel_id", "chat_id")


def is_due(job: Job, last: str | None, now: str) -> bool:
    """Whether ``reconcile_days`` have passed since the last reconciliation; times are Graph's, as ISO 8601."""
    days = job.spec.reconcile_days
    if days is None:
        return False
    return last is None or _time(now) - _time(last) >= timedelta(days=days)


def vanished(
    client: _core.Client, job: Job, stored: Stored, until: str, *, tombstones: bool = False
) -> tuple[pa.Table, int]:
    """Keys and cursor of stored rows that are not there any more, and how many of them are known as deleted.

    Rows newer than ``until``, when the round began, may have come while it was read and are left alone; so are
    conversations of which nothing was read, because they may merely be out of reach. So are tombstones, unless
    ``tombstones`` is set, and Graph shows any: where it gives soft deletes back, what it does not give is gone.
    """
    source, options = job.spec.source_table, job.spec.options
    keys, cursor = list(job.destination.shape.keys), job.destination.shape.sequence
    conversation = [key for key in keys if key in _CONVERSATION]
    further = [_TOMBSTONE] if tombstones and _TOMBSTONE in stored.schema.names else []
    columns = [*keys, *(name for name in further if name not in keys)]
    schema = pa.schema(client.schema(source, options, columns=columns))
    seen = _Seen(conversation)
    kept = pa.schema([stored.schema.field(name) for name in (*keys, cursor, *further)])
    gone = [kept.empty_table()]
    with Buckets(keys) as buckets:
        read = (table_of([batch], schema) for batch in client.read(source, options, columns=columns))
        buckets.fill("present", pa.schema([schema.field(key) for key in keys]), map(seen.noted, read))
        candidates = (
            _candidates(job, rows, until, tombstones=seen.tombstones) for rows in stored.scan(_needed(job, stored))
        )
        buckets.fill("stored", kept, map(seen.within, candidates))
        for present, held in zip(buckets.side("present"), buckets.side("stored"), strict=True):
            gone.append(held.join(_distinct(present, keys), keys=keys, join_type="left anti").select(kept.names))
    rows = pa.concat_tables(gone)
    known = rows.num_rows - rows[_TOMBSTONE].null_count if further else 0
    return rows.select([*keys, cursor]), known


def unseen(shape: Shape, stored: Stored, since: str) -> pa.Table:
    """Keys of rows that were last observed before ``since``, when everything began to be read again, as deletes.

    They are dated a millisecond before ``since``: whatever was observed after it is newer.
    """
    keys, cursor = list(shape.keys), shape.sequence
    schema = pa.schema([stored.schema.field(name) for name in (*keys, cursor)])
    columns = [*schema.names, *(name for name in (END,) if name in stored.schema.names)]
    kind = schema.field(cursor).type
    begin = pa.scalar(times.moment(since, kind))
    older = (holding(rows.filter(pc.less(rows[cursor], begin))).select(schema.names) for rows in stored.scan(columns))
    found = pa.concat_tables([schema.empty_table(), *older])
    at = times.moment(_text(_time(since) - timedelta(milliseconds=1)), kind)
    return found.select(keys).append_column(cursor, pa.repeat(pa.scalar(at), found.num_rows))


class _Seen:
    """The channels or chats of which something was read, which are few beside the messages; and whether tombstones were."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._seen: set[tuple[object, ...]] = set()
        self.tombstones = False

    def noted(self, rows: pa.Table) -> pa.Table:
        if _TOMBSTONE in rows.schema.names:
            self.tombstones |= rows[_TOMBSTONE].null_count < rows.num_rows
            rows = rows.drop_columns([_TOMBSTONE])
        self._seen.update(self._of(_distinct(rows, self._columns)) if self._columns else ())
        return rows

    def within(self, rows: pa.Table) -> pa.Table:
        if not self._columns:
            return rows
        return rows.filter(pa.array([one in self._seen for one in self._of(rows)], pa.bool_()))

    def _of(self, rows: pa.Table) -> Iterator[tuple[object, ...]]:
        return zip(*(rows[name].to_pylist() for name in self._columns), strict=True)


def _needed(job: Job, stored: Stored) -> list[str]:
    keys, cursor = job.destination.shape.keys, job.destination.shape.sequence
    further = (END, _TOMBSTONE, *(("set_size",) if job.set_keys else ()))
    return [*keys, cursor, *(name for name in further if name in stored.schema.names)]


def _candidates(job: Job, rows: pa.Table, until: str, *, tombstones: bool) -> pa.Table:
    cursor = rows[job.destination.shape.sequence]

    def at(text: str) -> pa.Scalar:
        return pa.scalar(times.moment(_text(_time(text)), cursor.type))

    chosen = pc.fill_null(pc.less(cursor, at(until)), tombstones)
    if "start_date" in job.spec.options:
        chosen = pc.and_(chosen, pc.greater_equal(cursor, at(job.spec.options["start_date"])))
    if job.set_keys:
        chosen = pc.and_(chosen, pc.greater(rows["set_size"], 0))  # a row that says "none any more" is never read anew
    if _TOMBSTONE in rows.schema.names:
        alive = pc.is_null(rows[_TOMBSTONE])
        deleted = pc.fill_null(pc.less(rows[_TOMBSTONE], at(until)), True) if tombstones else alive
        chosen = pc.and_(chosen, pc.or_(alive, deleted))
    return holding(rows.filter(chosen))


def _distinct(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    return rows.select(list(keys)).group_by(list(keys)).aggregate([])


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)


def _text(time: datetime) -> str:
    """The form of cursors, which sorts as time does."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
