"""Times as text and as timestamps: what a table was created with stays, and is cast only where the pipeline asks for it.

The core reads either. Here are only the few values that do not come from it, and the casting of tables that are stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

TIMESTAMP = pa.timestamp("us", "UTC")

#: Services write times of the year 1, 1601 or 1970 where there is none; nothing in Teams is that old.
_FIRST = datetime(1970, 1, 2, tzinfo=timezone.utc)
_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"


def oldest(kind: pa.DataType) -> Any:
    """A value of a time column's type before all others."""
    return datetime.min.replace(tzinfo=timezone.utc) if pa.types.is_timestamp(kind) else ""


def moment(text: str, kind: pa.DataType) -> Any:
    """ISO 8601 text as a value of a time column's type."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if pa.types.is_timestamp(kind) else text


def text(value: Any) -> str:
    """The reverse, with milliseconds."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


def later(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """The later of two times, element by element; a null is none."""
    takes_other = pc.or_(pc.fill_null(pc.greater(other, one), False), pc.is_null(one))
    return pc.if_else(takes_other, other, one)


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is that of lists, however long they may be."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def holds_timestamps(kind: pa.DataType) -> bool:
    """Whether a type is a timestamp, or has one inside."""
    if pa.types.is_struct(kind):
        return any(holds_timestamps(field.type) for field in kind)
    if is_list(kind):
        return holds_timestamps(kind.value_type)
    return bool(pa.types.is_timestamp(kind))


def cast(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows with the times of ``schema``, which has columns of the same names; other columns stay as they are."""
    columns = [
        pa.chunked_array([_cast(chunk, field.type) for chunk in rows[field.name].chunks], field.type) for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if pa.types.is_struct(kind):
        fields = [_cast(array.field(at), kind.field(at).type) for at in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=array.is_null())
    if is_list(kind):
        return _relisted(array, kind, lambda items: _cast(items, kind.value_type))
    if pa.types.is_timestamp(kind):
        return _timestamps(array)
    return _texts(array) if pa.types.is_timestamp(array.type) else array.cast(kind)


def _relisted(array: pa.Array, kind: pa.DataType, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """A list whose items are changed. A null's offset is null, which is how Arrow is told of it."""
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    missing = pa.concat_arrays([array.is_null(), pa.array([False])])
    offsets = pc.if_else(missing, pa.scalar(None, pa.int32()), offsets)
    return pa.ListArray.from_arrays(offsets, change(array.flatten()), type=kind)


def _timestamps(array: pa.Array) -> pa.Array:
    """What is no time, or stands for none, is null; digits below a microsecond are cut off, as the core does."""
    times = pc.if_else(pc.match_substring_regex(array, _TIME), array, pa.scalar(None, array.type))
    times = pc.replace_substring_regex(times, r"(\.\d{6})\d+", r"\1").cast(TIMESTAMP)
    return pc.if_else(pc.less(times, pa.scalar(_FIRST, TIMESTAMP)), pa.scalar(None, TIMESTAMP), times)


def _texts(array: pa.Array) -> pa.Array:
    """ISO 8601 with milliseconds, the form of cursors; with microseconds where the column has any."""
    plain = array.cast(pa.timestamp("us"))  # as it is in UTC, so that no database of time zones is needed
    milliseconds = plain.cast(pa.timestamp("ms"), safe=False)
    is_exact = pc.all(pc.equal(milliseconds.cast(pa.timestamp("us")), plain)).as_py() is not False
    return pc.strftime(milliseconds if is_exact else plain, format="%Y-%m-%dT%H:%M:%SZ")
