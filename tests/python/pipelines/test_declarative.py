"""An open-source declarative pipeline, from end to end."""

from __future__ import annotations

import json

import pytest

from support.paths import PROGRAMS
from support.programs import run_python


@pytest.mark.slow
def test_a_declarative_pipeline_keeps_tables_equal_to_the_tenant(tmp_path):
    pytest.importorskip("pyspark.pipelines")
    pytest.importorskip("grpc")
    run = run_python(PROGRAMS / "declarative.py", tmp_path)
    answer = next((line for line in run.stdout.splitlines() if line.startswith("ANSWER ")), None)
    assert answer is not None, run.stderr[-4000:]
    first, second, more = json.loads(answer.removeprefix("ANSWER "))
    assert {**first, **second} == {"teams": [], "users": [], "messages": []}
    assert first == second
    assert more["rows"] > 0
    # Spark Connect writes every option to the event log; the secret was given by reference.
    events = "".join(file.read_text() for file in (tmp_path / "events").rglob("*") if file.is_file())
    assert "client_secret_file" in events
    assert more["secret"] not in events
    assert more["secret"] not in run.stderr
