"""From a source into Teams: what stands there is the documented normal form of each reader."""

from __future__ import annotations

import json
import zipfile

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from lakeflow_teams.deliver.document import guess
from support.history import ledger, people, standing
from support.slack_export import entries, message, write_zip

DAY = 1614850200  # 2021-03-04T09:30:00Z


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=8, chats=1, seed=5) as emulator:
        yield emulator


def planned(folder, source, kind, **more):
    """An import.yaml, which is JSON as well."""
    path = folder / "import.yaml"
    path.write_text(json.dumps({"source": {"path": str(source), "format": kind}, "team": {"name": "Imported"}, **more}))
    return path


def slack_user(name, person):
    return {"id": name, "name": name.lower(), "profile": {"real_name": person["displayName"], "email": person["mail"]}}


def at(seconds, sequence=100):
    return f"{DAY + seconds}.{sequence:06d}"


#: Hosted by Slack, and without a token nobody else has its bytes.
PICTURE = {
    "id": "F2",
    "title": "plan.png",
    "mimetype": "image/png",
    "mode": "hosted",
    "url_private": "https://files.slack.com/files-pri/T1-F2/plan.png",
    "permalink": "https://w.slack.com/files/U1/F2/plan.png",
}


def edge_cases():
    """A channel's messages as exports have them, and what becomes of each."""
    root, reply = at(1), at(2)
    rich = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "rich & "}, {"type": "user", "user_id": "U2"}],
    }
    return [
        message("root *bold* :tada:", root, "U1", thread_ts=root, reactions=[{"name": "+1", "users": ["U2"], "count": 1}]),
        message("first in the same ms", at(2, 7), "U2"),
        message("reply", reply, "U2", thread_ts=root, subtype="thread_broadcast", root={"ts": root}),
        message("never", at(3), "U1", blocks=[{"type": "rich_text", "elements": [rich]}]),
        message(
            "",
            at(4),
            None,
            subtype="bot_message",
            bot_id="B1",
            username="Jenkins",
            attachments=[{"text": "built", "title": "ok"}],
        ),
        message("from elsewhere", at(5), "U77", user_profile={"real_name": "Cy Far"}),
        message("<@U1> has joined", at(6), "U1", subtype="channel_join"),
        message("", at(7), "USLACKBOT", subtype="tombstone", thread_ts=at(7)),
        message("an answer to it", at(8), "U1", thread_ts=at(7)),
        message("later ```a < b```", at(9), "U1", edited={"user": "U1", "ts": at(99)}),
        message("orphan", at(10), "U1", thread_ts=at(-500)),
        message("<@U77|cy> and <@U2>", at(11), "U1"),
        message("look", at(12), "U1", files=[PICTURE, {"id": "F3", "mode": "tombstone", "name": "gone.doc"}]),
    ]


def test_a_slack_export_stands_in_teams_as_documented(graph, tmp_path):
    ada, bo, clerk = people(graph)[:3]
    users = [slack_user("U1", ada), slack_user("U2", bo)]
    files = entries(edge_cases(), users=users, dms=[{"id": "D1", "members": ["U1", "U2"]}])
    files["D1/2021-03-04.json"] = [message("in a DM", at(1), "U2")]
    files["general/2021-03-05.json"] = json.dumps([message("after", at(86_400)), message("x")], indent=4).replace(
        '"text": "x"', '"text": x'
    )
    export = write_zip(tmp_path / "export.zip", files)
    path = planned(tmp_path, export, "slack", fallback_author=clerk["id"])
    checked = import_messages(path, tmp_path / "lake", dict(graph.options), step="check")
    ran = import_messages(path, tmp_path / "lake", dict(graph.options))
    assert checked.exit_code == ran.exit_code == 3, "a broken day file is told"
    assert [problem for problem in ran.problems if "general/2021-03-05.json line" in problem]
    assert (ran.counts["posted"], ran.counts["skipped"], ran.counts["refused"]) == (14, 1, 0), ran

    names = {person["id"]: name for person, name in ((ada, "ada"), (bo, "bo"), (clerk, "clerk"))}
    found = [
        (round((time - DAY * 1000) / 1000, 3), names[author], html, root and round((root - DAY * 1000) / 1000, 3))
        for _, time, author, html, root in standing(graph)
    ]
    by_time = {time: (author, html, root) for time, author, html, root in found}
    assert len(found) == len(by_time) == 13
    assert by_time[1] == ("ada", "<p>root <strong>bold</strong> 🎉</p>", None)
    assert by_time[2] == ("bo", "<p>first in the same ms</p>", None)
    assert by_time[2.001] == ("bo", "<p>reply</p>", 1), "one millisecond after what had its own"
    assert by_time[3] == ("ada", f'<p>rich &amp; <at id="0">{bo["displayName"]}</at></p>', None)
    author, html, _ = by_time[4]
    assert (author, "Jenkins" in html, "built" in html) == ("clerk", True, True)
    author, html, _ = by_time[5]
    assert (author, "Cy Far" in html, "from elsewhere" in html) == ("clerk", True, True)
    assert "This message was deleted." in by_time[7][1]
    assert by_time[8] == ("ada", "<p>an answer to it</p>", 7)
    assert "<pre>a &lt; b</pre>" in by_time[9][1]
    assert "orphan" in by_time[10][1]
    assert by_time[10][2] is None
    assert ("cy" in by_time[11][1], by_time[11][1].count("<at ")) == (True, 1), "who has no account is named, not mentioned"
    assert by_time[12][1].startswith("<p>look</p>")
    assert 'href="https://w.slack.com/files/U1/F2/plan.png"' in by_time[12][1]
    assert "gone.doc" in by_time[12][1]
    assert by_time[86_400] == ("ada", "<p>after</p>", None)

    chats = [row for row in graph.truth("chat_messages") if "in a DM" in (row["body"]["content"] or "")]
    assert [row["from"]["user"]["id"] for row in chats] == [bo["id"]]
    assert {row["state"] for row in ledger(tmp_path / "lake")} == {"posted", "skipped"}
    assert import_messages(path, tmp_path / "lake", dict(graph.options), step="verify").differences == []


def test_a_table_and_a_mattermost_export_stand_in_teams(graph, tmp_path):
    ada = people(graph)[0]
    (tmp_path / "messages.csv").write_text(f"container,created,author,text\nnews,2021-03-04T09:30:00Z,{ada['mail']},a < b\n")
    lines = [
        {"type": "version", "version": 1},
        {"type": "team", "team": {"name": "core", "display_name": "Core"}},
        {"type": "channel", "channel": {"team": "core", "name": "ops", "display_name": "Ops", "type": "O"}},
        {"type": "user", "user": {"username": "ada", "email": ada["mail"]}},
        {
            "type": "post",
            "post": {
                "team": "core",
                "channel": "ops",
                "user": "ada",
                "message": "**root**",
                "create_at": DAY * 1000,
                "replies": [{"user": "ada", "message": "re", "create_at": DAY * 1000}],
            },
        },
    ]
    (tmp_path / "bulk.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name, kind in (("messages.csv", "tables"), ("bulk.jsonl", "mattermost")):
        path = planned(tmp_path, tmp_path / name, kind, team={"name": kind})
        ran = import_messages(path, tmp_path / f"lake-{kind}", dict(graph.options))
        assert (ran.exit_code, ran.counts["refused"]) == (0, 0), ran
    assert standing(graph, "tables") == [("news", DAY * 1000, ada["id"], "<p>a &lt; b</p>", None)]
    teams = [row["displayName"] for row in graph.truth("teams")]
    team = "Core" if "Core" in teams else "mattermost"
    assert standing(graph, team) == [
        ("Ops", DAY * 1000, ada["id"], "<p><strong>root</strong></p>", None),
        ("Ops", DAY * 1000 + 1, ada["id"], "<p>re</p>", DAY * 1000),
    ]


def test_the_format_of_a_source_is_seen_from_what_it_holds(tmp_path):
    slack = write_zip(tmp_path / "slack.zip", entries([]))
    mattermost = write_zip(tmp_path / "mattermost.zip", {"import.jsonl": "{}"})
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    zipfile.ZipFile(slack).extractall(tmp_path / "unpacked")
    known = {slack: "slack", tmp_path / "cut.zip": "slack", tmp_path / "unpacked": "slack", mattermost: "mattermost"}
    known |= {tmp_path / "bulk.jsonl": "mattermost", tmp_path / "messages.jsonl": "tables", tmp_path: "tables"}
    assert {path: guess(path) for path in known} == known
