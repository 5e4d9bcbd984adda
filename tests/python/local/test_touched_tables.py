"""Tables that others touched between two runs, keys that fold rows, and a clock that goes back."""

from __future__ import annotations

import base64
import json
import struct
from itertools import count

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeflow_teams import ConfigurationError, ProtocolError, ingest_local
from lakeflow_teams.local import runner
from lakeflow_teams.local.status import status
from lakeflow_teams.local.write import snapshot
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from support.lakehouse import entry, later, pipeline, stored

WAYS = {
    "merge": entry("messages", "t"),
    "append": entry("messages", "t", scd_type="APPEND_ONLY"),
    "scd2": entry("messages", "t", scd_type="SCD_TYPE_2"),
    "snapshot": entry("members", "t"),
    "snapshot_scd2": entry("members", "t", scd_type="SCD_TYPE_2"),
}
KEYS = {"messages": ("team_id", "channel_id", "id"), "members": ("team_id", "id")}


def current(graph, given, target):
    """The keys that the table holds now are those of the tenant."""
    source = given["table"]["source_table"]
    rows = [row for row in stored(target, "t").to_pylist() if row.get("__END_AT") is None]
    found = {tuple(row[key] for key in KEYS[source]) for row in rows}
    return found == {tuple(row[key] for key in KEYS[source]) for row in graph.truth(source)}


def change(graph):
    later(graph)
    graph.mutate(member_adds=3, member_removes=2)


def with_extra_fields(kind):
    """The type with one field more in every struct, and its fields in another order."""
    if pa.types.is_struct(kind):
        fields = [pa.field("extra", pa.string()), *(field.with_type(with_extra_fields(field.type)) for field in kind)]
        return pa.struct(fields)
    if pa.types.is_list(kind):
        return pa.list_(with_extra_fields(kind.value_type))
    return kind


@pytest.mark.parametrize("way", WAYS)
def test_struct_fields_of_others_do_not_stop_a_table(graph, options, tmp_path, way):
    ingest_local(pipeline(WAYS[way]), tmp_path, options)
    rows = stored(tmp_path, "t")
    wide = pa.schema([field.with_type(with_extra_fields(field.type)) for field in rows.schema])
    path = str(tmp_path / "main" / "teams" / "t")
    write_deltalake(path, wide.empty_table(), mode="append", schema_mode="merge")
    for _ in range(2):
        change(graph)
        ingest_local(pipeline(WAYS[way]), tmp_path, options)
        assert current(graph, WAYS[way], tmp_path)
    before = DeltaTable(path).version()
    ingest_local(pipeline(WAYS["snapshot" if way == "snapshot" else way]), tmp_path, options)
    assert way not in ("snapshot", "snapshot_scd2") or DeltaTable(path).version() == before


def delete_first_row(path):
    """What Spark commits for a DELETE: the same file with an inline deletion vector."""
    table = DeltaTable(str(path))
    log = path / "_delta_log"
    actions = [json.loads(line) for file in sorted(log.glob("*.json")) for line in file.read_text().splitlines()]
    gone = {action["remove"]["path"] for action in actions if "remove" in action}
    add = next(a["add"] for a in reversed(actions) if "add" in a and a["add"]["path"] not in gone)
    metadata = next(a["metaData"] for a in reversed(actions) if "metaData" in a)
    bitmap = struct.pack("<IIHHIH", 12346, 1, 0, 0, 16, 0)
    raw = struct.pack("<IqI", 1681511377, 1, 0) + bitmap
    vector = {"storageType": "i", "pathOrInlineDv": z85(raw), "sizeInBytes": len(raw), "cardinality": 1}
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    commit = [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
        {"metaData": {**metadata, "configuration": {"delta.enableDeletionVectors": "true"}}},
        {"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True, "partitionValues": {}}},
        {"add": {**add, "deletionVector": vector}},
        {"commitInfo": {"timestamp": 1, "operation": "DELETE", "operationParameters": {}}},
    ]
    (log / f"{table.version() + 1:020}.json").write_text("\n".join(map(json.dumps, commit)))


def z85(data):
    return base64.z85encode(data).decode() if hasattr(base64, "z85encode") else _z85(data)


def _z85(data):
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    data += b"\0" * (-len(data) % 4)
    words = (int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4))
    return "".join(alphabet[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


@pytest.mark.parametrize("way", WAYS)
def test_deletion_vectors_do_not_stop_a_table(graph, options, tmp_path, way):
    ingest_local(pipeline(WAYS[way]), tmp_path, options)
    rows = stored(tmp_path, "t").num_rows
    delete_first_row(tmp_path / "main" / "teams" / "t")
    assert stored(tmp_path, "t").num_rows == rows - 1
    assert next(line.rows for line in status(tmp_path).tables if line.table.endswith(".t")) == rows - 1
    change(graph)
    ingest_local(pipeline(WAYS[way]), tmp_path, options)
    assert current(graph, WAYS[way], tmp_path) or "snapshot" not in way


def test_an_append_only_table_is_not_blamed_on_another_ingest(graph, options, tmp_path):
    ingest_local(pipeline(WAYS["merge"]), tmp_path, options)
    DeltaTable(str(tmp_path / "main" / "teams" / "t")).alter.set_table_properties({"delta.appendOnly": "true"})
    change(graph)
    with pytest.raises(ConfigurationError, match=r"delta\.appendOnly forbids to change rows"):
        ingest_local(pipeline(WAYS["merge"]), tmp_path, options)


@pytest.mark.parametrize("way", ["merge", "scd2", "snapshot", "snapshot_scd2"])
def test_a_key_that_folds_rows_is_refused(graph, options, tmp_path, way):
    given = WAYS[way]
    source = given["table"]["source_table"]
    column = "channel_id" if source == "messages" else "userId"
    given = {
        "table": {
            **given["table"],
            "table_configuration": {**given["table"]["table_configuration"], "primary_keys": [column]},
        }
    }
    with pytest.raises(ConfigurationError, match=rf"primary_keys {column} are the same in \d+ rows.*leave primary_keys out"):
        ingest_local(pipeline(given), tmp_path, options)
    assert not (tmp_path / "main" / "teams" / "t").exists()


def test_a_key_that_folds_a_new_row_with_a_stored_one_is_refused(graph, options, tmp_path):
    spec = pipeline(entry("messages", "t", primary_keys=["channel_id", "id", "messageType"]))
    ingest_local(spec, tmp_path, options)
    assert len(graph.truth("messages")) == stored(tmp_path, "t").num_rows  # one team each: nothing folds
    rows = stored(tmp_path, "t")
    index = rows.schema.get_field_index("team_id")
    path = tmp_path / "main" / "teams" / "t"
    other = rows.set_column(index, "team_id", pa.array(["another team"] * rows.num_rows))
    write_deltalake(str(path), other, mode="overwrite")
    graph.mutate(edits=3)
    graph.advance(3600)
    with pytest.raises(ConfigurationError, match=r"are the same in \d+ rows that differ in team_id; add a column"):
        ingest_local(spec, tmp_path, options)


def test_keys_that_nobody_named_are_not_blamed_on_an_option(tmp_path):
    destination = Destination("main.teams.rows", tmp_path / "rows", Shape(("id",), None))
    rows = pa.table({"id": ["1", "1"]})
    with pytest.raises(ProtocolError, match=r"Graph gave 1 rows whose key \(id\) another row has") as caught:
        snapshot.write(destination, [rows], rows.schema, Stamp(1))
    assert "primary_keys" not in str(caught.value)
    rows = pa.table({"id": pa.array([None], pa.string())})
    with pytest.raises(ConfigurationError, match="primary key id is null in 1 rows; Graph sent them without it"):
        snapshot.write(destination, [rows], rows.schema, Stamp(1))


@pytest.mark.parametrize("known", [True, False], ids=["stamp", "no stamp"])
def test_a_clock_that_goes_back_misses_no_departure(graph, options, tmp_path, monkeypatch, known):
    hours = count(23, -1)
    monkeypatch.setattr(runner, "_now", lambda: f"2025-01-15T{next(hours):02}:00:00.000Z")
    if not known:
        monkeypatch.setattr(runner, "replace", lambda stamp, **changes: Stamp(**{**stamp.__dict__, **changes, "at": None}))
    spec = pipeline(WAYS["snapshot_scd2"])
    for turn in range(4):
        summary = ingest_local(spec, tmp_path, options)
        assert current(graph, WAYS["snapshot_scd2"], tmp_path)
        assert any("this machine's clock was behind" in note for note in summary.notes) == (turn > 0)
        graph.mutate(member_adds=2, member_removes=3)
    rows = stored(tmp_path, "t").to_pylist()
    assert all(row["__END_AT"] is None or row["__START_AT"] < row["__END_AT"] for row in rows)
