"""What the views must hold, worked out of the tenant's truth in plain Python."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timezone

TEAMS = {"fetch_all_teams": True}
CHANNELS = {**TEAMS, "fetch_all_channels": True}
MESSAGES = {**CHANNELS, "fetch_all_messages": True, "body_text": True}
USERS = {"fetch_all_users": True}
#: Source tables of all views, and how each is read.
SOURCES = {
    "teams": {},
    "channels": TEAMS,
    "members": {**TEAMS, "scd_type": "SCD_TYPE_2"},
    "messages": MESSAGES,
    "message_replies": MESSAGES,
    "chats": {},
    "chat_messages": {**USERS, "body_text": True},
    "chat_members": USERS,
    "channel_members": CHANNELS,
    "shared_channel_members": CHANNELS,
    "users": {},
}
EVENTS = {
    "new_messages": 5,
    "late_replies": 6,
    "edits": 3,
    "deletes": 4,
    "reply_deletes": 3,
    "reactions": 8,
    "reaction_removals": 3,
    "stripped": 3,
    "chat_messages": 4,
    "member_removes": 3,
    "member_adds": 2,
}


def pipeline(*tables, **more):
    """A spec of some of the tables, or of all."""
    objects = [
        {"table": {"source_table": table, "destination_schema": "teams", "table_configuration": {**SOURCES[table], **more}}}
        for table in tables or SOURCES
    ]
    return {"connection_name": "test", "objects": objects}


def at(text):
    """Graph's time."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}").replace(tzinfo=timezone.utc)


def posts(graph):
    """Every post by its key: what people wrote and was not deleted."""
    found = {}
    for table in ("messages", "message_replies", "chat_messages"):
        for row in graph.truth(table):
            if row["messageType"] != "message" or row["deletedDateTime"]:
                continue
            root = row.get("parent_message_id", row["id"])
            where = row.get("channel_id") or row["chat_id"]
            parts = (where, row["id"]) if table == "chat_messages" else (where, root, row["id"])
            found["/".join(parts)] = {**row, "thread": "/".join(parts[:-1]), "is_reply": table == "message_replies"}
    return found


def author(row):
    """Id of who wrote it."""
    sender = row["from"] or {}
    return next((sender[kind]["id"] for kind in ("user", "application", "device") if sender.get(kind)), None)


def threads(graph):
    """Thread to (replies, participants, when somebody else first answered)."""
    everything = posts(graph)
    roots = {post["thread"]: post for post in everything.values() if not post["is_reply"] and post.get("channel_id")}
    found = {}
    for key, root in roots.items():
        rest = [post for post in everything.values() if post["thread"] == key and post["is_reply"]]
        others = sorted((at(post["createdDateTime"]), post["id"]) for post in rest if author(post) != author(root))
        people = {author(post) for post in (root, *rest)} - {None}
        found[key] = (len(rest), len(people), others[0][0] if others else None)
    return found


def counts(graph, items, choose=lambda _: True):
    """How many of an item posts have, by post."""
    each = ((key, sum(map(choose, post[items]))) for key, post in posts(graph).items())
    return {key: count for key, count in each if count}


def activity(graph):
    """(day, channel or chat) to (posts, replies, people)."""
    found = {}
    for post in posts(graph).values():
        key = (at(post["createdDateTime"]).date(), post.get("channel_id") or post["chat_id"])
        found.setdefault(key, []).append(post)
    return {
        key: (len(group), sum(post["is_reply"] for post in group), len({author(post) for post in group} - {None}))
        for key, group in found.items()
    }


def access(graph):
    """(channel or chat, user) pairs that may be seen."""
    pairs = set()
    for channel in graph.truth("channels"):
        if channel["membershipType"] == "standard":
            team = [row for row in graph.truth("members") if row["team_id"] == channel["team_id"]]
        else:
            tables = ("channel_members", *(("shared_channel_members",) if channel["membershipType"] == "shared" else ()))
            team = [row for table in tables for row in graph.truth(table) if row["channel_id"] == channel["id"]]
        pairs |= {(channel["id"], row["userId"]) for row in team if row.get("userId")}
    return pairs | {(row["chat_id"], row["userId"]) for row in graph.truth("chat_members") if row.get("userId")}


def people(graph):
    """Ids of the directory's users, and of members and authors that it does not have."""
    known = {row["id"] for row in graph.truth("users")}
    others = set()
    for table in ("members", "channel_members", "shared_channel_members", "chat_members"):
        others |= {row["userId"] for row in graph.truth(table) if row.get("userId")}
    for table in ("messages", "message_replies", "chat_messages"):
        others |= {row["from"]["user"]["id"] for row in graph.truth(table) if (row["from"] or {}).get("user")}
    return known, others - known


def check(graph, query):
    """Compares every view with the truth; ``query`` runs SQL and gives rows as dicts."""
    wanted = posts(graph)
    found = {row["post_key"]: row for row in query("SELECT * FROM v_posts")}
    assert found.keys() == wanted.keys()
    teams = {row["id"]: row["displayName"] for row in graph.truth("teams")}
    channels = {row["id"]: row["displayName"] for row in graph.truth("channels")}
    for key, row in found.items():
        truth = wanted[key]
        assert row["created_at"] == at(truth["createdDateTime"])
        assert (row["author_id"], row["is_reply"]) == (author(truth), truth["is_reply"])
        assert row["team"] == teams.get(truth.get("team_id"))
        assert row["channel"] == channels.get(truth.get("channel_id"))
        assert "<" not in (row["text"] or "") or "<" in truth["body"]["content"]
    assert len(query("SELECT post_key FROM v_posts")) == len(wanted)

    rows = query("SELECT * FROM v_threads")
    assert len(rows) == len(threads(graph))
    assert {row["thread_key"]: (row["replies"], row["participants"], row["first_answer_at"]) for row in rows} == threads(
        graph
    )
    for row in rows:
        assert row["unanswered_since"] == (None if row["first_answer_at"] else row["started_at"])
        if row["first_answer_at"]:
            assert row["first_answer_seconds"] == (row["first_answer_at"] - row["started_at"]).total_seconds() // 1

    for view, items, choose in (
        ("v_reactions", "reactions", lambda _: True),
        ("v_mentions", "mentions", lambda _: True),
        ("v_files", "attachments", lambda item: item["contentType"] == "reference"),
    ):
        truth = counts(graph, items, choose)
        assert truth, items
        assert Counter(row["post_key"] for row in query(f"SELECT post_key FROM {view}")) == truth, view

    rows = query("SELECT * FROM v_activity_daily")
    assert {
        (row["day"], row["conversation_key"]): (row["posts"], row["replies"], row["people"]) for row in rows
    } == activity(graph)
    assert sum(row["posts"] for row in rows) == len(wanted)

    rows = query("SELECT conversation_key, entra_id, principal_kind FROM v_access")
    seen = [(row["conversation_key"], row["entra_id"]) for row in rows if row["principal_kind"] == "user"]
    assert len(seen) == len(set(seen))
    assert set(seen) == access(graph)
    groups = {(row["conversation_key"], row["entra_id"]) for row in rows if row["principal_kind"] == "group"}
    assert groups == {(row["id"], row["team_id"]) for row in graph.truth("channels") if row["membershipType"] == "standard"}

    known, others = people(graph)
    rows = query("SELECT user_id, is_in_directory FROM v_people")
    assert {row["user_id"] for row in rows if row["is_in_directory"]} == known
    assert {row["user_id"] for row in rows if not row["is_in_directory"]} == others
    assert len(rows) == len(known | others)


def standing(graph):
    """Thread to its posts, oldest first, of threads whose root stands."""
    found = {}
    for post in sorted(posts(graph).values(), key=lambda post: (at(post["createdDateTime"]), post["id"])):
        if post.get("channel_id"):
            found.setdefault(post["thread"], []).append(post)
    return {key: group for key, group in found.items() if any(not post["is_reply"] for post in group)}


def check_documents(graph, rows):
    """Compares documents with the truth."""
    documents = {row["thread_key"]: row for row in rows}
    truth, seen = standing(graph), access(graph)
    assert {key for key, row in documents.items() if not row["is_deleted"]} == truth.keys()
    groups = {row["id"]: row["team_id"] for row in graph.truth("channels") if row["membershipType"] == "standard"}
    people = {row["id"]: row["displayName"] for row in graph.truth("users")}
    for key, group in truth.items():
        row = documents[key]
        marks = re.findall(r"^\*\*.+\*\* \((\d{4}-\d\d-\d\d \d\d:\d\d)\)$", row["markdown"], re.MULTILINE)
        assert marks == [post["createdDateTime"][:16].replace("T", " ") for post in group]
        names = {sender["displayName"] for post in group for sender in (post["from"] or {}).values() if sender}
        names |= {people[author(post)] for post in group if author(post) in people}
        assert set(row["participants"]) <= names | {"somebody"}
        channel = group[0]["channel_id"]
        assert set(row["reader_ids"]) == {user for place, user in seen if place == channel}
        assert row["reader_group_ids"] == ([groups[channel]] if channel in groups else [])
        assert row["url"] == next(post["webUrl"] for post in group if not post["is_reply"])
