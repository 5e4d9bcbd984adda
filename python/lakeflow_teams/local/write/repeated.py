"""Whether rows that come again are stored as they are, told without writing anything."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.scd2 import START
from lakeflow_teams.local.write.stored import WANTED

#: Of a message, what tells its versions apart where the cursor does not.
_VERSION = ("etag", "deletedDateTime")


def is_stored(destination: Destination, rows: pa.Table, way: str) -> bool:
    """Whether ``way`` would change nothing by these rows. Where that takes more than a look at cursors, it is not told."""
    keys, cursor = destination.shape.keys, destination.shape.cursor
    if rows.num_rows == 0:
        return True
    replaces_sets = bool(destination.shape.message) and way != "append"
    if cursor is None or replaces_sets or any(rows[key].null_count for key in keys):
        return False
    table = destination.open()
    if table is None:
        return False
    stored = destination.stored(table)
    pairs = {cursor: START if way == "scd2" else cursor} | ({name: name for name in _VERSION} if way == "merge" else {})
    if not all(_is_alike(rows.schema, name, stored.schema, there) for name, there in pairs.items()):
        return False
    found = stored.find(rows, keys, [*pairs.values()])
    same = pa.chunked_array([pa.repeat(pa.scalar(True), found.num_rows)])
    for name, there in pairs.items():
        one, other = rows[name].take(found[WANTED]), found[there]
        both_null = pc.and_(pc.is_null(one), pc.is_null(other))
        same = pc.and_(same, pc.or_(both_null, pc.fill_null(pc.equal(one, other), False)))
    return bool(pc.count_distinct(found[WANTED].filter(same)).as_py() == rows.num_rows)


def _is_alike(schema: pa.Schema, name: str, stored: pa.Schema, there: str) -> bool:
    here = name in schema.names and there in stored.names
    return here and bool(schema.field(name).type == stored.field(there).type)
