"""``databricks``: the bundle against the official models, what runs in it, and the examples, which are what it writes."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from types import SimpleNamespace

import pytest
import yaml
from databricks.bundles.jobs import Job
from databricks.bundles.pipelines import Pipeline

from lakeflow_teams import ConfigurationError, _core
from lakeflow_teams.cli.app import run
from lakeflow_teams.options import allow_list
from lakeflow_teams.pipelines.targets import parse
from support.paths import ROOT

EVERY_TABLE = [info["name"] for info in _core.tables()]
FILES = [
    "databricks.yml",
    "resources/pipeline.yml",
    "resources/job.yml",
    "connection.sql",
    "connection.sh",
    "src/ingest.py",
    "src/pipeline.yaml",
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spec(here, *objects, name="p.yaml", **more):
    (here / name).write_text(yaml.safe_dump({"connection_name": "microsoft_teams", "objects": list(objects), **more}))


def entry(source, catalog="main", schema="teams", **configuration):
    names = {"source_table": source, "destination_catalog": catalog, "destination_schema": schema}
    return {"table": {**names, "table_configuration": configuration}}


def written(folder):
    """The bundle as the CLI puts it together: the main file and those that it includes."""
    whole = yaml.safe_load((folder / "databricks.yml").read_text())
    assert whole["include"] == ["resources/*.yml"]
    found = {}
    for file in (folder / "resources").glob("*.yml"):
        for kind, resources in yaml.safe_load(file.read_text())["resources"].items():
            found.setdefault(kind, {}).update(resources)
    return {**whole, "resources": found}


def resolved(bundle, target):
    """The bundle's text with the variables of a target put in, as the CLI does."""
    values = {name: variable.get("default") for name, variable in bundle["variables"].items()}
    values |= bundle["targets"][target]["variables"]
    text = json.dumps(bundle["resources"])
    return json.loads(re.sub(r"\$\{var\.(\w+)\}", lambda match: str(values[match[1]]), text))


def spark(configuration):
    return SimpleNamespace(conf=SimpleNamespace(get=configuration.__getitem__))


def ingested(folder, configuration):
    """What the bundle's source hands to ``ingest`` where a pipeline has this configuration."""
    seen = []
    source = (folder / "src/ingest.py").read_text().replace("from lakeflow_teams import ingest", "")
    code = compile(ast.parse(source), "ingest.py", "exec")
    exec(code, {"spark": spark(configuration), "ingest": lambda _, spec, **more: seen.append((spec, more))})
    return seen[0]


def targets(folder, target):
    """Where the pipeline of a target writes, by what it reads: from the file that lies in the bundle when it runs."""
    pipeline = resolved(written(folder), target)["pipelines"]["teams"]
    path, more = ingested(folder, pipeline["configuration"])
    file = folder / path.removeprefix("${workspace.file_path}/")
    return parse(yaml.safe_load(file.read_text()), more["destinations"]).targets


def test_the_example_is_what_the_command_writes(here):
    (here / "pyproject.toml").touch()
    (here / "examples").mkdir()
    (here / "examples" / "pipeline.yaml").write_text((ROOT / "examples" / "pipeline.yaml").read_text())
    assert run(["databricks", "examples/pipeline.yaml", "--to", "examples/databricks", "--source", "../.."]) == 0
    assert sorted(
        file.relative_to(here).as_posix() for file in (here / "examples/databricks").rglob("*") if file.is_file()
    ) == [f"examples/databricks/{name}" for name in sorted(FILES)]
    for name in FILES:
        file = f"examples/databricks/{name}"
        assert (here / file).read_text() == (ROOT / file).read_text(), "run `make examples`"


@pytest.mark.parametrize("more", [[], ["--name", "second"]], ids=["plain", "named"])
def test_the_official_models_take_the_job_and_the_pipeline(here, more):
    spec(here, *(entry(table) for table in EVERY_TABLE))
    assert run(["databricks", "p.yaml", *more]) == 0
    resources = written(here / "databricks")["resources"]
    job, pipeline = resources["jobs"]["teams"], resources["pipelines"]["teams"]
    assert Job.from_dict(job).max_concurrent_runs == 1
    assert Pipeline.from_dict(pipeline).serverless is True
    for model, resource, kind in ((Job, job, "timeout"), (Pipeline, pipeline, "chanel")):
        with pytest.raises(ValueError, match="Unexpected field"):
            model.from_dict({**resource, kind: "1"})


def test_each_target_has_its_own_catalog_schema_schedule_and_principal(here):
    spec(here, entry("teams"))
    assert run(["databricks", "p.yaml"]) == 0
    bundle = written(here / "databricks")
    assert set(bundle) == {"bundle", "include", "variables", "targets", "resources"}
    dev, prod = bundle["targets"]["dev"], bundle["targets"]["prod"]
    assert (dev["mode"], prod["mode"], dev["default"]) == ("development", "production", True)
    own = {"catalog", "schema", "schedule", "notify"}
    assert own | {"service_principal"} <= set(dev["variables"])
    assert own <= set(prod["variables"])
    assert dev["variables"]["schema"] != prod["variables"]["schema"]
    assert "default" not in bundle["variables"]["service_principal"]  # prod does not deploy without one
    assert prod["run_as"] == {"service_principal_name": "${var.service_principal}"}
    assert {permission["level"] for permission in prod["permissions"]} == {"CAN_MANAGE", "CAN_VIEW"}
    used = set(re.findall(r"\$\{var\.(\w+)\}", json.dumps(bundle)))
    assert used == set(bundle["variables"])
    for name in used - {"service_principal"}:
        assert all(name in t["variables"] or "default" in bundle["variables"][name] for t in (dev, prod))
    job = bundle["resources"]["jobs"]["teams"]
    assert job["email_notifications"]["on_failure"] == "${var.notify}"
    assert job["timeout_seconds"] > 0
    assert job["schedule"]["quartz_cron_expression"] == "${var.schedule}"
    assert job["tags"] == bundle["resources"]["pipelines"]["teams"]["tags"]


def test_two_pipelines_of_one_workspace_have_names_of_their_own(here):
    spec(here, entry("teams"), name="one.yaml")
    spec(here, entry("teams", schema="people"), name="two.yaml")
    for name in ("one", "two"):
        assert run(["databricks", f"{name}.yaml", "--to", name]) == 0
    one, two = (written(here / name) for name in ("one", "two"))
    assert (one["bundle"]["name"], two["bundle"]["name"]) == ("lakeflow-teams-main-teams", "lakeflow-teams-main-people")
    for bundle in (one, two):
        assert bundle["resources"]["pipelines"]["teams"]["name"] == "${bundle.name}"
        assert bundle["resources"]["jobs"]["teams"]["name"] == "${bundle.name}"
        assert "${bundle.name}" in bundle["targets"]["prod"]["workspace"]["root_path"]


def test_the_pipeline_file_is_read_when_it_runs(here):
    spec(here, entry("teams"), entry("users", schema="people"), entry("messages", catalog="raw", fetch_all_teams=True))
    assert run(["databricks", "p.yaml", "--to", "b"]) == 0
    prod = {target.source: target.parts for target in targets(here / "b", "prod")}
    assert prod["teams"] == ("main", "teams", "teams")
    assert prod["users"] == ("main", "people", "users")
    assert prod["messages"] == ("raw", "teams", "messages")
    for parts in (target.parts for target in targets(here / "b", "dev")):
        assert parts[1].startswith("dev_${workspace.current_user.short_name}_")
    file = here / "b/src/pipeline.yaml"
    file.write_text(file.read_text() + "- table: {source_table: groups, destination_schema: people}\n")
    assert [target.source for target in targets(here / "b", "prod")] == ["teams", "users", "messages", "groups"]
    file.write_text(file.read_text() + "- table: {source_table: chats, destination_schema: elsewhere}\n")
    with pytest.raises(ConfigurationError, match=r"destination main\.elsewhere: .*main\.teams, main\.people, raw\.teams"):
        targets(here / "b", "prod")


def test_the_connection_of_the_environment_stands_in(here):
    spec(here, entry("teams"))
    assert run(["databricks", "p.yaml"]) == 0
    pipeline = resolved(written(here / "databricks"), "dev")["pipelines"]["teams"]
    _, more = ingested(here / "databricks", {**pipeline["configuration"], "lakeflow_teams.connection": "another"})
    assert more["connection_name"] == "another"


def test_what_is_only_for_this_machine_never_gets_there(here, capfd):
    more = {"connection": {"client_secret": "hush"}, "storage_options": {"access_key_id": "hush"}}
    spec(here, entry("messages", fetch_all_teams=True, reconcile_days=7), **more)
    assert run(["databricks", "p.yaml"]) == 0
    out = capfd.readouterr().out
    for note in ("connection options are left out", "storage_options are left out", "reconcile_days has no effect there"):
        assert note in out
    texts = [file.read_text() for file in (here / "databricks").rglob("*") if file.is_file()]
    assert len(texts) == len(FILES)
    assert "hush" not in "".join(texts)
    (target,) = targets(here / "databricks", "prod")
    assert target.options == {"fetch_all_teams": "true"}


def test_the_comments_of_a_pipeline_stay(here):
    assert run(["init", "--yes"]) == 0
    assert run(["databricks", "pipeline.yaml"]) == 0
    assert (here / "databricks/src/pipeline.yaml").read_text() == (here / "pipeline.yaml").read_text()


def test_the_connection_as_a_call_holds_no_secret(here):
    spec(here, entry("teams"), connection_name='o"b $HOME `x`')
    assert run(["databricks", "p.yaml", "--to", "b"]) == 0
    stand_in = here / "bin/databricks"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho "$@" > "$OUT.arguments"\ncat "${4#@}" > "$OUT.body"\n')
    stand_in.chmod(0o755)
    secrets = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "hush~1.2_3"}
    environment = {"PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}", "OUT": str(here / "out"), "HOME": "/h"}
    subprocess.run(["bash", here / "b/connection.sh"], check=True, env={**environment, **secrets})
    assert (here / "out.arguments").read_text().strip() == "connections create --json @/dev/stdin"
    body = json.loads((here / "out.body").read_text())
    assert body["name"] == 'o"b $HOME `x`'
    assert body["connection_type"] == "GENERIC_LAKEFLOW_CONNECT"
    assert body["options"]["client_secret"] == "hush~1.2_3"
    assert body["options"]["externalOptionsAllowList"] == allow_list()
    bare = subprocess.run(["bash", here / "b/connection.sh"], env=environment, capture_output=True, text=True)
    assert bare.returncode != 0
    assert "AZURE_TENANT_ID" in bare.stderr
    sql = (here / "b/connection.sql").read_text()
    assert "secret('microsoft_teams', 'client_secret')" in sql
    assert f"externalOptionsAllowList '{allow_list()}'" in sql
    assert 'CREATE CONNECTION IF NOT EXISTS `o"b $HOME ``x```' in sql


def test_managed_ingestion_is_what_the_frameworks_tool_makes(here, capfd):
    spec(
        here,
        entry("teams"),
        entry("messages", schema="talk", fetch_all_teams=True, scd_type="scd_type_2", primary_keys=["team_id", "id"]),
    )
    volume = "/Volumes/main/teams/wheels"
    assert run(["databricks", "p.yaml", "--managed", "--to", "m"]) == 0
    assert "databricks api post /api/2.0/pipelines --json @pipeline.json" in capfd.readouterr().out
    bundle = written(here / "m")
    pipeline = resolved(bundle, "prod")["pipelines"]["teams"]
    request = json.loads((here / "m/pipeline.json").read_text())
    assert request["name"] == bundle["bundle"]["name"]
    assert request["ingestion_definition"] == pipeline["ingestion_definition"]
    assert (request["catalog"], request["schema"]) == (pipeline["catalog"], pipeline["schema"]) == ("main", "teams")
    for made in (request, pipeline):
        assert made["configuration"] == {"pipelines.managedIngestion.registerPythonDataSource": "true"}
        framework, ours = made["environment"]["dependencies"]
        assert framework.startswith(f"{volume}/lakeflow_community_connectors-")
        assert ours.startswith(f"{volume}/lakeflow_teams-{_core.__version__}-")
    definition = request["ingestion_definition"]
    assert (definition["source_type"], definition["connection_name"]) == ("COMMUNITY", "microsoft_teams")
    teams, messages = (each["table"] for each in definition["objects"])
    names = {"source_schema": "default", "destination_catalog": "main"}
    assert teams == {**names, "source_table": "teams", "destination_schema": "teams", "destination_table": "teams"}
    assert messages == {
        **names,
        "source_table": "messages",
        "destination_schema": "talk",
        "destination_table": "messages",
        "table_configuration": {"scd_type": "SCD_TYPE_2", "primary_keys": ["team_id", "id"]},
        "connector_options": {"community_connector_options": {"options": {"fetch_all_teams": "true"}}},
    }
    # What the official models know of it, they take; the two fields that they lack are the tool's own.
    for each in definition["objects"]:
        each["table"].pop("connector_options", None)
    del definition["source_type"]
    assert len(Pipeline.from_dict(request).ingestion_definition.objects) == 2
    assert not (here / "m/src").exists()
    assert '"connection_type": "COMMUNITY"' in (here / "m/connection.sh").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--volume", "/Volumes/a/b/c"], "add --managed"),
        (["--managed", "--volume", "/dbfs/wheels"], "it looks like /Volumes/main/teams/wheels"),
        (["--managed", "--source", "."], "leave --source out"),
        (["--source", "nowhere"], "has no pyproject.toml"),
    ],
)
def test_what_does_not_go_together_is_one_line(here, capfd, arguments, said):
    spec(here, entry("teams"))
    (here / "databricks").mkdir()
    (here / "databricks/pyproject.toml").touch()
    assert run(["databricks", "p.yaml", *arguments]) == 2
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert [file.name for file in (here / "databricks").iterdir()] == ["pyproject.toml"]


def test_a_bundle_replaces_nothing_unasked(here, capfd):
    assert run(["init", "--yes"]) == 0
    capfd.readouterr()
    assert run(["databricks", "pipeline.yaml", "--to", "b", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert {"tableName", "operation", "fetch_all_teams", "on_forbidden"} <= set(said["externalOptionsAllowList"].split(","))
    files = [file.relative_to(here).as_posix() for file in (here / "b").rglob("*") if file.is_file()]
    assert sorted(said["files"]) == sorted(files)
    assert run(["databricks", "pipeline.yaml", "--to", "b"]) == 2
    assert "--force" in capfd.readouterr().err


def test_a_bundle_of_every_table_is_accepted_by_the_pipeline(here):
    assert run(["init", "--tables", "all"]) == 0
    assert run(["databricks", "pipeline.yaml"]) == 0
    assert [target.source for target in targets(here / "databricks", "dev")] == EVERY_TABLE
