"""What a notebook sees: frames in one call, bars where a person watches, tables as HTML, names that an editor completes."""

from __future__ import annotations

import asyncio
import fcntl
import inspect
import os
import pty
import struct
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from mypy import api as mypy

from lakeflow_teams import GraphEmulator, PermissionDeniedError, TeamsClient, ingest_local
from support.lakehouse import NEEDS, TABLES, entry, pipeline
from support.paths import ROOT


@pytest.fixture
def client(options):
    return TeamsClient(options)


@pytest.mark.parametrize("table", TABLES)
def test_each_library_gets_every_row_in_one_call(client, graph, table):
    rows = len(graph.truth(table))
    assert rows > 0
    read = lambda: client.read(table, **NEEDS[table])  # noqa: E731
    arrow, relation = read().to_arrow(), read().to_duckdb()
    assert arrow.num_rows == read().to_polars().height == len(read().to_pandas()) == rows
    assert arrow.schema.equals(pa.schema(client.schema(table, **NEEDS[table])))
    for _ in range(2):  # a relation can be asked again
        assert relation.aggregate("count(*)").fetchall() == [(rows,)]


def test_values_survive_the_way(client, graph):
    key = itemgetter("team_id", "channel_id", "id")
    truth = {key(row): row["body"]["content"] for row in graph.truth("messages")}
    needs = NEEDS["messages"]
    frames = {
        "arrow": client.read("messages", **needs).to_arrow().to_pylist(),
        "polars": client.read("messages", **needs).to_polars().to_dicts(),
        "pandas": client.read("messages", **needs).to_pandas().to_dict("records"),
    }
    for rows in frames.values():
        assert {key(row): row["body"]["content"] for row in rows} == truth


def test_an_empty_table_keeps_its_columns():
    with GraphEmulator(teams=1, users=1, chats=0) as empty:
        frame = TeamsClient(empty.options).read("chats").to_polars()
    assert frame.height == 0
    assert frame.columns[0] == "id"


def test_errors_keep_their_class(client, graph):
    graph.set(roles=["Team.ReadBasic.All"])
    with pytest.raises(PermissionDeniedError, match="TeamMember"):
        client.read("members", fetch_all_teams=True).to_pandas()


def test_batches_come_with_async_for(client, graph):
    async def count():
        return sum([len(batch) async for batch in client.read("teams")])

    assert asyncio.run(count()) == len(graph.truth("teams"))


def test_what_takes_an_arrow_stream_takes_it_as_it_is(client, graph, tmp_path):
    write_deltalake(str(tmp_path / "teams"), client.read("teams"))
    assert DeltaTable(str(tmp_path / "teams")).count() == len(graph.truth("teams"))


def test_threads_can_share_a_client(client, graph):
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda table: client.read(table, **NEEDS[table]).to_arrow().num_rows, TABLES))
    assert counts == [len(graph.truth(table)) for table in TABLES]


def test_a_bar_on_request_counts_the_rows(client, graph, capsys, monkeypatch):
    monkeypatch.setattr("lakeflow_teams.stream.BAR_DELAY_SECONDS", 0)
    client.read("teams", progress=True).to_arrow()
    err = capsys.readouterr().err
    assert "teams" in err
    assert f"{len(graph.truth('teams')):.2f} rows" in err
    assert "requests=" in err


@pytest.mark.parametrize("progress", [None, False])
def test_jobs_get_no_bar(client, capsys, monkeypatch, progress):
    monkeypatch.setattr("lakeflow_teams.stream.BAR_DELAY_SECONDS", 0)
    client.read("teams", progress=progress).to_arrow()
    assert capsys.readouterr() == ("", "")


SLOW = """
from lakeflow_teams import GraphEmulator, TeamsClient
with GraphEmulator(teams=4, messages_per_channel=50, latency_ms=150) as graph:
    TeamsClient(graph.options, max_concurrency=2).read("messages", fetch_all_teams=True, fetch_all_channels=True).to_arrow()
"""


def test_a_long_read_on_a_terminal_shows_a_bar():
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    done = subprocess.run([sys.executable, "-c", SLOW], stderr=theirs, timeout=120)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert done.returncode == 0
    assert b"messages: " in shown
    assert b" rows" in shown


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


def test_tables_schema_reports_and_runs_show_as_tables(client, options, tmp_path):
    assert "ChannelMessage.Read.All" in client.tables()._repr_html_()
    assert "<td" in client.schema("messages")._repr_html_()
    assert "lastModifiedDateTime" in client.schema("messages")._repr_html_()
    assert "array&lt;struct&lt;" in client.schema("messages")._repr_html_()
    assert "displayName" in client.read("teams")._repr_html_()
    done = ingest_local(pipeline(entry("teams")), tmp_path / "<b>", options)
    assert "main.teams.teams" in done._repr_html_()
    assert "<b>" not in done._repr_html_()
    assert "requests" in client.report._repr_html_()


def test_help_says_what_comes_back_and_what_is_raised():
    text = inspect.getdoc(TeamsClient.read)
    for word in ("to_pandas", "to_polars", "PermissionDeniedError", "progress", "columns"):
        assert word in text
    for name, member in inspect.getmembers(TeamsClient, callable):
        assert name.startswith("_") or inspect.getdoc(member), name


@pytest.mark.slow
def test_an_editor_knows_the_names_of_options(tmp_path):
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "from datetime import date\n"
        "from lakeflow_teams import TeamsClient\n"
        "client = TeamsClient(tenant_id='t', client_id='c', max_concurrency=4)\n"
        "client.read('messages', fetch_all_teams=True, team_id=['a'], start_date=date(2025, 1, 1))\n"
        "client.read('teams', fetch_al_teams=True)\n"
        "TeamsClient(tenant='t')\n"
        "client.read('teams', fetch_all_teams=1.5)\n"
    )
    out, err, _ = mypy.run(["--config-file", str(ROOT / "pyproject.toml"), str(snippet)])
    assert err == ""
    wrong = [line for line in out.splitlines() if "snippet.py" in line and "error:" in line]
    assert ["fetch_al_teams" in wrong[0], '"tenant"' in wrong[1], "fetch_all_teams" in wrong[2], len(wrong)] == [
        True
    ] * 3 + [3]


def test_the_tutorial_runs_and_holds_no_output():
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(ROOT / "examples" / "tutorial.ipynb", as_version=4)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("text/html" in output.get("data", {}) for output in shown)
    assert not any(output.output_type == "error" for output in shown)
