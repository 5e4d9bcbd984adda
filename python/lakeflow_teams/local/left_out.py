"""Scopes that refuse to be read: with ``on_forbidden: skip`` a snapshot keeps the rows that it has of them.

What is missing in a snapshot counts as gone. Of a team that was locked yesterday nothing is gone: its rows are stale, and
the summary, the journal and ``status`` say since when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.local.write.scd2 import END, START, holding

#: Places of a refused read, each by the columns that name it.
Places = Sequence[Mapping[str, str]]


def with_kept(job: Job, rows: pa.Table, places: Places) -> tuple[pa.Table, int]:
    """The rows that were read, and those that are stored of ``places``; and how many of these there are."""
    table = job.destination.open() if places else None
    if table is None:
        return rows, 0
    stored = read(table, filter=_of(places) & holding(table))
    stored = stored.drop_columns([name for name in (START, END) if name in stored.schema.names])
    stored = stored.select([name for name in stored.schema.names if name in rows.schema.names])
    known = {name: rows.schema.field(name).type for name in stored.schema.names}
    kept = pa.table({name: stored[name].cast(kind) for name, kind in known.items()})
    return pa.concat_tables([rows, kept], promote_options="default").select(rows.schema.names), kept.num_rows


def names(places: Places) -> list[str]:
    """How the report calls these places: ``team 1234``, ``channel 1234/19:...``."""
    return [_name(place) for place in places]


def _name(place: Mapping[str, str]) -> str:
    last = list(place)[-1]
    return f"{last.removesuffix('_id')} {'/'.join(place.values())}"


def _of(places: Places) -> pc.Expression:
    each = (reduce(and_, (pc.field(column) == value for column, value in place.items())) for place in places)
    return reduce(or_, each)
