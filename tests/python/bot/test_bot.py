"""A bot in a real ASGI server, and people of the emulator who write, click, forge and come again."""

from __future__ import annotations

import logging
import stat
import threading
import time
from datetime import timedelta

from lakeflow_teams import broadcast
from support.bots import ASK, DONE, OLD, card_of, rows, sent, serving, tell, title, until


def test_a_click_is_answered_with_a_card_that_takes_the_place_of_the_one_that_was_used(graph, user, other, make, tmp_path):
    bot, seen = make(), []

    @bot.message
    def ask(message):
        assert message.text == "help"
        return ASK

    @bot.action("resolve")
    async def resolve(action):
        seen.append((action.data, action.inputs, action.user.id, action.run))
        return DONE

    @bot.action("reopen")
    def reopen(action):
        return "opened again"

    with serving(bot) as url:
        assert tell(graph, url, deed="message", user=user, text="help") == [200]
        asked = until(lambda: sent(graph))[0]
        click = {"deed": "click", "user": user, "activity_id": asked["activity_id"]}
        assert tell(graph, url, **click, action="Resolve", inputs={"why": "old logs", "issue": 8}) == [200]
        assert seen == [({"issue": 7, "host": "db-7"}, {"why": "old logs", "issue": 8}, user, "bot")]
        (answer,) = sent(graph, "answer")
        assert (title(answer), answer["recipient"], answer["activity_id"]) == ("Resolved", user, asked["activity_id"])
        (update,) = sent(graph, "update")
        assert (title(update), update["activity_id"]) == ("Resolved", asked["activity_id"])
        assert tell(graph, url, **click, action="Reopen") == [200]
        assert sent(graph, "answer")[1]["activity"]["text"] == "opened again"
        # The same button in clients that know no Action.Execute is a message.
        old = bot.send(other, OLD)
        assert tell(graph, url, deed="click", user=other, activity_id=old.activity_id, action="Resolve") == [200]
        until(lambda: len(seen) == 2)
        until(lambda: len(sent(graph, "update")) == 2)
        assert seen[1][0] == {"issue": 7}
    states = [(row["type"], row["name"], row["state"], row["arrivals"]) for row in rows(tmp_path)]
    click_row = ("invoke", "adaptiveCard/action", "handled", 1)
    assert sorted(states, key=str) == sorted(
        [("message", None, "handled", 1), click_row, click_row, ("message", None, "handled", 1)], key=str
    )
    assert {row["user_id"] for row in rows(tmp_path)} == {user, other}
    assert stat.S_IMODE((tmp_path / "_bot" / "card_signing_key").stat().st_mode) == 0o600


def forged(now, tenant):
    """What is forged, expired or mis-addressed, and what it is answered."""
    other_bot = "00000000-0000-0000-0000-000000000000"
    issuer = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"
    return [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer a.b.c"}, 401),
        ({"header": {"alg": "none"}}, 401),
        ({"header": {"alg": "HS256"}}, 403),
        ({"header": {"kid": "made-up"}}, 403),
        ({"key": 1}, 403),
        ({"key": 1, "header": {"kid": "emulated-key-0"}}, 403),
        ({"claims": {"exp": now - 400}}, 403),
        ({"claims": {"exp": None}}, 403),
        ({"claims": {"nbf": now + 400}}, 403),
        ({"claims": {"iss": issuer}}, 403),
        ({"claims": {"iss": issuer, "appid": other_bot}}, 403),
        ({"claims": {"aud": other_bot}}, 403),
        ({"claims": {"serviceurl": None}}, 403),
        ({"claims": {"serviceurl": ""}, "replace": {"/serviceUrl": None}}, 403),
        ({"replace": {"/serviceUrl": "https://evil.example/"}}, 403),
        ({"replace": {"/channelId": "sms"}}, 403),
        ({"replace": {"/channelId": None}}, 403),
        ({"replace": {"/recipient/id": f"28:{other_bot}"}}, 403),
        ({"replace": {"/channelData/tenant": None}}, 403),
        ({"replace": {"/channelData/tenant/id": other_bot}}, 403),
        ({"replace": {"/conversation/tenantId": other_bot}}, 403),
        ({"replace": {"/conversation/tenantId": other_bot, "/channelData/tenant/id": other_bot}}, 403),
        ({"replace": {"/type": None}}, 400),
        ({"replace": {"/conversation": "x"}}, 400),
        ({"text": "x" * 1_100_000}, 413),
    ]


def test_what_is_forged_expired_or_for_somebody_else_is_refused_without_a_trace(graph, user, make, tmp_path, caplog):
    bot, seen = make(), []
    bot.message(lambda message: seen.append(message.text))
    tenant = graph.options["tenant_id"]
    with caplog.at_level(logging.INFO, "lakeflow_teams"), serving(bot) as url:
        for change, status in forged(int(time.time()), tenant):
            act = {"deed": "message", "user": user, "text": "secret words", **change}
            assert tell(graph, url, **act) == [status], change
        assert tell(graph, url, deed="message", user=user, text="good") == [200]
        assert tell(graph, url, deed="message", user=user, text="good", claims={"exp": int(time.time()) - 200}) == [200]
    assert seen == ["good", "good"]
    assert len(rows(tmp_path)) == 2
    assert "secret words" not in caplog.text
    journal = "".join(file.read_text() for file in (tmp_path / "_bot").glob("activities-*.jsonl"))
    assert "secret words" not in journal


def test_keys_that_cannot_be_had_are_no_reason_to_accept(graph, user, make, tmp_path):
    graph.fault(path="/.well-known/", status=503)
    with serving(make()) as url:
        assert tell(graph, url, deed="message", user=user, text="x") == [503]
    assert rows(tmp_path) == []


def test_other_tenants_are_let_in_by_name_only(graph, user, make):
    tenant = "11111111-2222-3333-4444-555555555555"
    # A service URL without a tenant in it.
    replace = {"/channelData/tenant/id": tenant, "/conversation/tenantId": tenant, "/serviceUrl": f"{graph.url}/de/"}
    act = {"deed": "message", "user": user, "text": "x", "replace": replace, "claims": {"serviceurl": f"{graph.url}/de/"}}
    with serving(make()) as url:
        assert tell(graph, url, **act) == [403]
    with serving(make(allowed_tenants=[tenant])) as url:
        assert tell(graph, url, **act) == [200]
        assert tell(graph, url, deed="message", user=user, text="x") == [403]


def test_tokens_of_the_emulator_are_for_development_only(graph, user, make, tmp_path):
    app = graph.options["client_id"]
    claims = {"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/", "appid": app, "serviceurl": None}
    replace = {"/channelId": "emulator", "/channelData": None, "/conversation/tenantId": None}
    act = {"deed": "message", "user": user, "text": "x", "claims": claims, "replace": replace}
    with serving(make()) as url:
        assert tell(graph, url, **act) == [403]
    with serving(make(development=True)) as url:
        assert tell(graph, url, **act) == [200]
        assert tell(graph, url, **{**act, "claims": {**claims, "appid": "another"}}) == [403]
        assert tell(graph, url, **{**act, "replace": {}}) == [403], "Teams' channel is not taken on their word"
    assert len(rows(tmp_path)) == 1


def test_what_comes_three_times_is_handled_once_and_counted(graph, user, make, tmp_path):
    bot, seen = make(), []

    @bot.message
    def note(message):
        seen.append(message.text)
        return ASK

    @bot.action("resolve")
    def resolve(action):
        seen.append("click")
        return DONE

    with serving(bot) as url:
        assert [
            one["statuses"] for one in graph.tell(f"{url}/api/messages", deed="message", user=user, times=3, text="x")
        ] == [[200, 200, 200]]
        asked = until(lambda: sent(graph))[0]
        (told,) = graph.tell(
            f"{url}/api/messages", deed="click", user=user, activity_id=asked["activity_id"], action="Resolve", times=3
        )
        assert told["statuses"] == [200, 200, 200]
        assert told["body"]["value"]["body"][0]["text"] == "Resolved", "each time the same answer"
        # Two edits of a message have its id, and are two.
        for text in ("y", "z"):
            assert tell(graph, url, deed="edit", user=user, activity_id="1", text=text) == [200]
    assert seen == ["x", "click"]
    assert len(sent(graph)) == 1
    assert sorted(row["arrivals"] for row in rows(tmp_path)) == [1, 1, 3, 3]


def test_after_silence_it_comes_again_and_is_handled_once(graph, user, make, tmp_path):
    bot, seen = make(), []
    graph.set(resend_seconds=15)

    @bot.invoke("task/fetch")
    async def slow(invoke):
        seen.append(invoke.activity["id"])
        time.sleep(0.3)  # noqa: ASYNC251, the whole server stands still
        return {"task": 1}

    with serving(bot) as url:
        replace = {"/type": "invoke", "/name": "task/fetch"}
        told = []
        person = threading.Thread(
            target=lambda: told.extend(
                graph.tell(f"{url}/api/messages", deed="message", user=user, text="x", replace=replace)
            )
        )
        person.start()
        until(lambda: seen)
        graph.advance(16)
        person.join()
    assert told[0]["statuses"] == [0, 200]
    assert told[0]["body"] == {"task": 1}
    assert len(seen) == 1
    assert [row["arrivals"] for row in rows(tmp_path)] == [2]


def test_card_data_that_was_altered_is_over_or_is_somebody_elses_reaches_nobody(graph, user, other, channel, make, tmp_path):
    bot, seen = make(card_lifetime=timedelta(seconds=0.2)), []
    lasting = make()
    bot.action("resolve")(lambda action: seen.append(action.data))
    bot.action("open", signed=False)(lambda action: seen.append(action.data))
    with serving(bot) as url:
        good = lasting.send(user, ASK)
        signed = card_of(sent(graph)[0])["body"][2]["actions"][0]["data"]["_signed"]
        flipped = signed[:-2] + ("A" if signed[-2] != "A" else "B") + signed[-1]

        def click(who=user, of=good, **act):
            found = {"deed": "click", "user": who, "activity_id": of.activity_id, "action": "Resolve", **act}
            (told,) = graph.tell(f"{url}/api/messages", **found)
            return told["statuses"], told["body"]["value"].get("code") if isinstance(told["body"]["value"], dict) else "ok"

        assert click(data={"issue": 7}) == ([200], "BadRequest"), "unsigned"
        assert click(data={"_signed": flipped}) == ([200], "BadRequest"), "altered"
        assert click(replace={"/value/action/verb": "open"}) == ([200], "BadRequest"), "another action"
        theirs = lasting.send(other, ASK)
        assert click(other, theirs, data={"_signed": signed}) == ([200], "BadRequest"), "of somebody else"
        post = lasting.send(channel, ASK)
        assert click(user, post, channel=channel, data={"_signed": signed}) == ([200], "BadRequest"), "elsewhere"
        expired = bot.send(user, ASK)
        time.sleep(1.3)
        assert click(of=expired) == ([200], "Expired")
        assert seen == []
        assert click(channel=channel, of=post) == ([200], "ok")
        assert click(data={"x": 1}, replace={"/value/action/verb": "open"}) == ([200], "ok")
    assert seen == [{"issue": 7, "host": "db-7"}, {"x": 1}]
    codes = sorted(row["code"] or "" for row in rows(tmp_path))
    assert codes == ["", "", "altered", "altered", "expired", "other_recipient", "other_recipient", "unsigned"]


def test_a_button_of_a_broadcast_comes_back_to_the_bot_of_the_same_lakehouse(graph, user, make, tmp_path):
    plan = {"name": "poll", "recipients": {"users": [user]}, "card": ASK.content}
    assert broadcast(plan, tmp_path, dict(graph.options)).counts == {"succeeded": 1}
    bot, seen = make(), []
    bot.action("resolve")(lambda action: seen.append((action.run, action.data)))
    with serving(bot) as url:
        asked = sent(graph)[0]
        assert tell(graph, url, deed="click", user=user, activity_id=asked["activity_id"], action="Resolve") == [200]
    assert seen == [("poll", {"issue": 7, "host": "db-7"})]


def test_a_button_that_writes_in_the_persons_name_is_a_message(graph, user, make):
    bot, seen = make(), []
    bot.message(lambda message: seen.append(message.text))
    with serving(bot) as url:
        assert tell(graph, url, deed="message", user=user, text="help", replace={"/value": {"topic": 1}}) == [200]
        until(lambda: seen)
    assert seen == ["help"]
