"""A pass over two tables goes on correctly wherever it stopped."""

from __future__ import annotations

import shutil

import pytest
from deltalake import DeltaTable

from lakeflow_teams import GraphEmulator, ingest_local
from lakeflow_teams.local import incremental
from lakeflow_teams.local.write import merge
from support.lakehouse import differences, entry, later, pipeline

BOTH = pipeline(entry("messages", top=20), entry("message_replies", top=20))
TABLES = ("messages", "message_replies")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 40)


@pytest.fixture
def graph():
    """As small as five commits allow: each test reads it two or three times."""
    with GraphEmulator(teams=2, channels_per_team=2, messages_per_channel=15, users=8, chats=0, seed=7) as emulator:
        yield emulator


class InterruptedRunError(Exception):
    """Stands for a kill between two commits."""


def stop_at(monkeypatch, commit):
    """The run ends just before its n-th commit."""
    done = 0

    def write(*arguments):
        nonlocal done
        done += 1
        if done == commit:
            raise InterruptedRunError
        return merge.write(*arguments)

    monkeypatch.setitem(incremental._WRITERS, "merge", write)


@pytest.mark.parametrize("commit", [1, 2, 3, 4, 5])
def test_a_stop_before_any_commit_is_made_good(graph, options, tmp_path, monkeypatch, commit):
    with monkeypatch.context() as patch:
        stop_at(patch, commit)
        with pytest.raises(InterruptedRunError):
            ingest_local(BOTH, tmp_path, options)
    later(graph, 90)
    ingest_local(BOTH, tmp_path, options)
    assert differences(graph, tmp_path, TABLES) == []


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("lost", TABLES)
def test_a_table_that_was_removed_is_filled_again(graph, options, tmp_path, monkeypatch, lost, commit):
    ingest_local(BOTH, tmp_path, options)
    shutil.rmtree(tmp_path / "main" / "teams" / lost)
    with monkeypatch.context() as patch:
        stop_at(patch, commit)
        with pytest.raises(InterruptedRunError):
            ingest_local(BOTH, tmp_path, options)
    ingest_local(BOTH, tmp_path, options)
    assert differences(graph, tmp_path, TABLES) == []


@pytest.mark.parametrize("restored", TABLES)
def test_a_table_that_was_restored_catches_up(graph, options, tmp_path, monkeypatch, restored):
    ingest_local(BOTH, tmp_path, options)
    DeltaTable(str(tmp_path / "main" / "teams" / restored)).restore(1)
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        with pytest.raises(InterruptedRunError):
            ingest_local(BOTH, tmp_path, options)
    ingest_local(BOTH, tmp_path, options)
    assert differences(graph, tmp_path, TABLES) == []


def test_tables_that_went_separate_ways_meet_again(graph, options, tmp_path, monkeypatch):
    ingest_local(pipeline(entry("messages", top=20)), tmp_path, options)
    later(graph)
    ingest_local(pipeline(entry("message_replies", top=20)), tmp_path, options)
    later(graph)
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        with pytest.raises(InterruptedRunError):
            ingest_local(BOTH, tmp_path, options)
    summary = ingest_local(BOTH, tmp_path, options)
    assert differences(graph, tmp_path, TABLES) == []
    assert any("everything is read again" in note for note in summary.notes)
    later(graph)
    assert ingest_local(BOTH, tmp_path, options).notes == []
    assert differences(graph, tmp_path, TABLES) == []


def test_a_quiet_run_that_reconciles_one_table_leaves_no_gap(graph, options, tmp_path, monkeypatch):
    """The other table's next commit must not stand before it: a stop between the two would skip what only one has."""
    ingest_local(BOTH, tmp_path, options)
    graph.advance(60)
    graph.mutate(edits=3, late_replies=3)
    ingest_local(BOTH, tmp_path, options)
    graph.advance(3600)
    reconciled = pipeline(entry("messages", top=20), entry("message_replies", top=20, reconcile_days=7))
    quiet = ingest_local(reconciled, tmp_path, options)
    assert [line.micro_batches for line in quiet.destinations] == [0, 0]
    graph.mutate(edits=3, late_replies=5, new_messages=2)
    graph.advance(3600)
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        with pytest.raises(InterruptedRunError):
            ingest_local(BOTH, tmp_path, options)
    graph.advance(3600)
    ingest_local(BOTH, tmp_path, options)
    assert differences(graph, tmp_path, TABLES) == []
