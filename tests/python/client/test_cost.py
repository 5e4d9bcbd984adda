"""The cost that is predicted, compared with the requests that the emulated tenant counts."""

from __future__ import annotations

import json
from time import monotonic

import pytest
import yaml

from lakeflow_teams import ConfigurationError, GraphEmulator, TeamsClient, _core, ingest_local
from lakeflow_teams.cli.app import run
from lakeflow_teams.results.cost import duration, predict

HOUR = 3_600
ALL = {"fetch_all_teams": "true", "fetch_all_channels": "true"}
CHATS = {"fetch_all_users": "true"}
CASES = [
    ("teams", {}),
    ("channels", {"fetch_all_teams": "true"}),
    ("members", {"fetch_all_teams": "true"}),
    ("members", {"fetch_all_teams": "true", "top": "5"}),
    *(("messages", {**ALL, "strategy": strategy}) for strategy in ("auto", "export", "channels", "delta")),
    ("messages", {**ALL, "top": "50"}),
    ("chats", {}),
    *(("chat_messages", {**CHATS, "strategy": strategy}) for strategy in ("auto", "export", "channels")),
    ("users", {}),
    ("groups", {}),
]


@pytest.fixture(scope="module")
def graph():
    """Big enough for pages and micro-batches to count; nothing changes in it but the time."""
    sizes = {
        "teams": 6,
        "channels_per_team": 5,
        "messages_per_channel": 160,
        "users": 10,
        "chats": 25,
        "messages_per_chat": 80,
    }
    with GraphEmulator(
        **sizes, history_days=200, missing_teams=0, big_threads=0, empty_channel=False, frozen_clock=True
    ) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def counts(graph):
    """The tenant's own counts."""
    listed = ("teams", "channels", "members", "messages", "message_replies", "chats", "chat_messages", "users", "groups")
    rows = {table: graph.truth(table) for table in listed}
    found = {name: float(len(rows[name])) for name in ("teams", "channels", "messages", "chats", "chat_messages")}
    members = json.loads(TeamsClient(graph.options)._core.sample([("chats", {})]))["counts"]["members_per_chat"]
    return {
        **found,
        "users": float(len(rows["users"])),
        "groups": float(len(rows["groups"])),
        "special_channels": float(sum(row["membershipType"] != "standard" for row in rows["channels"])),
        "replies_per_message": len(rows["message_replies"]) / len(rows["messages"]),
        "members_per_team": len(rows["members"]) / len(rows["teams"]),
        "members_per_chat": members,
    }


def ingest(graph, table, options, target):
    """One run of a pipeline; returns the requests that it took, without the token's."""
    tables = ["messages", "message_replies"] if table == "messages" else [table]
    configuration = {**options, "min_poll_seconds": "0"}
    objects = [{"table": {"source_table": name, "table_configuration": configuration}} for name in tables]
    graph.clear_requests()
    ingest_local({"connection_name": "cost", "objects": objects}, target, graph.options)
    counted = graph.request_counts()
    # What travels inside of batches is counted beside them.
    return sum(count for name, count in counted.items() if not name.startswith(("$batch", "POST /{tenant}")))


def predicted(table, options, counts):
    (step,) = predict([(table, options)], counts).passes
    return step


def near(real, planned, tolerance=0.1):
    return abs(real - planned) <= max(tolerance * real, 2)


@pytest.mark.parametrize(("table", "options"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_prediction_is_what_the_tenant_counts(graph, counts, tmp_path, table, options):
    step = predicted(table, options, counts)
    # A user's chats are exported, or listed where another member's export held them already: which, is a matter of order.
    tolerance = 0.25 if table == "chat_messages" and options["strategy"] == "auto" else 0.1
    first = ingest(graph, table, options, tmp_path)
    assert near(first, step.first.requests, tolerance), (first, step.first)
    graph.advance(26 * HOUR)
    ingest(graph, table, options, tmp_path)
    graph.advance(2 * HOUR)
    quiet = ingest(graph, table, options, tmp_path)
    assert near(quiet, step.quiet.requests), (quiet, step.quiet)
    graph.advance(24 * HOUR)
    daily = ingest(graph, table, options, tmp_path)
    # Which channels are due on a day is a matter of their ids.
    assert near(daily, step.daily.requests, 0.3), (daily, step.daily)


def test_what_is_named_counts_itself(graph, tmp_path):
    channel = graph.truth("channels")[0]
    team = channel["team_id"]
    roots = sum(row["channel_id"] == channel["id"] for row in graph.truth("messages"))
    chat = graph.truth("chats")[0]["id"]
    said = sum(row["chat_id"] == chat for row in graph.truth("chat_messages"))
    for table, options, counts in [
        ("teams", {"team_id": team}, {}),
        ("channels", {"team_id": team}, {}),
        ("messages", {"team_id": team, "channel_id": channel["id"]}, {"messages": roots}),
        ("chat_messages", {"chat_id": chat}, {"chat_messages": said}),
    ]:
        real = ingest(graph, table, options, tmp_path / table)
        planned = predicted(table, options, counts).first.requests
        assert abs(real - planned) <= 1, (table, real, planned)


def test_tables_of_one_pass_cost_one_pass(counts):
    both = predict([("messages", ALL), ("message_replies", ALL)], counts)
    (step,) = both.passes
    assert step.tables == ("messages", "message_replies")
    assert both.requests("first") == predict([("messages", ALL)], counts).requests("first")
    apart = predict([("messages", ALL), ("message_replies", {**ALL, "strategy": "channels"})], counts)
    assert len(apart.passes) == 2


def test_the_time_is_that_of_the_documented_limits(tmp_path):
    with GraphEmulator(
        teams=6, channels_per_team=16, messages_per_channel=3, missing_teams=0, big_threads=0, rate_limits=True
    ) as graph:
        options = {**ALL, "strategy": "channels"}
        channels = len(graph.truth("channels"))
        counts = {"teams": 6, "channels": channels, "messages": len(graph.truth("messages"))}
        step = predicted("messages", options, counts)
        assert step.first.seconds == pytest.approx(channels / 16)
        assert step.first.limit == "16 per second and app at /teams/{id}/channels/{id}/messages"
        client = TeamsClient(graph.options)._core
        begin = monotonic()
        client.micro_batch(["messages"], options, None)
        assert monotonic() - begin == pytest.approx(step.first.seconds, rel=0.25)


def test_a_probe_counts_lists_and_extrapolates_messages():
    with GraphEmulator(
        teams=30, channels_per_team=4, messages_per_channel=30, users=40, chats=30, messages_per_chat=20, big_threads=0
    ) as graph:
        client = TeamsClient(graph.options)._core
        graph.clear_requests()
        found = json.loads(client.sample([("messages", ALL), ("chat_messages", CHATS), ("users", {})]))
        counts = found["counts"]
        assert found["requests"] == sum(graph.request_counts().values()) - 1 <= 45
        assert counts["teams"] == len(graph.truth("teams"))
        assert counts["users"] == len(graph.truth("users"))
        for table, tolerance in [("channels", 0.1), ("messages", 0.2), ("chats", 0.5), ("chat_messages", 0.5)]:
            assert counts[table] == pytest.approx(len(graph.truth(table)), rel=tolerance), table
        replies = len(graph.truth("message_replies")) / len(graph.truth("messages"))
        assert counts["replies_per_message"] == pytest.approx(replies, rel=0.3)
        assert any(note.startswith("messages: the first pages of 10 of") for note in found["notes"])


@pytest.fixture
def spec(tmp_path):
    objects = [
        {"table": {"source_table": "messages", "table_configuration": ALL}},
        {"table": {"source_table": "channels", "table_configuration": {"fetch_all_teams": "true"}}},
    ]
    path = tmp_path / "pipeline.yaml"
    path.write_text(yaml.safe_dump({"connection_name": "x", "objects": objects}))
    return str(path)


def test_the_command_needs_no_tenant(spec, capfd):
    arguments = ["plan", spec, "--teams", "1000", "--channels", "8000", "--messages", "1000000"]
    assert run(arguments) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "16 per second and app at /teams/{id}/channels/{id}/messages" in out
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    messages = found["passes"][0]
    assert messages["quiet"]["requests"] == 10 + 1000 + 8000
    assert messages["quiet"]["seconds"] == pytest.approx(8000 / 16)
    assert found["totals"]["first"]["requests"] == sum(step["first"]["requests"] for step in found["passes"])
    assert run([*arguments, "-o", "requests_per_second=2", "--json"]) == 0
    slower = json.loads(capfd.readouterr().out)
    assert slower["passes"][0]["quiet"]["seconds"] == pytest.approx(9010 / 2)


def test_the_command_names_what_is_missing(spec, capfd):
    for arguments, said in [
        (["plan", spec, "--teams", "5"], "--messages, or --probe"),
        (["plan", spec, "--teams", "-1"], "--teams"),
        (["plan", "/nowhere.yaml", "--teams", "1"], "cannot be read"),
    ]:
        assert run(arguments) == 2
        out, err = capfd.readouterr()
        assert said in err
        assert out == ""
    with pytest.raises(ConfigurationError, match="known are teams"):
        predict([("teams", {})], {"tema": 1})


def test_the_command_probes(graph, spec, capfd, monkeypatch):
    for name, value in graph.options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    assert run(["plan", spec, "--probe", "--messages", "12345", "--json"]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["counts"]["teams"] == 6
    assert found["counts"]["messages"] == 12345
    assert found["probe_requests"] == 1 + 6 + 10
    assert graph.options["client_secret"] not in out + err
    monkeypatch.setenv("LAKEFLOW_TEAMS_CLIENT_SECRET", "marked~secret")
    assert run(["plan", spec, "--probe"]) == 1
    out, err = capfd.readouterr()
    assert "AADSTS7000215" in err
    assert "marked" not in out + err


@pytest.mark.parametrize(
    ("permission", "unknown"),
    [
        ("ChannelMessage.Read.All", {"messages"}),
        ("Channel.ReadBasic.All", {"channels", "messages"}),
        ("Team.ReadBasic.All", {"teams", "channels", "messages"}),
    ],
)
def test_what_a_probe_may_not_see_is_unknown_and_not_zero(spec, capfd, monkeypatch, permission, unknown):
    with GraphEmulator(teams=3, channels_per_team=3, missing_teams=0, big_threads=0) as graph:
        for name, value in {**graph.options, "retry_timeout_seconds": "0"}.items():
            monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
        held = set(TeamsClient(graph.options).check("teams").roles)
        # Others of teams stand in for that of their list.
        lost = {role for role in held if role.startswith("Team")} if permission.startswith("Team") else {permission}
        graph.set(roles=sorted(held - lost))
        assert run(["plan", spec, "--probe", "--json"]) == 1
        found = json.loads(capfd.readouterr().out)
        assert set(found["unknown"]) == unknown
        assert all(f"Grant the application permission {permission}" in why for why in found["unknown"].values())
        assert not unknown & set(found["counts"])
        assert found["totals"]["first"] == {"requests": None, "seconds": None}
        messages, channels = found["passes"]
        assert messages["first"]["requests"] is None
        assert messages["first"]["limit"].startswith("unknown: ")
        assert (channels["first"]["requests"] is None) == ("teams" in unknown)
        assert run(["plan", spec, "--probe"]) == 1
        out, err = capfd.readouterr()
        assert err == ""
        assert "unknown" in out.splitlines()[1]
        assert f"Grant the application permission {permission}" in out
        for name in unknown:
            assert f"Or give --{name}" in out
        given = [part for name in unknown for part in (f"--{name}", "7")]
        assert run(["plan", spec, "--probe", *given, "--json"]) == 0
        found = json.loads(capfd.readouterr().out)
        assert found["unknown"] == {}
        assert found["totals"]["first"]["requests"] > 0


def test_some_who_refuse_are_taken_to_be_like_the_others():
    with GraphEmulator(teams=4, channels_per_team=3, missing_teams=0, forbidden_teams=1, big_threads=0) as graph:
        found = json.loads(TeamsClient(graph.options)._core.sample([("messages", ALL)]))
        assert found["unknown"] == {}
        assert found["counts"]["channels"] == pytest.approx(15, abs=3)
        assert "channels: 1 of 5 teams answer 403 and are taken to be like the others" in found["notes"]


def test_durations_are_said_as_people_do():
    assert [duration(seconds) for seconds in (0.04, 75, 5400, 190_000)] == ["0.0 s", "1.2 min", "1.5 h", "2.2 days"]


LISTS = [
    *(("channel_members", {**ALL}), ("shared_channel_teams", {**ALL}), ("incoming_channels", {"fetch_all_teams": "true"})),
    *((table, CHATS) for table in ("chat_members", "chat_tabs", "chat_apps", "user_apps")),
    *((table, {"fetch_all_groups": "true"}) for table in ("group_members", "conversations", "conversation_posts")),
    *(("group_owners", {"fetch_all_teams": "true"}), ("team_tag_members", {"fetch_all_teams": "true"})),
    *(("schedules", {"fetch_all_teams": "true"}), ("team_drives", {"fetch_all_teams": "true"})),
    *((table, {}) for table in ("user_licenses", "deleted_teams", "team_device_usage_report", "call_records")),
    *((table, CHATS) for table in ("online_meeting_transcripts", "online_meeting_recordings")),
    ("online_meeting_transcripts", {**CHATS, "transcript_text": "true"}),
    *(("retained_messages", {"fetch_all_teams": "true"}), ("deleted_team_messages", {})),
]


@pytest.fixture(scope="module")
def lists():
    """A tenant with something of everything; nothing in it is gone or refused."""
    with GraphEmulator(
        teams=8, channels_per_team=3, messages_per_channel=40, users=8, chats=6, seed=7, missing_teams=0, frozen_clock=True
    ) as emulator:
        emulator.mutate(deleted_teams=2)
        yield emulator


@pytest.fixture(scope="module")
def of_lists(lists):
    """The counts of that tenant, from its truth."""
    tables = ("teams", "channels", "messages", "message_replies", "users", "groups", "chats", "chat_members", "call_records")
    found = {table: len(lists.truth(table)) for table in (*tables, "deleted_teams", "conversation_threads", "team_tags")}
    mail = {row["group_id"] for row in lists.truth("conversation_threads")}
    shared = {(row["team_id"], row["channel_id"]) for row in lists.truth("shared_channel_teams")}
    return {
        **{
            name: float(found[name])
            for name in ("teams", "channels", "messages", "users", "groups", "chats", "deleted_teams")
        },
        "shared_channels": float(len(shared)),
        "replies_per_message": found["message_replies"] / found["messages"],
        "members_per_chat": found["chat_members"] / found["chats"],
        "calls_per_user": found["call_records"] / found["users"],
        "transcripts_per_user": len(lists.truth("online_meeting_transcripts")) / found["users"],
        "messages_per_deleted_team": len(lists.truth("deleted_team_messages")) / found["deleted_teams"],
        "tags_per_team": found["team_tags"] / found["teams"],
        "threads_per_group": found["conversation_threads"] / len(mail),
    }


@pytest.mark.parametrize(("table", "options"), LISTS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_prediction_of_a_list_is_what_the_tenant_counts(lists, of_lists, table, options):
    lists.clear_requests()
    list(TeamsClient(lists.options).read(table, **options))
    counted = {name: count for name, count in lists.request_counts().items() if not name.startswith("POST /{tenant}")}
    step = predicted(table, options, of_lists)
    assert near(sum(counted.values()), step.first.requests), (counted, step.first)
    assert step.first.requests == step.quiet.requests == step.daily.requests


def test_what_messages_hold_costs_nothing_beside_them_but_its_bytes(lists, of_lists):
    details = [info["name"] for info in _core.tables() if info["reading"] == "channel_messages"]
    assert "message_reactions" in details
    together = predict([(table, ALL) for table in details], of_lists)
    assert together.requests("first") == predict([("messages", ALL)], of_lists).requests("first")
    asked = {**ALL, "strategy": "channels", "hosted_contents_max_bytes": "1000000"}
    images = sum(len(batch) for batch in TeamsClient(lists.options).read("hosted_contents", **ALL))
    counts = {**of_lists, "images_per_message": images / len(lists.truth("messages") + lists.truth("message_replies"))}
    with_bytes, without = (
        predict([("messages", options), ("hosted_contents", options)], counts)
        for options in (asked, {**asked, "hosted_contents_max_bytes": "0"})
    )
    assert len(with_bytes.passes) == 1
    assert with_bytes.requests("first") - without.requests("first") == pytest.approx(images, abs=1) != 0
    lists.clear_requests()
    list(TeamsClient(lists.options).read("hosted_contents", **asked))
    counted = lists.request_counts()
    assert sum(count for name, count in counted.items() if "hostedContents" in name) == pytest.approx(images, abs=1)


@pytest.mark.parametrize("info", _core.tables(), ids=lambda info: info["name"])
def test_a_probe_counts_what_the_cost_of_any_table_depends_on(lists, info):
    found = json.loads(TeamsClient(lists.options)._core.sample([(info["name"], {})]))
    step = predicted(info["name"], {}, found["counts"])
    assert step.first.requests > 0
    assert found["requests"] <= 50
