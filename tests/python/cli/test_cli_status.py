"""``status``, completion, colours: what the command line shows of what is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from deltalake import DeltaTable, write_deltalake

from lakeflow_teams import _core, ingest_local
from lakeflow_teams.cli.app import run
from support.lakehouse import TABLES, differences, entry, later, pipeline, stored, version


def asked(capfd, target):
    capfd.readouterr()
    assert run(["status", "--target", str(target), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    return {table["table"].rpartition(".")[2]: table for table in found["tables"]}, found["last_run"]


def test_it_tells_what_is_there(graph, options, tmp_path, capfd):
    ingest_local(pipeline(), tmp_path, options)
    later(graph)
    ingest_local(pipeline(), tmp_path, options)
    tables, last = asked(capfd, tmp_path)
    assert set(TABLES) <= set(tables)
    for name in TABLES:
        table = tables[name]
        assert table["rows"] == stored(tmp_path, name).num_rows == len(graph.truth(name))
        assert table["version"] == version(tmp_path, name)
        assert table["source_table"] == name
        assert table["state"] == "done"
        assert table["bytes"] > 0
    assert tables["messages"]["read_until"][:16] == graph.now[:16]
    assert tables["teams"]["read_until"] is None
    assert last["failed"] is False
    assert last["skipped_count"] == 0
    assert run(["status", "--target", str(tmp_path)]) == 0
    out = capfd.readouterr().out
    assert "main.teams.message_replies" in out
    assert "\x1b" not in out


def test_it_tells_what_was_skipped(graph, options, tmp_path, capfd):
    team = graph.truth("teams")[0]["id"]
    graph.fault(path=f"/teams/{team}/channels", status=403, times=100_000)
    ingest_local(pipeline(entry("messages", on_forbidden="skip")), tmp_path, options)
    tables, last = asked(capfd, tmp_path)
    assert 0 < tables["messages"]["rows"] < len(graph.truth("messages"))
    assert last["skipped_count"] >= 1
    assert run(["status", "--target", str(tmp_path)]) == 0
    out = capfd.readouterr().out
    assert f"skipped: {last['skipped'][0]['scope']}" in out
    assert "403" in out


def test_an_interrupted_reading_shows(options, tmp_path, capfd):
    spec = pipeline(entry("messages", max_records_per_batch=20, top=20))
    client = _core.Client(options)
    from lakeflow_teams.local.incremental import Incremental
    from lakeflow_teams.local.plan import plan
    from lakeflow_teams.results.summary import DestinationSummary
    from lakeflow_teams.spec.pipeline import load
    from lakeflow_teams.store.locate import locate

    class KilledError(Exception):
        pass

    def kill(_progress):
        raise KilledError

    (step,) = plan(load(spec), locate(tmp_path), options, client)
    line = DestinationSummary("main.teams.messages", "messages", "")
    with pytest.raises(KilledError):
        Incremental(client, step, [line], [], kill, writer="one").run()
    tables, last = asked(capfd, tmp_path)
    assert tables["messages"]["state"] == "reading"
    assert last is None
    ingest_local(spec, tmp_path, options)
    assert asked(capfd, tmp_path)[0]["messages"]["state"] == "done"


def test_a_table_of_another_program_is_shown_as_such(options, tmp_path, capfd):
    import pyarrow as pa

    ingest_local(pipeline(entry("teams")), tmp_path, options, report=False)
    write_deltalake(str(tmp_path / "main" / "mine" / "other"), pa.table({"a": [1, 2]}))
    tables, last = asked(capfd, tmp_path)
    assert (tables["other"]["state"], tables["other"]["rows"], tables["other"]["source_table"]) == ("untracked", 2, None)
    assert last is None


def test_it_counts_what_optimize_left(graph, options, tmp_path, capfd):
    ingest_local(pipeline(entry("messages")), tmp_path, options)
    later(graph)
    ingest_local(pipeline(entry("messages")), tmp_path, options)
    DeltaTable(str(tmp_path / "main" / "teams" / "messages")).optimize.compact()
    tables, _ = asked(capfd, tmp_path)
    assert tables["messages"]["rows"] == len(graph.truth("messages"))
    assert tables["messages"]["read_until"] is not None
    assert differences(graph, tmp_path, ["messages"]) == []


def test_an_empty_folder_is_a_mistake(tmp_path, capfd):
    for folder in (tmp_path, tmp_path / "absent"):
        assert run(["status", "--target", str(folder)]) == 2
        assert "there is no Delta table" in capfd.readouterr().err


def shell(words, *, cword):
    env = {**os.environ, "_LAKEFLOW_TEAMS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(cword)}
    command = [sys.executable, "-m", "lakeflow_teams"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_the_shell_completes_commands_tables_and_options():
    assert {"ingest", "init"} <= set(shell("lakeflow-teams in", cword=1))
    assert shell("lakeflow-teams schema message_rep", cword=2) == ["message_replies"]
    assert shell("lakeflow-teams preview teams -o fetch_all_t", cword=4) == ["fetch_all_teams="]
    assert shell("lakeflow-teams preview teams -o client_sec", cword=4) == ["client_secret_env=", "client_secret_file="]
    assert shell("lakeflow-teams init --tables teams,memb", cword=3) == ["teams,members"]


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_the_completion_script_is_there(kind):
    env = {**os.environ, "_LAKEFLOW_TEAMS_COMPLETE": f"{kind}_source"}
    done = subprocess.run([sys.executable, "-m", "lakeflow_teams"], capture_output=True, text=True, env=env)
    assert "_LAKEFLOW_TEAMS_COMPLETE" in done.stdout
