"""The emulated tenant as its users hold it: knobs that are named, a life of its own, and a truth that equals what is read."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest

from lakeflow_teams import GraphEmulator, TeamsClient, _core
from lakeflow_teams.cli.app import run
from support.paths import ROOT

EVERYTHING = {"fetch_all_teams": True, "fetch_all_channels": True}
STUB = ast.parse((ROOT / "python" / "lakeflow_teams" / "_core.pyi").read_text())


def named(*classes):
    """The keys of the stub's typed dictionaries, those of their bases included."""
    known = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
    found = set()
    for name in classes:
        node = known[name]
        found |= {each.target.id for each in node.body if isinstance(each, ast.AnnAssign)}
        found |= named(*(base.id for base in node.bases if isinstance(base, ast.Name) and base.id != "TypedDict"))
    return found


def accepted(call):
    """What a call that got a wrong name says that it takes: the core's own list."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        call(nonsense=1)


def test_the_stub_types_and_describes_every_knob():
    constructor = next(
        each
        for node in STUB.body
        if isinstance(node, ast.ClassDef) and node.name == "GraphEmulator"
        for each in node.body
        if isinstance(each, ast.FunctionDef) and each.name == "__new__"
    )
    parameters = {argument.arg for argument in constructor.args.kwonlyargs}
    assert parameters | named("EmulatorOptions") == set(GraphEmulator.knobs())
    assert parameters & named("EmulatorOptions") == set()


def test_a_wrong_name_is_told_with_the_nearest(graph):
    for call, wrong, right in (
        (GraphEmulator, "teems", "teams"),
        (GraphEmulator, "exprot_top_max", "export_top_max"),
        (graph.mutate, "new_mesages", "new_messages"),
        (graph.fault, "stat", "status"),
        (graph.set, "forbid_teams", "forbid_team"),
    ):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{wrong}'; did you mean {right}"):
            call(**{wrong: 1})


def test_what_is_posted_is_read(graph, options):
    author = graph.truth("users")[3]
    root = graph.post("Is <b>this</b> & that read?", author=author["displayName"], subject="A question")
    reply = graph.post("Yes.", author=author["userPrincipalName"], reply_to=root["id"])
    chat = graph.post("hello", chat_id=graph.truth("chats")[0]["id"])
    client = TeamsClient(options)
    messages = {
        row["id"]: row for batch in client.read("messages", **EVERYTHING, body_text=True) for row in batch.to_pylist()
    }
    found = messages[root["id"]]
    assert (found["subject"], found["body_text"]) == ("A question", "Is <b>this</b> & that read?")
    assert found["from"]["user"]["id"] == author["id"]
    replies = [row for batch in client.read("message_replies", **EVERYTHING) for row in batch.to_pylist()]
    assert [row["parent_message_id"] for row in replies if row["id"] == reply["id"]] == [root["id"]]
    assert chat["id"] in [row["id"] for row in graph.truth("chat_messages")]


def test_a_post_has_the_time_it_is_given(graph):
    later = datetime(2026, 1, 20, 8, 30, tzinfo=timezone.utc)
    for at in (later, "2026-01-20T08:30:01Z"):
        graph.post("then", at=at)
    times = [row["createdDateTime"] for row in graph.truth("messages")]
    assert {"2026-01-20T08:30:00Z", "2026-01-20T08:30:01Z"} <= set(times)
    assert graph.now > "2026-01-20T08:30:01"


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"author": "nobody"}, "there is no user nobody"),
        ({"team_id": "x"}, "no channel of this team_id"),
        ({"chat_id": "x"}, "there is no chat x"),
        ({"reply_to": "12"}, "there is no root message 12"),
        ({"at": "yesterday"}, "is not a time such as"),
    ],
)
def test_a_post_to_nowhere_says_so(graph, details, said):
    with pytest.raises(ValueError, match=said):
        graph.post("x", **details)


@pytest.mark.parametrize(
    ("table", "needs"),
    [
        ("teams", {}),
        ("channels", {"fetch_all_teams": True}),
        ("members", {"fetch_all_teams": True}),
        ("messages", EVERYTHING),
        ("message_replies", EVERYTHING),
        ("chats", {}),
        ("chat_messages", {"fetch_all_users": True}),
        ("team_tags", {"fetch_all_teams": True}),
        ("shifts", {"fetch_all_teams": True}),
        ("group_members", {"fetch_all_groups": True}),
        ("call_records", {}),
    ],
)
def test_the_truth_equals_what_is_read(graph, options, table, needs):
    keys = next(info["primary_keys"] for info in _core.tables() if info["name"] == table)

    def order(rows):
        return sorted(rows, key=lambda row: [row[key] for key in keys])

    read = [row for batch in TeamsClient(options).read(table, timestamps="text", **needs) for row in batch.to_pylist()]
    assert read
    assert order(read) == order(graph.truth(table))


def test_it_lives(tmp_path):
    with GraphEmulator(teams=2, live=True, live_seconds=0.05) as graph:
        assert abs(datetime.fromisoformat(graph.now.replace("Z", "+00:00")) - datetime.now(timezone.utc)) < timedelta(
            minutes=1
        )
        before = len(graph.truth("messages"))
        deadline = time.monotonic() + 60
        while len(graph.truth("messages")) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(graph.truth("messages")) > before


def test_a_running_one_is_changed_from_a_shell(graph, monkeypatch, capfd):
    monkeypatch.setenv("LAKEFLOW_TEAMS_GRAPH_BASE_URL", graph.url)
    assert run(["emulator", "mutate", "new_messages=2", "advance_seconds=60"]) == 0
    assert len(json.loads(capfd.readouterr().out)["new_messages"]) == 2
    assert run(["emulator", "post", "Hello", "--subject", "From a shell"]) == 0
    posted = json.loads(capfd.readouterr().out)["id"]
    assert "From a shell" in [row["subject"] for row in graph.truth("messages") if row["id"] == posted]
    assert graph.request_counts() == {}
    for arguments, said in (
        (["mutate", "new_mesages=2"], "did you mean new_messages?"),
        (["mutate", "new_messages"], "write it as key=value"),
        (["post", "x", "--author", "nobody"], "there is no user nobody"),
        (["post", "x", "--url", "https://graph.microsoft.com"], "an emulator is on this machine"),
    ):
        assert run(["emulator", *arguments]) == 2
        assert said in capfd.readouterr().err
    assert run(["emulator", "post", "x", "--url", "http://127.0.0.1:9"]) == 1
    assert "nothing answers at http://127.0.0.1:9" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "teems=3"], "did you mean teams?"),
        (["-o", "live_seconds=soon"], "expected f64"),
        (["-o", "latency_ms=1", "-o", "latency_ms=2"], "given twice"),
    ],
)
def test_mistakes_of_its_command_line_are_one_line(capfd, arguments, said):
    assert run(["emulator", "--port", "0", *arguments]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line


def test_it_says_where_it_is_as_soon_as_it_is_there(tmp_path):
    command = [sys.executable, "-m", "lakeflow_teams", "emulator", "--port", "0", "--teams", "2", "--live"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            assert "Ctrl-C ends it" in process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()
    assert process.returncode == 0
