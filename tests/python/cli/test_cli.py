"""The command line: one line per mistake, exit codes, JSON for machines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import yaml

from lakeflow_teams.cli.app import run
from support.lakehouse import differences, entry, pipeline

UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def tenant(options, monkeypatch):
    """The environment reaches the emulated tenant."""
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)


@pytest.fixture
def spec(tmp_path):
    def write(document):
        path = tmp_path / "pipeline.yaml"
        path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
        return str(path)

    return write


@pytest.fixture
def target(tmp_path):
    return tmp_path / "lakehouse"


def refused(capfd, arguments, code, *said):
    assert run(arguments) == code
    out, err = capfd.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("lakeflow-teams: ")
    assert "Traceback" not in err
    for word in said:
        assert word in line
    return out


@pytest.mark.usefixtures("tenant")
def test_ingest_twice(graph, spec, target, capfd):
    assert run(["ingest", spec(pipeline()), "--target", str(target)]) == 0
    out, err = capfd.readouterr()
    assert "main.teams.messages" in out
    assert "main.teams.messages done" in err
    assert "\x1b" not in out + err
    assert differences(graph, target) == []
    assert run(["ingest", spec(pipeline()), "--target", str(target), "--json"]) == 0
    out, err = capfd.readouterr()
    summary = json.loads(out)
    assert err == ""
    assert {line["source_table"] for line in summary["destinations"]} == set(entry_names())
    assert summary["failed"] is False
    assert run(["ingest", spec(pipeline()), "--target", str(target), "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")


def entry_names():
    return [item["table"]["source_table"] for item in pipeline()["objects"]]


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize(
    ("document", "said"),
    [
        (pipeline({"table": {"source_table": "mesages"}}), "did you mean messages?"),
        (pipeline(entry("teams", tpo="5")), "top"),
        (pipeline(entry("channels", fetch_all_teams=None)), "fetch_all_teams"),
        (pipeline(entry("messages", start_date="yesterday")), "start_date"),
        (pipeline(entry("teams", top="many")), "top"),
        ("objects: [", "line 1"),
    ],
)
def test_bad_specs(spec, target, capfd, document, said):
    refused(capfd, ["ingest", spec(document), "--target", str(target), "--quiet"], 2, "ConfigurationError", said)


def test_no_credentials(spec, target, capfd):
    refused(capfd, ["ingest", spec(pipeline()), "--target", str(target)], 2, "ConfigurationError", "tenant_id")


@pytest.mark.usefixtures("tenant")
def test_an_unreachable_host(spec, target, capfd, monkeypatch):
    monkeypatch.setenv("LAKEFLOW_TEAMS_GRAPH_BASE_URL", UNREACHABLE)
    monkeypatch.setenv("LAKEFLOW_TEAMS_AUTHORITY_HOST", UNREACHABLE)
    monkeypatch.setenv("LAKEFLOW_TEAMS_RETRY_TIMEOUT_SECONDS", "1")
    arguments = ["ingest", spec(pipeline(entry("teams"))), "--target", str(target), "--quiet"]
    refused(capfd, arguments, 1, "127.0.0.1:9")


@pytest.mark.usefixtures("tenant")
def test_a_wrong_secret(spec, target, capfd, monkeypatch):
    monkeypatch.setenv("LAKEFLOW_TEAMS_CLIENT_SECRET", "wrong-one")
    arguments = ["ingest", spec(pipeline(entry("teams"))), "--target", str(target), "--quiet"]
    refused(capfd, arguments, 1, "AuthenticationError", "AADSTS7000215")


@pytest.mark.usefixtures("tenant")
def test_a_missing_permission(graph, spec, target, capfd):
    graph.set(roles=["Team.ReadBasic.All"])
    arguments = ["ingest", spec(pipeline(entry("members"))), "--target", str(target), "--quiet"]
    refused(capfd, arguments, 1, "PermissionDeniedError", "TeamMember.Read.All")


@pytest.mark.usefixtures("tenant")
def test_an_unknown_team(spec, target, capfd):
    missing = "00000000-0000-0000-0000-000000000000"
    document = pipeline(entry("channels", fetch_all_teams=None, team_id=missing))
    refused(capfd, ["ingest", spec(document), "--target", str(target), "--quiet"], 1, "NotFoundError", "team_id")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command"),
        (["ingest"], "Missing argument"),
        (["ingest", "absent.yaml", "--target", "x"], "absent.yaml: cannot be read"),
        (["ingest", "absent.yaml"], "--target"),
        (["schema", "mesages"], "messages"),
        (["schema", "teams", "-o", "top"], "write it as key=value"),
        (["preview", "teams", "-o", "client_secret=x"], "does not belong on a command line"),
        (["preview", "teams", "-n", "0"], "-n"),
        (["emulator", "--teams", "many"], "many"),
    ],
)
def test_bad_arguments(capfd, arguments, said):
    refused(capfd, arguments, 2, said)


def test_tables_and_schema(capfd):
    assert run(["tables", "--json"]) == 0
    assert {"teams", "messages"} <= {info["name"] for info in json.loads(capfd.readouterr().out)}
    assert run(["tables"]) == 0
    assert "ChannelMessage.Read.All" in capfd.readouterr().out
    assert run(["schema", "messages"]) == 0
    assert "lastModifiedDateTime: string" in capfd.readouterr().out.splitlines()
    assert run(["schema", "messages", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["type"] == "struct"


@pytest.mark.usefixtures("tenant")
def test_preview(capfd):
    assert run(["preview", "channels", "-o", "fetch_all_teams=true", "-n", "3", "--json"]) == 0
    assert [json.loads(line)["team_id"] for line in capfd.readouterr().out.splitlines()][2]
    assert run(["preview", "teams", "-n", "2"]) == 0
    assert "displayName" in capfd.readouterr().out


def test_a_connection_file(options, spec, tmp_path, target, capfd):
    file = tmp_path / "connection.yaml"
    file.write_text(yaml.safe_dump(options))
    arguments = ["ingest", spec(pipeline(entry("teams"))), "--target", str(target), "--connection", str(file), "--json"]
    assert run(arguments) == 0
    assert options["client_secret"] not in "".join(capfd.readouterr())


def test_the_emulator_runs_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "lakeflow_teams", "emulator", "--port", "0", "--teams", "2", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        try:
            options = json.loads(process.stdout.readline())["options"]
            from lakeflow_teams import TeamsClient

            assert sum(len(batch) for batch in TeamsClient(options).read("teams")) >= 2
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_help_names_every_command(capfd):
    assert run(["--help"]) == 0
    out = capfd.readouterr().out
    for command in ("demo", "ingest", "tables", "schema", "preview", "emulator"):
        assert command in out
