"""Scopes that could not be read: a snapshot keeps the rows that it has of them.

What is missing in a snapshot counts as gone. Of a team that was locked yesterday (``on_forbidden: skip``), or whose channels
Graph does not list for the moment, nothing is gone. Of a scope that refuses the summary, the journal and ``status`` say
since when its rows are stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

#: Places of a read that did not come about, each by the columns that name it.
Places = Sequence[Mapping[str, str]]


class LeftOut:
    """The places of one reading: those that ``refused``, and those of which it is in doubt what they hold.

    ``kept`` counts the rows of places that refused. Both kinds of places are known once everything has been read.
    """

    def __init__(self) -> None:
        self.refused: Places = []
        self.doubtful: Places = []
        self.kept = 0

    def gone(self, missing: pa.Table) -> pa.Table:
        """Of rows that are stored and whose keys were not read those that are none of these places'."""
        if missing.num_rows == 0 or not (self.refused or self.doubtful):
            return missing
        refused = _of(missing, self.refused)
        self.kept += pc.sum(refused).as_py() or 0
        return missing.filter(pc.invert(pc.or_(refused, _of(missing, self.doubtful))))


def names(places: Places) -> list[str]:
    """How the report calls these places: ``team 1234``, ``channel 1234/19:...``."""
    return [_name(place) for place in places]


def _name(place: Mapping[str, str]) -> str:
    last = list(place)[-1]
    return f"{last.removesuffix('_id')} {'/'.join(place.values())}"


def _of(rows: pa.Table, places: Places) -> pa.ChunkedArray | pa.Array:
    """Which rows are of one of the places; a column that the table lacks is that of no row."""
    found = pa.repeat(pa.scalar(False), rows.num_rows)
    for place in places:
        if all(column in rows.schema.names for column in place):
            here = pa.repeat(pa.scalar(True), rows.num_rows)
            for column, value in place.items():
                here = pc.and_(here, pc.fill_null(pc.equal(rows[column], value), False))
            found = pc.or_(found, here)
    return found
