"""Tables that another program changed so that they cannot be gone on with: named in one line, and nothing is harmed."""

from __future__ import annotations

import json
import time

import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from lakeflow_teams import ConfigurationError, LakeflowTeamsError, ingest_local
from lakeflow_teams.local.write import merge
from lakeflow_teams.local.write.by_engine import ByEngine
from lakeflow_teams.local.write.by_files import ByFiles
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from support.lakehouse import differences, entry, later, pipeline

ROWS = pa.table({"id": ["1", "2"], "at": ["a", "a"], "text": ["p", "q"]})
LATER = pa.table({"id": ["1", "3"], "at": ["b", "b"], "text": ["secret", "words"]})


@pytest.fixture
def destination(tmp_path):
    made = Destination("main.teams.rows", tmp_path / "rows", Shape(("id",), "at"))
    merge.write(made, ROWS, None, Stamp(1, "o1"))
    return made


def commit(destination, *actions):
    """What another program commits."""
    path = destination.path.path
    number = DeltaTable(str(path)).version() + 1
    info = {"commitInfo": {"timestamp": int(time.time() * 1000), "operation": "UPGRADE", "operationParameters": {}}}
    (path / "_delta_log" / f"{number:020}.json").write_text("\n".join(map(json.dumps, [*actions, info])))


def metadata(destination, **configuration):
    lines = (destination.path.path / "_delta_log" / f"{0:020}.json").read_text().splitlines()
    action = next(json.loads(line) for line in lines if "metaData" in line)
    action["metaData"]["configuration"].update(configuration)
    return action


def mapped(destination, **renamed):
    """Columns get other names, and keep those that they have in the files (``delta.columnMapping.mode``)."""
    action = metadata(destination, **{"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "3"})
    schema = json.loads(action["metaData"]["schemaString"])
    for number, field in enumerate(schema["fields"], 1):
        field["metadata"] = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": field["name"]}
        field["name"] = renamed.get(field["name"], field["name"])
    action["metaData"]["schemaString"] = json.dumps(schema)
    commit(destination, {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}}, action)


def refused(destination, error, match):
    """The writer says so in one line, and the table is as it was."""
    version, files = log(destination)
    for one in (destination, Destination(destination.name, destination.path, destination.shape)):
        with pytest.raises(error, match=match) as caught:
            merge.write(one, LATER, None, Stamp(2, "o2"))
        assert "\n" not in str(caught.value)
        assert str(destination.path) in str(caught.value)
        assert "secret" not in str(caught.value)
    assert log(destination) == (version, files)


def log(destination):
    files = sorted((destination.path.path / "_delta_log").glob("*.json"))
    return len(files), [file.read_text() for file in files]


def test_a_key_that_is_dropped(destination):
    write_deltalake(str(destination.path), pa.table({"text": ["1"]}), mode="overwrite", schema_mode="overwrite")
    refused(destination, ConfigurationError, "has no column id any more, which another program dropped or renamed")


def test_a_key_that_is_renamed(destination):
    mapped(destination, id="key")
    refused(destination, ConfigurationError, "has no column id any more, which another program dropped or renamed")


def test_a_column_that_is_renamed(destination):
    mapped(destination, text="words")
    refused(destination, ConfigurationError, "another program renamed or dropped columns .* name them as they were")


def test_column_mapping_without_other_names_is_left_to_the_engine(destination):
    mapped(destination)
    assert isinstance(destination.stored(destination.open()), ByEngine)
    counts = merge.write(destination, LATER, None, Stamp(2, "o2"))
    assert (counts.inserts, counts.updates) == (1, 1)
    rows = pa.table(QueryBuilder().register("rows", destination.open()).execute("SELECT id, text FROM rows ORDER BY id"))
    assert rows["text"].to_pylist() == ["secret", "q", "words"]


def test_a_column_that_is_dropped_comes_back(destination):
    kept = ROWS.select(["id", "at"])
    write_deltalake(str(destination.path), kept, mode="overwrite", schema_mode="overwrite")
    merge.write(destination, LATER, None, Stamp(2, "o2"))
    rows = DeltaTable(str(destination.path)).to_pyarrow_table().sort_by("id")
    assert rows["text"].to_pylist() == ["secret", None, "words"]


def test_files_that_are_vacuumed_away(destination):
    for file in destination.path.path.glob("*.parquet"):
        file.unlink()
    refused(destination, LakeflowTeamsError, "another program removed part-.*RESTORE the table")


@pytest.mark.parametrize("feature", ["rowTracking", "inCommitTimestamp", "identityColumns", "somethingNew"])
def test_features_that_cannot_be_written(destination, feature):
    protocol = {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": [feature]}
    commit(destination, {"protocol": protocol}, metadata(destination))
    refused(destination, ConfigurationError, "features that deltalake does not have .* nothing was written")


def test_features_that_cannot_be_read(destination):
    names = {"readerFeatures": ["somethingNew"], "writerFeatures": ["somethingNew"]}
    commit(destination, {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **names}})
    refused(destination, ConfigurationError, "features that deltalake does not have .*somethingNew")


def test_a_constraint_that_rows_break_shows_none_of_them(destination):
    DeltaTable(str(destination.path)).alter.add_constraint({"short": "text <> 'secret'"})
    refused(destination, ConfigurationError, "a constraint of the table refuses")


@pytest.mark.parametrize(
    "asks",
    [
        lambda table: table.alter.add_constraint({"short": "text <> 'never'"}),
        lambda table: table.alter.set_table_properties({"delta.enableChangeDataFeed": "true"}),
    ],
    ids=["constraint", "change feed"],
)
def test_what_plain_files_cannot_do_is_left_to_the_engine(destination, asks):
    assert isinstance(destination.stored(destination.open()), ByFiles)
    asks(DeltaTable(str(destination.path)))
    assert isinstance(destination.stored(destination.open()), ByEngine)
    counts = merge.write(destination, LATER, None, Stamp(2, "o2"))
    assert (counts.inserts, counts.updates) == (1, 1)
    rows = DeltaTable(str(destination.path)).to_pyarrow_table().sort_by("id")
    assert rows["text"].to_pylist() == ["secret", "q", "words"]


def test_a_table_that_is_restored_is_read_on_from_there(graph, options, tmp_path):
    spec = pipeline(entry("messages"), entry("message_replies"))
    ingest_local(spec, tmp_path, options)
    version = DeltaTable(str(tmp_path / "main" / "teams" / "messages")).version()
    later(graph)
    ingest_local(spec, tmp_path, options)
    DeltaTable(str(tmp_path / "main" / "teams" / "messages")).restore(version)
    later(graph)
    ingest_local(spec, tmp_path, options)
    assert differences(graph, tmp_path, ("messages", "message_replies")) == []
