"""Messages that hold nothing any more: kept out of the table that people query, and remembered for as long as that matters.

The core tells of a message without items by one row whose ``set_size`` is 0. It replaces what the message held before, and
is not stored: ``count(*)`` counts reactions. But an export may lag by 24 hours behind what lists have shown already, and
then gives the message as it was. So what was emptied of late is remembered beside the table, in a folder that Delta and its
readers pass over (its name begins with an underscore), and older versions of these messages are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write import delta, sets, times
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.stamp import Stamp

FOLDER = "_emptied"
_SIZE = "set_size"
#: Twice the longest lag of an export, after the newest version that is known.
_REMEMBERED = timedelta(hours=48)
#: Commits of the memory after which it is written anew, without what need not be remembered any more.
_COMMITS = 50


def replace(destination: Destination, rows: pa.Table, message: Sequence[str]) -> tuple[pa.Table, pa.Table | None]:
    """The same as :func:`sets.replace`, without rows of messages that hold nothing: what they held is among the deletes.

    They are remembered before the commit that forgets their items: of a commit that is never made nothing is lost, because
    its messages are read again, in a version that is no older.
    """
    cursor, keys = destination.shape.sequence, list(destination.shape.keys)
    rows = sets.not_older(rows, _remembered(destination, rows.schema.field(cursor).type), message, cursor)
    rows, deletes = sets.replace(destination, rows, message)
    empty = pc.equal(rows[_SIZE], 0)
    markers = rows.filter(empty).select([*keys, cursor])
    if markers.num_rows == 0:
        return rows, deletes
    _remember(destination, markers.select([*message, cursor]))
    return rows.filter(pc.invert(empty)), markers if deletes is None else pa.concat_tables([markers, deletes])


def take_out(destination: Destination, message: Sequence[str], stamp: Stamp) -> None:
    """Takes such rows out of a table that an earlier version has filled, in one commit that carries the stamp."""
    table = destination.current(stamp)
    if table is None:
        return
    cursor = destination.shape.sequence
    found = delta.read(table, [*message, cursor], pc.field(_SIZE) == 0)
    if found.num_rows:
        _remember(destination, found)
        with delta.committing(destination.path):
            table.delete(f"{_SIZE} = 0", commit_properties=stamp.properties())
    else:
        destination.append(delta.arrow_schema(table).empty_table(), stamp, table)


def _remembered(destination: Destination, kind: pa.DataType) -> pa.Table | None:
    """What was emptied of late, with times as the table's rows have them: the memory may be of before they were cast."""
    table = delta.opened(destination.path / FOLDER)
    if table is None:
        return None
    rows, cursor = delta.read(table), destination.shape.sequence
    at = rows.schema.get_field_index(cursor)
    return times.cast(rows, rows.schema.set(at, rows.schema.field(at).with_type(kind)))


def _remember(destination: Destination, messages: pa.Table) -> None:
    path, cursor = destination.path / FOLDER, destination.shape.sequence
    table, kind = delta.opened(path), messages.schema.field(cursor).type
    known = None if table is None else _remembered(destination, kind)
    if table is None or known is None or (table.version() % _COMMITS and known.schema.equals(delta.arrow_schema(table))):
        delta.log(path, messages)
        return
    known = pa.concat_tables([known, messages], promote_options="default")
    delta.overwrite(table, path, known.filter(pc.greater_equal(known[cursor], _horizon(known[cursor]))))


def _horizon(cursor: pa.ChunkedArray) -> Any:
    newest = times.moment(times.text(pc.max(cursor).as_py()), times.TIMESTAMP)
    return times.moment(times.text(newest - _REMEMBERED), cursor.type)
