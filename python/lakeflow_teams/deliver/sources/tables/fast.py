"""Batches that are in the model's form already, recognised column by column, so that rows need not be looked at one by one.

What this does not recognise is no error: :mod:`.message` reads such a batch row by row, and says what is wrong with which.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.deliver.sources.model import MESSAGES
from lakeflow_teams.deliver.sources.sanitize import PLAIN
from lakeflow_teams.deliver.sources.tables.message import IMPORTANCE, TEXT

_NEEDED = ("container", "source_id", "created", "html")
#: What :func:`lakeflow_teams.deliver.sources.html.clean` takes out.
_UNCLEAN = r"[\x00-\x08\x0b-\x1f\x7f\x{2028}\x{2029}\x{fdd0}-\x{fdef}\x{fffe}\x{ffff}]"


def in_form(rows: pa.RecordBatch, now: int) -> pa.RecordBatch | None:
    """The batch in the model's schema, where every row of it is right."""
    if TEXT in rows.schema.names or not set(_NEEDED) <= set(rows.schema.names):
        return None
    created = rows.schema.field("created").type
    if not pa.types.is_timestamp(created) or created.tz is None:
        return None
    try:
        columns = [_column(rows, field) for field in MESSAGES]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, NotImplementedError):
        return None
    found = dict(zip(MESSAGES.names, columns, strict=True))
    return pa.record_batch(columns, schema=MESSAGES) if _is_right(found, now) else None


def _column(rows: pa.RecordBatch, field: pa.Field) -> pa.Array:
    at = rows.schema.get_field_index(field.name)
    if at < 0:
        return pa.nulls(rows.num_rows, field.type)
    # Of times finer than microseconds the rest is cut.
    return rows.column(at).cast(field.type, safe=not pa.types.is_timestamp(field.type))


def _is_right(found: dict[str, pa.Array], now: int) -> bool:
    if any(found[name].null_count for name in _NEEDED):
        return False
    if any(pc.any(pc.equal(found[name], "")).as_py() for name in ("container", "source_id")):
        return False
    bounds = pc.min_max(found["created"].cast(pa.int64())).as_py()
    if bounds["min"] < 0 or bounds["max"] > now:
        return False
    known = pc.is_in(found["importance"].drop_null(), pa.array(IMPORTANCE))
    if pc.all(known).as_py() is False:
        return False
    texts = [column for column in found.values() if pa.types.is_string(column.type)]
    if any(pc.any(pc.match_substring_regex(column, _UNCLEAN)).as_py() for column in texts):
        return False
    return pc.all(pc.match_substring_regex(found["html"], PLAIN)).as_py() is True
