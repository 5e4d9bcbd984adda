"""Arrow kernels on one micro-batch: the newest row of each key, and keys that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams import _core
from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.recent import hashes
from lakeflow_teams.local.write.times import is_list


def table_of(batches: Iterable[object], schema: pa.Schema) -> pa.Table:
    """Batches of the core as one Arrow table, without a copy."""
    return pa.Table.from_batches([pa.record_batch(batch) for batch in batches], schema=schema)


def newest(rows: pa.Table, keys: Sequence[str], cursor: str | None) -> pa.Table:
    """Each key once: the row with the greatest cursor, and of equal ones the last. A null cursor is the oldest."""
    names = list(dict.fromkeys(keys))
    repeated = hashes(rows, names).repeated
    if not repeated:
        return rows
    some = rows.select(list(dict.fromkeys([*names, *filter(None, [cursor])]))).take(repeated)
    first = times.oldest(rows.schema.field(cursor).type) if cursor is not None else None
    order: list[Any] = [time or first for time in some[cursor].to_pylist()] if cursor is not None else [0] * len(repeated)
    chosen: dict[tuple[Any, ...], int] = {}
    for at, key in enumerate(zip(*(some[name].to_pylist() for name in names), strict=True)):
        before = chosen.get(key)
        if before is None or order[at] >= order[before]:
            chosen[key] = at
    left_out = {*repeated} - {repeated[at] for at in chosen.values()}
    return rows.take(pa.array([at for at in range(rows.num_rows) if at not in left_out], pa.int64()))


def require_keys(rows: pa.Table, keys: Sequence[str], destination: str, own: Sequence[str] = ()) -> None:
    """Raises :class:`ConfigurationError` where a key column is null or empty: such rows could not be told apart.

    ``own`` is the source table's key where ``primary_keys`` names another.
    """
    for key in keys:
        column = rows.column(key)
        empty = pc.sum(pc.equal(column, "")).as_py() if pa.types.is_string(column.type) else 0
        missing = column.null_count + (empty or 0)
        if missing:
            raise _core.ConfigurationError(
                f"destination {destination}: primary key {key} is null in {missing} rows; "
                + ("take another column, or leave primary_keys out" if own else "Graph sent them without it")
            )


def unmatched(rows: pa.Table, numbers: pa.ChunkedArray) -> pa.Table:
    """The rows whose number is not among these."""
    if len(numbers) == 0:
        return rows
    return rows.filter(pc.invert(pc.is_in(pa.array(range(rows.num_rows), pa.int64()), value_set=pc.unique(numbers))))


def fitted(rows: pa.Table, stored: pa.Schema) -> pa.Table:
    """The rows with their structs as they are stored: fields that only the stored ones have are null."""
    for index, field in enumerate(rows.schema):
        at = stored.get_field_index(field.name)
        if at >= 0 and _is_other_struct(field.type, stored.field(at).type):
            kind = stored.field(at).type
            rows = rows.set_column(index, field.with_type(kind), rows.column(index).cast(kind))
    return rows


def _is_other_struct(kind: pa.DataType, stored: pa.DataType) -> bool:
    if pa.types.is_struct(kind) and pa.types.is_struct(stored):
        return [field.name for field in kind] != [field.name for field in stored] or any(
            _is_other_struct(mine.type, theirs.type) for mine, theirs in zip(kind, stored, strict=True)
        )
    return is_list(kind) and is_list(stored) and _is_other_struct(kind.value_type, stored.value_type)
