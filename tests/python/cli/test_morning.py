"""The morning's questions: is everything fresh (``status``), and is it right (``verify``)?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest
import yaml
from deltalake import DeltaTable, write_deltalake

from lakeflow_teams import LakeflowTeamsError, ingest_local
from lakeflow_teams.cli.app import run
from lakeflow_teams.local import journal
from lakeflow_teams.store.locate import locate
from support.lakehouse import differences, entry, later, pipeline, stored
from support.paths import ROOT

TABLES = pipeline(entry("teams"), entry("messages"))


@pytest.fixture
def tenant(options, monkeypatch):
    """The environment reaches the emulated tenant."""
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(yaml.safe_dump(TABLES))
    return str(path)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "lakehouse"


def asked(capfd, target, *arguments):
    capfd.readouterr()
    code = run(["status", "--target", str(target), "--json", *arguments])
    found = json.loads(capfd.readouterr().out)
    return code, {table["table"].rpartition(".")[2]: table for table in found["tables"]}, found


def age(target, **back):
    """As if the last run had been that long ago."""
    file = target / "_state" / "state.json"
    content = json.loads(file.read_text())
    then = (datetime.now(timezone.utc) - timedelta(**back)).isoformat(timespec="seconds").replace("+00:00", "Z")
    for each in content["destinations"].values():
        each["checked"] = each["checked"] and then
    file.write_text(json.dumps(content))


def test_a_table_without_news_counts_as_checked(options, target, capfd):
    ingest_local(TABLES, target, options)
    _, first, _ = asked(capfd, target)
    time.sleep(1.1)
    ingest_local(TABLES, target, options)
    _, second, _ = asked(capfd, target)
    for table in ("teams", "messages"):
        assert second[table]["version"] == first[table]["version"]
        assert second[table]["checked"] > first[table]["checked"]
        assert second[table]["changed"] == first[table]["changed"]


def test_an_age_is_an_alarm(options, target, capfd):
    ingest_local(TABLES, target, options)
    assert asked(capfd, target, "--max-age", "26h")[0] == 0
    age(target, hours=25)
    assert asked(capfd, target, "--max-age", "26h")[0] == 0
    age(target, hours=27)
    code, _, found = asked(capfd, target, "--max-age", "1d2h")
    assert code == 1
    assert any("main.teams.messages: not checked since" in alarm and "1 d 3 h ago" in alarm for alarm in found["alarms"])
    assert asked(capfd, target)[0] == 0


def test_what_failed_is_an_alarm_with_its_cause_once(graph, options, target, capfd):
    ingest_local(TABLES, target, options)
    with pytest.raises(LakeflowTeamsError):
        ingest_local(TABLES, target, {**options, "client_secret": "wrong-one"})
    code, tables, found = asked(capfd, target, "--max-age", "26h")
    assert code == 1
    (alarm,) = found["alarms"]
    assert "main.teams.messages, main.teams.teams failed" in alarm
    assert "AADSTS7000215" in tables["teams"]["error"]
    assert tables["teams"]["checked"] is not None
    ingest_local(TABLES, target, options)
    assert asked(capfd, target, "--max-age", "26h")[0] == 0


def test_a_table_that_was_never_written_is_named(graph, options, target, capfd):
    graph.set(revoke_permission="TeamMember.Read.All")
    with pytest.raises(LakeflowTeamsError):
        ingest_local(pipeline(entry("teams"), entry("members")), target, options)
    code, tables, found = asked(capfd, target, "--max-age", "26h")
    assert (code, tables["members"]["state"]) == (1, "never written")
    assert "main.teams.members: never written" in found["alarms"]


def test_a_run_that_was_killed_shows_until_the_next_one(graph, options, target, spec, capfd, monkeypatch):
    graph.fault(kind="slow", path="/channels", delay_ms=60_000)
    environment = {**os.environ, **{f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}}
    command = [sys.executable, "-m", "lakeflow_teams", "ingest", spec, "--target", str(target), "--quiet"]
    with subprocess.Popen(command, env=environment) as process:
        deadline = time.monotonic() + 60
        while not journal.unfinished(locate(target)) and time.monotonic() < deadline:
            time.sleep(0.05)
        (going,) = asked_running(capfd, target)
        assert (going["state"], going["pid"]) == ("running", process.pid)
        process.send_signal(signal.SIGKILL)
    (killed,) = asked_running(capfd, target)
    assert killed["state"] == "killed"
    assert asked(capfd, target, "--max-age", "26h")[0] == 1
    graph.clear_faults()
    ingest_local(TABLES, target, options)
    assert asked_running(capfd, target) == []


def asked_running(capfd, target):
    return asked(capfd, target)[2]["unfinished"]


def verified(capfd, spec, target, *arguments):
    capfd.readouterr()
    code = run(["verify", spec, "--target", str(target), "--json", *arguments])
    return code, {each["destination"].rpartition(".")[2]: each for each in json.loads(capfd.readouterr().out)}


@pytest.mark.usefixtures("tenant")
def test_what_is_right_is_found_right(graph, options, target, spec, capfd):
    ingest_local(TABLES, target, options)
    code, found = verified(capfd, spec, target)
    assert (code, found["messages"]["ok"]) == (0, True)
    assert found["messages"]["rows"] == found["messages"]["in_graph"] == len(graph.truth("messages"))
    later(graph)
    code, found = verified(capfd, spec, target)
    assert (code, found["messages"]["missing"]) == (0, 0), "what came since the last ingest is no gap"


@pytest.mark.usefixtures("tenant")
def test_gaps_and_rows_that_are_gone_are_counted_by_scope_and_repaired(graph, options, target, spec, capfd):
    ingest_local(TABLES, target, options)
    row = stored(target, "messages").select(["team_id", "channel_id", "id"]).to_pylist()[0]
    DeltaTable(str(target / "main" / "teams" / "messages")).delete(f"channel_id = '{row['channel_id']}'")
    gone = graph.mutate(hard_deletes=1)["hard_deletes"]
    gone = [each for each in gone if "parent_message_id" not in each and each["channel_id"] != row["channel_id"]]
    graph.advance(60)
    missing = [each for each in graph.truth("messages") if each["channel_id"] == row["channel_id"]]
    code, found = verified(capfd, spec, target)
    assert code == 1
    assert (found["messages"]["missing"], found["messages"]["gone"]) == (len(missing), len(gone))
    scope = next(each for each in found["messages"]["scopes"] if row["channel_id"] in each["scope"])
    assert (scope["stored"], scope["in_graph"]) == (0, len(missing))
    code, found = verified(capfd, spec, target, "--repair")
    assert code == 0
    assert "read from the beginning" in found["messages"]["repaired"][0]
    assert differences(graph, target, ["messages"]) == []
    assert verified(capfd, spec, target)[0] == 0


@pytest.mark.usefixtures("tenant")
def test_doubled_keys_are_found_offline_and_repaired(graph, options, target, spec, capfd):
    ingest_local(TABLES, target, options)
    path = str(target / "main" / "teams" / "messages")
    write_deltalake(path, stored(target, "messages").slice(0, 2), mode="append")
    graph.clear_requests()
    code, found = verified(capfd, spec, target, "--offline")
    assert (code, found["messages"]["doubled"], found["teams"]["ok"]) == (1, 2, True)
    code, found = verified(capfd, spec, target, "--offline", "--repair")
    assert (code, found["messages"]["repaired"]) == (0, ["2 doubled rows were removed"])
    assert graph.request_counts() == {}
    assert verified(capfd, spec, target, "--offline")[0] == 0
    assert differences(graph, target, ["messages"]) == []


def test_the_example_raises_an_alarm(graph, options, target, spec, tmp_path):
    script = ROOT / "examples" / "morning.sh"
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "lakeflow-teams").write_text(f'#!/bin/sh\nexec {sys.executable} -m lakeflow_teams "$@"\n')
    (tools / "lakeflow-teams").chmod(0o755)
    given = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}
    environment = {**os.environ, **given, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}

    def morning(**more):
        done = subprocess.run(
            ["bash", script, spec, str(target)], env={**environment, **more}, capture_output=True, text=True
        )
        return done.returncode, done.stderr

    assert morning() == (0, "")
    graph.set(revoke_permission="ChannelMessage.Read.All")
    code, said = morning()
    assert code == 1
    assert "main.teams.messages failed" in said
    assert "ChannelMessage.Read.All" in said
