"""``lakeflow-teams listen`` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import yaml

from support.lakehouse import differences, entry, pipeline

MESSAGES = ("messages", "message_replies")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def written(folder, graph, *entries):
    """A pipeline file with the tenant's connection; without entries of channel messages."""
    spec = pipeline(*(entries or [entry(table) for table in MESSAGES]))
    file = Path(folder) / "pipeline.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({**spec, "connection": dict(graph.options)}), encoding="utf-8")
    return file


def command(*arguments):
    return [sys.executable, "-m", "lakeflow_teams", "listen", *map(str, arguments)]


def tell(*arguments):
    """What a subcommand answers as JSON."""
    done = subprocess.run(command(*arguments, "--json"), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout)


def wait_for(what, seconds=120.0, pause=0.1):
    """What a call gives once it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"{what} did not come true: {found!r}"
        time.sleep(pause)
    return found


class Listening:
    """A listener, its port, and what it said."""

    def __init__(self, pipeline, target, *more, port=None):
        self.pipeline, self.target, self.more = pipeline, target, more
        self.port = port or free_port()
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/teams"

    def start(self):
        given = [] if self.more and "--event-hub" in self.more else ["--url", self.url, "--port", self.port]
        self.process = subprocess.Popen(
            command(self.pipeline, "--target", self.target, *given, *self.more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        line = self.process.stdout.readline()
        assert line.startswith(("listening on", "reading")), (line, self.process.stderr.read())
        return self

    def status(self):
        return tell("status", "--target", self.target)

    def ready(self, polls=1):
        """Waits until it has subscribed and polled."""
        file = Path(self.target) / "_listen" / "losses.jsonl"
        wait_for(lambda: file.exists() and len(file.read_text().splitlines()) >= polls)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._end()

    def end(self):
        """As Ctrl-C or an orchestrator does; its exit code, and what it said."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)
        return self.process.returncode, self._end()

    def _end(self):
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()
        self.process = None
        return said


@contextmanager
def listening(pipeline, target, *more, port=None):
    listener = Listening(pipeline, target, *more, port=port).start()
    try:
        yield listener
    finally:
        if listener.process is not None:
            listener.kill()


def equal(graph, target, tables=MESSAGES):
    """Whether the tables hold what the tenant does; not before they are there."""
    try:
        return differences(graph, target, tables) == []
    except FileNotFoundError:
        return False
