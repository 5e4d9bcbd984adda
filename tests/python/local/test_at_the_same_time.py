"""Two ingests into one target at the same time: no row is doubled or lost, and neither of them harms the other."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakeflow_teams import ingest_local
from lakeflow_teams.local import incremental, runner
from lakeflow_teams.local.write import append, delta, merge, scd2, snapshot
from lakeflow_teams.local.write.delta import OvertakenError, read
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from support.lakehouse import differences, entry, later, pipeline, stored
from support.quick import quick

ROWS = pa.table({"id": ["1", "2"], "at": ["2025-01-15T10:30:00.000Z"] * 2})


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 50)
    monkeypatch.setattr(runner, "LOSS_WAIT_SECONDS", (0.05, 0.2))


def at_once(call, times):
    """What each of several calls at the same moment returned or raised."""
    begin = Barrier(times)

    def one(_):
        begin.wait()
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))


def doubled(rows, keys):
    """How many rows have the key of another one."""
    return rows.num_rows - rows.select(keys).group_by(keys).aggregate([]).num_rows


@pytest.mark.parametrize("turn", quick([0, 1, 2], *range(3, 8)))
def test_one_of_several_creates_a_table(tmp_path, turn):
    path = tmp_path / f"rows {turn}"
    results = at_once(lambda: delta.create(path, ROWS.schema, [ROWS]), 4)
    assert sorted(type(result).__name__ for result in results) == ["OvertakenError"] * 3 + ["int"]
    assert DeltaTable(str(path)).version() == 0
    assert read(path).num_rows == 2
    assert len([file for file in path.iterdir() if file.suffix == ".parquet"]) == 1
    assert not list(path.glob(".*"))


@pytest.mark.parametrize("turn", range(4))
def test_a_log_keeps_the_rows_of_all_who_write_it_first(tmp_path, turn):
    path = tmp_path / f"log {turn}"
    assert at_once(lambda: delta.log(path, ROWS), 4) == [None] * 4
    assert read(path).num_rows == 8


@pytest.mark.parametrize(
    ("write", "cursor"),
    [(merge.write, "at"), (append.write, "at"), (scd2.write, "at"), (snapshot.write, None), (scd2.write_snapshot, None)],
    ids=["merge", "append", "scd2", "snapshot", "snapshot_scd2"],
)
def test_a_commit_that_another_ingest_has_made_is_not_made_again(tmp_path, write, cursor):
    destination = Destination("main.teams.rows", tmp_path / "rows", Shape(("id",), cursor))

    def commit(rows, number):
        if write is scd2.write_snapshot:
            return write(destination, [rows], rows.schema, Stamp(number), f"2025-01-1{number}T10:30:00.000Z")
        if write is snapshot.write:
            return write(destination, [rows], rows.schema, Stamp(number))
        return write(destination, rows, None, Stamp(number))

    commit(ROWS, 1)
    with pytest.raises(OvertakenError):
        commit(ROWS, 1)
    commit(pa.table({"id": ["1", "2"], "at": ["2025-01-16T10:30:00.000Z"] * 2}), 2)
    with pytest.raises(OvertakenError):
        commit(ROWS, 2)
    assert DeltaTable(str(destination.path)).version() == 1


def test_an_append_to_a_version_that_is_not_the_newest_any_more_conflicts(tmp_path):
    destination = Destination("main.teams.rows", tmp_path / "rows", Shape(("id",), "at"))
    destination.append(ROWS, Stamp(1))
    table = destination.open()
    destination.append(ROWS, Stamp(2))
    with pytest.raises(OvertakenError):
        destination.append(ROWS, Stamp(2), table)


CONVERSATION = ["team_id", "channel_id", "id"]


@pytest.mark.parametrize("turn", quick([1], 0, 2))
def test_two_first_ingests_double_no_row(graph, options, tmp_path, turn):
    graph.set(latency_ms=turn)
    spec = pipeline(
        entry("messages"),
        entry("message_replies"),
        entry("members"),
        entry("channels"),
        entry("messages", "history", scd_type="SCD_TYPE_2", top=20),
        entry("messages", "log", scd_type="APPEND_ONLY", top=30),
        entry("members", "members_history", scd_type="SCD_TYPE_2"),
    )
    results = at_once(lambda: ingest_local(spec, tmp_path, options), 2)
    assert [result for result in results if isinstance(result, Exception)] == []
    ours = ["messages", "message_replies", "members", "channels"]
    assert differences(graph, tmp_path, ours) == []
    assert doubled(stored(tmp_path, "history"), [*CONVERSATION, "__START_AT"]) == 0
    assert doubled(stored(tmp_path, "log"), [*CONVERSATION, "lastModifiedDateTime"]) == 0
    assert doubled(stored(tmp_path, "members_history"), ["team_id", "id"]) == 0
    runs = stored(tmp_path, "ingest_report")["run_id"].unique()
    assert len(runs) == 2
    later(graph)
    ingest_local(spec, tmp_path, options)
    assert differences(graph, tmp_path, ours) == []


def test_tables_that_two_ingests_wrote_in_turns_are_read_again(graph, options, tmp_path):
    both = pipeline(entry("messages", top=20), entry("message_replies", top=20))
    ingest_local(both, tmp_path, options)
    replies = Destination("r", tmp_path / "main" / "teams" / "message_replies", Shape(("id",), "lastModifiedDateTime"))
    last = replies.found()
    first = json.loads(DeltaTable(str(replies.path)).history()[-1]["lakeflow_teams"])
    content = {**last.stamp.__dict__, "batch": last.batch + 1, "offset": first["offset"]}
    replies.append(read(replies.path).slice(0, 0), Stamp(**content))
    later(graph)
    summary = ingest_local(both, tmp_path, options)
    assert any("two ingests wrote these tables at the same time" in note for note in summary.notes)
    assert differences(graph, tmp_path, ["messages", "message_replies"]) == []


def test_of_two_offsets_the_one_with_the_earlier_clock_is_gone_on_from(graph, options, tmp_path):
    both = pipeline(entry("messages"), entry("message_replies"))
    ingest_local(both, tmp_path, options)
    messages = Destination("m", tmp_path / "main" / "teams" / "messages", Shape(("id",), "lastModifiedDateTime"))
    last = messages.found()
    later(graph)
    content = json.loads(last.stamp.offset)
    ahead = json.dumps({**content, "until": graph.now})
    messages.append(
        read(messages.path).slice(0, 0), Stamp(**{**last.stamp.__dict__, "batch": last.batch + 1, "offset": ahead})
    )
    graph.advance(3600)
    ingest_local(both, tmp_path, options)
    assert differences(graph, tmp_path, ["messages", "message_replies"]) == []


def test_one_that_always_loses_ends_with_an_error_that_says_why(graph, options, tmp_path, monkeypatch):
    """The other ingest is played: it commits whenever this one has read."""
    spec = pipeline(entry("channels"))
    ingest_local(spec, tmp_path, options)
    path = tmp_path / "main" / "teams" / "channels"
    numbers = count(DeltaTable(str(path)).transaction_version("lakeflow-teams") + 1)
    monkeypatch.setattr(runner, "LOSS_WAIT_SECONDS", (0.0, 0.0))

    def other(step):
        if step.rows and not step.done:
            settings = Destination("c", path, Shape(("id",), None)).found().stamp.settings
            table = DeltaTable(str(path))
            delta.append(table, path, read(path).slice(0, 0), Stamp(next(numbers), settings=settings).properties())

    with pytest.raises(Exception, match="another ingest is writing this table at the same time; run one at a time"):
        ingest_local(spec, tmp_path, options, on_progress=other)
