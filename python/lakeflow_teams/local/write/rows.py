"""Arrow kernels on one micro-batch: the newest row of each key, and keys that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams import _core

_RANK = "__rank"


def table_of(batches: Iterable[object], schema: pa.Schema) -> pa.Table:
    """Batches of the core as one Arrow table, without a copy."""
    return pa.Table.from_batches([pa.record_batch(batch) for batch in batches], schema=schema)


def newest(rows: pa.Table, keys: Sequence[str], cursor: str | None) -> pa.Table:
    """Each key once: the row with the greatest cursor, and of equal ones the last. A null cursor is the oldest."""
    if rows.num_rows == 0:
        return rows
    if cursor is not None:
        rows = rows.take(_oldest_first(rows[cursor]))
    ranked = rows.select(list(dict.fromkeys(keys))).append_column(_RANK, pa.array(range(rows.num_rows), pa.int64()))
    chosen = ranked.group_by(list(keys)).aggregate([(_RANK, "max")]).column(f"{_RANK}_max")
    if len(chosen) == rows.num_rows:
        return rows
    return rows.take(chosen.take(pc.sort_indices(chosen)))


def _oldest_first(cursor: pa.ChunkedArray) -> pa.Array:
    """Indices in a stable order of the cursor, nulls first."""
    nulls_last = pc.sort_indices(cursor)
    filled = len(cursor) - cursor.null_count
    return pa.concat_arrays([nulls_last.slice(filled), nulls_last.slice(0, filled)])


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


def matching(rows: pa.Table, others: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows whose key is among ``others``."""
    wanted = others.select(list(keys)).group_by(list(keys)).aggregate([])
    return rows.join(wanted, keys=list(keys), join_type="left semi")


def among(rows: pa.Table, others: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The same for rows with nested columns, which Arrow does not join."""
    index = rows.select(list(keys)).append_column(_RANK, pa.array(range(rows.num_rows), pa.int64()))
    return rows.take(matching(index, others, keys)[_RANK].sort())


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


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is that of lists, however long they may be."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
