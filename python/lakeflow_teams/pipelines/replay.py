"""SQL that turns a log of changes into a table, and merges changes into one."""

from __future__ import annotations

from collections.abc import Sequence

from lakeflow_teams.pipelines.targets import Target


def current(target: Target, log: str) -> str:
    """A query for the table that a log of changes amounts to: the newest row of each key, or each key's history."""
    return _history(target, log) if target.history else _newest(target, log)


def _newest(target: Target, log: str) -> str:
    if target.sets:
        return _items(target, log)
    alive = " AND NOT _deleted" if target.deletes else ""
    return f"SELECT * EXCEPT ({_helpers(target)}) FROM ({newest_of_each(target, log)}) WHERE _rank = 1{alive}"


def _items(target: Target, log: str) -> str:
    """Items of messages: those of the message's newest version, which may have fewer than an older one, or none."""
    sequence, message = quoted(target.sequence_by or ""), ", ".join(map(quoted, target.sets))
    newest = f"SELECT *, max({sequence}) OVER (PARTITION BY {message}) AS _newest FROM ({newest_of_each(target, log)})"
    return f"SELECT * EXCEPT (_rank, _newest) FROM ({newest}) WHERE _rank = 1 AND {sequence} = _newest AND set_size > 0"


def newest_of_each(target: Target, log: str) -> str:
    """A query that ranks the rows of each key, newest first; at an equal time a delete wins."""
    order = f"{quoted(target.sequence_by or '')} DESC" + (", _deleted DESC" if target.deletes else "")
    keys = ", ".join(map(quoted, target.keys))
    return f"SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS _rank FROM {log}"


def _history(target: Target, log: str) -> str:
    sequence = quoted(target.sequence_by or "")
    keys = ", ".join(map(quoted, target.keys))
    first = "_deleted DESC" if target.deletes else sequence
    once = f"SELECT *, row_number() OVER (PARTITION BY {keys}, {sequence} ORDER BY {first}) AS _rank FROM {log}"
    spans = (
        f"SELECT *, {sequence} AS __START_AT, lead({sequence}) OVER (PARTITION BY {keys} ORDER BY {sequence}) AS __END_AT "
        f"FROM ({once}) WHERE _rank = 1"
    )
    alive = " WHERE NOT _deleted" if target.deletes else ""
    return f"SELECT * EXCEPT ({_helpers(target)}) FROM ({spans}){alive}"


def merge(target: Target, changes: str, columns: Sequence[str]) -> str:
    """Merges a batch of changes into the newest-row table. Can be run again with the same batch."""
    sequence = quoted(target.sequence_by or "")
    on = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in target.keys)
    named = ", ".join(map(quoted, columns))
    values = ", ".join(f"s.{quoted(column)}" for column in columns)
    sets = ", ".join(f"t.{quoted(column)} = s.{quoted(column)}" for column in columns)
    newer = f"s.{sequence} >= t.{sequence}"
    deletes = f"WHEN MATCHED AND s._deleted AND {newer} THEN DELETE " if target.deletes else ""
    alive = " AND NOT s._deleted" if target.deletes else ""
    newest = f"SELECT * FROM ({newest_of_each(target, changes)}) WHERE _rank = 1"
    return (
        f"MERGE INTO {target.name} AS t USING ({newest}) AS s ON {on} "
        f"{deletes}WHEN MATCHED{alive} AND {newer} THEN UPDATE SET {sets} "
        f"WHEN NOT MATCHED{alive} THEN INSERT ({named}) VALUES ({values})"
    )


def _helpers(target: Target) -> str:
    return "_rank, _deleted" if target.deletes else "_rank"


def quoted(column: str) -> str:
    """A column as SQL names it."""
    return f"`{column}`"
