"""Chats: who is in them, what becomes of a pair that Teams does not take, and who may see the history."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from support.history import START, iso, ledger, milliseconds, people, plan, save

PAIR, GROUP = "19:pair@unq.gbl.spaces", "19:group@thread.v2"
MESSAGES = "POST /chats/{id}/messages"


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=8, chats=0, seed=5) as emulator:
        yield emulator


@pytest.fixture
def source(graph, tmp_path):
    """A chat of two and one of three, with some messages each."""
    ada, bo, cy = people(graph)[:3]
    folder = tmp_path / "source"
    save(folder, "users", [{key: one[key] for key in ("id", "displayName", "mail")} for one in (ada, bo, cy)])
    save(folder, "chats", [{"id": PAIR, "chatType": "oneOnOne"}, {"id": GROUP, "chatType": "group", "topic": "lunch"}])
    members = [(PAIR, ada), (PAIR, bo), (GROUP, ada), (GROUP, bo), (GROUP, cy)]
    save(folder, "chat_members", [{"chat_id": chat, "userId": one["id"]} for chat, one in members])
    save(
        folder,
        "chat_messages",
        [
            {
                "id": f"{chat[3:5]}{n}",
                "chat_id": chat,
                "createdDateTime": iso(START + n),
                "from": {"user": {"id": (ada, bo)[n % 2]["id"]}},
                "body": {"contentType": "html", "content": f"<p>{n}</p>"},
            }
            for chat in (PAIR, GROUP)
            for n in range(5)
        ],
    )
    return folder


def texts(graph, chat):
    rows = [row for row in graph.truth("chat_messages") if row["chat_id"] == chat]
    return [row["body"]["content"] for row in sorted(rows, key=milliseconds)]


def test_each_chat_stands_in_teams(graph, source, tmp_path):
    ran = import_messages(plan(tmp_path, source), tmp_path / "lake", dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 10), ran
    assert {one.source_id: one.kind for one in ran.containers} == {PAIR: "oneOnOne", GROUP: "group"}
    for one in ran.containers:
        assert texts(graph, one.teams_id) == [f"<p>{n}</p>" for n in range(5)]


def test_a_pair_that_teams_does_not_take_becomes_a_group_chat(graph, source, tmp_path):
    graph.set(one_on_one_migration_refused=True)
    path, target = plan(tmp_path, source), tmp_path / "lake"
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 10), ran
    pair = next(one for one in ran.containers if one.source_id == PAIR)
    assert pair.kind == "group"
    assert ran.changed["a chat of two became a group chat, because Teams does not take its import"] == 1
    assert texts(graph, pair.teams_id) == [f"<p>{n}</p>" for n in range(5)]
    chat = next(row for row in graph.truth("chats") if row["id"] == pair.teams_id)
    assert chat["chatType"] == "group"
    assert import_messages(path, target, dict(graph.options)).counts["posted"] == 10
    assert len(graph.truth("chats")) == 3, "the pair's own chat, which stays empty, and two groups"
    assert import_messages(path, target, dict(graph.options), step="verify").differences == []
    assert import_messages(path, target, dict(graph.options), step="complete").exit_code == 0
    names = " and ".join(one["displayName"] for one in people(graph)[:2]).replace(" and ", ", ")
    topics = {row["topic"] for row in graph.truth("chats") if row["chatType"] == "group"}
    assert topics == {"lunch", names}


@pytest.mark.parametrize("kind", ["reset", "status", "garbage_json"])
def test_a_chat_whose_answer_is_lost_is_found_and_not_made_twice(graph, source, tmp_path, kind):
    graph.fault(path="POST /chats", kind=kind, status=504, after=True, times=2)
    path, target = plan(tmp_path, source), tmp_path / "lake"
    ran = import_messages(path, target, dict(graph.options))
    if ran.exit_code:
        ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 10), ran
    assert len(graph.truth("chats")) == 2


@pytest.mark.parametrize(("history", "removed"), [("ignored", 3), ("refused", 3), ("taken", 0)])
def test_members_see_all_of_the_history(graph, source, tmp_path, history, removed):
    graph.set(chat_history=history)
    path, target = plan(tmp_path, source, members="add"), tmp_path / "lake"
    ran = import_messages(path, target, dict(graph.options))
    assert ran.exit_code == 0, ran
    completed = import_messages(path, target, dict(graph.options), step="complete")
    assert (completed.exit_code, completed.to_do) == (0, []), completed
    group = next(one.teams_id for one in ran.containers if one.source_id == GROUP)
    members = [row for row in graph.truth("chat_members") if row["chat_id"] == group]
    assert len(members) == 3
    assert {str(row["visibleHistoryStartDateTime"] or "0001")[:4] for row in members} == {"0001"}
    assert graph.request_counts().get("DELETE /chats/{id}/members/{id}", 0) == removed
    graph.clear_requests()
    assert import_messages(path, target, dict(graph.options), step="complete").exit_code == 0
    assert not graph.request_counts().get("DELETE /chats/{id}/members/{id}"), "once is enough"


def test_a_member_who_was_taken_out_is_added_again_whatever_happens(graph, source, tmp_path):
    path, target = plan(tmp_path, source, members="add"), tmp_path / "lake"
    ran = import_messages(path, target, dict(graph.options))
    group = next(one.teams_id for one in ran.containers if one.source_id == GROUP)
    graph.fault(path="POST /chats/{id}/members", kind="status", status=403, times=1)
    first = import_messages(path, target, dict(graph.options), step="complete")
    assert len(first.to_do) == 1
    assert len([row for row in graph.truth("chat_members") if row["chat_id"] == group]) == 2
    graph.fault(path="POST /chats/{id}/members", kind="reset", after=True, times=1)
    again = import_messages(path, target, dict(graph.options), step="complete")
    assert (again.to_do, again.exit_code) == ([], 0)
    assert len([row for row in graph.truth("chat_members") if row["chat_id"] == group]) == 3


def test_a_message_that_stands_there_and_cannot_be_read_yet_waits(graph, source, tmp_path):
    """Its answer is lost and reading is down: it is neither sent again nor taken for posted."""
    path, target = plan(tmp_path, source), tmp_path / "lake"
    graph.fault(path=MESSAGES, kind="reset", after=True, times=1)
    graph.fault(path="GET /chats/{id}/messages", kind="status", status=403)
    first = import_messages(path, target, dict(graph.options))
    assert first.exit_code == 3
    assert sum(first.counts.values()) == 10
    graph.clear_faults()
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 10)
    assert len({(row["container"], row["teams_id"]) for row in ledger(target)}) == 10
    for one in ran.containers:
        assert texts(graph, one.teams_id) == [f"<p>{n}</p>" for n in range(5)]
