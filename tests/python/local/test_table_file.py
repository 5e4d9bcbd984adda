"""Data files are read by the core where it can, and by pyarrow elsewhere: either way the same comes of it."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs

from lakeflow_teams import LakeflowTeamsError
from lakeflow_teams.local.write import table_file
from lakeflow_teams.local.write.data_file import parquet_writer
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.local.write.recent import hashes
from lakeflow_teams.local.write.table_file import DataFiles, TableFile
from support.examples import examples

SCHEMA = pa.schema(
    [
        ("team_id", pa.string()),
        ("id", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("count", pa.int32()),
        ("ok", pa.bool_()),
        ("from", pa.struct([("user", pa.struct([("id", pa.string()), ("at", pa.timestamp("us", "UTC"))]))])),
        ("reactions", pa.list_(pa.struct([("type", pa.string()), ("ids", pa.list_(pa.string()))]))),
    ]
)
FOUND_BY = ("team_id", "id", "at", "count")

texts = st.one_of(st.none(), st.text("ab\x00é😀", max_size=3))
moments = st.one_of(st.none(), st.integers(-(10**15), 10**16))
rows = st.fixed_dictionaries(
    {
        "team_id": st.sampled_from(["t1", "t2", None]),
        "id": texts,
        "at": moments,
        "count": st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
        "ok": st.one_of(st.none(), st.booleans()),
        "from": st.one_of(st.none(), st.fixed_dictionaries({"user": st.fixed_dictionaries({"id": texts, "at": moments})})),
        "reactions": st.one_of(
            st.none(),
            st.lists(
                st.fixed_dictionaries({"type": texts, "ids": st.one_of(st.none(), st.lists(texts, max_size=2))}), max_size=3
            ),
        ),
    }
)


def written(folder, table, group_rows, compression="snappy"):
    path = folder / "file.parquet"
    if compression == "snappy":
        with parquet_writer(str(path), table.schema, FOUND_BY, []) as writer:
            writer.write_table(table, row_group_size=group_rows)
    else:
        pq.write_table(table, path, compression=compression, row_group_size=group_rows, store_schema=False)


def opened(folder, local, schema=SCHEMA):
    files = fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())
    return TableFile(DataFiles(files, local, SimpleNamespace(), schema, FOUND_BY, {}), "file.parquet")


@pytest.fixture
def by_pyarrow(monkeypatch):
    """Names of files that pyarrow opens."""
    names, parquet = [], table_file.delta.parquet
    monkeypatch.setattr(table_file.delta, "parquet", lambda folder, name: names.append(name) or parquet(folder, name))
    return names


@given(st.lists(rows, max_size=24), st.integers(1, 9), st.data())
@examples(60)
def test_both_ways_of_reading_say_the_same(tmp_path_factory, content, group_rows, data):
    folder = tmp_path_factory.mktemp("files")
    table = pa.Table.from_pylist(content, SCHEMA)
    written(folder, table, group_rows)
    core, pyarrow = opened(folder, folder), opened(folder, None)
    assert core.groups == pyarrow.groups
    assert (core.is_ours, pyarrow.is_ours) == (True, True)
    columns = data.draw(st.lists(st.sampled_from(SCHEMA.names), min_size=1, unique=True))
    some = data.draw(st.lists(st.integers(0, len(content) - 1), max_size=12)) if content else []
    assert core.take(some, columns) == pyarrow.take(some, columns) == table.select(columns).take(pa.array(some, pa.int64()))
    for number, group in enumerate(core.groups):
        expected = table.select(columns).slice(group.first, group.rows)
        assert core.group(number, columns) == pyarrow.group(number, columns) == expected
    keys = [row for row in content if row["team_id"] is not None and row["id"] is not None]
    if keys:
        wanted = Wanted(
            pa.Table.from_pylist(data.draw(st.lists(st.sampled_from(keys), min_size=1)), SCHEMA), ("team_id", "id")
        )
        assert core.fitting(wanted) == pyarrow.fitting(wanted) != []


def test_what_this_program_writes_is_read_by_the_core(tmp_path, by_pyarrow):
    table = pa.Table.from_pylist([{"id": f"{number}"} for number in range(10)], SCHEMA)
    written(tmp_path, table, 4)
    file = opened(tmp_path, tmp_path)
    assert file.take([8, 1], ["id"])["id"].to_pylist() == ["8", "1"]
    assert file.is_ours
    assert by_pyarrow == []


@pytest.mark.parametrize("other", ["compression", "columns", "order"])
def test_what_others_write_is_read_by_pyarrow(tmp_path, by_pyarrow, other):
    table = pa.Table.from_pylist([{"id": f"{number}", "count": number} for number in range(10)], SCHEMA)
    names = {"compression": SCHEMA.names, "columns": SCHEMA.names[:-1], "order": SCHEMA.names[::-1]}[other]
    written(tmp_path, table.select(names), 4, "zstd" if other == "compression" else "snappy")
    file = opened(tmp_path, tmp_path)
    assert file.take([8, 1], ["count", "reactions"]).to_pylist() == [
        {"count": 8, "reactions": None},
        {"count": 1, "reactions": None},
    ]
    assert file.fitting(Wanted(table.slice(5, 1).select(["id"]), ["id"])) == [5]
    assert by_pyarrow == ["file.parquet"]
    assert file.is_ours == (other == "compression")


@pytest.mark.parametrize("local", [True, False])
def test_a_file_that_is_gone_is_named(tmp_path, local):
    with pytest.raises(LakeflowTeamsError, match=r"another program removed file\.parquet"):
        _ = opened(tmp_path, tmp_path if local else None).groups


def test_a_damaged_file_is_an_error_and_never_a_crash(tmp_path, capfd):
    content = [
        {"team_id": "t", "id": f"{number:04}", "at": number, "reactions": [{"type": "x" * 9}]} for number in range(40)
    ]
    table = pa.Table.from_pylist(content, SCHEMA)
    written(tmp_path, table, 16)
    path = tmp_path / "file.parquet"
    whole = path.read_bytes()
    layout = DataFiles(None, tmp_path, SimpleNamespace(), SCHEMA, FOUND_BY, {}).ours
    keys, damaged = hashes(table, ["id"]), 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        try:
            file = layout.open(str(path))
            if file is not None:
                file.groups([*FOUND_BY])
                file.take(SCHEMA.names, [3, 30])
                file.read(SCHEMA.names, [1])
                file.fitting("id", [0, 2], keys)
        except OSError as error:
            damaged += 1
            assert str(error).startswith(f"{path} is damaged: ")  # noqa: PT017
    assert damaged > len(whole) // 10
    capfd.readouterr()  # where the parquet crate panicked
