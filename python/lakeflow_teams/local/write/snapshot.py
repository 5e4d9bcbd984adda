"""Snapshots: afterwards the table holds exactly the rows that were read."""

from __future__ import annotations

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local.write import sql
from lakeflow_teams.local.write.delta import is_empty
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import newest, require_keys
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts


def unique(destination: Destination, rows: pa.Table) -> None:
    """Raises where the keys do not tell the rows apart.

    :class:`ConfigurationError` for keys that ``primary_keys`` names, :class:`ProtocolError` for the table's own.
    """
    require_keys(rows, destination.shape.keys, destination.name, destination.shape.own)
    doubled = rows.num_rows - newest(rows, destination.shape.keys, None).num_rows
    keys = ", ".join(destination.shape.keys)
    if doubled and destination.shape.own:
        raise _core.ConfigurationError(
            f"destination {destination.name}: primary_keys {keys} are the same in {doubled} rows; "
            "add a column, or leave primary_keys out"
        )
    if doubled:
        raise _core.ProtocolError(
            f"destination {destination.name}: Graph gave {doubled} rows whose key ({keys}) another row has, and which of "
            "them is right cannot be told; nothing was written, and the next run reads the table again"
        )


def write(destination: Destination, rows: pa.Table, stamp: Stamp) -> Counts:
    """Replaces the table's content in one commit, or makes none where nothing changed. ``rows`` is the whole snapshot."""
    unique(destination, rows)
    table = destination.current(stamp)
    if table is None:
        return destination.append(rows, stamp)
    if is_empty(table):
        return destination.append(rows, stamp, table) if rows.num_rows else Counts()
    table = destination.widen(table, rows.schema)
    values = sql.assignments(rows.schema.names)
    merger = (
        destination.merge(table, rows, sql.same(destination.shape.keys), stamp)
        .when_matched_update(values, predicate=sql.differs(rows.schema.names))
        .when_not_matched_insert(values)
        .when_not_matched_by_source_delete()
    )
    return destination.finish(merger, table, rows, stamp, always=False)
