"""What people mistype becomes one line with the place and the nearest right name."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
import yaml

from lakeflow_teams import ConfigurationError, TeamsClient, _core
from lakeflow_teams.cli import scaffold
from lakeflow_teams.cli.app import run
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import entry, pipeline


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("objects:\n- table:\n    source_tabel: teams\n", "line 3: objects[0].table.source_tabel: there is no such key; did you mean source_table?"),
        ("objects:\n- table:\n    source_table: mesages\n", "line 3: objects[0].table.source_table: there is no table 'mesages'; did you mean messages?"),
        ("conection: {}\nobjects: []\n", "line 1: pipeline.conection: there is no such key; did you mean connection?"),
        (
            "objects:\n- table:\n    source_table: teams\n    table_configuration:\n      scd_type: SCD_TYPE_1\n      tpo: 5\n",
            'line 6: objects[0].table.table_configuration.tpo: Unknown option "tpo": did you mean top?',
        ),
        (
            "objects:\n- table:\n    source_table: teams\n    table_configuration:\n      max_delete_percent: 101\n",
            "line 5: objects[0].table.table_configuration.max_delete_percent: 101 is not a whole number from 0 to 100",
        ),
        ("objects:\n- table: {source_table: teams}\nobjects:\n- table: {source_table: chats}\n", "line 3: the key 'objects' is written twice, first in line 1"),
        ("objects:\n- table:\n    source_table: teams\n    source_table: chats\n", "line 4: the key 'source_table' is written twice, first in line 3"),
        ("objects: teams\n", "line 1: objects: a list with at least one `table` entry is expected"),
        ("objects:\n- table: {source_table: teams}\nconnection:\n  tennant_id: x\n", "line 4: connection.tennant_id: there is no such connection option; did you mean tenant_id?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_pipeline_has_its_line(here, capfd, text, said):
    (here / "p.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(here / "p.yaml")
    assert str(caught.value).startswith(f"pipeline file {here / 'p.yaml'}, {said}")
    assert run(["ingest", "p.yaml", "--target", "x"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line
    assert not (here / "x").exists()


def test_merge_keys_and_equal_keys_apart_are_no_mistake(here):
    (here / "p.yaml").write_text(
        "objects:\n- table: &first {source_table: teams}\n- table:\n    <<: *first\n    destination_table: b\n"
    )
    assert [table.table for table in load(here / "p.yaml").tables] == ["teams", "b"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["schema", "teams", "-o", "top=3", "-o", "TOP=4"], "option top: it is given twice"),
        (["init", "--yes", "--output", "nowhere/p.yaml"], "--output: the folder nowhere is not there"),
        (["databricks", "p.yaml", "--source", "nowhere"], "--source: nowhere is no checkout of this project"),
        (["status", "--target", "x", "--max-age", "26"], "'26' is not a span of time such as 26h"),
        (["ingest", "p.yaml", "--target", "x", "--max-delete-percent", "101"], "--max-delete-percent"),
    ],
)
def test_arguments(here, capfd, arguments, said):
    (here / "p.yaml").write_text(yaml.safe_dump(pipeline(entry("teams"))))
    assert run(arguments) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line


def test_a_text_where_a_list_is_meant(options, graph):
    client = TeamsClient(options)
    assert client.schema("teams", columns="id, displayName").names == ["id", "displayName"]
    assert client.read("teams", columns="id").to_arrow().column_names == ["id"]
    needs = {"fetch_all_teams": True, "fetch_all_channels": True}
    assert {table for table, _ in client.read_many("messages, message_replies", **needs)} == {"messages", "message_replies"}
    assert {row.table for row in client.check("teams").rows} == {"teams"}


def test_everything_can_be_imported_without_an_extra():
    program = (
        "import sys; sys.modules['pyspark'] = None\n"
        "from importlib import util; real = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'pyspark' else real(name, *rest)\n"
        "from lakeflow_teams import *\nprint('TeamsClient' in globals(), 'TeamsDataSource' in globals())"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_every_table_is_asked_for_once():
    named = [name for _, names in scaffold.GROUPS for name in names]
    assert sorted(named) == sorted(info["name"] for info in _core.tables())


def answered(here, *answers):
    ours, theirs = pty.openpty()
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    command = [sys.executable, "-m", "lakeflow_teams", "init"]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, cwd=here, timeout=120)
    os.close(ours)
    os.close(theirs)
    return done


def test_init_asks_in_groups_and_checks_each_answer_at_once(here):
    none = ["n"] * (len(scaffold.GROUPS) - 2)
    done = answered(here, "teams, chanels", "teams, channels", "y", *none, "a,b", "yesterday", "2025-06-01")
    assert done.returncode == 0, done.stderr
    assert "there is no table 'chanels'; did you mean channels?" in done.stderr
    assert "[teams, chanels]" in done.stderr, "what was typed is offered to be mended"
    assert "yesterday" in done.stderr
    spec = load(here / "pipeline.yaml")
    assert [table.source_table for table in spec.tables] == ["teams", "channels", "messages", "message_replies"]
    assert spec.tables[2].options["start_date"] == "2025-06-01"


def test_init_wants_one_table_at_least(here):
    done = answered(here, *["n"] * len(scaffold.GROUPS), "teams", "", "")
    assert done.returncode == 0, done.stderr
    assert [table.source_table for table in load(here / "pipeline.yaml").tables] == ["teams"]


@pytest.mark.parametrize("columns", [80, 40])
def test_what_is_shown_fits_the_terminal(here, options, monkeypatch, capfd, columns):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    (here / "p.yaml").write_text(yaml.safe_dump(pipeline()))
    assert run(["ingest", "p.yaml", "--target", "lakehouse", "--quiet"]) == 0
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in (
        ["tables"],
        ["schema", "messages"],
        ["preview", "channels", "-o", "fetch_all_teams=true"],
        ["preview", "messages", "-o", "fetch_all_teams=true", "-o", "fetch_all_channels=true"],
        ["plan", "p.yaml", "--probe"],
        ["status", "--target", "lakehouse"],
        ["ingest", "p.yaml", "--target", "lakehouse", "--dry-run"],
        ["verify", "p.yaml", "--target", "lakehouse", "--offline"],
    ):
        capfd.readouterr()
        assert run(arguments) == 0, arguments
        out = capfd.readouterr().out
        assert max(map(len, out.splitlines())) <= columns, arguments
        assert "\x1b" not in out


def test_a_preview_shows_names_before_ids(options, monkeypatch, capfd):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["preview", "channels", "-o", "fetch_all_teams=true", "-n", "2"]) == 0
    heading, *_, left = capfd.readouterr().out.splitlines()
    assert re.split(r"\s+", heading.strip())[:2] == ["row", "displayName"]
    assert "not shown here" in left or "--columns" in left
    assert run(["preview", "channels", "-o", "fetch_all_teams=true", "-n", "2", "--columns", "id,displayName"]) == 0
    assert capfd.readouterr().out.splitlines()[0].split() == ["row", "id", "displayName"]


def test_a_reader_that_leaves_ends_nothing(here, options):
    (here / "p.yaml").write_text(yaml.safe_dump(pipeline(entry("teams"), entry("channels"))))
    environment = {**os.environ, **{f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}}
    lakeflow = f"{sys.executable} -m lakeflow_teams"
    for command, status in (
        (f"{lakeflow} tables | head -n 1 > /dev/null", "0"),
        (f"{lakeflow} ingest p.yaml --target lakehouse 2>&1 | true", "0"),
    ):
        shell = ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"]
        done = subprocess.run(shell, env=environment, capture_output=True, text=True, cwd=here, timeout=120)
        assert (done.stdout.strip(), done.stderr) == (status, ""), command
    assert (here / "lakehouse" / "main" / "teams" / "channels" / "_delta_log").is_dir()
