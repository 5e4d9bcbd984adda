"""Pair-ups: who is told of whom, once a week, also after a kill; and who is left out."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import pytest
from deltalake import DeltaTable

from lakeflow_teams import ConfigurationError, GraphEmulator, broadcast, pairup, pause_pairup, resume_pairup
from lakeflow_teams.bot import TeamsBot, answer_pauses
from lakeflow_teams.cli.app import run
from support.bots import serving

MONDAY = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
PLAN = {"name": "coffee", "recipients": {"everyone": True}, "install": True}
RUN = """
import json, sys
from datetime import datetime
from lakeflow_teams import pairup
plan, target, options, at = json.loads(sys.stdin.read())
print("ready", flush=True)
pairup(plan, target, options, at=datetime.fromisoformat(at))
"""


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=14, chats=0) as emulator:
        yield emulator


def people(graph):
    """Those who are no guests, and whose account is open."""
    users = json.loads(graph.truth_json("users"))
    return {user["id"]: user for user in users if user["userType"] != "Guest" and user["accountEnabled"]}


def go(graph, tmp_path, step="run", plan=None, week=0, **options):
    at = MONDAY + timedelta(weeks=week)
    return pairup(plan or PLAN, tmp_path / "lake", dict(graph.options), step=step, at=at, **options)


def rows(tmp_path):
    return DeltaTable(tmp_path / "lake" / "main" / "default" / "pairups").to_pyarrow_table().to_pylist()


def sent(graph):
    return [one for one in graph.deliveries() if one["action"] == "send"]


def text(delivery):
    return delivery["activity"]["attachments"][0]["content"]["body"][1]["text"]


def groups(tmp_path, round_):
    found = {}
    for row in rows(tmp_path):
        if row["round"] == round_ and row["group"] is not None:
            found.setdefault(row["group"], set()).add(row["person_id"])
    return sorted(map(sorted, found.values()))


def test_everybody_is_told_of_somebody_new_each_week(graph, tmp_path):
    everybody = set(people(graph))
    checked = go(graph, tmp_path, "check")
    assert (checked.exit_code, checked.counts["queued"], graph.deliveries()) == (0, len(everybody), [])
    assert not (tmp_path / "lake").exists()
    met = set()
    for week in range(3):
        ran = go(graph, tmp_path, week=week)
        assert (ran.repeats, ran.exit_code, ran.counts["succeeded"]) == (0, 0, len(everybody))
        now = groups(tmp_path, ran.round)
        assert {one for group in now for one in group} == everybody
        pairs = {pair for group in now for pair in combinations(group, 2)}
        assert not met & pairs
        met |= pairs
    assert set(Counter(one["recipient"] for one in sent(graph)).values()) == {3}
    graph.clear_requests()
    again = go(graph, tmp_path, week=2)
    assert graph.requests() == [], "everybody was told, so that nothing is asked"
    assert (again.counts, len(sent(graph))) == (ran.counts, 3 * len(everybody)), "a second run of a week starts nothing anew"
    assert ran.total == sum(ran.counts.values()) == sum(row["round"] == ran.round for row in rows(tmp_path))


def test_a_card_names_the_others_and_opens_a_chat_with_them(graph, tmp_path):
    ran = go(graph, tmp_path, plan=PLAN | {"size": 3})
    known = people(graph)
    row = next(row for row in rows(tmp_path) if row["group"] is not None)
    others = [known[one] for one in row["with_ids"]]
    assert len(others) >= 2
    card = next(one for one in sent(graph) if one["recipient"] == row["person_id"])["activity"]["attachments"][0]["content"]
    assert all(other["displayName"] in card["body"][1]["text"] for other in others)
    chat, meeting, pause = card["body"][2]["actions"]
    users = parse_qs(urlsplit(chat["url"]).query)["users"][0].split(",")
    assert sorted(users) == sorted(other["userPrincipalName"] for other in others)
    assert urlsplit(meeting["url"]).path == "/l/meeting/new"
    assert (pause["title"], pause["verb"], pause["fallback"]["data"]["action"]) == ("Pause", "pairup.pause", "pairup.pause")
    assert (row["pairup"], row["round"], row["state"], ran.round) == ("coffee", "2026-W48", "succeeded", "2026-W48")
    assert row["sent_at"] is not None


def test_guests_unlicensed_and_those_who_pause_are_left_out_and_counted(graph, tmp_path):
    first, second, *rest = sorted(people(graph))
    graph.act(deed="lose_licenses", user=first)
    with pytest.raises(ConfigurationError, match="'coffee' had no round yet"):
        pause_pairup("coffee", tmp_path / "lake", second)
    go(graph, tmp_path)
    name = people(graph)[second]["userPrincipalName"]
    assert pause_pairup("coffee", tmp_path / "lake", name.upper())
    assert not pause_pairup("coffee", tmp_path / "lake", second.upper()), "already"
    ran = go(graph, tmp_path, week=1)
    states = {row["person_id"]: row["state"] for row in rows(tmp_path) if row["round"] == ran.round}
    assert (states[first], states[second]) == ("skipped_unlicensed", "paused")
    assert Counter(states.values()) == Counter(ran.counts)
    assert {one for group in groups(tmp_path, ran.round) for one in group} == set(rest)
    assert ran.exit_code == 0
    assert resume_pairup("coffee", tmp_path / "lake", second)
    assert go(graph, tmp_path, week=2).counts["succeeded"] == len(rest) + 1


def test_the_buttons_of_the_card_pause_and_resume_and_leave_the_card_where_it_is(graph, tmp_path):
    go(graph, tmp_path)
    card = sent(graph)[0]
    user = card["recipient"]
    bot = TeamsBot(dict(graph.options), target=tmp_path / "lake")
    answer_pauses(bot, tmp_path / "lake")

    def click(url, message, action):
        told = graph.tell(f"{url}/api/messages", deed="click", user=user, activity_id=message["activity_id"], action=action)
        return told[0]["body"]

    def state(week):
        round_ = go(graph, tmp_path, week=week).round
        return next(row["state"] for row in rows(tmp_path) if (row["round"], row["person_id"]) == (round_, user))

    with serving(bot) as url:
        before = len(sent(graph))
        assert click(url, card, "Pause")["value"] == "You pause"
        (answer,) = sent(graph)[before:]
        assert answer["recipient"] == user
        assert not [one for one in graph.deliveries() if one["action"] == "update"], "the card with the names stays"
        assert state(week=1) == "paused"
        assert "again" in json.dumps(click(url, answer, "Resume"))
        assert state(week=2) == "succeeded"


def test_a_pair_of_whom_nobody_was_told_may_be_formed_again_and_one_of_whom_somebody_was_may_not(graph, tmp_path):
    one, other = sorted(people(graph))[:2]
    plan = PLAN | {"recipients": {"users": [one, other]}}
    graph.set(bot_errors={one: "NotEnoughPermissions", other: "NotEnoughPermissions"})
    assert (go(graph, tmp_path, plan=plan).repeats, go(graph, tmp_path, plan=plan, week=1).repeats) == (0, 0)
    graph.set(bot_errors={one: "NotEnoughPermissions"})
    third = go(graph, tmp_path, plan=plan, week=2)
    assert (third.repeats, third.counts, third.exit_code) == (0, {"failed": 1, "succeeded": 1}, 3)
    graph.set(bot_errors={})
    assert go(graph, tmp_path, plan=plan, week=3).repeats == 1
    alone = go(graph, tmp_path, plan=PLAN | {"recipients": {"users": [one]}}, week=4)
    assert (alone.groups, alone.counts, alone.exit_code) == (0, {"unmatched": 1}, 0)


def test_bad_input_is_named_before_a_round_is_formed(graph, tmp_path):
    def refused(match, **changes):
        with pytest.raises(ConfigurationError, match=match):
            go(graph, tmp_path, plan=PLAN | changes)

    refused("every: 'weak' is not one of week, month; did you mean week", every="weak")
    refused("size: 1 is too small", size=1)
    refused("timezone: 'Mars' is no time zone", timezone="Mars")
    refused("recipients.channels: there is no such key", recipients={"channels": ["19:a@thread.tacv2"]})
    refused("name: a text is expected", name=" ")
    refused("it uses city, which the table lacks; it has user_id, display_name, others", card={
        "type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "${city}"}],
    })  # fmt: skip
    graph.set(app_in_catalogue=False)
    refused("is not in the organisation's catalogue")
    assert graph.deliveries() == []
    with pytest.raises(ConfigurationError, match="step: 'purge' is not one of check, run, status"):
        go(graph, tmp_path, "purge")
    graph.set(app_in_catalogue=True)
    other = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Meet ${others}"}]}
    assert go(graph, tmp_path, plan=PLAN | {"card": other}).exit_code == 0, "what was refused did not begin"
    assert "Meet " in json.dumps(sent(graph)[0]["activity"])
    changed = go(graph, tmp_path)
    assert "another card than 2026-W48 began with" in changed.warnings[0]


def test_the_command_tells_of_the_last_round(graph, tmp_path, capsys):
    file, connection = tmp_path / "pairup.yaml", tmp_path / "connection.yaml"
    file.write_text("name: coffee\nrecipients: {everyone: true}\nevery: month\ninstall: true\n", encoding="utf-8")
    connection.write_text(json.dumps(dict(graph.options)), encoding="utf-8")
    common = [str(file), "--target", str(tmp_path / "lake")]
    reach = ["--connection", str(connection)]

    def said(*arguments, code=0):
        assert run(["pairup", *arguments]) == code
        return capsys.readouterr().out

    assert json.loads(said("check", *common, *reach, "--json"))["groups"] == len(people(graph)) // 2
    assert run(["pairup", "status", *common]) == 2
    assert "`pairup run` comes first" in capsys.readouterr().err
    assert "nobody meets anybody again" in said("run", *common, *reach)
    assert f"{len(people(graph))} succeeded" in said("status", *common)
    user = min(people(graph))
    assert "left out from the next round on" in said("pause", *common, "--user", user)
    assert "taken in" in said("resume", *common, "--user", user)
    assert "not left out" in said("resume", *common, "--user", user)
    assert broadcast(
        {**PLAN, "name": f"coffee {rows(tmp_path)[0]['round']}", "card": {"type": "AdaptiveCard"}},
        tmp_path / "lake",
        step="status",
    ).counts["succeeded"] == len(people(graph)), "a round is a broadcast"


def start(graph, target):
    process = subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps([PLAN, str(target), dict(graph.options), MONDAY.isoformat()]))
    process.stdin.close()
    assert process.stdout.readline() == "ready\n"
    return process


def test_kill_a_round_at_random_moments(tmp_path):
    chance = random.Random(3)
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=120, chats=0, latency_ms=3) as graph:
        told = []
        for kill in range(2):
            process = start(graph, tmp_path / "lake")
            goal = chance.uniform(0, 1) * len(people(graph)) * (kill + 1) / 2
            while len(sent(graph)) < goal and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            told.append({one["recipient"]: text(one) for one in sent(graph)})
        ran = go(graph, tmp_path)
        per_person = Counter(one["recipient"] for one in sent(graph))
        assert max(per_person.values()) == 1
        assert ran.total == sum(ran.counts.values())
        assert set(ran.counts) <= {"succeeded", "unknown", "skipped_guest", "skipped_unlicensed"}
        # The groups of the table are those that the first cards named.
        names = {one: user["displayName"] for one, user in people(graph).items()}
        others = {row["person_id"]: row["with_ids"] for row in rows(tmp_path) if row["group"] is not None}
        assert told[-1], "it was killed while it sent"
        for one, said in told[-1].items():
            assert all(names[other] in said for other in others[one])
