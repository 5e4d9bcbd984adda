"""`verify` finds each of ten planted differences, by name, and nothing else."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from support.history import START, TEAM, History, iso, ledger, people, plan, save


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A tenant with an import in it, each of whose messages has everything that can be changed."""
    folder = tmp_path_factory.mktemp("verify")
    with GraphEmulator(teams=1, users=8, chats=0, seed=5) as graph:
        users = people(graph)
        history = History(users, channels=1, messages=0)
        source = history.write(folder / "source")
        mention = {"id": 0, "mentionText": "Bo", "mentioned": {"user": {"id": users[1]["id"], "displayName": "Bo"}}}
        reaction = {"reactionType": "like", "createdDateTime": iso(START), "user": {"user": {"id": users[1]["id"]}}}
        image = '<img src="https://graph.microsoft.com/v1.0/x/hostedContents/aW1n/$value">'
        rows = [
            {
                "team_id": TEAM,
                "channel_id": history.channels[0],
                "id": str(n),
                "createdDateTime": iso(START + n),
                "subject": f"subject {n}",
                "from": {"user": {"id": users[0]["id"]}},
                "body": {"contentType": "html", "content": f'<p>text {n} <at id="0">Bo</at></p>{image}'},
                "mentions": [mention],
                "reactions": [reaction],
            }
            for n in range(14)
        ]
        roots, replies = rows[:12], [{**row, "parent_message_id": "0", "replyToId": "0"} for row in rows[12:]]
        save(source, "messages", roots)
        save(source, "message_replies", replies)
        hosted = [
            {
                "team_id": TEAM,
                "channel_id": history.channels[0],
                "root_message_id": row["id"],
                "message_id": row["id"],
                "position": 0,
                "id": "aW1n",
                "contentBytes": b"\x89PNG" + row["id"].encode(),
            }
            for row in rows
        ]
        save(source, "hosted_contents", hosted)
        path, target = plan(folder, source), folder / "lake"
        ran = import_messages(path, target, dict(graph.options))
        assert (ran.counts["posted"], ran.exit_code) == (14, 0), ran
        clean = import_messages(path, target, dict(graph.options), step="verify")
        assert clean.differences == []
        assert clean.verified == {"read": 14, "equal": 14, "images": 14, "found": 0}
        yield graph, path, target, users


def test_each_planted_difference_is_found_and_nothing_else(imported):
    graph, path, target, users = imported
    ids = {row["source_id"]: row["teams_id"] for row in ledger(target)}
    channel = next(
        row["channel_id"] for row in graph.truth("messages") if row["id"] == ids["0"] and row["subject"] == "subject 0"
    )
    planted = {
        "1": ("missing", {"drop": True}),
        "2": ("author", {"author": users[3]["id"]}),
        "3": ("time", {"created": iso(START + 500)}),
        "4": (
            "body",
            {
                "content": '<p>marked <at id="0">Bo</at></p><img src="https://graph.microsoft.com/v1.0/x/hostedContents/aW1n/$value">'
            },
        ),
        "5": ("subject", {"subject": "other"}),
        "6": ("image", {"image": True}),
        "7": ("mentions", {"no_mentions": True}),
        "8": ("reactions", {"no_reactions": True}),
        "9": ("deleted", {"delete": True}),
        "12": ("parent", {"reply_to": ids["10"]}),
        "13": ("missing", {"drop": True}),
        "11": ("doubled", {"twin": True}),
    }
    for source_id, (_, change) in planted.items():
        graph.tamper(conversation=channel, message=ids[source_id], **change)
    verified = import_messages(path, target, dict(graph.options), step="verify")
    assert verified.exit_code == 3
    found = sorted((one["source_id"], one["kind"]) for one in verified.differences)
    # The text of message 4 names an image that is not its own, so its bytes cannot be read.
    assert [one for one in found if one != ("4", "image")] == sorted(
        (source_id, kind) for source_id, (kind, _) in planted.items()
    )
    assert all(one["container"] and one["detail"] for one in verified.differences)
    assert not any("marked" in one["detail"] for one in verified.differences), "no text that people wrote"
