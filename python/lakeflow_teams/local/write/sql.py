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


def agree(names: Iterable[str], source: pa.Table) -> str:
    """The rows agree in these columns, also in nulls where what comes in has any."""
    return " AND ".join(same_or_null(name) if source[name].null_count else same([name]) for name in names)


def same_or_null(name: str) -> str:
    """The rows agree in this column; two nulls agree."""
    return f"({column('s', name)} IS NOT DISTINCT FROM {column('t', name)})"


def not_older(cursor: str) -> str:
    """The incoming row is at least as new as the stored one. Cursors are padded ISO text, which sorts as time does."""
    s, t = column("s", cursor), column("t", cursor)
    return f"({s} >= {t} OR {t} IS NULL)"


def differs(names: Iterable[str]) -> str:
    """The rows disagree in any of these columns."""
    return "(" + " OR ".join(f"({column('s', name)} IS DISTINCT FROM {column('t', name)})" for name in names) + ")"


def assignments(names: Iterable[str]) -> dict[str, str]:
    """Every stored column takes the incoming value."""
    return {column("t", name): column("s", name) for name in names}


def covers(stored: pa.Schema, incoming: pa.Schema) -> bool:
    """Whether every column, and every field of its structs, is stored already."""
    return all(
        stored.get_field_index(field.name) >= 0 and _holds(stored.field(field.name).type, field.type) for field in incoming
    )


def _holds(stored: pa.DataType, incoming: pa.DataType) -> bool:
    if pa.types.is_struct(stored) and pa.types.is_struct(incoming):
        names = {field.name for field in stored}
        return all(field.name in names and _holds(stored.field(field.name).type, field.type) for field in incoming)
    if _is_list(stored) and _is_list(incoming):
        return _holds(stored.value_type, incoming.value_type)
    return True  # a plain type never changes; if it did, the merge would say so


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
