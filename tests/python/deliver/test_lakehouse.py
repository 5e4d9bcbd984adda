"""A lakehouse as the source: what `ingest` wrote, with times as text and as timestamps."""

from __future__ import annotations

from datetime import datetime, timezone

import pyarrow as pa
import pytest

from lakeflow_teams.deliver.sources.lakehouse import Lakehouse
from lakeflow_teams.deliver.sources.model import CONTAINERS, MESSAGES, USERS, SourceError
from support.history import TEAM, save

CHANNEL, CHAT = "19:a@thread.tacv2", "19:b@thread.v2"
ADA = "00000000-0000-4000-8000-000000000001"
BO = "00000000-0000-4000-8000-000000000002"


def person(user, name):
    return {"user": {"id": user, "displayName": name}}


def message(number, at, **more):
    return {
        "id": str(number),
        "createdDateTime": at,
        "from": person(ADA, "Ada"),
        "body": {"contentType": "html", "content": f"<p>text {number}</p>"},
        **more,
    }


def write(folder, timestamps):
    """Every case that the reader tells apart, once."""
    put = lambda table, rows: save(folder, table, rows, timestamps)  # noqa: E731
    put("teams", [{"id": TEAM, "displayName": "Ops"}])
    put(
        "channels",
        [
            {
                "id": CHANNEL,
                "team_id": TEAM,
                "displayName": "General",
                "membershipType": "standard",
                "createdDateTime": "2021-01-01T00:00:00.5Z",
            },
            {"id": "19:p@thread.tacv2", "team_id": TEAM, "displayName": "secret", "membershipType": "private"},
        ],
    )
    put("users", [{"id": ADA, "displayName": "Ada", "mail": "ada@contoso.com", "userPrincipalName": "ada@contoso.com"}])
    put(
        "members", [{"team_id": TEAM, "userId": ADA, "displayName": "Ada"}, {"team_id": TEAM, "userId": BO, "email": "bo@x"}]
    )
    put("chats", [{"id": CHAT, "chatType": "oneOnOne", "createdDateTime": "2021-02-01T00:00:00Z"}])
    put("chat_members", [{"chat_id": CHAT, "userId": ADA}, {"chat_id": CHAT, "userId": BO}])
    channel = {"team_id": TEAM, "channel_id": CHANNEL}
    reaction = {"reactionType": "like", "createdDateTime": "2021-03-01T10:00:01.25Z", "user": person(BO, "Bo")}
    put(
        "messages",
        [
            message(1, "2021-03-01T10:00:00.123Z", reactions=[reaction], subject="S", **channel),
            message(2, "2021-03-01T10:00:00.124Z", lastEditedDateTime="2021-03-02T00:00:00Z", **channel),
            message(3, "2021-03-01T10:00:02Z", deletedDateTime="2021-03-03T00:00:00Z", **channel),
            message(4, "2021-03-01T10:00:03Z", deletedDateTime="2021-03-03T00:00:00Z", **channel),
            message(5, "2021-03-01T10:00:04Z", messageType="systemEventMessage", **channel),
        ],
    )
    reply = {"parent_message_id": "4", "replyToId": "4", **channel}
    put("message_replies", [message(6, "2021-03-01T10:00:05Z", **reply)])
    put("chat_messages", [message(7, "2021-03-01T11:00:00.001Z", chat_id=CHAT, **{"from": person(BO, "Bo")})])
    return folder


def rows(source):
    return [row for batch in source.messages() for row in batch.to_pylist()]


@pytest.mark.parametrize("timestamps", ["text", "timestamp"])
def test_every_kind_of_row_becomes_what_it_is(tmp_path, timestamps):
    source = Lakehouse(write(tmp_path, timestamps))
    users, containers = source.users(), source.containers()
    assert (users.schema, containers.schema) == (USERS, CONTAINERS)
    assert {row["source_id"]: row["email"] for row in users.to_pylist()} == {ADA: "ada@contoso.com", BO: "bo@x"}
    by_id = {row["source_id"]: row for row in containers.to_pylist()}
    general, chat = by_id[CHANNEL], by_id[CHAT]
    assert (general["kind"], general["team"], general["general"], general["members"]) == ("standard", "Ops", True, [ADA, BO])
    assert general["created"] == datetime(2021, 1, 1, 0, 0, 0, 500_000, timezone.utc)
    assert (by_id["19:p@thread.tacv2"]["kind"], by_id["19:p@thread.tacv2"]["created"]) == ("private", None)
    assert (chat["kind"], chat["members"]) == ("oneOnOne", [ADA, BO])

    assert all(batch.schema == MESSAGES for batch in source.messages())
    found = {row["source_id"]: row for row in rows(source)}
    assert found["1"]["created"] == datetime(2021, 3, 1, 10, 0, 0, 123_000, timezone.utc)
    (reaction,) = found["1"]["reactions"]
    assert (reaction["reaction"], reaction["user"]) == ("like", BO)
    assert reaction["created"] == datetime(2021, 3, 1, 10, 0, 1, 250_000, timezone.utc)
    assert found["2"]["edited"] == datetime(2021, 3, 2, tzinfo=timezone.utc)
    assert (found["3"]["skip"], found["5"]["skip"]) == ("deleted", "system event")
    assert found["4"]["skip"] is None
    assert "was deleted" in found["4"]["html"]
    assert (found["6"]["parent"], found["7"]["author"]) == ("4", BO)
    assert source.problems == []


def test_text_and_timestamps_give_the_same(tmp_path):
    text, typed = (Lakehouse(write(tmp_path / kind, kind)) for kind in ("text", "timestamp"))
    assert text.containers().equals(typed.containers())
    assert pa.Table.from_batches(text.messages()).equals(pa.Table.from_batches(typed.messages()))


@pytest.mark.parametrize("timestamps", ["text", "timestamp"])
def test_a_message_without_a_time_costs_itself(tmp_path, timestamps):
    write(tmp_path, timestamps)
    channel = {"team_id": TEAM, "channel_id": CHANNEL}
    save(tmp_path, "messages", [message(1, None, **channel), message(2, "2021-03-01T10:00:00Z", **channel)], timestamps)
    source = Lakehouse(tmp_path)
    assert {row["source_id"] for row in rows(source)} == {"2", "6", "7"}
    (problem,) = source.problems
    assert problem.where == "message 1"


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(SourceError, match="there is no table messages or chat_messages"):
        Lakehouse(tmp_path)
    save(tmp_path, "messages", [])
    with pytest.raises(SourceError, match="needs the table channels beside it"):
        Lakehouse(tmp_path)
