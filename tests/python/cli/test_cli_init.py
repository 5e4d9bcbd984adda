"""``init``: what it writes is read back, and the example is what it writes."""

from __future__ import annotations

import json

import pytest

from lakeflow_teams import _core
from lakeflow_teams.cli import scaffold
from lakeflow_teams.cli.app import run
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import TABLES, differences
from support.paths import ROOT

EVERY_TABLE = [info["name"] for info in _core.tables()]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("table", EVERY_TABLE)
def test_what_it_writes_for_any_table_can_be_read(table, options, here):
    assert run(["init", "--tables", table, "--yes"]) == 0
    (spec,) = load(here / "pipeline.yaml").tables
    assert spec.source_table == table
    _core.Client(options).validate([table], spec.options)
    declared = _core_table(table)
    for text in (declared["description"], *declared["permissions"]):
        assert text in (here / "pipeline.yaml").read_text()


def _core_table(name):
    return next(info for info in _core.tables() if info["name"] == name)


def test_a_pipeline_it_wrote_fills_the_lakehouse(graph, options, here, monkeypatch, capfd):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    assert run(["init", "--tables", ",".join(TABLES), "--output", "p.yaml"]) == 0
    assert run(["ingest", "p.yaml", "--target", "lakehouse", "--quiet"]) == 0
    assert differences(graph, here / "lakehouse") == []
    assert "\x1b" not in "".join(capfd.readouterr())


def test_the_options_of_the_user_arrive(here, capfd):
    arguments = ["init", "--tables", "messages,teams", "--team-id", "a,b", "--start-date", "2025-01-01", "--catalog", "no"]
    assert run([*arguments, "--schema", "o'brien # x", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["tables"] == ["teams", "messages"]
    assert said["permissions"]["ChannelMessage.Read.All"] == ["messages"]
    assert set(said["permissions"]) == {p for t in ("teams", "messages") for p in _core_table(t)["permissions"]}
    teams, messages = load(here / "pipeline.yaml").tables
    assert (teams.catalog, teams.schema) == ("no", "o'brien # x")
    assert messages.options == {"team_id": "a,b", "fetch_all_channels": "true", "start_date": "2025-01-01"}
    assert teams.options == {}


def test_the_steps_name_exactly_the_permissions(here, capfd):
    assert run(["init", "--tables", "members"]) == 0
    out = capfd.readouterr().out
    assert [word for word in out.split() if word.endswith(".All")] == ["Team.ReadBasic.All", "TeamMember.Read.All"]
    assert "lakeflow-teams ingest pipeline.yaml" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tables", "mesages"], "did you mean messages?"),
        (["--tables", "messages", "--start-date", "yesterday"], "start_date"),
        (["--output", "standing.yaml"], "--force"),
    ],
)
def test_mistakes_write_nothing(here, capfd, arguments, said):
    (here / "standing.yaml").write_text("mine")
    assert run(["init", *arguments]) == 2
    assert said in capfd.readouterr().err
    assert [file.name for file in here.iterdir()] == ["standing.yaml"]
    assert (here / "standing.yaml").read_text() == "mine"


def test_the_example_is_what_the_command_writes(here):
    (here / "examples").mkdir()
    assert run(["init", "--tables", ",".join(TABLES), "--output", "examples/pipeline.yaml", "--force"]) == 0
    assert (here / "examples/pipeline.yaml").read_text() == (ROOT / "examples/pipeline.yaml").read_text(), (
        "run `make examples`"
    )


def test_the_usual_tables_exist_and_hold_no_private_conversation():
    chosen = scaffold.choose(scaffold.USUAL)
    assert {info["name"] for info in chosen} == set(scaffold.USUAL)
    assert not any("Chat." in permission for permission in scaffold.permissions(chosen))
