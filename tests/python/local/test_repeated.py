"""What is told to be stored as it is, a writer changes nothing by."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeflow_teams.local.write import append, merge, repeated, scd2
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.results.summary import Counts
from support.examples import examples

NAMES = ("team_id", "id", "lastModifiedDateTime", "etag", "deletedDateTime", "text")
SCHEMA = pa.schema([(name, pa.string()) for name in NAMES])
WRITERS = {"merge": merge.write, "append": append.write, "scd2": scd2.write}

times = st.integers(0, 2).map(lambda second: f"2025-01-15T10:30:0{second}.000Z")
rows = st.tuples(
    st.just("A"), st.sampled_from("123"), times, st.sampled_from("xy"), st.one_of(st.none(), times), st.sampled_from("ab")
)
batches = st.lists(rows, min_size=1, max_size=4)


def table(some):
    return pa.Table.from_pylist([dict(zip(NAMES, row, strict=True)) for row in some], SCHEMA)


def destination_in(folder, message=()):
    return Destination("main.teams.rows", folder / "rows", Shape(NAMES[:2], NAMES[2], message=message))


def content(destination):
    found = read(destination.path).to_pylist()
    return sorted(found, key=str)


@pytest.mark.parametrize("way", WRITERS)
@given(st.lists(batches, min_size=1, max_size=3), batches)
@examples(25)
def test_what_is_stored_changes_nothing(tmp_path_factory, way, steps, again):
    destination = destination_in(tmp_path_factory.mktemp("delta"))
    for number, some in enumerate(steps):
        WRITERS[way](destination, table(some), None, Stamp(number + 1, f"o{number}"))
    before = content(destination)
    if repeated.is_stored(destination, table(again), way):
        assert WRITERS[way](destination, table(again), None, Stamp(len(steps) + 1, "z")) == Counts()
        assert content(destination) == before


@pytest.mark.parametrize("way", WRITERS)
def test_what_was_just_written_is_stored(tmp_path, way):
    destination = destination_in(tmp_path)
    some = [("A", "1", "2025-01-15T10:30:00.000Z", "x", None, "a"), ("A", "2", "2025-01-15T10:30:01.000Z", "y", None, "b")]
    assert not repeated.is_stored(destination, table(some), way)
    WRITERS[way](destination, table(some), None, Stamp(1, "a"))
    assert repeated.is_stored(destination, table(some), way)
    assert repeated.is_stored(destination, table(some[:1]), way)
    assert not repeated.is_stored(destination, table([*some, ("A", "3", *some[0][2:])]), way)


@pytest.mark.parametrize(("at", "value"), [(2, "2025-01-15T10:30:02.000Z"), (3, "z"), (4, "2025-01-15T10:30:00.000Z")])
def test_another_version_of_a_message_is_not_stored(tmp_path, at, value):
    destination = destination_in(tmp_path)
    row = ["A", "1", "2025-01-15T10:30:00.000Z", "x", None, "a"]
    merge.write(destination, table([row]), None, Stamp(1, "a"))
    row[at] = value
    assert not repeated.is_stored(destination, table([row]), "merge")


def test_items_that_are_replaced_together_are_not_told(tmp_path):
    destination = destination_in(tmp_path, message=("team_id",))
    row = table([("A", "1", "2025-01-15T10:30:00.000Z", "x", None, "a")])
    merge.write(destination, row, None, Stamp(1, "a"))
    assert not repeated.is_stored(destination, row, "merge")
