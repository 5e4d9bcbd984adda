"""Rows that Graph no longer has, where nothing said that they were deleted.

Graph shows a soft delete as a row with ``deletedDateTime``, and a hard delete not at all. A reconciliation reads the keys of
everything that can be read now, and what is stored but was not read is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.delta import arrow_schema, read
from lakeflow_teams.local.write.destination import Shape
from lakeflow_teams.local.write.rows import table_of
from lakeflow_teams.local.write.scd2 import holding

_TOMBSTONE = "deletedDateTime"
#: The parts of a key that say in which channel or chat a row is.
_CONVERSATION = ("team_id", "channel_id", "chat_id")


def is_due(job: Job, last: str | None, now: str) -> bool:
    """Whether ``reconcile_days`` have passed since the last reconciliation; times are Graph's, as ISO 8601."""
    days = job.spec.reconcile_days
    if days is None:
        return False
    return last is None or _time(now) - _time(last) >= timedelta(days=days)


def vanished(client: _core.Client, job: Job, table: DeltaTable, until: str) -> pa.Table:
    """Keys and cursor of stored rows that are not there any more.

    Rows newer than ``until``, when the round began, may have come while it was read and are left alone; so are tombstones,
    and conversations of which nothing was read, because they may merely be out of reach.
    """
    source, options = job.spec.source_table, job.spec.options
    keys, cursor = job.destination.shape.keys, job.destination.shape.sequence
    present = table_of(
        client.read(source, options, columns=list(keys)), pa.schema(client.schema(source, options, columns=list(keys)))
    )
    stored = read(table, [*keys, cursor], _candidates(job, table, until))
    conversation = [key for key in keys if key in _CONVERSATION]
    if conversation:
        stored = stored.join(_distinct(present, conversation), keys=conversation, join_type="left semi")
    return stored.join(_distinct(present, keys), keys=list(keys), join_type="left anti").select([*keys, cursor])


def unseen(shape: Shape, table: DeltaTable, since: str) -> pa.Table:
    """Keys of rows that were last observed before ``since``, when everything began to be read again, as deletes.

    They are dated a millisecond before ``since``: whatever was observed after it is newer.
    """
    keys, cursor = shape.keys, shape.sequence
    kind = arrow_schema(table).field(cursor).type
    older = pc.field(cursor) < times.moment(since, kind)
    stored = read(table, [*keys, cursor], older & holding(table))
    at = times.moment(_text(_time(since) - timedelta(milliseconds=1)), kind)
    return stored.select(list(keys)).append_column(cursor, pa.repeat(pa.scalar(at), stored.num_rows))


def _candidates(job: Job, table: DeltaTable, until: str) -> pc.Expression:
    cursor = pc.field(job.destination.shape.sequence)
    kind = arrow_schema(table).field(job.destination.shape.sequence).type

    def at(text: str) -> Any:
        return times.moment(_text(_time(text)), kind)

    chosen = (cursor < at(until)) & holding(table)
    if "start_date" in job.spec.options:
        chosen &= cursor >= at(job.spec.options["start_date"])
    if job.set_keys:
        chosen &= pc.field("set_size") > 0  # a row that says "none any more" is never read anew
    if _TOMBSTONE in arrow_schema(table).names:
        chosen &= pc.field(_TOMBSTONE).is_null()
    return chosen


def _distinct(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    return rows.select(list(keys)).group_by(list(keys)).aggregate([])


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)


def _text(time: datetime) -> str:
    """The form of cursors, which sorts as time does."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
