"""Snapshots: afterwards the table holds exactly the rows that were read."""

from __future__ import annotations

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local.write import sql
from lakeflow_teams.local.write.destination import Destination, is_empty
from lakeflow_teams.local.write.rows import newest, require_keys
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts


def unique(destination: Destination, rows: pa.Table) -> None:
    """Raises :class:`ConfigurationError` where the keys do not tell the rows apart."""
    require_keys(rows, destination.shape.keys, destination.name)
    doubled = rows.num_rows - newest(rows, destination.shape.keys, None).num_rows
    if doubled:
        raise _core.ConfigurationError(
            f"destination {destination.name}: primary_keys {', '.join(destination.shape.keys)} are the same in "
            f"{doubled} rows; add a column, or leave primary_keys out"
        )


def write(destination: Destination, rows: pa.Table, stamp: Stamp) -> Counts:
    """Replaces the table's content in one commit, or makes none where nothing changed. ``rows`` is the whole snapshot."""
    unique(destination, rows)
    table = destination.open()
    if table is None:
        return destination.append(rows, stamp)
    if is_empty(table):
        return destination.append(rows, stamp) if rows.num_rows else Counts()
    table = destination.widen(table, rows.schema)
    values = sql.assignments(rows.schema.names)
    merger = (
        destination.merge(table, rows, sql.same(destination.shape.keys), stamp)
        .when_matched_update(values, predicate=sql.differs(rows.schema.names))
        .when_not_matched_insert(values)
        .when_not_matched_by_source_delete()
    )
    return destination.finish(merger, rows, stamp, always=False)
