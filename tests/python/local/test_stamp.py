"""The offset is found again whatever else was committed on top of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeflow_teams import ConfigurationError
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp

ROWS = pa.table({"id": ["1", "2"]})


@pytest.fixture
def destination(tmp_path):
    return Destination("main.teams.rows", tmp_path / "rows", Shape(("id",), None))


def stamp(number):
    return Stamp(number, f'{{"after":"é{number}"}}', epoch=1, position=number, members=("a", "b"), settings={"way": "merge"})


def test_nothing_is_found_before_the_first_commit(destination):
    assert destination.found().stamp is None
    (Path(str(destination.path)) / "_delta_log").mkdir(parents=True)  # as a kill between mkdir and commit leaves it
    assert destination.found().batch is None
    destination.append(ROWS, stamp(1))
    assert destination.found().stamp == stamp(1)


def test_every_field_comes_back_from_the_commit_of_the_rows(destination):
    destination.append(ROWS, stamp(1))
    destination.append(ROWS.slice(0, 0), stamp(2))
    found = destination.found()
    assert found.stamp == stamp(2)
    assert found.batch == 2
    assert DeltaTable(str(destination.path)).version() == 1


def test_optimize_vacuum_and_checkpoints_do_not_hide_it(destination):
    for number in range(1, 4):
        destination.append(ROWS, stamp(number))
    for _ in range(30):
        write_deltalake(str(destination.path), ROWS, mode="append")
    table = DeltaTable(str(destination.path))
    table.optimize.compact()
    table.create_checkpoint()
    table.vacuum(dry_run=False)
    assert destination.found().stamp == stamp(3)


def test_a_restored_table_goes_on_from_the_offset_of_its_rows(destination):
    for number in range(1, 5):
        destination.append(ROWS, stamp(number))
    DeltaTable(str(destination.path)).restore(1)
    found = destination.found()
    assert found.stamp == stamp(2)
    assert found.batch == 4


def test_a_log_that_was_cleaned_still_tells_the_batch(destination):
    for number in range(1, 3):
        destination.append(ROWS, stamp(number))
    write_deltalake(str(destination.path), ROWS, mode="append")
    DeltaTable(str(destination.path)).create_checkpoint()
    log = Path(str(destination.path)) / "_delta_log"
    for number in range(2):
        (log / f"{number:020}.json").unlink()
    found = destination.found()
    assert found.stamp is None
    assert found.batch == 2


def test_a_table_of_another_program_is_refused(destination):
    write_deltalake(str(destination.path), ROWS)
    with pytest.raises(ConfigurationError, match="lakeflow-teams did not write"):
        destination.found()
