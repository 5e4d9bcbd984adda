"""The alerting product in a real server, with people of an emulated tenant who click and write."""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from serving import serving, until

sys.path.insert(0, str(Path(__file__).parents[1] / "alerts"))
from alerts import Alerts
from links import Links
from store import Store
from web import site


@pytest.fixture
def product(graph_emulator, tmp_path):
    channel = graph_emulator.truth("channels")[0]["id"]
    user, other = [one["id"] for one in json.loads(graph_emulator.truth_json("users")) if one["userType"] != "Guest"][:2]
    graph_emulator.act(deed="install", user=user)
    links = Links("https://alerts.example", "a secret of the product's own")
    store = Store(tmp_path / "alerts.sqlite")
    made = Alerts(store, links, graph_emulator.options, target=tmp_path / "lakehouse", channel=channel)
    with serving(site(made, api_key="key")) as url:
        yield People(graph_emulator, made, url, channel, user, other)


class People:
    """What people and other programs do."""

    def __init__(self, graph, product, url, channel, *users):
        self.graph, self.product, self.url, self.channel = graph, product, url, channel
        self.user, self.other = users

    def call(self, path, body=None, **headers):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode())  # noqa: S310
        for name, value in {"Content-Type": "application/json", **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def report(self, title="Disk is full"):
        status, body = self.call("/issues", {"title": title, "detail": "db-7 has 2 % left"}, X_Api_Key="key")
        assert status == 201
        return json.loads(body)["issue"], self.latest("send")

    def latest(self, action):
        return next(one for one in reversed(self.graph.deliveries()) if one["action"] == action)

    def click(self, card, button, user=None, **inputs):
        told = self.graph.tell(
            f"{self.url}/api/messages",
            deed="click",
            user=user or self.user,
            channel=self.channel,
            activity_id=card["activity_id"],
            action=button,
            inputs=inputs,
        )
        return told[0]["body"]

    def write(self, text):
        before = len(self.graph.deliveries())
        self.graph.tell(f"{self.url}/api/messages", deed="message", user=self.user, text=text)
        until(lambda: len(self.graph.deliveries()) > before)
        return self.latest("send")["activity"]

    def link(self, message, login="ada"):
        """Follows the button of the card, as the browser of somebody who is signed in at the product."""
        (action,) = message["attachments"][0]["content"]["body"][-1]["actions"]
        parts = urlsplit(action["url"])
        return self.call(f"{parts.path}?{parts.query}", X_Login=login)


def shown(delivery):
    card = delivery["activity"]["attachments"][0]["content"]
    facts = next(one["facts"] for one in card["body"] if one["type"] == "FactSet")
    return {fact["title"]: fact["value"] for fact in facts}


def buttons(delivery):
    return [one["title"] for one in delivery["activity"]["attachments"][0]["content"]["body"][-1]["actions"]]


def test_a_click_changes_the_table_and_the_card_as_the_linked_person(product):
    issue, card = product.report()
    assert (card["recipient"], shown(card)["State"], buttons(card)) == (product.channel, "open", ["Resolve", "Ignore"])

    refused = product.click(card, "Resolve")
    assert refused["value"] == "Link your account first: I have written to you."
    assert product.product.store.get(issue).state == "open"
    without_app = product.click(card, "Resolve", product.other)
    assert without_app["value"] == "Link your account first: add me, and write “link” to me."
    private = product.latest("send")
    assert private["recipient"] == product.user
    assert product.link(private["activity"])[0] == 200

    product.click(card, "Resolve")
    held = product.product.store.get(issue)
    assert (held.state, held.changed_by) == ("resolved", "ada")
    changed = product.latest("update")
    assert (changed["activity_id"], shown(changed)["State"]) == (card["activity_id"], "resolved"), "in place"
    assert shown(changed)["Changed by"] == "ada"
    assert buttons(changed) == ["Open again"]

    product.click(changed, "Open again")
    product.click(product.latest("update"), "Ignore", how_long="week")
    assert product.product.store.get(issue).state == "ignored for a week"


def test_an_issue_is_assigned_to_somebody_who_can_be_chosen(product):
    assert product.link(product.write("link"))[0] == 200
    issue, card = product.report()
    assert buttons(card) == ["Resolve", "Ignore", "Assign"]
    product.click(card, "Assign", assignee="nobody we know")
    assert product.product.store.get(issue).assignee is None, "what people fill in is theirs"
    product.click(card, "Assign", assignee="ada")
    assert shown(product.latest("update"))["Assigned to"] == "ada"
    assert product.call(f"/issues/{issue}/resolve", {}, X_Login="grace")[0] == 204
    changed = shown(product.latest("update"))
    assert (changed["State"], changed["Changed by"]) == ("resolved", "grace"), "what is done elsewhere shows in Teams"


def test_a_link_that_was_altered_or_is_too_old_links_nobody(product, monkeypatch):
    (action,) = product.write("link")["attachments"][0]["content"]["body"][-1]["actions"]
    parts = dict(parse_qsl(urlsplit(action["url"]).query))
    for change in ({"user": "somebody else"}, {"expires": "99999999999"}, {"signature": "é"}):
        assert product.call("/link?" + urlencode(parts | change), X_Login="eve")[0] == 403
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + 1_000)
    assert product.call("/link?" + urlencode(parts), X_Login="eve")[0] == 403
    assert product.product.store.logins() == []


def test_commands_and_what_it_does_not_know(product):
    assert "I do not know “hello”" in json.dumps(product.write("hello"), ensure_ascii=False)
    assert "Here is what I understand" in json.dumps(product.write("please help me"))
    assert product.write("unlink")["text"] == "I did not know you."
    product.link(product.write("link"))
    assert product.write("link")["text"] == "You are ada already."
    assert product.write("unlink")["text"] == "Forgotten."
    assert product.call("/issues", {"title": "t", "detail": "d"}, X_Api_Key="guess")[0] == 403


def test_it_is_an_app_of_its_own_too(graph_emulator, tmp_path):
    links, store = Links("https://alerts.example", "secret"), Store(tmp_path / "alerts.sqlite")
    made = Alerts(store, links, graph_emulator.options, target=tmp_path / "lakehouse", channel="19:none@thread.tacv2")
    user = json.loads(graph_emulator.truth_json("users"))[0]["id"]
    with serving(made.bot) as url:
        told = graph_emulator.tell(f"{url}/api/messages", deed="install", user=user)
        assert all(one["statuses"] == [200] for one in told)
        until(graph_emulator.deliveries)
    (welcome,) = graph_emulator.deliveries()
    assert "Who are you?" in json.dumps(welcome["activity"])
