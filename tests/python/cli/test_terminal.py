"""Terminals that cannot show everything, readers that leave early, and what native libraries print."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from lakeflow_teams.cli import output
from lakeflow_teams.results.summary import Progress
from lakeflow_teams.results.terminal import progress
from support.lakehouse import entry, pipeline
from support.quick import quick

NAMES = "Plan 🎉 für 漢字 \u202e"
ENCODINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@pytest.fixture
def ran(graph, options, tmp_path):
    """Runs the command line against a tenant whose teams have names of many scripts."""
    graph.mutate(renamed_channels=2)
    (tmp_path / "pipeline.yaml").write_text(f"# {NAMES}\n{json.dumps(pipeline(entry('teams'), entry('channels')))}", "utf-8")

    def run(encoding, *arguments):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONIO", "LC_", "LANG"))}
        given = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}
        command = [sys.executable, "-m", "lakeflow_teams", *arguments]
        done = subprocess.run(command, env={**own, **given, **encoding}, capture_output=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    return run


@pytest.mark.parametrize("encoding", quick(["C"], "cp1252", "ascii", "latin-1"))
def test_every_command_shows_what_the_terminal_can(ran, encoding):
    for arguments in (
        ("preview", "messages", "-o", "fetch_all_teams=true", "-o", "fetch_all_channels=true"),
        ("ingest", "pipeline.yaml", "--target", f"läke-{encoding}"),
        ("status", "--target", f"läke-{encoding}"),
        ("init", "--tables", "teams", "--yes", "--output", f"ünï-{encoding}.yaml"),
        ("tables",),
        ("plan", "pipeline.yaml", "--teams", "4"),
        ("check", "--table", "teams"),
    ):
        ran(ENCODINGS[encoding], *arguments)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_says_the_same_in_every_encoding(ran, encoding):
    arguments = ("preview", "messages", "-o", "fetch_all_teams=true", "-o", "fetch_all_channels=true", "-n", "200", "--json")
    utf8 = ran({"PYTHONIOENCODING": "utf-8"}, *arguments).decode()
    assert not utf8.isascii()
    other = ran(ENCODINGS[encoding], *arguments).decode("ascii")
    assert sorted(map(str, map(json.loads, other.splitlines()))) == sorted(map(str, map(json.loads, utf8.splitlines())))


@pytest.mark.parametrize(
    ("printed", "debug", "shown"),
    [
        ("thread 'tokio' panicked at x.rs:1:\\nAlready shut down\\n", "", ""),
        ("a warning of a library\\n", "", "a warning of a library\n"),
        ("thread 'tokio' panicked at x.rs:1:\\n", "1", "thread 'tokio' panicked at x.rs:1:\n"),
    ],
    ids=["panic", "anything else", "panic, debugging"],
)
def test_native_panics_are_not_shown(printed, debug, shown):
    program = (
        "import os, sys\nfrom lakeflow_teams.cli.output import terminal\n"
        f"with terminal():\n    os.write(2, b\"{printed}\")\n    print('ours', file=sys.stderr)\nprint('after', file=sys.stderr)"
    )
    environment = {**os.environ, "LAKEFLOW_TEAMS_DEBUG": debug}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.replace("ours\n", "").replace("after\n", "") == shown
    assert done.stderr.endswith("after\n")


def test_a_path_that_is_no_text_is_shown(capsys):
    with output.terminal():
        output.print_json({"path": "a\udcff"})
    assert json.loads(capsys.readouterr().out) == {"path": "a?"}


@pytest.mark.parametrize("width", [80, 40])
def test_a_bar_says_how_much_is_left_and_marks_what_failed(width):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    with progress(console=console) as tell:
        tell(Progress("main.teams.messages", 50, 1, share=0.5))
        tell(Progress("main.teams.members", 3, 0))
        tell(Progress("main.teams.members", 3, 0, done=True, error="ServiceError: no"))
        tell(Progress("main.teams.teams", 4, 1, done=True))
        console.print("")
    lines = screen.getvalue().splitlines()
    assert any("messages" in line and "50%" in line and "left" in line for line in lines)
    assert any("✗" in line and "members" in line and "failed" in line for line in lines)
    assert any("✓" in line and "teams" in line for line in lines)
    assert not any("✓" in line and "members" in line for line in lines)
