"""The few SQL expressions that merges are made of. ``s`` is what comes in, ``t`` is what is stored."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa


def column(side: str, name: str) -> str:
    """A quoted column; names keep their case."""
    return f"{side}.`{name}`"


def same(names: Iterable[str]) -> str:
    """The rows agree in these columns, none of which is null."""
    return " AND ".join(f"{column('s', name)} = {column('t', name)}" for name in names)


def same_or_null(name: str) -> str:
    """The rows agree in this column; two nulls agree."""
    return f"({column('s', name)} IS NOT DISTINCT FROM {column('t', name)})"


def not_older(cursor: str) -> str:
    """The incoming row is at least as new as the stored one. Cursors are padded ISO text, which sorts as time does."""
    s, t = column("s", cursor), column("t", cursor)
    return f"({s} >= {t} OR {t} IS NULL)"


def differs(incoming: pa.Schema, stored: pa.Schema) -> str:
    """Any column of the incoming row has another value. A column that is new, or has grown, counts as different."""
    parts = []
    for field in incoming:
        index = stored.get_field_index(field.name)
        if index < 0:
            parts.append(f"({column('s', field.name)} IS NOT NULL)")
        elif same_type(field.type, stored.field(index).type):
            parts.append(f"({column('s', field.name)} IS DISTINCT FROM {column('t', field.name)})")
        else:
            parts.append("TRUE")
    return f"({' OR '.join(parts)})"


def assignments(names: Iterable[str]) -> dict[str, str]:
    """Every stored column takes the incoming value."""
    return {column("t", name): column("s", name) for name in names}


def same_type(one: pa.DataType, other: pa.DataType) -> bool:
    """Equal types, whatever the children of lists are called and whether text is large or a view."""
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        names = [field.name for field in one]
        return names == [field.name for field in other] and all(
            same_type(one.field(name).type, other.field(name).type) for name in names
        )
    if _is_list(one) and _is_list(other):
        return same_type(one.value_type, other.value_type)
    if _is_text(one) and _is_text(other):
        return True
    return bool(one == other)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
