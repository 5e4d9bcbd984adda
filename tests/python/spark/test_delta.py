"""Delta tables through Spark, where Spark's package resolution brings the jars."""

from __future__ import annotations

import json
import os

import pytest

from support.paths import PROGRAMS
from support.programs import run_python

PACKAGES = os.environ.get("DELTA_PACKAGES")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.delta,
    pytest.mark.skipif(not PACKAGES, reason="DELTA_PACKAGES does not name Delta's Maven coordinates for this Spark"),
]


def program(name, folder):
    """What the program answered; a skip where its jars could not be had."""
    run = run_python(PROGRAMS / name, folder, PACKAGES, timeout=900)
    if "NO JARS" in run.stdout:
        pytest.skip(f"Spark could not resolve {PACKAGES}: {run.stderr.strip()[-300:]}")
    answer = next((line for line in run.stdout.splitlines() if "ANSWER " in line), None)
    assert answer is not None, [line for line in run.stderr.splitlines() if not line.lstrip().startswith("at ")][-40:]
    return json.loads(answer.split("ANSWER ", 1)[1])


def test_a_plain_session_merges_into_delta_tables(tmp_path):
    answer = program("delta.py", tmp_path)
    assert {place: found for place, found in answer["answer"].items() if found} == {}
    assert len(answer["answer"]) == 10
    assert answer["formats"] == ["delta"]
    assert answer["clusters"] == {"teams": ["id"], "users": ["id"], "messages": [], "streamed": []}


def test_a_declarative_pipeline_replays_logs_into_delta_tables(tmp_path):
    """Spark's own AUTO CDC refuses Delta's tables (AUTOCDC_TARGET_DOES_NOT_SUPPORT_MERGE)."""
    pytest.importorskip("grpc")
    pytest.importorskip("pyspark.pipelines")
    first, second, more = program("declarative.py", tmp_path)
    assert {**first, **second} == {"teams": [], "users": [], "messages": []}
    assert first == second
    assert {"users__log", "messages__log", "message_log"} <= set(more["tables"])
    assert more["formats"] == ["delta"]


def test_pushed_rows_are_merged_as_the_documentation_shows(tmp_path):
    answer = program("notifications_delta.py", tmp_path)
    assert len(answer["answer"]) == 9
    assert {place: found for place, found in answer["answer"].items() if found} == {}
    assert (answer["problems"], answer["failures"]) == ([], [])
