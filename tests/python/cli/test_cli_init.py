"""``init`` and ``databricks``: what they write is read back, and the examples are what they write."""

from __future__ import annotations

import ast
import json
from types import SimpleNamespace

import pytest
import yaml

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


EXAMPLES = [
    (["init", "--tables", ",".join(TABLES), "--output", "examples/pipeline.yaml"], ["examples/pipeline.yaml"]),
    (
        ["databricks", "examples/pipeline.yaml", "--to", "examples/databricks", "--source", "../.."],
        ["examples/databricks/databricks.yml", "examples/databricks/ingest.py"],
    ),
]


@pytest.mark.parametrize(("arguments", "files"), EXAMPLES, ids=["pipeline", "databricks"])
def test_the_examples_are_what_the_commands_write(here, arguments, files):
    (here / "pyproject.toml").touch()
    (here / "examples").mkdir()
    (here / "examples" / "pipeline.yaml").write_text((ROOT / "examples" / "pipeline.yaml").read_text())
    assert run([*arguments, "--force"]) == 0
    for file in files:
        assert (here / file).read_text() == (ROOT / file).read_text(), "run `make examples`"


def bundle(folder):
    """The bundle's description, and the pipeline spec that its source hands to ``ingest``."""
    seen = []
    source = (folder / "ingest.py").read_text().replace("from lakeflow_teams import ingest", "")
    spark = SimpleNamespace(conf=SimpleNamespace(get=lambda _name, default: default))
    exec(compile(ast.parse(source), "ingest.py", "exec"), {"spark": spark, "ingest": lambda _, spec: seen.append(spec)})
    return yaml.safe_load((folder / "databricks.yml").read_text()), seen[0]


def test_a_bundle_holds_the_pipeline(here, capfd):
    objects = [
        {"table": {"source_table": "messages", "destination_catalog": "c1", "destination_schema": 's"1'}},
        {
            "table": {
                "source_table": "teams",
                "destination_catalog": "c2",
                "destination_table": "t",
                "table_configuration": {},
            }
        },
    ]
    objects[0]["table"]["table_configuration"] = {
        "fetch_all_teams": True,
        "team_id": None,
        "start_date": "2025-01-01",
        "scd_type": "scd_type_2",
        "primary_keys": ["team_id", "id"],
        "reconcile_days": 7,
    }
    spec = {"connection_name": "tenant: one", "connection": {"client_secret": "hush"}, "objects": objects}
    (here / "p.yaml").write_text(yaml.safe_dump(spec))
    assert run(["databricks", "p.yaml"]) == 0
    out = capfd.readouterr().out
    assert "reconcile_days is left out" in out
    assert "connection options are left out" in out
    described, written = bundle(here / "databricks")
    assert "hush" not in "".join(file.read_text() for file in (here / "databricks").iterdir())
    assert described["variables"]["connection"]["default"] == written["connection_name"] == "tenant: one"
    assert described["variables"]["schema"]["default"] == 's"1'
    pipeline = described["resources"]["pipelines"]["teams"]
    assert pipeline["environment"]["dependencies"] == [f"lakeflow-teams=={_core.__version__}"]
    assert "artifacts" not in described
    first, second = (each["table"] for each in written["objects"])
    assert first["table_configuration"] == {
        "fetch_all_teams": "true",
        "start_date": "2025-01-01",
        "scd_type": "SCD_TYPE_2",
        "primary_keys": "team_id,id",
    }
    names = ("destination_catalog", "destination_schema", "destination_table")
    assert [first[name] for name in names] == ["c1", 's"1', "messages"]
    assert [second[name] for name in names] == ["c2", "default", "t"]


def test_a_bundle_replaces_nothing_unasked(here, capfd):
    assert run(["init", "--yes"]) == 0
    capfd.readouterr()
    assert run(["databricks", "pipeline.yaml", "--to", "b", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert {"tableName", "fetch_all_teams", "on_forbidden"} <= set(said["externalOptionsAllowList"].split(","))
    assert sorted(said["files"]) == sorted(str(file.relative_to(here)) for file in (here / "b").iterdir())
    assert run(["databricks", "pipeline.yaml", "--to", "b"]) == 2
    assert "--force" in capfd.readouterr().err


def test_the_usual_tables_exist_and_hold_no_private_conversation():
    chosen = scaffold.choose(scaffold.USUAL)
    assert {info["name"] for info in chosen} == set(scaffold.USUAL)
    assert not any("Chat." in permission for permission in scaffold.permissions(chosen))


def test_a_bundle_of_every_table_is_accepted_by_the_pipeline(here):
    from lakeflow_teams.pipelines.targets import parse

    assert run(["init", "--tables", "all"]) == 0
    assert run(["databricks", "pipeline.yaml"]) == 0
    spec = parse(bundle(here / "databricks")[1])
    assert [target.source for target in spec.targets] == EVERY_TABLE
