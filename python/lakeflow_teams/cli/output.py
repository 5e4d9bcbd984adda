"""What a command prints: whatever the terminal can show of it, and nothing that native code adds of its own."""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any, TextIO

import click

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def verbose() -> None:
    """Logs what the connector does, to stderr."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("lakeflow_teams").setLevel(logging.INFO)


def print_json(content: Any, indent: int | None = 2) -> None:
    """Prints JSON; as ASCII where stdout is not UTF-8, because JSON has a form of its own for every character."""
    click.echo(json.dumps(content, indent=indent, ensure_ascii=not _is_utf8(), default=str))


def _is_utf8() -> bool:
    return codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"


@contextmanager
def terminal() -> Iterator[None]:
    """Around a command. What the terminal's encoding lacks is shown as ``?``, and native panics are not shown.

    Their threads print them to the descriptor behind stderr, past Python. The error that follows is raised, and says
    what happened. What else they print comes at the end; with ``LAKEFLOW_TEAMS_DEBUG`` everything comes at once.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    os.environ.setdefault(
        "RUST_LOG", "error"
    )  # warnings of libraries, such as of a cloud's metadata service, are none of ours
    if os.environ.get("LAKEFLOW_TEAMS_DEBUG") or not _is_own_stderr():
        yield
        return
    given = sys.stderr
    with (
        TemporaryFile() as native,
        open(os.dup(2), "w", encoding=given.encoding, errors="replace", buffering=1) as shown,  # noqa: PTH123
    ):
        os.dup2(native.fileno(), 2)
        sys.stderr = shown
        try:
            yield
        finally:
            flushed(shown)
            os.dup2(shown.fileno(), 2)
            sys.stderr = given
            native.seek(0)
            said = native.read()
            if b"panicked at" not in said:
                os.write(2, said)


def flushed(stream: TextIO) -> None:
    """Flushes a stream; where its reader has left, what is still to be written goes nowhere."""
    try:
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _is_own_stderr() -> bool:
    try:
        return sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False
