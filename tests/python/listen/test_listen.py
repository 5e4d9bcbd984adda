"""``lakeflow-teams listen`` as a program: what Graph pushes is in the tables, through restarts and losses."""

from __future__ import annotations

import subprocess
import urllib.request

import pytest

from lakeflow_teams import GraphEmulator
from support.lakehouse import differences, entry, stored
from support.listening import MESSAGES, command, equal, free_port, listening, tell, wait_for, written

SMALL = {"teams": 2, "channels_per_team": 2, "messages_per_channel": 10, "users": 8, "chats": 2, "big_threads": 0, "seed": 7}
ALL = ("teams", "channels", "members", "messages", "message_replies", "chats")


@pytest.fixture
def graph():
    with GraphEmulator(**SMALL) as emulator:
        yield emulator


def test_what_changes_is_in_the_tables_and_the_program_starts_again_where_it_stopped(graph, tmp_path):
    file, target = written(tmp_path, graph, *(entry(table) for table in ALL)), tmp_path / "lake"
    with listening(file, target) as listener:
        listener.ready()
        graph.mutate(new_messages=2, late_replies=2, edits=2, deletes=1, reactions=1, renamed_channels=1, new_channels=1)
        wait_for(lambda: equal(graph, target, ("channels", *MESSAGES)))
        touched = graph.mutate(deleted_channels=1, member_removes=1, renamed_teams=1, new_messages=1)
        wait_for(lambda: equal(graph, target, ALL))
        status = listener.status()
        assert status["running"]
        assert status["losses_found"] == 0
        assert status["spool"]["items"] == 0
        assert status["last_notification"]
        assert len(status["subscriptions"]) >= 4
        secrets = {one["clientState"] for one in graph.subscriptions()}
        assert not any(secret in str(status) for secret in secrets)
        second = subprocess.run(command(file, "--target", target, "--url", listener.url), capture_output=True, text=True)
        assert (second.returncode, "another process runs this listener" in second.stderr) == (1, True), second.stderr
        code, said = listener.end()
        assert code == 0, said
        assert "Traceback" not in said
        assert not any(secret in said for secret in secrets)
        ids = {one["id"] for one in graph.subscriptions()}
        assert touched
        graph.mutate(new_messages=3)
        listener.start().ready(polls=2)
        wait_for(lambda: equal(graph, target))
        assert {one["id"] for one in graph.subscriptions()} == ids, "the same subscriptions go on"
        assert tell("stop", "--target", target) == {"was_running": True, "stopped": True}
        assert listener.process.wait(timeout=60) == 0
        assert listener.status()["running"] is False


def test_bad_input_is_one_line_and_sends_nothing(graph, tmp_path):
    file, target = written(tmp_path, graph), tmp_path / "lake"
    for arguments, part in (
        (["--url", "http://in.example.org/x"], "https"),
        ([], "--event-hub"),
        (["--url", "https://in.example.org/x", "--host", "0.0.0.0"], "a proxy"),
        (["--event-hub", "no-hub"], "NAMESPACE/HUB"),
    ):
        done = subprocess.run(command(file, "--target", target, *arguments), capture_output=True, text=True)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert part in done.stderr
    done = subprocess.run(command("status", "--target", target), capture_output=True, text=True)
    assert done.returncode == 2
    assert "nothing listens" in done.stderr
    assert graph.request_counts() == {}


def test_a_day_later_everything_is_compared_and_the_losses_are_named(graph, tmp_path):
    file, target = written(tmp_path, graph), tmp_path / "lake"
    with listening(file, target) as listener:
        listener.ready()
        graph.set(push={"lost": 1.0})
        graph.mutate(new_messages=3, edits=2, hard_deletes=1)
        graph.set(push={})
        graph.mutate(new_messages=1)
        wait_for(lambda: graph.notices()[-1]["fate"] == "delivered")
        lost = sum(notice["fate"] == "lost" for notice in graph.notices())
        graph.advance(25 * 3600)
        listener.ready(polls=2)
        wait_for(lambda: equal(graph, target))
        status = listener.status()
        assert status["losses_found"] == lost
        assert status["polls"][-1]["reason"].endswith("daily")


def test_check_calls_the_address_as_graph_does(graph, tmp_path):
    file, port = written(tmp_path, graph), free_port()
    url = f"http://127.0.0.1:{port}/teams"
    found = tell("check", file, "--url", url, "--port", port)
    assert {each["state"] for each in found} == {"ok"}, found
    graph.set(revoke_permission="ChannelMessage.Read.All")
    done = subprocess.run(
        command("check", file, "--url", "http://127.0.0.1:9/teams", "--port", port, "--json"), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout
    assert "ChannelMessage.Read.All" in done.stdout
    assert graph.subscriptions() == []


def test_only_its_own_addresses_are_answered(graph, tmp_path):
    with listening(written(tmp_path, graph), tmp_path / "lake") as listener:
        for path, method, status in (("/other", "POST", 404), ("/teams", "GET", 405), ("/teams/lifecycle", "POST", 400)):
            url = f"http://127.0.0.1:{listener.port}{path}"
            request = urllib.request.Request(url, b"{", {"Content-Type": "application/json"}, method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            refused.value.close()
            assert refused.value.code == status, path


def test_an_ingest_beside_it_agrees(graph, tmp_path):
    file, target = written(tmp_path, graph), tmp_path / "lake"
    with listening(file, target) as listener:
        listener.ready()
        for _ in range(3):
            graph.mutate(new_messages=4, edits=4, late_replies=2)
            done = subprocess.run(
                [*command()[:-1], "ingest", file, "--target", target, "--no-report"], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
        wait_for(lambda: equal(graph, target))
        assert stored(target, "messages").num_rows == len(graph.truth("messages"))
        assert differences(graph, target, MESSAGES) == []
