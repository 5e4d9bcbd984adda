"""Scopes that could not be read: what a snapshot has stored of them stays, and what was read elsewhere counts."""

from __future__ import annotations

from functools import partial
from itertools import count

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakeflow_teams.local.left_out import LeftOut
from lakeflow_teams.local.write import scd2, snapshot
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp

SCHEMA = pa.schema([("id", pa.string()), ("team_id", pa.string()), ("role", pa.string())])


@pytest.fixture(params=["snapshot", "history"])
def table(request, tmp_path):
    """Writes a snapshot and tells the rows that hold afterwards, as ``(id, team, role)``."""
    destination, numbers = Destination("main.teams.rows", tmp_path / "rows", Shape(("id",), None)), count(1)

    def write(*rows, **checks):
        number = next(numbers)
        given = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
        way = snapshot.write if request.param == "snapshot" else partial(scd2.write_snapshot, now=f"t{number}")
        write.counts = way(destination, [given], SCHEMA, Stamp(number), **checks)
        write.version = DeltaTable(str(destination.path)).version()
        held = scd2.holding(read(destination.path)).select(SCHEMA.names).to_pylist()
        return sorted(tuple(row.values()) for row in held)

    return write


def absent(*, refused=(), doubtful=()):
    found = LeftOut()
    found.refused, found.doubtful = refused, doubtful
    return found


STORED = [("1", "A", "owner"), ("2", "A", "guest"), ("3", "B", "owner")]


@pytest.mark.parametrize("place", ["refused", "doubtful"])
def test_rows_of_a_scope_that_was_not_read_stay(table, place):
    table(*STORED)
    places = absent(**{place: [{"team_id": "A"}]})
    assert table(("4", "B", "guest"), gone=places.gone) == [*STORED[:2], ("4", "B", "guest")]
    assert (table.counts.inserts, table.counts.deletes) == (1, 1)
    assert places.kept == (2 if place == "refused" else 0)


@pytest.mark.parametrize("place", ["refused", "doubtful"])
def test_a_key_that_was_read_now_is_not_brought_back(table, place):
    table(*STORED)
    places = absent(**{place: [{"team_id": "A"}]})
    moved = ("1", "B", "member")
    assert table(moved, STORED[2], gone=places.gone) == [moved, *STORED[1:]]
    assert places.kept == (1 if place == "refused" else 0)


def test_places_that_overlap_keep_a_row_once(table):
    table(*STORED)
    places = absent(refused=[{"team_id": "A", "id": "1"}, {"team_id": "A"}], doubtful=[{"team_id": "A"}])
    version = table.version
    assert table(STORED[2], gone=places.gone) == STORED
    assert table.version == version, "nothing changed"
    assert places.kept == 2


def test_what_stays_is_no_delete_that_is_asked_about(table):
    table(*STORED)
    asked = []
    table(STORED[2], gone=absent(refused=[{"team_id": "A"}]).gone, may_delete=asked.append)
    table(gone=absent(refused=[{"team_id": "A"}]).gone, may_delete=asked.append)
    assert asked == [0, 1]


def test_a_place_by_a_column_that_the_table_lacks_keeps_nothing(table):
    table(*STORED)
    assert table(STORED[2], gone=absent(refused=[{"user_id": "A"}]).gone) == [STORED[2]]
