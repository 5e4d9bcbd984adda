"""`import init | check | run | verify | complete`: files, JSON, exit codes, and one line per mistake."""

from __future__ import annotations

import csv
import json

import pytest

from lakeflow_teams import GraphEmulator
from lakeflow_teams.cli.app import run
from support.history import History, people, standing


@pytest.fixture
def tenant(monkeypatch):
    """The environment reaches the emulated tenant."""
    with GraphEmulator(teams=1, users=8, chats=0, seed=5) as graph:
        for name, value in graph.options.items():
            monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
        yield graph


@pytest.fixture
def history(tenant, tmp_path):
    history = History(people(tenant), channels=2, messages=12)
    history.write(tmp_path / "source")
    return history


def answer(capfd, *arguments):
    code = run(["import", *map(str, arguments), "--json"])
    out, err = capfd.readouterr()
    return code, json.loads(out), err


def test_from_init_to_complete(tenant, history, tmp_path, capfd):
    plan, target = tmp_path / "import.yaml", tmp_path / "lake"
    assert run(["import", "init", str(tmp_path / "source"), "--to", str(plan)]) == 0
    said, _ = capfd.readouterr()
    assert "2 containers" in said
    with (tmp_path / "users.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["entra_id"] for row in rows} == {one["id"] for one in people(tenant)}
    with (tmp_path / "channels.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["room 0", "room 1"]

    code, checked, _ = answer(capfd, "check", plan, "--target", target)
    assert (code, checked["counts"]["pending"]) == (0, 24)
    assert checked["hours"]["slow"] >= checked["hours"]["fast"]
    assert not (target / "_import").exists()

    assert run(["import", "run", str(plan), "--target", str(target)]) == 0
    out, err = capfd.readouterr()
    assert "24 posted" in out
    assert "\x1b" not in out + err
    assert standing(tenant, "Source") == history.planned()
    page = (target / "_reports" / "import-import-run.html").read_text()
    assert "room 1" in page
    assert "<script" not in page
    assert "message 3" not in page, "no text of a message"
    for step in ("verify", "complete"):
        code, summary, _ = answer(capfd, step, plan, "--target", target)
        assert (code, summary["counts"]["posted"], summary["differences"]) == (0, 24, [])


def test_verify_tells_of_a_difference_by_its_exit_code(tenant, history, tmp_path, capfd):
    plan, target = tmp_path / "import.yaml", tmp_path / "lake"
    run(["import", "init", str(tmp_path / "source"), "--to", str(plan)])
    run(["import", "run", str(plan), "--target", str(target)])
    capfd.readouterr()
    row = next(
        row
        for row in tenant.truth("messages")
        if "room" in next(one["displayName"] for one in tenant.truth("channels") if one["id"] == row["channel_id"])
    )
    tenant.tamper(conversation=row["channel_id"], message=row["id"], content="<p>other</p>")
    code, summary, _ = answer(capfd, "verify", plan, "--target", target)
    assert (code, [one["kind"] for one in summary["differences"]]) == (3, ["body"])


@pytest.mark.usefixtures("tenant", "history")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "nowhere.yaml", "--target", "lake"], 2, "it cannot be read"),
        (["init", "nowhere"], 2, "there is no such file or folder"),
        (["init", "source", "--format", "slak"], 2, "is not one of slack"),
        (["verify", "import.yaml", "--target", "lake"], 2, "comes before"),
        (["complete", "import.yaml", "--target", "lake"], 2, "comes before"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(tmp_path, monkeypatch, capfd, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    run(["import", "init", "source", "--to", "import.yaml"])
    capfd.readouterr()
    if arguments[0] == "init":
        arguments = [*arguments, "--to", "other/import.yaml"]
    assert run(["import", *arguments]) == code
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line


def test_init_overwrites_nothing(tenant, history, tmp_path, capfd):
    plan = tmp_path / "import.yaml"
    arguments = ["import", "init", str(tmp_path / "source"), "--to", str(plan)]
    assert run(arguments) == 0
    assert run(arguments) == 2
    assert "exists already" in capfd.readouterr().err
    assert run([*arguments, "--force"]) == 0


def test_pending_messages_are_not_completed(tenant, history, tmp_path, capfd):
    plan, target = tmp_path / "import.yaml", tmp_path / "lake"
    run(["import", "init", str(tmp_path / "source"), "--to", str(plan)])
    tenant.fault(path="POST /teams/{id}/channels/{id}/messages", kind="status", status=403)
    capfd.readouterr()
    code, summary, _ = answer(capfd, "run", plan, "--target", target)
    assert code == 3
    assert summary["counts"]["pending"] > 0
    assert summary["stopped"]
    assert run(["import", "complete", str(plan), "--target", str(target)]) == 1
    assert "not posted yet" in capfd.readouterr().err
