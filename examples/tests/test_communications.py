"""The communications app in a real server, with people of an emulated tenant."""

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from deltalake import DeltaTable
from serving import serving, until

APP = Path(__file__).parents[1] / "communications"
sys.path.insert(0, str(APP))
from communications import Communications, table
from members import Members
from search import Index


class People:
    """What people do."""

    def __init__(self, graph, app, url):
        self.graph, self.app, self.url = graph, app, url

    def messages(self, user):
        """What stands in somebody's chat, the newest version last."""
        return [one for one in self.graph.deliveries() if one["recipient"] == user and one["action"] in ("send", "update")]

    def write(self, user, text):
        """What the bot answers."""
        before = len(self.messages(user))
        self.graph.tell(f"{self.url}/api/messages", deed="message", user=user, text=text)
        return until(lambda: self.messages(user)[before:])[-1]

    def click(self, user, delivery, button):
        """What is shown for a moment, or the card that takes the other's place."""
        told = self.graph.tell(
            f"{self.url}/api/messages", deed="click", user=user, activity_id=delivery["activity_id"], action=button
        )
        return told[0]["body"]["value"]

    def latest(self, user):
        return self.messages(user)[-1]


@pytest.fixture
def people(graph_emulator, tmp_path):
    users = [user["id"] for user in json.loads(graph_emulator.truth_json("users")) if user["userType"] != "Guest"]
    for user in users:
        graph_emulator.act(deed="install", user=user)
    groups = table(APP / "groups.csv")
    for group in groups:
        group["owner"] = users[0]
    target = tmp_path / "lakehouse"
    target.mkdir()
    members = Members(target / "members.sqlite")
    app = Communications(groups, table(APP / "questions.csv"), members, graph_emulator.options, target=target)
    with serving(app.bot) as url:
        made = People(graph_emulator, app, url)
        made.users = users
        yield made


def titles(delivery):
    (attachment,) = delivery["activity"]["attachments"]
    return [one["title"] for one in attachment["content"]["body"][-1].get("actions", [])]


def test_groups_are_found_joined_and_written_to(people):
    owner, ada, grace, *_ = people.users
    assert people.write(ada, "find sewing")["activity"]["text"] == "There is no group about sewing."
    found = people.write(ada, "find a bike to ride")
    assert titles(found) == ["Join Cycling"]
    assert people.click(ada, found, "Join Cycling") == "Welcome to Cycling."

    closed = people.write(grace, "find families")
    assert people.click(grace, closed, "Join Parents at work") == "I asked the owner of Parents at work."
    request = people.latest(owner)
    assert titles(request) == ["Agree", "Decline"]
    assert people.app.members.of("Parents at work") == []
    people.click(owner, request, "Agree")
    assert people.app.members.of("Parents at work") == [grace]
    assert people.latest(grace)["activity"]["text"] == "Welcome to Parents at work."
    changed = people.latest(owner)
    assert (changed["action"], changed["activity_id"]) == ("update", request["activity_id"]), "it cannot be decided twice"

    people.click(grace, people.write(grace, "find cycling"), "Join Cycling")
    assert "There is no group Cycling that is yours" in people.write(ada, "tell Cycling: hello")["activity"]["text"]
    assert people.write(owner, "tell Cycling: We ride at ${six}, \\o/")["activity"]["text"] == "2 of 2 got it."
    for member in (ada, grace):
        assert people.latest(member)["activity"]["attachments"][0]["content"]["body"][1]["text"] == "We ride at ${six}, \\o/"
    people.write(ada, "leave cycling")
    assert people.app.members.of("Cycling") == [grace]


def test_members_meet_each_week_and_pause(people, tmp_path):
    for user in people.users[1:7]:
        people.app.members.join("Cycling", user)
    monday = datetime(2026, 11, 23, tzinfo=timezone.utc)
    (round_,) = people.app.pair_up(monday)
    assert (round_.name, round_.groups, round_.counts["succeeded"]) == ("Cycling", 3, 6)
    first = people.latest(people.users[1])
    assert people.click(people.users[1], first, "Pause") == "You pause"
    (later,) = people.app.pair_up(monday + timedelta(weeks=1))
    assert (later.repeats, later.counts["paused"]) == (0, 1)
    place = tmp_path / "lakehouse" / "main" / "default" / "pairups"
    assert len(DeltaTable(place).to_pyarrow_table()) == 12


def test_questions_are_answered_and_asked_again_when_it_is_unsure(people):
    user = people.users[1]
    sure = people.write(user, "how do I reset a forgotten password")
    assert "passwords.example.com" in json.dumps(sure["activity"])
    assert titles(sure) == ["Where do I get a new laptop?"]
    unsure = people.write(user, "vacation")
    assert sorted(titles(unsure)) == ["How do I request vacation?", "How many days of vacation do I have?"]
    answer = people.click(user, unsure, "How many days of vacation do I have?")
    assert "28 days a year" in json.dumps(answer)
    assert "I do not know that" in people.write(user, "why is the sky blue")["activity"]["text"]
    assert "groups about that" in json.dumps(people.write(user, "help")["activity"])


@pytest.mark.parametrize("text", ['"', "a OR", "NEAR(", "c0:x", "*", "' --", "-", "vacation*"])
def test_nothing_that_people_write_is_a_query(text):
    index = Index(table(APP / "questions.csv"), ["question", "answer"])
    assert len(index.search(text).rows) <= 3
