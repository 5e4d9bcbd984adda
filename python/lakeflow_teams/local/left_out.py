"""Scopes that refuse to be read: with ``on_forbidden: skip`` a snapshot keeps the rows that it has of them.

What is missing in a snapshot counts as gone. Of a team that was locked yesterday nothing is gone: its rows are stale, and
the summary, the journal and ``status`` say since when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write.scd2 import END, holding

#: Places of a refused read, each by the columns that name it.
Places = Sequence[Mapping[str, str]]


def kept(job: Job, schema: pa.Schema, places: Places) -> Iterator[pa.Table]:
    """What is stored of ``places`` and still holds, in the form of rows that are read."""
    table = job.destination.open() if places else None
    if table is None:
        return
    stored = job.destination.stored(table)
    if not all(column in stored.schema.names for place in places for column in place):
        return
    columns = [name for name in stored.schema.names if name in schema.names or name == END]
    for rows in stored.scan(columns):
        found = holding(rows.filter(_of(rows, places)))
        if found.num_rows:
            yield pa.table([_column(found, field) for field in schema], schema=schema)


def names(places: Places) -> list[str]:
    """How the report calls these places: ``team 1234``, ``channel 1234/19:...``."""
    return [_name(place) for place in places]


def _column(rows: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    """Null where the table was written before it had the column."""
    known = field.name in rows.schema.names
    return rows[field.name].cast(field.type) if known else pa.nulls(rows.num_rows, field.type)


def _name(place: Mapping[str, str]) -> str:
    last = list(place)[-1]
    return f"{last.removesuffix('_id')} {'/'.join(place.values())}"


def _of(rows: pa.Table, places: Places) -> pa.ChunkedArray | pa.Array:
    found = pa.repeat(pa.scalar(False), rows.num_rows)
    for place in places:
        here = pa.repeat(pa.scalar(True), rows.num_rows)
        for column, value in place.items():
            here = pc.and_(here, pc.equal(rows[column], value))
        found = pc.or_(found, here)
    return found
