"""Files of one reading that overlap: what this process wrote is not opened to find that it holds no new key."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakeflow_teams.local.write import delta, merge, recent, upkeep
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp

AT = "2025-01-15T10:30:0{}.000Z"


@pytest.fixture
def opened(monkeypatch):
    """The data files that are opened."""
    names, opening = [], delta.opening
    monkeypatch.setattr(delta, "opening", lambda name, path: names.append(name) or opening(name, path))
    return names


@pytest.fixture
def destination(tmp_path):
    """A table of two files, the second of every fourth key."""
    made = Destination("main.teams.rows", tmp_path / "rows", Shape(("team", "id"), "at"))
    write(made, 1, [1_000])
    write(made, 2, range(0, 100, 4))
    return made


def write(destination, number, ids, second=0):
    rows = [{"team": "A", "id": f"{one:04}", "at": AT.format(second), "text": f"{number}"} for one in ids]
    return merge.write(destination, pa.Table.from_pylist(rows), None, Stamp(number, f"o{number}"))


def texts(destination):
    rows = DeltaTable(str(destination.path)).to_pyarrow_table()
    return dict(zip(map(int, rows["id"].to_pylist()), rows["text"].to_pylist(), strict=True))


def test_new_keys_between_those_of_a_file_open_none(destination, opened):
    assert write(destination, 3, range(1, 100, 4)).inserts == 25
    assert write(destination, 4, range(2, 100, 4)).inserts == 25
    assert opened == []


def test_what_was_put_together_or_written_anew_is_still_known(destination, opened):
    write(destination, 3, range(1, 100, 4))
    upkeep.look_after(destination, destination.open())
    write(destination, 4, [0], second=1)
    opened.clear()
    assert write(destination, 5, range(2, 100, 4)).inserts == 25
    assert opened == []
    assert texts(destination) == {
        1_000: "1",
        0: "4",
        **dict.fromkeys(range(4, 100, 4), "2"),
        **dict.fromkeys(range(1, 100, 4), "3"),
        **dict.fromkeys(range(2, 100, 4), "5"),
    }


def test_a_key_that_is_there_is_found(destination, opened):
    counts = write(destination, 3, [4, 5], second=1)
    assert (counts.inserts, counts.updates) == (1, 1)
    assert texts(destination)[4] == "3"
    assert len(set(opened)) == 1


def test_a_value_that_is_part_of_another_key_is_no_key(destination, opened):
    rows = [{"team": "B", "id": f"{one:04}", "at": AT.format(1), "text": "B"} for one in (3, 4)]
    counts = merge.write(destination, pa.Table.from_pylist(rows), None, Stamp(3, "o3"))
    assert (counts.inserts, counts.updates) == (2, 0)
    assert opened == []


@pytest.mark.parametrize("lost", ["forgotten", "another process"])
def test_what_is_not_known_is_looked_up(destination, opened, monkeypatch, lost):
    if lost == "forgotten":
        monkeypatch.setattr(recent, "_MOST_BYTES", 0)
    other = Destination(destination.name, destination.path, destination.shape)
    if lost == "forgotten":
        write(other, 3, range(101, 105))
    opened.clear()
    counts = write(other, 4, [1, 2, 3, 4, 102], second=1)
    assert (counts.inserts, counts.updates) == ((3, 2) if lost == "forgotten" else (4, 1))
    assert opened != []


def test_rows_of_one_message_are_found_by_it(tmp_path, opened):
    shape = Shape(("team", "id", "item"), "at", message=("team", "id"))
    destination = Destination("main.teams.items", tmp_path / "items", shape)

    def batch(ids):
        return [{"team": "A", "id": f"{one:04}", "item": part, "at": AT.format(0)} for one in ids for part in "ab"]

    for number, ids in enumerate((range(0, 100, 2), range(1, 100, 4)), 1):
        merge.write(destination, pa.Table.from_pylist(batch(ids)), None, Stamp(number, f"o{number}"))
    opened.clear()
    stored = destination.stored(destination.open())
    new, old = pa.Table.from_pylist(batch([3, 7])), pa.Table.from_pylist(batch([4]))
    assert stored.find(new, ["id", "team"], ["item"]).num_rows == 0
    assert opened == []
    assert sorted(stored.find(old.slice(0, 1), ["team", "id"], ["item"])["item"].to_pylist()) == ["a", "b"]
