"""Rows that are the items of a message: a newer version of it replaces all of them.

Items are keyed by their position, so a merge replaces those that are still there, and knows nothing of those that are not.
Here they are found: what is stored of a message that comes again, and is not among its new items, is gone.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.scd2 import END, holding
from lakeflow_teams.local.write.stored import Stored

_NEWEST = "__newest"
_STORED = "__stored"


def replace(destination: Destination, rows: pa.Table, message: Sequence[str]) -> tuple[pa.Table, pa.Table | None]:
    """The rows of each message's newest version, and as deletes (key and cursor) the stored ones they replace.

    ``message`` is the key of the message. A version that is older than the stored one is left out: its items may be gone.
    """
    cursor = destination.shape.sequence
    rows = _newest(rows, message, cursor)
    table = destination.open()
    if rows.num_rows == 0 or table is None:
        return rows, None
    keys = list(destination.shape.keys)
    stored = holding(_stored(destination.stored(table), rows, message, [*keys, cursor]))
    if stored.num_rows == 0:
        return rows, None
    rows = not_older(rows, stored, message, cursor)
    versions = rows.select([*message, cursor]).group_by([*message, cursor]).aggregate([]).rename_columns({cursor: _NEWEST})
    gone = stored.join(rows.select(keys), keys=keys, join_type="left anti").join(
        versions, keys=list(message), join_type="inner"
    )
    gone = gone.filter(pc.less_equal(gone[cursor], gone[_NEWEST]))
    return rows, gone.select([*keys, _NEWEST]).rename_columns([*keys, cursor])


def _stored(stored: Stored, rows: pa.Table, message: Sequence[str], columns: Sequence[str]) -> pa.Table:
    wanted = rows.select(list(message)).group_by(list(message)).aggregate([])
    return stored.find(wanted, message, [*columns, *(name for name in (END,) if name in stored.schema.names)])


def _newest(rows: pa.Table, message: Sequence[str], cursor: str) -> pa.Table:
    """A micro-batch may hold a message twice: the rows of its newest version."""
    return _holding(rows, rows, message, cursor, pc.equal)


def not_older(rows: pa.Table, others: pa.Table | None, message: Sequence[str], cursor: str) -> pa.Table:
    """The rows of messages that ``others`` do not have in a newer version."""
    return rows if others is None else _holding(rows, others, message, cursor, pc.greater_equal)


def _holding(rows: pa.Table, others: pa.Table, message: Sequence[str], cursor: str, compare: object) -> pa.Table:
    """The rows whose cursor compares with the greatest one that ``others`` have of their message, if they have any."""
    newest = others.select([*message, cursor]).group_by(list(message)).aggregate([(cursor, "max")])
    newest = newest.rename_columns({f"{cursor}_max": _STORED})
    index = rows.select(list(message)).append_column(_NEWEST, pa.array(range(rows.num_rows), pa.int64()))
    joined = index.join(newest, keys=list(message), join_type="left outer").sort_by(_NEWEST)
    fits = pc.fill_null(compare(rows[cursor], joined[_STORED]), True)  # type: ignore[operator]
    return rows.filter(fits)
