"""What other engines see: the same rows and the same types in every file, whichever way rows came into it."""

from __future__ import annotations

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakeflow_teams import _core, ingest_local
from lakeflow_teams.local import incremental
from lakeflow_teams.local.maintain import maintain
from lakeflow_teams.local.write import delta
from support.lakehouse import entry, later, pipeline, place, stored

TABLES = ("messages", "message_replies", "members")
KEYS = {info["name"]: info["primary_keys"] for info in _core.tables()}


@pytest.fixture
def lake(graph, options, tmp_path, monkeypatch):
    """Tables with files of appends, of merges and of maintenance."""
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 60)
    spec = pipeline(*(entry(table) for table in TABLES))
    ingest_local(spec, tmp_path, options)
    maintain(tmp_path)
    for _ in range(2):
        later(graph)
        graph.mutate(member_adds=3, member_removes=2)
        ingest_local(spec, tmp_path, options)
    return tmp_path


def rows_of(table, name):
    """The rows by their key, without nested columns; times as numbers, because engines call UTC by different names."""
    names = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
    table = table.select(sorted(names))
    table = table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]))
    return table.sort_by([(key, "ascending") for key in KEYS[name]]).to_pylist()


def _plain(kind):
    return pa.int64() if pa.types.is_timestamp(kind) else kind


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_and_polars_read_the_same_rows_and_types(lake, name):
    rows = stored(lake, name)
    files = delta.opened(place(lake, name)).file_uris()
    assert len(files) > 1
    first, *others = (pq.ParquetFile(file).schema for file in files)
    assert all(other.equals(first) for other in others), "one Parquet type per column, in every file"
    of_polars = pl.scan_delta(str(place(lake, name))).collect()
    with duckdb.connect() as connection:
        of_duckdb = connection.from_parquet(files)
        kinds = dict(zip(of_duckdb.columns, map(str, of_duckdb.types), strict=True))
        content = pa.table(of_duckdb.to_arrow_table())
    assert rows_of(rows, name)
    assert rows_of(rows, name) == rows_of(content, name) == rows_of(of_polars.to_arrow(), name)
    for field in rows.schema:
        if pa.types.is_timestamp(field.type):
            assert kinds[field.name] == "TIMESTAMP WITH TIME ZONE"
            assert of_polars.schema[field.name] == pl.Datetime("us", "UTC")
        if pa.types.is_string(field.type):
            assert kinds[field.name] == "VARCHAR"
            assert of_polars.schema[field.name] == pl.String
