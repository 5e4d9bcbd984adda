"""What a bot is told beside words and clicks, what goes wrong in handlers, and what it sends by itself."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from lakeflow_teams import ConfigurationError, LakeflowTeamsError
from lakeflow_teams.bot import Card, NotSentError, Sent
from support.bots import ASK, DONE, rows, sent, serving, table, tell, title, until


def known(tmp_path):
    return {row["recipient_id"]: row for row in table(tmp_path, "bot_conversations")}


def test_an_installation_is_told_once_and_conversations_are_kept(graph, user, channel, make, tmp_path):
    bot, seen = make(), []

    @bot.installed
    def welcome(install):
        seen.append(("installed", install.conversation.kind))
        return Card.of("Welcome")

    bot.removed(lambda removal: seen.append(("removed", removal.conversation.kind)))
    with serving(bot) as url:
        assert tell(graph, url, deed="install", user=user, times=2) == [200, 200]
        until(lambda: len(sent(graph)) == 1)
        assert tell(graph, url, deed="install", user=user, channel=channel) == [200, 200]
        until(lambda: len(sent(graph)) == 2)
        assert tell(graph, url, deed="rename_channel", user=user, channel=channel, text="Alerts") == [200]
        assert tell(graph, url, deed="remove", user=user) == [200, 200]
        assert tell(graph, url, deed="remove", user=user, channel=channel) == [200, 200]
        until(lambda: len(seen) == 4)
        assert tell(graph, url, deed="install", user=user) == [200, 200]
        until(lambda: len(seen) == 5)
        time.sleep(0.2)
    kinds = ("installed", "removed", "installed")
    assert [one for one, kind in seen if kind == "personal"] == list(kinds)
    assert [one for one, kind in seen if kind == "channel"] == ["installed", "removed"]
    assert [title(one) for one in sent(graph)] == ["Welcome"] * 3
    found = known(tmp_path)
    assert (found[user]["installed"], found[user]["kind"], found[user]["service_url"].startswith(graph.url)) == (
        True,
        "user",
        True,
    )
    assert (found[channel]["installed"], found[channel]["name"], found[channel]["kind"]) == (False, "Alerts", "channel")


def test_reactions_edits_deletions_and_unknown_kinds_are_kept(graph, user, make, tmp_path):
    bot, seen = make(), []
    bot.reaction(lambda one: seen.append(("reaction", one.reactions, one.removed_reactions)))
    bot.edited(lambda one: seen.append(("edited", one.text)))
    bot.deleted(lambda one: seen.append(("deleted", one.activity["id"])))
    bot.event("application/vnd.microsoft.readReceipt")(lambda one: seen.append(("read", one.activity["value"])))
    with serving(bot) as url:
        assert tell(graph, url, deed="react", user=user, activity_id="5", text="heart") == [200]
        assert tell(graph, url, deed="unreact", user=user, activity_id="5") == [200]
        assert tell(graph, url, deed="edit", user=user, activity_id="6", text="better") == [200]
        assert tell(graph, url, deed="delete", user=user, activity_id="6") == [200]
        receipt = {"/type": "event", "/name": "application/vnd.microsoft.readReceipt", "/value": {"lastReadMessageId": "7"}}
        assert tell(graph, url, deed="message", user=user, text="", replace=receipt) == [200]
        assert tell(graph, url, deed="message", user=user, text="x", replace={"/type": "somethingNew"}) == [200]
        assert tell(graph, url, deed="message", user=user, text="x", replace={"/type": "invoke", "/name": "tab/fetch"}) == [
            501
        ]
        until(lambda: len(seen) == 5)
    assert sorted(seen, key=str) == sorted(
        [
            ("reaction", ["heart"], []),
            ("reaction", [], ["like"]),
            ("edited", "better"),
            ("deleted", "6"),
            ("read", {"lastReadMessageId": "7"}),
        ],
        key=str,
    )
    assert sorted(row["state"] for row in rows(tmp_path)) == ["handled"] * 5 + ["ignored"] * 2
    assert any(json.loads(row["activity"])["type"] == "somethingNew" for row in rows(tmp_path))


def test_a_handler_that_fails_loses_no_row_and_tells_nothing_of_what_was_written(graph, user, make, tmp_path, caplog):
    bot = make()

    @bot.message
    def broken(message):
        raise ValueError(f"cannot read {message.text}")

    @bot.action("resolve")
    async def wrong(action):
        return {"not": "a card"}

    with caplog.at_level(logging.INFO, "lakeflow_teams"), serving(bot) as url:
        assert tell(graph, url, deed="message", user=user, text="my password") == [200]
        asked = bot.send(user, ASK)
        (told,) = graph.tell(f"{url}/api/messages", deed="click", user=user, activity_id=asked.activity_id, action="Resolve")
        assert (told["statuses"], told["body"]["statusCode"]) == ([200], 500)
    assert sorted((row["state"], row["code"]) for row in rows(tmp_path)) == [
        ("failed", "TypeError"),
        ("failed", "ValueError"),
    ]
    assert "my password" not in caplog.text
    assert "ValueError at" in caplog.text
    assert "test_bot_events.py" in caplog.text


def test_what_takes_longer_than_teams_waits_is_answered_later(graph, user, make, tmp_path):
    bot = make()

    @bot.action("resolve")
    async def slow(action):
        await asyncio.sleep(2.8)
        return DONE if action.inputs else "It is resolved"

    with serving(bot) as url, ThreadPoolExecutor(2) as people:

        def click(**inputs):
            act = {"deed": "click", "user": user, "activity_id": bot.send(user, ASK).activity_id, "action": "Resolve"}
            (told,) = graph.tell(f"{url}/api/messages", **act, inputs=inputs)
            return told["body"]["value"]

        both = [people.submit(click, why="x"), people.submit(click)]
        assert [one.result() for one in both] == ["Working on it"] * 2
        assert (sent(graph, "update"), len(sent(graph))) == ([], 2)
        until(lambda: sent(graph, "update") and len(sent(graph)) == 3)
    assert title(sent(graph, "update")[0]) == "Resolved"
    assert sent(graph)[2]["activity"]["text"] == "It is resolved"
    assert [row["state"] for row in rows(tmp_path)] == ["handled", "handled"]


def test_it_sends_replaces_and_deletes_by_itself_and_each_stands_in_its_ledger(graph, user, other, channel, make, tmp_path):
    bot = make()
    first = bot.send(user, Card.of("One"), summary="News")
    bot.update(first, Card.of("Two"))
    post = bot.send(channel, "a post")
    bot.send(f"{channel};messageid={post.activity_id}", "a reply")
    bot.update(Sent(first.conversation_id, first.activity_id), "three")
    bot.delete(post)
    told = [(one["action"], one["recipient"], one["reply_to"]) for one in graph.deliveries()]
    assert told == [
        ("send", user, None),
        ("update", user, None),
        ("send", channel, None),
        ("send", channel, post.activity_id),
        ("update", user, None),
        ("delete", channel, None),
    ]
    assert sent(graph)[0]["activity"]["summary"] == "News"
    graph.act(deed="block", user=user)
    with pytest.raises(NotSentError) as refused:
        bot.send(user, "x")
    assert (refused.value.state, refused.value.code) == ("blocked", "MessageWritesBlocked")
    graph.set(app_installed=0.0)
    with pytest.raises(NotSentError, match="the app is not installed"):
        bot.send(other, "x")
    graph.set(app_installed=1.0)
    graph.fault(path="POST /v3/conversations/{id}/activities", status=504, after=True, times=1)
    with pytest.raises(NotSentError) as lost:
        bot.send(other, "once")
    assert lost.value.state == "unknown"
    assert [one["activity"]["text"] for one in sent(graph) if one["recipient"] == other] == ["once"]
    with sqlite3.connect(tmp_path / "_bot" / "messages.sqlite") as ledger:
        states = [row[0] for row in ledger.execute("select state from messages order by number")]
    assert states == ["succeeded"] * 6 + ["blocked", "unknown"]
    for wrong in ("", None, 7):
        with pytest.raises(ConfigurationError, match="recipient"):
            bot.send(wrong, "x")
    with pytest.raises(ConfigurationError, match="no Card, text or mapping"):
        bot.send(user, 7)


def test_inside_an_event_loop_it_sends_beside_what_goes_on_there(graph, user, other, make):
    bot = make()

    async def both():
        sent_one, sent_other = bot.send(user, "a"), bot.send(other, "b")
        done = await asyncio.gather(sent_one, sent_other)
        assert all(one.activity_id for one in done)
        graph.act(deed="block", user=user)
        with pytest.raises(NotSentError):
            await bot.send(user, "c")

    asyncio.run(both())
    assert sorted(one["activity"]["text"] for one in sent(graph)) == ["a", "b"]


def test_a_file_is_uploaded_once_its_recipient_accepts(graph, user, make, tmp_path):
    bot, seen = make(), []
    bot.file_consent(lambda one: seen.append((one.file.name, one.file.accepted, one.file.uploaded, one.file.context)))
    report = tmp_path / "report.csv"
    report.write_bytes(b"a,b\n" * 1_500_000)
    with serving(bot) as url:
        offer = bot.send_file(user, report, description="All of it", context={"week": 3})
        consent = sent(graph)[0]["activity"]["attachments"][0]
        assert (consent["name"], consent["content"]["sizeInBytes"]) == ("report.csv", 6_000_000)
        assert tell(graph, url, deed="accept_file", user=user, activity_id=offer.activity_id, data={"kept": "x"}) == [200]
        assert graph.files() == [], "a context that is not ours"
        assert tell(graph, url, deed="accept_file", user=user, activity_id=offer.activity_id) == [200]
        until(lambda: seen)
        refused = bot.send_file(user, b"no", name="no.txt")
        assert tell(graph, url, deed="decline_file", user=user, activity_id=refused.activity_id) == [200]
        until(lambda: len(seen) == 2)
    assert [content for _, _, content in graph.files()] == [report.read_bytes()]
    assert seen == [("report.csv", True, True, {"week": 3}), ("no.txt", False, False, None)]
    info = sent(graph)[1]["activity"]["attachments"][0]
    assert info["contentType"] == "application/vnd.microsoft.teams.card.file.info"
    assert {one["activity_id"] for one in sent(graph, "delete")} == {offer.activity_id, refused.activity_id}
    assert list((tmp_path / "_bot" / "files").iterdir()) == []


def test_a_file_goes_to_no_other_host(graph, user, make, tmp_path):
    bot = make()
    with serving(bot) as url:
        offer = bot.send_file(user, b"secret", name="a.txt")
        replace = {"/value/uploadInfo/uploadUrl": "https://evil.example/upload"}
        assert tell(graph, url, deed="accept_file", user=user, activity_id=offer.activity_id, replace=replace) == [200]
    assert [(row["state"], row["code"]) for row in rows(tmp_path)] == [("failed", "upload")]


def ask(url, method, path, body=None, headers=()):
    with closing(HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_it_answers_as_a_web_service_does(make):
    with serving(make()) as url:
        status, body = ask(url, "GET", "/health")
        assert (status, json.loads(body)) == (200, {"status": "ok", "known": 0, "pending": 0, "unfiled": 0})
        assert ask(url, "GET", "/api/messages")[0] == 405
        assert ask(url, "GET", "/elsewhere")[0] == 404
        assert ask(url, "POST", "/api/messages", b"{}")[0] == 401


def test_one_process_at_a_time_receives(make, tmp_path):
    with serving(make()), pytest.raises(LakeflowTeamsError, match="another process runs this bot"):
        asyncio.run(make().start())


def test_bad_input_is_named(graph, make, tmp_path):
    with pytest.raises(ConfigurationError, match="a folder of this machine"):
        make().__class__(dict(graph.options), target="s3://bucket/lake")
    short = tmp_path / "key"
    short.write_text("short")
    with pytest.raises(ConfigurationError, match="less than 32 could be guessed"):
        make(card_signing_key_file=short)
    bot = make()
    bot.message(lambda message: None)
    with pytest.raises(ConfigurationError, match="two functions handle message"):
        bot.message(lambda message: None)
    with pytest.raises(ConfigurationError, match="without parentheses"):
        bot.reaction(None)


def test_it_is_mounted_in_another_app(graph, user, make, tmp_path):
    starlette = pytest.importorskip("starlette.applications")
    from starlette.routing import Mount

    bot, seen = make(), []
    bot.message(lambda message: seen.append(message.text))
    for app in (
        starlette.Starlette(routes=[Mount("/bots/one", bot)], lifespan=bot.lifespan),
        # Without the lifespan it begins with the first request.
        starlette.Starlette(routes=[Mount("/bots/one", bot)]),
    ):
        with serving(app) as url:
            assert tell(graph, f"{url}/bots/one", deed="message", user=user, text="x") == [200]
            until(lambda: seen)
        seen.clear()
    asyncio.run(bot.stop())
    assert len(rows(tmp_path)) == 2


SERVER = """
import json, sys, time
from lakeflow_teams.bot import TeamsBot
options = json.loads(open(sys.argv[1]).read())
bot = TeamsBot(options, target=sys.argv[2])

@bot.message
def slow(message):
    with open(sys.argv[3], "a") as file:
        file.write(message.activity["text"] + " begun\\n")
    time.sleep(float(sys.argv[4]))
    with open(sys.argv[3], "a") as file:
        file.write(message.activity["text"] + " done\\n")
    return "done"

import uvicorn
uvicorn.run(bot, port=int(sys.argv[5]), log_level="error")
"""


def test_what_was_acknowledged_is_handled_after_a_kill_and_no_answer_comes_twice(graph, user, tmp_path):
    import socket

    (tmp_path / "options.json").write_text(json.dumps(dict(graph.options)))
    log, lake = tmp_path / "log", tmp_path / "lake"
    log.touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    def start(pause):
        arguments = [str(tmp_path / "options.json"), str(lake), str(log), str(pause), str(port)]
        process = subprocess.Popen([sys.executable, "-c", SERVER, *arguments])
        until(lambda: is_up() or process.poll() is not None)
        return process

    def is_up():
        try:
            return ask(url, "GET", "/health")[0] == 200
        except OSError:
            return False

    process = start(60)
    said = [graph.tell(f"{url}/api/messages", deed="message", user=user, text=f"m{at}") for at in range(5)]
    assert all(told[0]["statuses"] == [200] for told in said)
    until(lambda: log.read_text().count("begun") == 5)
    process.kill()
    process.wait()
    process = start(0)
    try:
        until(lambda: len(sent(graph)) == 5)
        again = graph.tell(f"{url}/api/messages", deed="message", user=user, text="m9", times=2)
        assert again[0]["statuses"] == [200, 200]
        until(lambda: len(sent(graph)) == 6)
    finally:
        process.terminate()
        assert process.wait(60) in (0, -15)
    assert sorted(line for line in log.read_text().splitlines() if "done" in line) == [
        f"m{at} done" for at in (0, 1, 2, 3, 4, 9)
    ]
    assert [(row["state"], row["attempts"]) for row in table(lake)] == [("handled", 2)] * 5 + [("handled", 1)]


def test_what_python_cannot_read_costs_nobody_else_and_no_start(graph, user, make, tmp_path):
    (said,) = graph.act(deed="message", user=user, text="endless")
    authorization = said.pop("authorization")
    endless = [json.dumps({**said["activity"], "id": one})[:-1] + f', "x": {"9" * 5000}}}' for one in ("1", "2")]
    earlier = make()
    earlier._core.begin()
    assert earlier._core.receive_now(authorization, endless[0].encode())[0] == 200
    earlier._core.close()
    bot, seen = make(), []
    bot.message(lambda message: seen.append(message.text))
    with serving(bot) as url:
        address = urlsplit(url)
        with closing(HTTPConnection(address.hostname, address.port)) as connection:
            headers = {"Authorization": authorization, "Content-Type": "application/json"}
            connection.request("POST", "/api/messages", endless[1], headers)
            assert connection.getresponse().status == 200
        assert tell(graph, url, deed="message", user=user, text="next") == [200]
        until(lambda: seen)
    assert seen == ["next"]
    states = sorted((row["state"], row["code"]) for row in rows(tmp_path))
    assert [state for state, _ in states] == ["failed", "failed", "handled"]
    assert {code for state, code in states if state == "failed"} == {"unreadable"}
