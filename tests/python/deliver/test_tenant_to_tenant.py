"""Tenant A to tenant B: ingested, imported and ingested again, what the facts let through is equal."""

from __future__ import annotations

import re

import pytest

from lakeflow_teams import GraphEmulator, import_messages, ingest_local
from support.history import milliseconds

WHOLE = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}
TABLES = {
    "users": {},
    "teams": {},
    "channels": {"fetch_all_teams": True},
    "members": {"fetch_all_teams": True},
    "channel_members": {"fetch_all_teams": True, "fetch_all_channels": True},
    "messages": WHOLE,
    "message_replies": WHOLE,
    "hosted_contents": {**WHOLE, "hosted_contents_max_bytes": 100_000},
    "chats": {},
    "chat_members": {"fetch_all_users": True},
    "chat_messages": {"fetch_all_users": True},
    "chat_hosted_contents": {"fetch_all_users": True, "hosted_contents_max_bytes": 100_000},
}
HOSTED = re.compile(r'https://[^"]*/hostedContents/[^"]*|\.\./hostedContents/[^"]*')


def ingest(graph, target):
    objects = [{"table": {"source_table": name, "table_configuration": options}} for name, options in TABLES.items()]
    ingest_local({"objects": objects}, target, dict(graph.options))


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """Both tenants after the move, and both lakehouses."""
    folder = tmp_path_factory.mktemp("moved")
    a = GraphEmulator(teams=3, channels_per_team=4, messages_per_channel=40, users=12, chats=8, missing_teams=0, seed=3)
    b = GraphEmulator(teams=0, users=12, chats=0, missing_teams=0, seed=8)
    with a, b:
        ingest(a, folder / "a")
        somebody = next(row["id"] for row in b.truth("users") if row["mail"])
        path = folder / "import.yaml"
        path.write_text(
            f"source: {{path: a, format: lakehouse}}\nfallback_author: {somebody}\nowner: {somebody}\nmembers: add\n"
        )
        ran = import_messages(path, folder / "b", dict(b.options))
        verified = import_messages(path, folder / "b", dict(b.options), step="verify")
        completed = import_messages(path, folder / "b", dict(b.options), step="complete")
        ingest(b, folder / "again")
        yield a, b, ran, verified, completed, folder


def emails(graph):
    return {row["id"]: row["mail"] or row["userPrincipalName"] for row in graph.truth("users")}


def shown(graph, team_names):
    """Messages of channels by what does not depend on ids; text only where nothing had to change."""
    known, names = emails(graph), {row["id"]: row["displayName"] for row in graph.truth("channels")}
    teams = {row["id"]: row["displayName"] for row in graph.truth("teams")}
    messages = {(row["channel_id"], row["id"]): row for row in graph.truth("messages")}
    rows = [(row, None) for row in messages.values()]
    rows += [(row, messages[row["channel_id"], row["parent_message_id"]]) for row in graph.truth("message_replies")]
    found = {}
    for row, root in rows:
        if row["messageType"] != "message" or row["deletedDateTime"] or teams[row["team_id"]] not in team_names:
            continue
        author = known.get(((row["from"] or {}).get("user") or {}).get("id"))
        key = (teams[row["team_id"]], names[row["channel_id"]].replace("&", " "), milliseconds(row))
        body = row["body"]["content"] or ""
        mentions = [one["mentionText"] for one in row["mentions"] if (one["mentioned"].get("user") or {}).get("id") in known]
        plain = (
            author
            and not row["attachments"]
            and len(mentions) == len(row["mentions"])
            and row["body"]["contentType"] == "html"
        )
        found[key] = (
            author,
            row["subject"] or "",
            row["importance"],
            root and not root["deletedDateTime"] and root["messageType"] == "message" and milliseconds(root),
            HOSTED.sub("hosted", body) if plain else None,
            mentions,
        )
    return found


def test_every_message_comes_over_with_its_author_time_text_and_thread(moved):
    a, b, ran, verified, completed, _ = moved
    assert ran.stopped == []
    assert sum(ran.counts.values()) == sum(one.messages for one in ran.containers)
    assert (verified.differences, completed.stopped) == ([], [])
    names = {row["displayName"] for row in a.truth("teams")}
    before, after = shown(a, names), shown(b, names)
    compared = 0
    for key, old in before.items():
        new = after.get(key)
        assert new is not None, key
        if old[0] is None:
            continue  # nobody of the tenant wrote it, so the fallback author did
        assert new[:3] == old[:3], key
        if old[3]:
            assert new[3] == old[3], key
        if old[4]:
            assert new[4:] == old[4:], key
            compared += 1
    assert compared > 250


def test_private_and_shared_channels_stay_what_they_are(moved):
    a, b, *_ = moved
    kinds = lambda graph: sorted((row["displayName"], row["membershipType"]) for row in graph.truth("channels"))  # noqa: E731
    assert [kind for _, kind in kinds(a)] == [kind for _, kind in kinds(b)]


def test_images_come_over_as_bytes(moved):
    _, _b, ran, verified, *_ = moved
    assert verified.verified["images"] > 0
    assert not any("image" in note and "linked" in note for note in ran.changed)


def test_chats_come_over_to_the_same_people(moved):
    a, b, ran, *_ = moved
    states = [one for one in ran.containers if one.kind in ("oneOnOne", "group") and one.posted]
    assert {one.kind for one in states} == {"oneOnOne", "group"}
    known_a, known_b = emails(a), emails(b)

    def people(graph, known, chat):
        return {known[row["userId"]] for row in graph.truth("chat_members") if row["chat_id"] == chat}

    for one in states:
        if one.kind == "oneOnOne":
            assert people(a, known_a, one.source_id) == people(b, known_b, one.teams_id)


def test_members_are_added(moved):
    a, b, *_ = moved
    assert len(b.truth("members")) >= len({row["email"] for row in a.truth("members")})


def test_a_second_ingest_reads_what_stands_there(moved):
    from deltalake import DeltaTable

    *_, folder = moved
    table = DeltaTable(str(folder / "again" / "main" / "default" / "messages")).to_pyarrow_table(columns=["id"])
    assert table.num_rows == len(moved[1].truth("messages"))
