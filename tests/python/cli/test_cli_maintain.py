"""``lakeflow-teams maintain``: small files are put together, and the lakehouse holds the same rows."""

from __future__ import annotations

import json

from deltalake import DeltaTable

from lakeflow_teams import ingest_local
from lakeflow_teams.cli.app import run
from lakeflow_teams.local import incremental
from support.lakehouse import differences, entry, later, pipeline

BOTH = ("messages", "message_replies")


def test_small_files_are_put_together_and_ingests_go_on(graph, options, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 30)
    spec = pipeline(*(entry(table, top=20) for table in BOTH))
    for _ in range(3):
        ingest_local(spec, tmp_path, options)
        later(graph)
    path = str(tmp_path / "main" / "teams" / "messages")
    before = len(DeltaTable(path).file_uris())
    assert before > 1
    capfd.readouterr()
    assert run(["maintain", "--target", str(tmp_path), "--json"]) == 0
    done = {table["table"]: table for table in json.loads(capfd.readouterr().out)}
    assert done["main.teams.messages"] == {"table": "main.teams.messages", "before": before, "after": 1, "deleted": 0}
    assert done["main.teams.ingest_report"]["after"] == 1
    assert len(DeltaTable(path).file_uris()) == 1
    ingest_local(spec, tmp_path, options)
    assert differences(graph, tmp_path, BOTH) == []
    before = len(DeltaTable(path).file_uris())
    assert before > 1
    assert run(["maintain", "--target", str(tmp_path)]) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert ["main.teams.messages", str(before), "1", "0"] in lines


def test_what_was_read_before_can_still_be_read(graph, options, tmp_path):
    spec = pipeline(entry("messages"))
    ingest_local(spec, tmp_path, options)
    path = str(tmp_path / "main" / "teams" / "messages")
    old = DeltaTable(path)
    rows = old.to_pyarrow_table().num_rows
    later(graph)
    ingest_local(spec, tmp_path, options)
    assert run(["maintain", "--target", str(tmp_path)]) == 0
    assert old.to_pyarrow_table().num_rows == rows
    assert DeltaTable(path, version=old.version()).to_pyarrow_table().num_rows == rows


def test_a_folder_without_tables_is_named(tmp_path, capfd):
    assert run(["maintain", "--target", str(tmp_path)]) == 2
    assert "there is no Delta table in" in capfd.readouterr().err
