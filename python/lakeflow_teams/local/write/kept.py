"""Stored rows that stay, though a snapshot lacks them: of teams whose channels were missing for a moment."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write.delta import arrow_schema, read
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.scd2 import holding

_TEAM = "team_id"


def with_stored(destination: Destination, rows: pa.Table, teams: Sequence[str]) -> pa.Table:
    """The rows of a snapshot, and of the ``teams`` what is stored of them and holds."""
    table = destination.open()
    if not teams or table is None or _TEAM not in arrow_schema(table).names:
        return rows
    stored = read(table, filter=pc.field(_TEAM).isin(list(teams)) & holding(table))
    keys = destination.shape.keys
    read_now = {tuple(row.values()) for row in rows.select(list(keys)).to_pylist()}
    kept = [row for row in stored.to_pylist() if tuple(row[key] for key in keys) not in read_now]
    return pa.concat_tables([rows, pa.Table.from_pylist(kept, rows.schema)])
