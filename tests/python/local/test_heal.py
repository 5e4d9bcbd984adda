"""Keys that a table holds twice, as earlier versions and other programs could leave them, are healed by the next run."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from lakeflow_teams import ingest_local
from lakeflow_teams.local.write.delta import read
from support.lakehouse import differences, entry, later, pipeline, stored

KEY = ["team_id", "channel_id", "id"]
WAYS = {
    "merge": (entry("messages", "t"), KEY),
    "append": (entry("messages", "t", scd_type="APPEND_ONLY"), [*KEY, "lastModifiedDateTime"]),
    "scd2": (entry("messages", "t", scd_type="SCD_TYPE_2"), [*KEY, "__START_AT"]),
    "snapshot": (entry("members", "t"), ["team_id", "id"]),
    "snapshot_scd2": (entry("members", "t", scd_type="SCD_TYPE_2"), ["team_id", "id", "__START_AT"]),
}


def doubled(rows, keys):
    return rows.num_rows - rows.select(keys).group_by(keys).aggregate([]).num_rows


def as_an_earlier_version_left_it(path):
    """Versions 0 and 1 are the same append, each with its offset, and no stamp tells that keys are unique."""
    log = path / "_delta_log"
    (commit,) = log.glob("*.json")
    actions = [json.loads(line) for line in commit.read_text().splitlines()]
    for action in actions:
        if "commitInfo" in action:
            stamp = json.loads(action["commitInfo"]["lakeflow_teams"])
            for name in ("unique", "at"):
                stamp.pop(name)
            action["commitInfo"]["lakeflow_teams"] = json.dumps(stamp)
    commit.write_text("\n".join(map(json.dumps, actions)))
    rows = read(path)
    properties = CommitProperties(
        custom_metadata={"lakeflow_teams": json.dumps(stamp)}, app_transactions=[Transaction("lakeflow-teams", 1)]
    )
    write_deltalake(str(path), rows, mode="append", commit_properties=properties)


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_two_first_ingests_are_healed(graph, options, tmp_path, way):
    given, keys = WAYS[way]
    ingest_local(pipeline(given), tmp_path, options)
    path = tmp_path / "main" / "teams" / "t"
    once = stored(tmp_path, "t").sort_by([(key, "ascending") for key in keys])
    as_an_earlier_version_left_it(path)
    assert stored(tmp_path, "t").num_rows == 2 * once.num_rows
    summary = ingest_local(pipeline(given), tmp_path, options)
    assert any(f"main.teams.t: {once.num_rows} rows had the key of another one" in note for note in summary.notes)
    healed = stored(tmp_path, "t").sort_by([(key, "ascending") for key in keys])
    assert healed.to_pylist() == once.to_pylist()
    version = DeltaTable(str(path)).version()
    again = ingest_local(pipeline(given), tmp_path, options)
    assert DeltaTable(str(path)).version() == version
    assert not any("key of another one" in note for note in again.notes)
    later(graph)
    ingest_local(pipeline(given), tmp_path, options)
    assert doubled(stored(tmp_path, "t"), keys) == 0


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_another_program_added_are_healed(graph, options, tmp_path, way):
    given, keys = WAYS[way]
    ingest_local(pipeline(given), tmp_path, options)
    rows = stored(tmp_path, "t")
    path = str(tmp_path / "main" / "teams" / "t")
    write_deltalake(path, rows.slice(0, 5), mode="append")
    write_deltalake(path, rows.slice(0, 3), mode="append")
    DeltaTable(path).optimize.compact()
    summary = ingest_local(pipeline(given), tmp_path, options)
    assert any("8 rows had the key of another one" in note for note in summary.notes)
    assert stored(tmp_path, "t").num_rows == rows.num_rows
    assert doubled(stored(tmp_path, "t"), keys) == 0


def test_the_newest_version_stays(graph, options, tmp_path):
    spec = pipeline(entry("messages"))
    ingest_local(spec, tmp_path, options)
    rows = stored(tmp_path, "messages")
    index = rows.schema.get_field_index("lastModifiedDateTime")
    old = rows.set_column(index, "lastModifiedDateTime", pa.array(["2001-01-01T00:00:00.000Z"] * rows.num_rows))
    write_deltalake(str(tmp_path / "main" / "teams" / "messages"), old, mode="append")
    ingest_local(spec, tmp_path, options)
    assert differences(graph, tmp_path, ["messages"]) == []


def test_a_snapshot_seen_first_by_two_keeps_the_earlier_time(graph, options, tmp_path):
    spec = pipeline(entry("members", scd_type="SCD_TYPE_2"))
    ingest_local(spec, tmp_path, options)
    rows = stored(tmp_path, "members")
    index = rows.schema.get_field_index("__START_AT")
    other = rows.set_column(index, "__START_AT", pa.array(["2999-01-01T00:00:00.000Z"] * rows.num_rows))
    write_deltalake(str(tmp_path / "main" / "teams" / "members"), other, mode="append")
    ingest_local(spec, tmp_path, options)
    assert sorted(stored(tmp_path, "members").to_pylist(), key=str) == sorted(rows.to_pylist(), key=str)


def test_maintenance_is_no_reason_to_look(graph, options, tmp_path):
    spec = pipeline(entry("messages"), entry("members"))
    ingest_local(spec, tmp_path, options)
    for table in ("messages", "members"):
        delta = DeltaTable(str(tmp_path / "main" / "teams" / table))
        delta.optimize.compact()
        delta.vacuum(dry_run=False)
        delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 60 days"})
    versions = [DeltaTable(str(tmp_path / "main" / "teams" / table)).version() for table in ("messages", "members")]
    ingest_local(spec, tmp_path, options)
    assert [DeltaTable(str(tmp_path / "main" / "teams" / table)).version() for table in ("messages", "members")] == versions
