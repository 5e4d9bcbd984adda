"""``lakeflow-teams bot serve`` and ``bot conversations``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from lakeflow_teams.cli.app import run
from support.bots import rows, tell, until

APP = """
import json, time
from lakeflow_teams.bot import TeamsBot
bot = TeamsBot(json.loads(open("options.json").read()), target="lake")

@bot.message
def answer(message):
    time.sleep(float(message.text))
    return "done"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop_and_ends_with_0(graph, user, tmp_path, number):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "options.json").write_text(json.dumps(dict(graph.options)))
    command = [sys.executable, "-m", "lakeflow_teams", "bot", "serve", "app:bot", "--port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    with process.stderr:
        line = process.stderr.readline()
        while "listening on" not in line:
            assert line, "it did not start"
            line = process.stderr.readline()
        url = line.split()[-1]
        assert tell(graph, url, deed="message", user=user, text="0") == [200]
        until(graph.deliveries)
        # A handler that is under way has a moment, and no more.
        assert tell(graph, url, deed="message", user=user, text="300") == [200]
        process.send_signal(number)
        assert process.wait(100) == 0  # before its handler ends by itself
        rest = process.stderr.read()
    assert "Traceback" not in rest
    assert sorted(row["state"] for row in rows(tmp_path / "lake")) == ["handled", "pending"]


def test_an_app_that_is_none_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thing.py").write_text("text = 'x'\n")
    for name, said in (
        ("thing", "an app is named module:attribute"),
        ("nothing_here:bot", "there is no module nothing_here"),
        ("thing:bot", "the module thing has no bot"),
        ("thing:text", "it is a str, and no ASGI app"),
    ):
        assert run(["bot", "serve", name]) == 2
        assert said in capsys.readouterr().err


def test_conversations_are_printed(graph, user, make, tmp_path, capsys):
    assert run(["bot", "conversations", "--target", str(tmp_path / "none")]) == 2
    make().send(user, "hello")
    assert run(["bot", "conversations", "--target", str(tmp_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["recipient_id"], row["kind"], row["installed"]) == (user, "user", True)
    assert run(["bot", "conversations", "--target", str(tmp_path)]) == 0
    assert user in capsys.readouterr().out
