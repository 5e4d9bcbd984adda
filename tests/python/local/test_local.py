"""The local lakehouse against the emulator's truth."""

from __future__ import annotations

import pytest

from lakeflow_teams import ConfigurationError, LakeflowTeamsError, PermissionDeniedError, ingest_local
from lakeflow_teams.local import incremental
from lakeflow_teams.local.runner import run
from lakeflow_teams.local.write.delta import opened
from lakeflow_teams.local.write.stamp import find
from lakeflow_teams.results.summary import Progress
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import TABLES, differences, entry, later, pipeline, place, stored, version


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 50)


def lines(summary):
    return {line.destination.rpartition(".")[2]: line for line in summary.destinations}


def test_two_runs_equal_the_truth(graph, options, tmp_path):
    steps = []
    first = ingest_local(pipeline(), tmp_path, options, on_progress=steps.append)
    assert differences(graph, tmp_path) == []
    assert lines(first)["messages"].micro_batches > 1
    assert all(line.inserts == len(graph.truth(table)) for table, line in lines(first).items())
    assert {step.destination for step in steps if step.done} == {f"main.teams.{table}" for table in TABLES}
    assert all(isinstance(step, Progress) for step in steps)

    later(graph)
    second = ingest_local(pipeline(), tmp_path, options)
    assert differences(graph, tmp_path) == []
    assert second.requests < first.requests
    assert lines(second)["messages"].updates > 0
    assert lines(second)["message_replies"].inserts > 0


def test_a_run_over_unchanged_data_commits_nothing(graph, options, tmp_path):
    ingest_local(pipeline(), tmp_path, options)
    graph.advance(3600)
    ingest_local(pipeline(), tmp_path, options)
    versions = {table: version(tmp_path, table) for table in TABLES}
    graph.advance(3600)
    again = ingest_local(pipeline(), tmp_path, options)
    assert {table: version(tmp_path, table) for table in TABLES} == versions
    assert not any((line.inserts, line.updates, line.deletes) != (0, 0, 0) for line in again.destinations)


def test_rows_that_come_again_and_change_nothing_are_not_committed(graph, options, tmp_path):
    spec = pipeline(entry("messages"), entry("message_replies"))

    def run():
        graph.advance(60)  # what was changed before is within the overlap
        summary = ingest_local(spec, tmp_path, options)
        return summary, {table: version(tmp_path, table) for table in ("messages", "message_replies")}

    run()
    graph.mutate(edits=3, late_replies=3)
    _, before = run()
    summary, after = run()
    assert all(line.rows > 0 for line in summary.destinations)
    assert (lines(summary)["messages"].micro_batches, after) == (0, before)

    graph.mutate(new_messages=1)
    summary, after = run()
    assert (lines(summary)["messages"].inserts, lines(summary)["message_replies"].inserts) == (1, 0)
    assert after == {table: number + 1 for table, number in before.items()}
    assert len({find(opened(place(tmp_path, table))).stamp.offset for table in after}) == 1
    _, last = run()
    assert last == after
    assert differences(graph, tmp_path, ["messages", "message_replies"]) == []


def test_many_rows_that_come_again_are_committed_past_once(graph, options, tmp_path, monkeypatch):
    monkeypatch.setattr(incremental, "MOST_REPEATED", 2)
    spec = pipeline(entry("messages"), entry("message_replies"))
    ingest_local(spec, tmp_path, options)
    graph.mutate(edits=3)
    found = []
    for _ in range(4):
        graph.advance(60)
        (messages, _) = ingest_local(spec, tmp_path, options).destinations
        found.append((messages.rows > 0, messages.updates, messages.micro_batches))
        graph.advance(600)
    assert found == [(True, 3, 1), (True, 0, 1), (False, 0, 0), (False, 0, 0)]


def test_one_reading_fills_messages_and_replies(graph, options, tmp_path):
    together = ingest_local(pipeline(entry("messages"), entry("message_replies")), tmp_path / "a", options)
    apart = ingest_local(pipeline(entry("messages"), entry("message_replies", top=20)), tmp_path / "b", options)
    assert differences(graph, tmp_path / "a", ["messages", "message_replies"]) == []
    assert differences(graph, tmp_path / "b", ["messages", "message_replies"]) == []
    assert together.requests < apart.requests


def test_several_destinations_share_a_source(graph, options, tmp_path):
    teams = sorted({row["team_id"] for row in graph.truth("channels")})
    spec = pipeline(
        *(entry("channels", f"channels_{n}", fetch_all_teams=None, team_id=team) for n, team in enumerate(teams))
    )
    ingest_local(spec, tmp_path, options)
    for number, team in enumerate(teams):
        assert set(stored(tmp_path, f"channels_{number}")["team_id"].to_pylist()) == {team}


def test_every_way_of_writing(graph, options, tmp_path):
    spec = pipeline(
        entry("messages", "history", scd_type="SCD_TYPE_2"),
        entry("messages", "log", scd_type="APPEND_ONLY"),
        entry("members", "members_history", scd_type="SCD_TYPE_2"),
    )
    ingest_local(spec, tmp_path, options)
    before = {(row["team_id"], row["channel_id"], row["id"]) for row in graph.truth("messages")}
    later(graph)
    ingest_local(spec, tmp_path, options)
    ingest_local(spec, tmp_path, options)
    truth = {(row["team_id"], row["channel_id"], row["id"]) for row in graph.truth("messages")}
    log = [
        tuple(row.values())
        for row in stored(tmp_path, "log").select(["team_id", "channel_id", "id", "lastModifiedDateTime"]).to_pylist()
    ]
    history = stored(tmp_path, "history").to_pylist()
    holding = [(row["team_id"], row["channel_id"], row["id"]) for row in history if row["__END_AT"] is None]
    assert len(log) == len(set(log)) > len(truth)
    assert before <= truth == {row[:3] for row in log}
    assert len(holding) == len(set(holding))
    assert set(holding) == truth
    assert len(history) == len(log)
    assert len(stored(tmp_path, "members_history")) == len(graph.truth("members"))


def test_a_failed_destination_does_not_stop_the_others(graph, options, tmp_path):
    graph.set(
        roles=[
            "Team.ReadBasic.All",
            "TeamSettings.Read.All",
            "Channel.ReadBasic.All",
            "TeamMember.Read.All",
            "Chat.Read.All",
        ]
    )
    summary = run(load(pipeline()), tmp_path, options)
    failed = {line.source_table for line in summary.destinations if line.error}
    assert failed == {"messages", "message_replies"}
    assert isinstance(summary.error, PermissionDeniedError)
    assert "ChannelMessage.Read.All" in lines(summary)["messages"].error
    assert differences(graph, tmp_path, ["teams", "channels", "members", "chats"]) == []
    with pytest.raises(PermissionDeniedError):
        summary.raise_for_error()
    assert summary.to_dict()["failed"] is True


def test_a_scope_that_fails_for_good_costs_itself_only(graph, options, tmp_path):
    ingest_local(pipeline(entry("messages")), tmp_path, options)
    broken = graph.truth("teams")[0]["id"]
    graph.fault(path=f"teams/{broken}/channels", status=423)
    for _ in range(3):
        later(graph)
        with pytest.raises(LakeflowTeamsError, match=broken):
            ingest_local(pipeline(entry("messages")), tmp_path, options)
        assert [text for text in differences(graph, tmp_path, ["messages"]) if broken not in text] == []
    graph.clear_faults()
    ingest_local(pipeline(entry("messages")), tmp_path, options)
    graph.advance(30 * 3600)
    ingest_local(pipeline(entry("messages")), tmp_path, options)
    assert differences(graph, tmp_path, ["messages"]) == []


def test_a_snapshot_that_fails_half_way_writes_nothing(graph, options, tmp_path):
    spec = pipeline(entry("channels"))
    ingest_local(spec, tmp_path, options)
    rows, at = stored(tmp_path, "channels"), version(tmp_path, "channels")
    team = max(row["team_id"] for row in graph.truth("channels"))
    graph.set(forbidden_team_ids=[team])
    with pytest.raises(PermissionDeniedError):
        ingest_local(spec, tmp_path, options)
    assert version(tmp_path, "channels") == at
    assert stored(tmp_path, "channels").equals(rows)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scd_type": "APPEND_ONLY"}, "it was filled with way merge, and now way is append"),
        ({"primary_keys": ["id"]}, "primary_keys"),
        ({"sequence_by": "createdDateTime"}, "sequence_by"),
    ],
)
def test_settings_that_would_spoil_a_table_are_refused(graph, options, tmp_path, changed, said):
    ingest_local(pipeline(entry("messages")), tmp_path, options)
    with pytest.raises(ConfigurationError, match=said):
        ingest_local(pipeline(entry("messages", **changed)), tmp_path, options)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (entry("teams", scd_type="APPEND_ONLY"), "needs a table with a cursor"),
        (entry("messages", primary_keys=["nope"]), "primary_keys names nope"),
        (entry("messages", sequence_by="from"), "not a text column"),
        (entry("messages", tpo="5"), "top"),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(graph, options, tmp_path, given, said):
    graph.clear_requests()
    with pytest.raises(ConfigurationError, match=said):
        ingest_local(pipeline(given), tmp_path, options)
    assert graph.requests() == []
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_start_date_reads_again(graph, options, tmp_path):
    recent = pipeline(entry("messages", start_date="2026-01-01"), entry("message_replies", start_date="2026-01-01"))
    ingest_local(recent, tmp_path, options)
    assert differences(graph, tmp_path, ["messages"]) != []
    summary = ingest_local(pipeline(entry("messages"), entry("message_replies")), tmp_path, options)
    assert differences(graph, tmp_path, ["messages", "message_replies"]) == []
    assert any("start_date was moved back" in note for note in summary.notes)
