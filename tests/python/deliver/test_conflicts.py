"""A millisecond that is taken (409): by somebody else's message, or by our own whose answer was lost."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from support.history import START, TEAM, History, iso, ledger, milliseconds, people, plan, save

MESSAGES = "/teams/{id}/channels/{id}/messages"
REPLIES = "/teams/{id}/channels/{id}/messages/{id}/replies"
CLASH = "time moved, because another message has the millisecond"


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=2, messages_per_channel=8, users=8, chats=0, seed=5) as emulator:
        yield emulator


def rooms(graph, folder, times, *, replies=(), existing=None):
    """A plan with one channel, and messages at these times (ms); `replies` are indices of those that reply to the first."""
    history = History(people(graph), channels=1, messages=0)
    source = history.write(folder / "source")
    rows = [
        {
            "team_id": TEAM,
            "channel_id": history.channels[0],
            "id": str(n),
            "createdDateTime": iso(at),
            "from": {"user": {"id": people(graph)[0]["id"]}},
            "body": {"contentType": "html", "content": f"<p>{n}</p>"},
        }
        for n, at in enumerate(times)
    ]
    save(source, "messages", [row for n, row in enumerate(rows) if n not in replies])
    reply = {"parent_message_id": "0", "replyToId": "0"}
    save(source, "message_replies", [{**row, **reply} for n, row in enumerate(rows) if n in replies])
    if existing is None:
        return plan(folder, source)
    channels = {history.channels[0]: {"existing_id": existing["id"]}}
    return plan(folder, source, team={"team_id": existing["team_id"]}, channels=channels)


def busiest(graph):
    """The channel with most messages, and these."""
    messages = graph.truth("messages")
    of = lambda row: [one for one in messages if one["channel_id"] == row["id"]]  # noqa: E731
    channel = max(graph.truth("channels"), key=lambda row: len(of(row)))
    return channel, of(channel)


def test_a_taken_millisecond_moves_one_message_and_no_other(graph, tmp_path):
    channel, own = busiest(graph)
    taken = sorted(milliseconds(row) for row in own)[1]
    path, target = rooms(graph, tmp_path, [taken - 5, taken, taken + 40], existing=channel), tmp_path / "lake"
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"], ran.changed) == (0, 3, {CLASH: 1})
    rows = {row["source_id"]: row for row in ledger(target)}
    sent = [round(rows[str(n)]["created"].timestamp() * 1000) for n in range(3)]
    assert sent == [taken - 5, taken + 1, taken + 40]
    assert [rows[str(n)]["attempts"] for n in range(3)] == [1, 2, 1]
    assert len(own) + 3 == len([row for row in graph.truth("messages") if row["channel_id"] == channel["id"]])
    assert import_messages(path, target, dict(graph.options), step="verify").differences == []


def test_a_message_that_moves_pushes_only_whom_it_meets(graph, tmp_path):
    channel, own = busiest(graph)
    taken = max(map(milliseconds, own))
    path, target = rooms(graph, tmp_path, [taken, taken + 1, taken + 2, taken + 9], existing=channel), tmp_path / "lake"
    assert import_messages(path, target, dict(graph.options)).exit_code == 0
    sent = sorted(round(row["created"].timestamp() * 1000) - taken for row in ledger(target))
    assert sent == [1, 2, 3, 9]


def test_our_own_message_that_cannot_be_read_yet_keeps_its_replies_waiting(graph, tmp_path):
    path, target = rooms(graph, tmp_path, [START, START + 5, START + 9], replies=(1, 2)), tmp_path / "lake"
    graph.fault(path=f"POST {MESSAGES}", kind="reset", after=True, times=1)
    graph.fault(path=f"GET {MESSAGES}", kind="status", status=200, body='{"value": []}')
    first = import_messages(path, target, dict(graph.options))
    assert first.exit_code == 3
    assert (first.counts["attempting"], first.counts["pending"]) == (1, 2)
    assert "cannot be read yet" in first.stopped[0]["reason"]
    graph.clear_faults()
    verified = import_messages(path, target, dict(graph.options), step="verify")
    assert verified.verified["found"] == 1
    again = import_messages(path, target, dict(graph.options))
    assert (again.exit_code, again.counts["posted"]) == (0, 3)
    team = next(row["id"] for row in graph.truth("teams") if row["displayName"] == "Imported")
    assert len([row for row in graph.truth("messages") if row["team_id"] == team]) == 1
    assert len([row for row in graph.truth("message_replies") if row["team_id"] == team]) == 2
    assert import_messages(path, target, dict(graph.options), step="verify").exit_code == 0


def test_a_server_that_is_down_is_waited_for(graph, tmp_path):
    path, target = rooms(graph, tmp_path, [START, START + 5]), tmp_path / "lake"
    graph.fault(path=f"POST {MESSAGES}", kind="status", status=503, retry_after="1", times=4)
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 2), ran
    assert ran.seconds > 3, "each refusal asked for a second"
