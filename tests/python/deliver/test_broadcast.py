"""Broadcasts: who gets a card, what became of each, and what is refused before the first message."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
import zipfile
from collections import Counter
from datetime import datetime, timedelta, timezone

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from lakeflow_teams import ConfigurationError, GraphEmulator, LakeflowTeamsError, broadcast
from lakeflow_teams.cli.app import run

CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "TextBlock", "text": "Hello ${display_name}", "wrap": True}],
}
TEMPLATE = {**CARD, "body": [{"type": "TextBlock", "text": "${city}: ${formatNumber(amount, 2)}"}]}


@pytest.fixture
def graph():
    with GraphEmulator(
        teams=2, channels_per_team=2, messages_per_channel=2, users=24, chats=2, members_per_team=6
    ) as emulator:
        yield emulator


def plan(**changes):
    return {
        "name": "news",
        "recipients": {"everyone": True},
        "card": CARD,
        "summary": "News",
        "install": True,
        **changes,
    }


def go(graph, tmp_path, step="run", given=None, **options):
    return broadcast(given or plan(), tmp_path / "lake", dict(graph.options), step=step, **options)


def rows(tmp_path, table="deliveries"):
    return DeltaTable(tmp_path / "lake" / "main" / "default" / table).to_pyarrow_table().to_pylist()


def members(graph):
    """Ids of those who are no guests, and whose account is open."""
    users = json.loads(graph.truth_json("users"))
    return {user["id"] for user in users if user["userType"] != "Guest" and user["accountEnabled"]}


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def sent(graph):
    return [one for one in graph.deliveries() if one["action"] == "send"]


def test_everyone_gets_it_once_and_guests_and_unlicensed_are_left_out(graph, tmp_path):
    unlicensed = min(members(graph))
    graph.act(deed="lose_licenses", user=unlicensed)
    checked = go(graph, tmp_path, "check")
    assert (checked.exit_code, graph.deliveries(), (tmp_path / "lake").exists()) == (0, [], False)
    ran = go(graph, tmp_path)
    expected = members(graph) - {unlicensed}
    assert Counter(one["recipient"] for one in sent(graph)) == Counter(expected)
    assert (ran.counts["succeeded"], ran.counts["skipped_unlicensed"], ran.exit_code) == (len(expected), 1, 0)
    assert ran.total == checked.total == len(rows(tmp_path))
    assert all("Hello " in json.dumps(one["activity"]) and one["activity"]["summary"] == "News" for one in sent(graph))
    by_state = Counter(row["state"] for row in rows(tmp_path))
    assert by_state == Counter(ran.counts)
    one = next(row for row in rows(tmp_path) if row["state"] == "succeeded")
    assert one["recipient_id"] == one["recipient_id"].lower()
    assert (one["broadcast"], one["kind"], one["attempts"], one["status_codes"]) == ("news", "user", 1, "201")
    assert one["conversation_id"].startswith("a:")
    assert one["activity_id"]
    assert one["service_url"].startswith(graph.url)
    assert one["sent_at"] >= one["queued_at"]
    again = go(graph, tmp_path)
    assert (len(sent(graph)), again.counts) == (len(expected), ran.counts)
    known = rows(tmp_path, "bot_conversations")
    assert {row["recipient_id"] for row in known if row["installed"]} == expected


def test_recipients_of_all_kinds_are_each_one_once(graph, tmp_path):
    team = graph.truth("teams")[0]["id"]
    channel = next(row["id"] for row in graph.truth("channels") if row["team_id"] == team)
    users = json.loads(graph.truth_json("users"))
    named = [users[0]["id"].upper(), users[1]["userPrincipalName"], "00000000-0000-0000-0000-000000000000"]
    recipients = {
        "users": named,
        "team_members": [team],
        "group_members": [team],
        "channels": [f"{team}/{channel}"],
        "include_guests": True,
    }
    ran = go(graph, tmp_path, given=plan(recipients=recipients))
    got = Counter(one["recipient"] for one in sent(graph))
    team_members = {row["userId"] for row in graph.truth("members") if row["team_id"] == team}
    assert set(got) == {users[0]["id"], users[1]["id"], channel} | team_members
    assert set(got.values()) == {1}
    assert (ran.counts["not_found"], ran.exit_code) == (1, 3)
    assert ran.doubles >= len(team_members)
    posted = next(row for row in rows(tmp_path) if row["kind"] == "channel")
    assert (posted["recipient_id"], posted["state"]) == (channel, "succeeded")


def test_a_table_gives_each_card_its_data(graph, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    users = sorted(members(graph))[:3]
    table = "user_id,city,amount\n" + "".join(f"{user},Bonn {at},{at}.5\n" for at, user in enumerate(users))
    (tmp_path / "people.csv").write_text(table.replace(",0.5", ",not a number"), encoding="utf-8")
    file = tmp_path / "broadcast.yaml"
    file.write_text("name: prices\nrecipients:\n  table: people.csv\ncard: card.json\ninstall: true\n", encoding="utf-8")
    checked = go(graph, tmp_path, "check", file)
    assert checked.exit_code == 2
    assert "1 recipients' cards cannot be made" in checked.problems[0]
    with pytest.raises(ConfigurationError, match="it is no number"):
        go(graph, tmp_path, given=file)
    (tmp_path / "people.csv").write_text(table, encoding="utf-8")
    assert go(graph, tmp_path, given=file).counts == {"succeeded": 3}
    texts = {one["recipient"]: one["activity"]["attachments"][0]["content"]["body"][0]["text"] for one in sent(graph)}
    assert texts == {user: f"Bonn {at}: {at}.50" for at, user in enumerate(users)}


def test_each_refusal_is_a_state_of_one_recipient_and_counts_add_up(graph, tmp_path):
    users = sorted(members(graph))
    errors = {
        users[0]: ("ForbiddenOperationException", "not_installed"),
        users[1]: ("ConversationBlockedByUser", "blocked"),
        users[2]: ("MessageWritesBlocked", "blocked"),
        users[3]: ("BotDisabledByAdmin", "blocked"),
        users[4]: ("NotEnoughPermissions", "failed"),
        users[5]: ("ConversationNotFound", "not_found"),
        users[6]: ("Bad Argument", "failed"),
    }
    graph.set(app_blocked_user_ids=[users[7]])
    # People who open their conversation, and refuse what is sent to it.
    warm = go(graph, tmp_path, given=plan(name="first"))
    assert warm.counts["blocked"] == 1
    graph.set(bot_errors={user: code for user, (code, _) in errors.items()})
    graph.act(deed="block", user=users[8])
    graph.act(deed="remove", user=users[9])
    before = len(sent(graph))
    ran = go(graph, tmp_path)
    states = {row["recipient_id"]: row for row in rows(tmp_path) if row["broadcast"] == "news"}
    for user, (code, state) in errors.items():
        assert (states[user]["state"], states[user]["error_code"]) == (state, code), states[user]
        assert states[user]["error"]
    assert (states[users[7]]["state"], states[users[7]]["error_code"]) == ("blocked", "app_policy")
    assert states[users[8]]["state"] == "blocked"
    assert states[users[9]]["state"] == "succeeded", "the app is installed again, and the conversation asked for"
    assert ran.total == sum(ran.counts.values()) == len(states)
    assert len(sent(graph)) - before == ran.counts["succeeded"]
    assert ran.exit_code == 3
    graph.set(bot_errors={})
    assert go(graph, tmp_path).counts == ran.counts, "what failed is tried again only when asked for"
    retried = go(graph, tmp_path, retry_failed=True)
    assert retried.counts["succeeded"] == ran.counts["succeeded"] + 6
    assert set(Counter(one["recipient"] for one in sent(graph)[before:]).values()) == {1}


def test_a_lost_answer_is_unknown_and_never_sent_again_unless_told_to(graph, tmp_path):
    graph.fault(path="POST /v3/conversations/{id}/activities", status=504, after=True, times=2)
    graph.fault(path="POST /v3/conversations/{id}/activities", kind="reset", after=True, times=2, skip=2)
    # Asking for a conversation again does no harm.
    graph.fault(path="POST /v3/conversations", status=503, times=3)
    ran = go(graph, tmp_path)
    assert (ran.counts["unknown"], ran.exit_code) == (4, 3)
    total = len(members(graph))
    assert len(sent(graph)) == total == ran.counts["succeeded"] + 4
    assert go(graph, tmp_path).counts["unknown"] == 4
    looked = go(graph, tmp_path, given=plan(on_unknown="reconcile"))
    assert (looked.counts["succeeded"], len(sent(graph))) == (total, total)
    found = [row for row in rows(tmp_path) if row["status_codes"] and "200" in row["status_codes"]]
    assert len(found) == 4
    assert all(row["activity_id"] for row in found)


def test_reconcile_sends_what_never_arrived_and_resend_sends_all(graph, tmp_path):
    graph.fault(path="POST /v3/conversations/{id}/activities", status=504, times=3)
    assert go(graph, tmp_path).counts["unknown"] == 3
    looked = go(graph, tmp_path, given=plan(on_unknown="reconcile"))
    assert looked.counts.get("unknown", 0) == 0
    assert set(Counter(one["recipient"] for one in sent(graph)).values()) == {1}
    graph.clear_faults()
    graph.fault(path="POST /v3/conversations/{id}/activities", status=500, after=True, times=2)
    assert go(graph, tmp_path, given=plan(name="other")).counts["unknown"] == 2
    resent = go(graph, tmp_path, given=plan(name="other", on_unknown="resend"))
    assert resent.counts.get("unknown", 0) == 0
    assert Counter(one["recipient"] for one in sent(graph)).most_common(1)[0][1] == 3


def test_what_was_sent_is_replaced_and_taken_back(graph, tmp_path):
    first = go(graph, tmp_path)
    new = plan(card={**CARD, "body": [{"type": "TextBlock", "text": "Corrected"}]})
    with pytest.raises(
        ConfigurationError, match=r"name: the broadcast 'news' was begun on .* with another card \(card\) than card holds"
    ):
        go(graph, tmp_path, given=new)
    updated = go(graph, tmp_path, "update", new)
    assert updated.counts == first.counts
    changed = [one for one in graph.deliveries() if one["action"] == "update"]
    assert len(changed) == first.counts["succeeded"]
    assert "Corrected" in json.dumps(changed[0]["activity"])
    go(graph, tmp_path, "update", new)
    assert len([one for one in graph.deliveries() if one["action"] == "update"]) == len(changed), "it stands there already"
    recalled = go(graph, tmp_path, "recall", new)
    assert (recalled.counts["recalled"], recalled.exit_code) == (first.counts["succeeded"], 0)
    assert go(graph, tmp_path, "run", new).counts == recalled.counts, "what was taken back is not sent again"
    assert len(sent(graph)) == first.counts["succeeded"]


def test_bad_input_is_named_before_anything_is_sent(graph, tmp_path):
    def refused(match, **changes):
        with pytest.raises(ConfigurationError, match=match):
            go(graph, tmp_path, given=plan(**changes))

    def card(*body, **more):
        return {"type": "AdaptiveCard", "version": "1.5", "body": list(body), **more}

    refused(r"/version .*1\.6 is too new", card=card({"type": "TextBlock", "text": "x"}, version="1.6"))
    refused(r"/body/0 \(Imag\)", card=card({"type": "Imag", "url": "https://x"}))
    refused("more than 81920", card=card({"type": "TextBlock", "text": "x" * 50_000}))
    refused(
        "it uses city, and without recipients.table", card=TEMPLATE | {"body": [{"type": "TextBlock", "text": "${city}"}]}
    )
    refused("recipients: there is no such key|no such key", recipients={"everybody": True})
    refused("is no channel's id", recipients={"channels": ["general"]})
    refused("neither the object id", recipients={"users": ["Ada"]})
    refused("there is no team or group", recipients={"team_members": ["00000000-0000-0000-0000-000000000001"]})
    refused("not_before comes after", schedule={"not_before": "2026-02-01", "not_after": "2026-01-01"})
    table = tmp_path / "people.csv"
    table.write_text("id,city\n", encoding="utf-8")
    refused("there is no column user_id; it has id, city", recipients={"table": str(table)})
    table.write_text(f"user_id,town\n{min(members(graph))},x\n", encoding="utf-8")
    refused(
        "it uses city, which the table lacks; it has user_id, town",
        recipients={"table": str(table)},
        card=TEMPLATE | {"body": [{"type": "TextBlock", "text": "${city}"}]},
    )
    graph.set(app_in_catalogue=False)
    refused("is not in the organisation's catalogue")
    assert graph.deliveries() == []
    assert not (tmp_path / "lake" / "main" / "default" / "deliveries").exists()


def test_an_app_with_sessions_is_refused_before_anything_is_sent(graph, tmp_path):
    graph.set(bot_sessions=True)
    with pytest.raises(
        ConfigurationError, match=r"manifest has sessions on .supportsSessions.* take it out of the manifest"
    ):
        go(graph, tmp_path)
    assert sent(graph) == []
    assert {row["state"] for row in rows(tmp_path)} <= {"queued", "skipped_guest", "skipped_unlicensed"}
    graph.set(bot_sessions=False)
    assert go(graph, tmp_path).counts["succeeded"] == len(members(graph))


def test_what_is_no_card_and_what_another_tenant_or_cloud_has_is_told(graph, tmp_path):
    with pytest.raises(ConfigurationError, match=r"card: .*type is.*AdaptiveCard"):
        go(graph, tmp_path, given=plan(card={"type": "Hero"}))
    one = min(members(graph))
    graph.set(bot_errors={one: "InvalidBotApiHost"})
    of_another_tenant = "11111111-2222-4333-8444-555555555555"
    given = plan(recipients={"users": [one, one, of_another_tenant], "channels": ["19:elsewhere@thread.tacv2"]})
    ran = go(graph, tmp_path, given=given)
    states = {row["recipient_id"]: row for row in rows(tmp_path)}
    assert states[of_another_tenant]["error"] == "there is no such user in this tenant"
    assert "Set bot_service_url to the address of their cloud" in states[one]["error"]
    assert states["19:elsewhere@thread.tacv2"]["state"] == "not_found"
    assert (ran.doubles, ran.total, graph.deliveries()) == (1, 3, [])
    with pytest.raises(
        ConfigurationError, match=r"'news' was begun on .* with other recipients .broadcast. than broadcast names"
    ):
        go(graph, tmp_path)


def test_status_tells_of_a_run_of_another_process(graph, tmp_path):
    graph.fault(path="POST /v3/conversations/{id}/activities", kind="slow", delay_ms=700, after=True)
    (tmp_path / "plan.json").write_text(json.dumps([plan(), str(tmp_path / "lake"), dict(graph.options)]), encoding="utf-8")
    code = f"import json; from lakeflow_teams import broadcast; broadcast(*json.load(open({str(tmp_path / 'plan.json')!r})))"
    process = subprocess.Popen([sys.executable, "-c", code])
    while not sent(graph) and process.poll() is None:
        time.sleep(0.02)
    during = go(graph, tmp_path, "status")
    with pytest.raises(LakeflowTeamsError, match="another process runs this broadcast"):
        go(graph, tmp_path)
    assert process.wait() == 0
    after = go(graph, tmp_path, "status")
    assert (during.running, after.running, during.total) == (True, False, after.total)
    under_way = sum(during.counts.get(state, 0) for state in ("queued", "attempting", "succeeded"))
    assert (under_way, during.counts.get("attempting", 0) > 0) == (len(members(graph)), True)
    assert after.counts["succeeded"] == len(members(graph))


def test_a_wrong_secret_stops_the_run_and_everything_stays_queued(graph, tmp_path):
    graph.fault(path="/v3/conversations", status=401, code="BotNotRegistered")
    ran = go(graph, tmp_path)
    assert (ran.exit_code, ran.failed) == (1, True)
    assert ran.counts["queued"] == len(members(graph))
    graph.clear_faults()
    assert go(graph, tmp_path).counts["succeeded"] == len(members(graph))


def test_a_run_that_goes_wrong_stops(graph, tmp_path):
    users = sorted(members(graph))
    graph.set(bot_errors=dict.fromkeys(users, "NotEnoughPermissions"))
    ran = go(graph, tmp_path, given=plan(max_failures=3))
    assert "max_failures is 3" in ran.stopped
    assert ran.counts["failed"] >= 3
    assert ran.total == sum(ran.counts.values())


def test_outside_of_its_window_nothing_is_sent(graph, tmp_path):
    over = datetime.now(timezone.utc) - timedelta(seconds=5)
    ran = go(graph, tmp_path, given=plan(schedule={"not_after": over}))
    assert (ran.counts["canceled"], graph.deliveries(), ran.exit_code) == (len(members(graph)), [], 3)
    soon = datetime.now(timezone.utc) + timedelta(seconds=2)
    go(graph, tmp_path, given=plan(name="later", schedule={"not_before": soon}))
    first = min(row["sent_at"] for row in rows(tmp_path) if row["broadcast"] == "later" and row["sent_at"])
    assert first >= soon.replace(microsecond=0)


def test_the_command_says_what_became_of_each(graph, tmp_path, capsys):
    (tmp_path / "card.json").write_text(json.dumps(CARD), encoding="utf-8")
    file = tmp_path / "broadcast.yaml"
    file.write_text("name: news\nrecipients: {everyone: true}\ncard: card.json\ninstall: true\n", encoding="utf-8")
    connection = tmp_path / "connection.yaml"
    connection.write_text(json.dumps(dict(graph.options)), encoding="utf-8")
    common = [str(file), "--target", str(tmp_path / "lake")]
    reach = ["--connection", str(connection)]

    def said(*arguments, code=0):
        assert run(["broadcast", *arguments]) == code
        return capsys.readouterr().out

    assert '"queued"' in said("check", *common, *reach, "--json")
    assert run(["broadcast", "status", *common]) == 2
    assert "comes first" in capsys.readouterr().err
    total = len(members(graph))
    assert json.loads(said("run", *common, *reach, "--json"))["counts"]["succeeded"] == total
    assert f"{total:,} succeeded" in said("status", *common)
    for ending in ("csv", "parquet", "zip"):
        to = tmp_path / f"out.{ending}"
        assert "recipients" in said("export", *common, "--to", str(to))
    assert pq.read_table(tmp_path / "out.parquet").num_rows == len(read((tmp_path / "out.csv").read_text(encoding="utf-8")))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == ["Message_Delivery.csv", "Metadata.csv"]
        delivered = read(archive.read("Message_Delivery.csv").decode("utf-8"))
    assert Counter(row["Delivery Status"] for row in delivered)["succeeded"] == total
    assert run(["broadcast", "purge", *common]) == 2
    capsys.readouterr()
    said("purge", *common, "--older-than", "30d", "--yes")
    assert len(rows(tmp_path)) > 0
    said("purge", *common, "--yes")
    assert rows(tmp_path) == []


def test_limits_are_kept_and_used(graph, tmp_path):
    graph.set(rate_limits=True)
    ran = go(graph, tmp_path)
    assert ran.counts["succeeded"] == len(members(graph))
    refused = [one for one in graph.requests() if one["status"] == 429 and "/v3/" in one["path"]]
    assert refused == []


def test_a_workflow_takes_a_card_and_nothing_more_is_known(graph, tmp_path, monkeypatch):
    monkeypatch.setenv("OPS", f"{graph.url}/workflows/ops?sig=marked-secret")
    monkeypatch.setenv("LOST", f"{graph.url}/workflows/lost?sig=marked-secret")
    (tmp_path / "bad.txt").write_text(f"{graph.url}/workflows/bad", encoding="utf-8")
    hooks = [
        {"name": "ops", "url_env": "OPS"},
        {"name": "lost", "url_env": "LOST"},
        {"name": "bad", "url_file": str(tmp_path / "bad.txt")},
    ]
    graph.fault(path="/workflows/ops", status=429, retry_after="0.1", times=1)
    graph.fault(path="/workflows/lost", status=502, after=True)
    ran = go(graph, tmp_path, given=plan(recipients={"webhooks": hooks}, install=False))
    states = {row["recipient_id"]: row["state"] for row in rows(tmp_path)}
    assert states == {"ops": "accepted", "lost": "unknown", "bad": "failed"}
    taken = [one["recipient"] for one in graph.deliveries()]
    assert sorted(taken) == ["lost", "ops"]
    go(graph, tmp_path, given=plan(recipients={"webhooks": hooks}, install=False))
    assert len(graph.deliveries()) == 2
    assert ran.exit_code == 3
    held = [file for file in (tmp_path / "lake").rglob("*") if file.is_file() and b"marked-secret" in file.read_bytes()]
    assert held == []
    monkeypatch.setenv("OPS", "https://evil.example/hook?sig=marked-secret")
    with pytest.raises(ConfigurationError, match="is not the address of a workflow") as caught:
        go(graph, tmp_path, "check", plan(name="other", recipients={"webhooks": hooks[:1]}, install=False))
    assert "marked-secret" not in str(caught.value)


def test_a_workflow_that_asks_for_a_day_is_left_for_a_later_run(graph, tmp_path, monkeypatch):
    monkeypatch.setenv("OPS", f"{graph.url}/workflows/ops?sig=marked-secret")
    given = plan(recipients={"webhooks": [{"name": "ops", "url_env": "OPS"}]}, install=False)
    graph.fault(path="/workflows/ops", status=429, retry_after="86400", times=1)
    go(graph, tmp_path, given=given)
    assert [row["state"] for row in rows(tmp_path)] == ["throttled"]
    go(graph, tmp_path, given=given)
    assert [row["state"] for row in rows(tmp_path)] == ["accepted"]
