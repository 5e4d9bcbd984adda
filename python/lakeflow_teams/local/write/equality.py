"""Whether two tables of the same columns have the same values, row by row. Arrow compares no structs and lists by itself."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc


def differing(one: pa.Table, other: pa.Table, columns: Iterable[str]) -> pa.Array:
    """True where the rows differ in any of the columns; two nulls are the same."""
    same = pa.repeat(pa.scalar(True), one.num_rows)
    for name in columns:
        same = pc.and_(same, _same(_whole(one[name]), _whole(other[name])))
    return pc.invert(same)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    chunks = column.combine_chunks()
    return pa.concat_arrays(chunks.chunks) if isinstance(chunks, pa.ChunkedArray) else chunks


def _same(one: pa.Array, other: pa.Array) -> pa.Array:
    absent, gone = pc.is_null(one), pc.is_null(other)
    if pa.types.is_struct(one.type):
        values = pa.repeat(pa.scalar(True), len(one))
        for left, right in zip(one.flatten(), other.flatten(), strict=True):
            values = pc.and_(values, _same(left, right))
    elif pa.types.is_list(one.type) or pa.types.is_large_list(one.type):
        values = _same_items(one, other)
    else:
        values = pc.fill_null(pc.equal(one, other), False)
    return pc.or_(pc.and_(absent, gone), pc.and_(pc.equal(absent, gone), values))


def _same_items(one: pa.Array, other: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.equal(pc.list_value_length(one), pc.list_value_length(other)), False)
    comparable = pc.indices_nonzero(lengths)
    left, right = one.take(comparable), other.take(comparable)
    differ = pc.invert(_same(left.flatten(), right.flatten()))
    rows = comparable.take(pc.unique(pc.list_parent_indices(left).filter(differ)))
    unlike = pc.is_in(pa.array(range(len(one)), pa.uint64()), value_set=rows.cast(pa.uint64()))
    return pc.and_(lengths, pc.invert(unlike))
