"""Each way of writing against a model made of plain dicts, with random micro-batches."""

from __future__ import annotations

import json
from itertools import count

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from lakeflow_teams import ConfigurationError
from lakeflow_teams.local.write import append, by_files, data_file, delta, merge, scd2, snapshot, splice, table_file, upkeep
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from support.examples import examples

SCHEMA = pa.schema(
    [
        ("team_id", pa.string()),
        ("id", pa.string()),
        ("lastModifiedDateTime", pa.string()),
        ("from", pa.struct([("user", pa.struct([("id", pa.string())]))])),
        ("roles", pa.list_(pa.string())),
        ("order", pa.string()),
    ]
)
CURSOR = "lastModifiedDateTime"
SHAPE = Shape(("team_id", "id"), CURSOR)
DELETES = pa.schema([SCHEMA.field(name) for name in ("team_id", "id", CURSOR)])

keys = st.tuples(st.sampled_from("AB"), st.sampled_from("12345"))
times = st.integers(0, 6).map(lambda second: f"2025-01-15T10:30:0{second}.000Z")
rows = st.builds(
    lambda key, time, user, text: {
        "team_id": key[0],
        "id": key[1],
        CURSOR: time,
        "from": {"user": {"id": user}},
        "roles": [text] if text else [],
        "order": text,
    },
    keys,
    st.one_of(times, st.none()),
    st.sampled_from(["u", None]),
    st.sampled_from(["", "x", "y'`\"é"]),
)
deletes = st.builds(lambda key, time: {"team_id": key[0], "id": key[1], CURSOR: time}, keys, times)
batches = st.lists(st.tuples(st.lists(rows, max_size=8), st.lists(deletes, max_size=3)), min_size=1, max_size=4)
model_test = examples(20)


@pytest.fixture(autouse=True)
def _small_files(monkeypatch):
    """Row groups of two rows and files of six, so that a few rows are many of them."""
    for module, name, value in (
        (data_file, "ROW_GROUP_ROWS", 2),
        (splice, "ROW_GROUP_ROWS", 2),
        (data_file, "FILE_ROWS", 6),
        (data_file, "_COPIED_ROWS", 4),
        (splice, "FILE_ROWS", 6),
        (upkeep, "FILE_ROWS", 6),
        (by_files, "ROW_GROUP_ROWS", 2),
        (by_files, "_LEAST_GROUP_ROWS", 2),
        (by_files, "_LOOKED_AT_ONCE", 3),
        (table_file, "_BATCH_VALUES", 20),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def fresh(tmp_path_factory):
    def make(shape=SHAPE):
        return Destination("main.teams.rows", tmp_path_factory.mktemp("delta") / "rows", shape)

    return make


def arrow(items, schema=SCHEMA):
    return pa.Table.from_pylist(items, schema=schema)


def content(destination):
    return sorted(read(destination.path).to_pylist(), key=lambda row: json.dumps(row, sort_keys=True))


def in_order(items):
    return sorted(items, key=lambda row: json.dumps(row, sort_keys=True))


def key(row):
    return (row["team_id"], row["id"])


def offset_of(destination):
    return destination.found().stamp.offset


@model_test
@given(batches)
def test_merge_keeps_the_newest_version_of_each_key(fresh, steps):
    destination, model = fresh(), {}
    for number, (upserts, gone) in enumerate(steps):
        newest = {}
        for row in upserts:
            if key(row) not in newest or (row[CURSOR] or "") >= (newest[key(row)][CURSOR] or ""):
                newest[key(row)] = row
        for row in gone:
            if key(row) not in newest or row[CURSOR] >= (newest[key(row)].get(CURSOR) or ""):
                newest[key(row)] = {"gone": True, **row}
        for identity, row in newest.items():
            before = model.get(identity)
            if before is not None and before[CURSOR] is not None and (row[CURSOR] or "") < before[CURSOR]:
                continue
            if row.get("gone"):
                model.pop(identity, None)
            else:
                model[identity] = row
        merge.write(destination, arrow(upserts), arrow(gone, DELETES) if gone else None, Stamp(number + 1, f"o{number}"))
        assert content(destination) == in_order(model.values())
        assert offset_of(destination) == f"o{number}"


@model_test
@given(st.lists(st.lists(rows, max_size=8), min_size=1, max_size=4))
def test_append_takes_each_version_once(fresh, steps):
    destination, model = fresh(), {}
    for number, upserts in enumerate(steps):
        fits = {}
        for row in upserts:
            fits[(key(row), row[CURSOR])] = row
        model = {**fits, **model}
        append.write(destination, arrow(upserts), None, Stamp(number + 1, f"o{number}"))
        assert content(destination) == in_order(model.values())
        assert offset_of(destination) == f"o{number}"


@model_test
@given(batches)
def test_scd2_is_the_same_in_any_order(fresh, steps):
    destination, versions, deaths = fresh(), {}, {}
    for number, (upserts, gone) in enumerate(steps):
        latest = {(key(row), row[CURSOR]): row for row in upserts}
        versions = {**latest, **versions}
        for row in gone:
            if any(identity == key(row) for identity, _ in versions):
                deaths.setdefault(key(row), set()).add(row[CURSOR])
        scd2.write(destination, arrow(upserts), arrow(gone, DELETES) if gone else None, Stamp(number + 1, f"o{number}"))

        expected = []
        for (identity, start), row in versions.items():
            starts = {other or "" for same, other in versions if same == identity}
            # a delete is only known while it closes a version
            ends = [s for s in starts if s > (start or "")] + [d for d in deaths.get(identity, ()) if d >= (start or "")]
            expected.append({**row, scd2.START: start, scd2.END: min(ends, default=None)})
        assert content(destination) == in_order(expected)
        assert offset_of(destination) == f"o{number}"
        deaths = {
            identity: {row[scd2.END] for row in expected if key(row) == identity and row[scd2.END] in known}
            for identity, known in deaths.items()
        }


@model_test
@given(
    st.lists(st.dictionaries(keys, st.tuples(st.sampled_from(["u", None]), st.sampled_from("xy"))), min_size=1, max_size=4)
)
def test_snapshot_replaces_and_counts(fresh, steps):
    destination, before = fresh(Shape(("team_id", "id"), None)), None
    for number, state in enumerate(steps):
        now = {
            identity: {
                "team_id": identity[0],
                "id": identity[1],
                CURSOR: None,
                "from": {"user": {"id": user}},
                "roles": [text],
                "order": None,
            }
            for identity, (user, text) in state.items()
        }
        versions = DeltaTable(str(destination.path)).version() if before is not None else -1
        counts = snapshot.write(destination, [arrow(list(now.values()))], SCHEMA, Stamp(number + 1))
        assert content(destination) == in_order(now.values())
        old = before or {}
        assert counts.inserts == len(now.keys() - old.keys())
        assert counts.deletes == len(old.keys() - now.keys())
        assert counts.updates == sum(old[identity] != now[identity] for identity in old.keys() & now.keys())
        changed = before is None or old != now
        assert DeltaTable(str(destination.path)).version() == versions + changed
        before = now


def test_snapshot_with_history_opens_and_closes_versions(fresh):
    destination = fresh(Shape(("team_id", "id"), None))

    numbers = count(1)

    def snap(at, **texts):
        state = [{"team_id": "A", "id": name, "roles": [text]} for name, text in texts.items()]
        scd2.write_snapshot(destination, [arrow(state)], SCHEMA, Stamp(next(numbers)), at)

    snap("t1", one="x", two="x")
    snap("t2", one="x", two="x")
    assert DeltaTable(str(destination.path)).version() == 0
    snap("t3", one="y")
    snap("t4", one="y", two="z")
    versions = {(row["id"], row["roles"][0], row[scd2.START], row[scd2.END]) for row in content(destination)}
    assert versions == {
        ("one", "x", "t1", "t3"),
        ("one", "y", "t3", None),
        ("two", "x", "t1", "t3"),
        ("two", "z", "t4", None),
    }


def test_a_repeated_batch_changes_nothing_but_the_stamp(fresh):
    destination = fresh()
    batch = arrow([{"team_id": "A", "id": "1", CURSOR: "2025-01-15T10:30:00.000Z", "order": "x"}])
    merge.write(destination, batch, None, Stamp(1, "a"))
    files = DeltaTable(str(destination.path)).file_uris()
    counts = merge.write(destination, batch, None, Stamp(2, "b"))
    assert (counts.inserts, counts.updates, counts.deletes) == (0, 0, 0)
    assert DeltaTable(str(destination.path)).file_uris() == files
    assert offset_of(destination) == "b"


def test_padded_cursors_decide_where_text_would_err(fresh):
    destination = fresh()
    newer = {"team_id": "A", "id": "1", CURSOR: "2025-01-15T10:30:01.500Z", "order": "newer"}
    older = {"team_id": "A", "id": "1", CURSOR: "2025-01-15T10:30:01.000Z", "order": "older"}
    merge.write(destination, arrow([newer]), None, Stamp(1, "a"))
    merge.write(destination, arrow([older]), None, Stamp(2, "b"))
    assert [row["order"] for row in content(destination)] == ["newer"]


@pytest.mark.parametrize("write", [merge.write, append.write, scd2.write])
def test_columns_that_come_later_are_added(fresh, write):
    destination = fresh()
    wider = pa.schema([*SCHEMA, ("_raw", pa.string())])
    first = {"team_id": "A", "id": "1", CURSOR: "2025-01-15T10:30:00.000Z"}
    write(destination, arrow([first]), None, Stamp(1, "a"))
    write(destination, arrow([{**first, CURSOR: "2025-01-15T10:30:01.000Z", "_raw": "{}"}], wider), None, Stamp(2, "b"))
    write(destination, arrow([{**first, "id": "2"}]), None, Stamp(3, "c"))
    assert {(row["id"], row["_raw"]) for row in content(destination)} >= {("1", "{}"), ("2", None)}


@pytest.mark.parametrize("write", [merge.write, append.write, scd2.write])
def test_structs_that_grow_a_field_are_widened(fresh, write):
    destination = fresh()
    wider = pa.schema(
        [
            field.with_type(pa.struct([("user", pa.struct([("id", pa.string()), ("mail", pa.string())]))]))
            if field.name == "from"
            else field
            for field in SCHEMA
        ]
    )
    first = {"team_id": "A", "id": "1", CURSOR: "2025-01-15T10:30:00.000Z", "from": {"user": {"id": "u"}}}
    later = {**first, CURSOR: "2025-01-15T10:30:01.000Z", "from": {"user": {"id": "u", "mail": "m"}}}
    write(destination, arrow([first]), None, Stamp(1, "a"))
    write(destination, arrow([later], wider), None, Stamp(2, "b"))
    assert {"id": "u", "mail": "m"} in [row["from"]["user"] for row in content(destination)]


@pytest.mark.parametrize("write", [merge.write, append.write, scd2.write])
def test_a_key_without_a_value_is_refused(fresh, write):
    with pytest.raises(ConfigurationError, match="primary key id is null in 1 rows"):
        write(fresh(), arrow([{"team_id": "A", "id": None}]), None, Stamp(1, "a"))


def test_snapshot_keys_must_tell_rows_apart(fresh):
    doubled = [{"team_id": "A", "id": "1"}, {"team_id": "B", "id": "1"}]
    with pytest.raises(ConfigurationError, match="primary_keys id are the same in 1 rows"):
        snapshot.write(fresh(Shape(("id",), None, ("team_id", "id"))), [arrow(doubled)], SCHEMA, Stamp(1))


many_keys = st.tuples(st.sampled_from("ABCD"), st.integers(0, 40).map(lambda number: f"{number:02}"))
many_rows = st.builds(lambda row, key: {**row, "team_id": key[0], "id": key[1]}, rows, many_keys)
many_deletes = st.builds(lambda row, key: {**row, "team_id": key[0], "id": key[1]}, deletes, many_keys)
#: What others do to a table's files between two micro-batches, and a new process, which knows nothing of them.
OTHERS = {
    "look after": lambda destination: upkeep.look_after(destination, destination.open()),
    "optimize": lambda destination: DeltaTable(str(destination.path)).optimize.compact(),
    "z-order": lambda destination: DeltaTable(str(destination.path)).optimize.z_order(["id"]),
    "vacuum": lambda destination: DeltaTable(str(destination.path)).vacuum(
        0, dry_run=False, enforce_retention_duration=False
    ),
    "checkpoint": lambda destination: DeltaTable(str(destination.path)).create_checkpoint(),
    "new process": lambda destination: destination.__init__(destination.name, destination.path, destination.shape),
}


@model_test
@given(
    st.lists(
        st.one_of(
            st.tuples(st.lists(many_rows, max_size=25), st.lists(many_deletes, max_size=4)), st.sampled_from([*OTHERS])
        ),
        min_size=2,
        max_size=12,
    )
)
def test_appends_merges_and_maintenance_in_one_model(fresh, steps):
    destination, model, number = fresh(), {}, 0
    for step in steps:
        if isinstance(step, str):
            if number:
                OTHERS[step](destination)
        else:
            upserts, gone = step
            for row in sorted(upserts, key=lambda row: row[CURSOR] or ""):
                before = model.get(key(row))
                if before is None or (row[CURSOR] or "") >= (before[CURSOR] or ""):
                    model[key(row)] = row
            for row in sorted(gone, key=lambda row: row[CURSOR]):
                if key(row) in model and row[CURSOR] >= (model[key(row)][CURSOR] or ""):
                    del model[key(row)]
            number += 1
            merge.write(destination, arrow(upserts), arrow(gone, DELETES) if gone else None, Stamp(number, f"o{number}"))
        if number:
            assert content(destination) == in_order(model.values())
            assert offset_of(destination) == f"o{number}"
            assert not destination.found().touched


def opened_files(monkeypatch):
    """The data files that are opened from now on."""
    opened, opening = [], delta.opening
    monkeypatch.setattr(delta, "opening", lambda name, path: opened.append(name) or opening(name, path))
    return opened


def batch_of(team, ids, second=0, text="x"):
    at = f"2025-01-15T10:30:0{second}.000Z"
    return arrow([{"team_id": team, "id": f"{number:04}", CURSOR: at, "order": text} for number in ids])


def test_rows_that_cannot_be_there_are_appended_without_a_look_at_the_files(fresh, monkeypatch):
    destination = fresh()
    merge.write(destination, batch_of("A", range(20)), None, Stamp(1, "a"))
    opened = opened_files(monkeypatch)
    counts = merge.write(destination, batch_of("B", range(20)), None, Stamp(2, "b"))
    assert counts.inserts == 20
    counts = merge.write(destination, batch_of("A", range(20, 30)), None, Stamp(3, "c"))
    assert counts.inserts == 10
    assert opened == []


def test_a_change_costs_the_files_that_hold_it(fresh, monkeypatch):
    destination = fresh()
    for number, team in enumerate("ABCD"):
        merge.write(destination, batch_of(team, range(18)), None, Stamp(number + 1, team))
    before = set(DeltaTable(str(destination.path)).file_uris())
    assert len(before) == 12
    opened = opened_files(monkeypatch)
    counts = merge.write(destination, batch_of("B", [7], second=1, text="new"), None, Stamp(5, "e"))
    assert counts.updates == 1
    after = set(DeltaTable(str(destination.path)).file_uris())
    assert len(before - after) == len(after - before) == 1
    assert len(set(opened)) == 1
    assert [row["order"] for row in content(destination) if row["team_id"] == "B" and row["id"] == "0007"] == ["new"]


def encoded(monkeypatch):
    """What is written anew from now on, beside what is copied: columns and rows of each row group."""
    found = []
    add = splice._Fresh.add
    monkeypatch.setattr(
        splice._Fresh, "add", lambda self, rows: found.append((rows.schema.names, len(rows))) or add(self, rows)
    )
    return found


def test_of_a_changed_row_only_its_row_group_is_written_and_only_columns_that_differ(fresh, monkeypatch):
    destination = fresh()
    merge.write(destination, batch_of("A", range(6)), None, Stamp(1, "a"))
    written = encoded(monkeypatch)
    merge.write(destination, batch_of("A", [3], second=1), None, Stamp(2, "b"))
    assert written == [([CURSOR], 2)]
    merge.write(destination, batch_of("A", [0, 3], second=2, text="new"), None, Stamp(3, "c"))
    assert written[1:] == [([CURSOR, "order"], 2)] * 2
    rows = {row["id"]: (row[CURSOR][-6:], row["order"]) for row in content(destination)}
    assert rows == {f"{number:04}": ("2.000Z", "new") if number in {0, 3} else ("0.000Z", "x") for number in range(6)}
    (uri,) = DeltaTable(str(destination.path)).file_uris()
    (told,) = pa.table(DeltaTable(str(destination.path)).get_add_actions(flatten=True)).to_pylist()
    group = pq.read_metadata(uri).row_group(0)
    limits = [group.column(at).statistics for at in range(group.num_columns) if group.column(at).path_in_schema == CURSOR]
    assert [(one.min[-6:], one.max[-6:]) for one in limits] == [("0.000Z", "2.000Z")]
    assert (told["min." + CURSOR][-6:], told["max." + CURSOR][-6:]) == ("0.000Z", "2.000Z")


def test_a_row_group_that_loses_a_row_is_written_whole(fresh, monkeypatch):
    destination = fresh()
    merge.write(destination, batch_of("A", range(6)), None, Stamp(1, "a"))
    written = encoded(monkeypatch)
    gone = pa.table({"team_id": ["A"], "id": ["0003"], CURSOR: ["2025-01-15T10:30:01.000Z"]})
    merge.write(destination, batch_of("A", [2], second=1), gone, Stamp(2, "b"))
    assert written == [(SCHEMA.names, 1)]
    assert [row["id"] for row in content(destination)] == ["0000", "0001", "0002", "0004", "0005"]


def test_after_compaction_a_run_knows_which_file_holds_a_key(fresh, monkeypatch):
    destination = fresh()
    for number in range(4):  # row groups that lie in each other, and are copied as they are
        merge.write(destination, batch_of("A", [number, 8 - number]), None, Stamp(number + 1, f"o{number}"))
    upkeep.look_after(destination, destination.open())
    held = {uri: pq.read_table(uri)["id"].to_pylist() for uri in DeltaTable(str(destination.path)).file_uris()}
    assert sorted(held.values()) == [["0000", "0008", "0001", "0007", "0002", "0006"], ["0003", "0005"]]
    opened = opened_files(monkeypatch)
    merge.write(destination, batch_of("A", [5], second=1), None, Stamp(5, "z"))
    (holder,) = (uri for uri, ids in held.items() if "0005" in ids)
    assert {holder.endswith(name) for name in opened} == {True}


def test_a_changed_row_keeps_what_another_program_added_to_it(fresh):
    destination = fresh()
    merge.write(destination, batch_of("A", range(6)), None, Stamp(1, "a"))
    path = str(destination.path)
    theirs = arrow([{"team_id": "Z", "id": "1", CURSOR: "2025-01-15T10:30:00.000Z"}]).append_column(
        "note", pa.array(["theirs"])
    )
    write_deltalake(path, theirs, mode="append", schema_mode="merge")
    merge.write(destination, batch_of("Z", [1, 2], second=1, text="ours"), None, Stamp(2, "b"))
    merge.write(destination, arrow([{"team_id": "Z", "id": "1", CURSOR: "2025-01-15T10:30:02.000Z"}]), None, Stamp(3, "c"))
    assert {(row["team_id"], row["id"]): row["note"] for row in content(destination)}[("Z", "1")] == "theirs"


def test_maintenance_leaves_full_files_and_the_same_rows(fresh):
    destination = fresh()
    for number in range(9):
        merge.write(destination, batch_of("ABC"[number % 3], [number]), None, Stamp(number + 1, f"o{number}"))
    rows = content(destination)
    done = upkeep.look_after(destination, destination.open())
    assert (done.before, done.after) == (9, 2)
    assert content(destination) == rows
    assert not destination.found().touched
    again = upkeep.look_after(destination, destination.open())
    assert (again.before, again.after) == (2, 2)


def test_every_file_has_the_same_parquet_types(fresh):
    destination = fresh()
    merge.write(destination, batch_of("A", range(8)), None, Stamp(1, "a"))
    merge.write(destination, batch_of("A", [2, 9], second=1), None, Stamp(2, "b"))
    upkeep.look_after(destination, destination.open())
    merge.write(destination, batch_of("A", [3, 10], second=2), None, Stamp(3, "c"))
    schemas = [pq.ParquetFile(file).schema for file in DeltaTable(str(destination.path)).file_uris()]
    assert len(schemas) > 1
    assert all(schema.equals(schemas[0]) for schema in schemas)
    assert all(schema.to_arrow_schema().equals(schemas[0].to_arrow_schema()) for schema in schemas)
