"""Rows that Graph pushed, beside those that are polled: versions decide, and neither of the two disturbs the other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest

from lakeflow_teams.local import incremental
from lakeflow_teams.local.runner import run
from lakeflow_teams.local.write import merge, pushed
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import differences, entry, pipeline, place

TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("etag", pa.string()),
        ("lastModifiedDateTime", TIME),
        ("deletedDateTime", TIME),
        ("body", pa.struct([("content", pa.string())])),
        ("mentions", pa.list_(pa.string())),
    ]
)
BEGIN = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)


def at(second):
    return None if second is None else BEGIN + timedelta(seconds=second)


def row(modified, deleted=None, content="", mentions=(), etag=None):
    return {
        "id": "1",
        "etag": etag or str(modified),
        "lastModifiedDateTime": at(modified),
        "deletedDateTime": at(deleted),
        "body": {"content": content},
        "mentions": list(mentions),
    }


@pytest.fixture
def destination(tmp_path):
    return Destination("t", tmp_path / "t", Shape(("id",), "lastModifiedDateTime"))


def put(destination, *rows):
    """Merges rows one after the other, each in a commit of its own; what is stored then."""
    for each in rows:
        stamp = Stamp((destination.found().batch or 0) + 1)
        merge.write(destination, pa.Table.from_pylist([each], SCHEMA), None, stamp)
    return read(destination.path).to_pylist()[0]


def test_a_delete_counts_by_its_own_time_and_only_newer_states_undo_it(destination):
    alive, gone = row(10, content="a"), row(10, deleted=20, content="")
    assert put(destination, alive, gone)["deletedDateTime"] == at(20), "the modification time did not move"
    for stale in (alive, row(5), row(15, content="an edit that came late"), row(20)):
        assert put(destination, stale)["deletedDateTime"] == at(20), stale
    undone = put(destination, row(21, content="back"))
    assert (undone["deletedDateTime"], undone["body"]["content"]) == (None, "back")
    assert put(destination, gone)["deletedDateTime"] is None, "a delete of an older state comes again"
    assert put(destination, row(30, deleted=30), row(29, deleted=29))["lastModifiedDateTime"] == at(30)
    assert put(destination, row(31, deleted=30, content="both know it is gone"))["body"]["content"] != ""


def test_what_a_payload_does_not_carry_stays_as_it_is_stored(destination):
    put(destination, row(10, content="a", mentions=["x", "y"]))
    other = {**row(10, content="b"), "id": "2"}
    told = [row(11, content="c"), {**row(12), "id": "3"}, {**other, "body": None, "lastModifiedDateTime": at(13)}]
    put(destination, other)
    rows = pa.Table.from_pylist([{**told[0], "mentions": None}, told[1], told[2]], SCHEMA)
    carried = pa.chunked_array(
        [pa.array([["id", "body", "lastModifiedDateTime"], None, ["id", "lastModifiedDateTime"]], pa.list_(pa.string()))]
    )
    full = pushed.completed(destination, rows, carried, ("id",)).to_pylist()
    assert full[0] == {**row(11, content="c", mentions=["x", "y"], etag="10")}
    assert full[1] == told[1]
    assert full[2] == {**other, "lastModifiedDateTime": at(13)}


def test_rows_without_a_version_follow_arrival(tmp_path):
    destination = Destination("t", tmp_path / "t", Shape(("id",), None))
    rows = pa.table({"id": ["1", "2"], "name": ["a", "b"]})
    pushed.write_unversioned(destination, rows, None, Stamp(1))
    change = pa.table({"id": ["2", "3"], "name": ["c", "d"]})
    counts = pushed.write_unversioned(destination, change, rows.slice(0, 1), Stamp(2))
    assert (counts.inserts, counts.updates, counts.deletes) == (1, 1, 1)
    assert sorted(read(destination.path).to_pylist(), key=str) == [{"id": "2", "name": "c"}, {"id": "3", "name": "d"}]


def test_a_reading_goes_on_beside_commits_of_pushed_rows(graph, tmp_path, monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 40)
    spec = load(pipeline(entry("messages"), entry("message_replies")))
    run(spec, tmp_path / "alone", graph.options, report=False)
    undisturbed = sum(graph.request_counts().values())
    graph.clear_requests()

    def push(progress):
        """What is stored comes again, as a push of the same state."""
        table = progress.destination.split(".")[-1]
        destination = Destination(table, place(tmp_path / "beside", table), Shape(("id",), "lastModifiedDateTime"))
        found = destination.found()
        rows = read(destination.path).slice(0, 1)
        merge.write(destination, rows, None, pushed.stamp_on(found, {}))

    run(spec, tmp_path / "beside", graph.options, report=False, on_progress=push)
    assert sum(graph.request_counts().values()) <= undisturbed + 1, "nothing is read twice (but a token)"
    assert differences(graph, tmp_path / "beside", ("messages", "message_replies")) == []
    graph.mutate(edits=3, new_messages=2)
    graph.advance(60)
    run(spec, tmp_path / "beside", graph.options, report=False, on_progress=push)
    assert differences(graph, tmp_path / "beside", ("messages", "message_replies")) == []


def test_hard_deletes_that_were_told_go_once_polling_shows_that_they_are_gone(graph, tmp_path):
    from lakeflow_teams.local.choice import Choice

    spec = load(pipeline(entry("messages")))
    run(spec, tmp_path, graph.options, report=False)
    graph.mutate(deletes=3)
    gone = {touched["id"] for touched in graph.mutate(hard_deletes=2)["hard_deletes"]}
    graph.advance(60)
    destination = Destination(
        "messages", place(tmp_path, "messages"), Shape(("team_id", "channel_id", "id"), "lastModifiedDateTime")
    )
    rows = read(destination.path).to_pylist()
    told = [
        {**each, "deletedDateTime": each["lastModifiedDateTime"] + timedelta(days=900)}
        for each in rows
        if each["id"] in gone
    ]
    schema = read(destination.path).schema
    merge.write(destination, pa.Table.from_pylist(told, schema), None, pushed.stamp_on(destination.found(), {}))
    graph.advance(1000 * 86_400)
    summary = run(spec, tmp_path, graph.options, report=False, choice=Choice(removes_gone=True, confirms_deletes=True))
    assert [line.confirmed for line in summary.destinations] == [len(told)]
    assert summary.destinations[0].deletes == len(told)
    assert differences(graph, tmp_path, ("messages",)) == []
