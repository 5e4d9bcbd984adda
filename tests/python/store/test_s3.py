"""A lakehouse in S3: the same tables as in a folder, whatever the store does to the ingest."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa
import pytest

from lakeflow_teams import LakeflowTeamsError, ingest_local
from lakeflow_teams.local import incremental
from lakeflow_teams.local.maintain import maintain
from lakeflow_teams.local.status import status
from lakeflow_teams.local.write import delta
from support.lakehouse import TABLES as ALL
from support.lakehouse import differences, entry, later, pipeline, place, version

TABLES = ("members", "messages", "message_replies")
SPEC = pipeline(*(entry(table) for table in TABLES))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 60)


def test_tables_status_and_report_lie_in_the_bucket(s3, graph, options):
    target = s3.target()
    ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    later(graph)
    summary = ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    assert summary.page.startswith(f"{target}/_reports/")
    found = status(target)
    assert [table.table for table in found.tables] == [f"main.teams.{table}" for table in sorted([*TABLES, "ingest_report"])]
    assert found.last_run["destinations"][0]["path"] == f"{target}/main/teams/members"
    assert len(found.last_run["history"]) == 2
    assert found.last_run["volume"]["channels"]
    before = [version(target, table) for table in TABLES]
    ingest_local(SPEC, target, options)
    assert [version(target, table) for table in TABLES] == before


@pytest.mark.stores
def test_small_files_are_put_together_there_too(s3, graph, options):
    target = s3.target()
    for _ in range(3):
        ingest_local(SPEC, target, options)
        later(graph)
    before = {each.table: each.files for each in status(target).tables}
    done = {each.table: each for each in maintain(target)}
    assert {table: each.before for table, each in done.items()} == before
    assert done["main.teams.messages"].after < before["main.teams.messages"]
    ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    assert missing_files(s3, target) == []


#: Requests of the table that the faults hit; the probe before is none of them.
COMMIT = r"message[^/]*/_delta_log/0+%s\.json$"
DATA = r"messages/part-.*parquet$"


@pytest.mark.parametrize(
    "rules",
    [
        [("lost", "PUT", COMMIT % 0, 0, 1)],
        [("lost", "PUT", COMMIT % 1, 0, 1)],
        [("cut", "PUT", DATA, 1, 1)],
        pytest.param(
            [("slow_down", "PUT", "messages/", 1, 3), ("slow_down", "GET", "lake-bucket", 5, 3)], marks=pytest.mark.stores
        ),
        pytest.param([("cut", "PUT", COMMIT % 0, 0, 1)], marks=pytest.mark.stores),
        pytest.param([("cut", "PUT", DATA, 0, 3), ("lost", "PUT", DATA, 3, 2)], marks=pytest.mark.stores),
        pytest.param([("lost", "GET", "_delta_log", 3, 4)], marks=pytest.mark.stores),
    ],
    ids=["creation", "commit", "upload", "throttling", "cut commit", "uploads", "reads"],
)
def test_what_happens_on_the_way_loses_and_doubles_nothing(s3, graph, options, rules):
    target = s3.target()
    spec = pipeline(entry("messages"), entry("message_replies"))
    s3.faults(*rules)
    ingest_local(spec, target, options)
    assert differences(graph, target, TABLES[1:]) == []
    assert missing_files(s3, target) == []


def missing_files(s3, target):
    """Data files of messages that the table names and that are not there."""
    table = delta.opened(place(target, "messages"))
    named = {each["path"] for each in pa.table(table.get_add_actions()).to_pylist()}
    prefix = f"{target.removeprefix('s3://lake-bucket/')}/main/teams/messages/"
    return sorted(named - {key.removeprefix(prefix) for key in s3.objects()})


@pytest.mark.stores
@pytest.mark.parametrize("fault", ["expired", "denied", "slow_down"])
@pytest.mark.parametrize("path", [COMMIT % "[0-9]", DATA, "lake-bucket"])
def test_a_credential_that_ends_in_the_middle_ends_the_run_in_one_line(s3, graph, options, fault, path, monkeypatch):
    target = s3.target()
    spec = {**SPEC, "storage_options": {"max_retries": "1", "retry_timeout": "2s"}}
    s3.faults((fault, "PUT", path, 4 if path == "lake-bucket" else 1), (fault, "GET", path, 8))
    with pytest.raises(LakeflowTeamsError) as caught:
        ingest_local(spec, target, options)
    line = str(caught.value)
    assert f"target {target}: " in line
    assert "\n" not in line
    s3.faults()
    ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []


@pytest.mark.parametrize("turn", range(2))
def test_one_of_several_creates_a_table(s3, turn):
    target, begin = s3.target(), Barrier(4)

    def create(number):
        rows = pa.table({"id": [str(number)] * 1000})
        begin.wait()
        try:
            return delta.create(target, rows.schema, [rows])
        except delta.OvertakenError:
            return 0

    with ThreadPoolExecutor(4) as threads:
        created = list(threads.map(create, range(4)))
    assert sorted(created) == [0, 0, 0, 1000]
    table = delta.opened(target)
    assert table.version() == 0
    assert delta.read(table)["id"].unique().to_pylist() == [str(created.index(1000))]
    assert (
        len([key for key in s3.objects() if f"{target}/".endswith(key.split("/")[0] + "/") and key.endswith("parquet")]) == 1
    )


INGEST = """
import json, sys
from lakeflow_teams.local import incremental, ingest_local, runner
import obstore, lakeflow_teams.store.bucket
incremental.ROWS_PER_BATCH = 60
print("ready", flush=True)
spec, target, options = json.loads(sys.stdin.readline())
ingest_local(spec, target, options)
"""


def ingest(graph, target):
    """An ingest that begins now, in a program of its own: its imports, which take longer than it does, are done."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", INGEST], **pipes)
    assert process.stdout.readline() == "ready\n"
    spec = pipeline(*(entry(table, top=20) for table in ALL))
    process.stdin.write(json.dumps([spec, target, dict(graph.options)]) + "\n")
    process.stdin.flush()
    return process


def finish(process):
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said


@pytest.mark.stores
def test_two_ingests_at_the_same_time(s3, graph):
    target = s3.target()
    for _ in range(2):
        for process in [ingest(graph, target), ingest(graph, target)]:
            finish(process)
        assert differences(graph, target) == []
        later(graph)
    finish(ingest(graph, target))
    assert differences(graph, target) == []


@pytest.mark.stores
def test_a_kill_at_any_moment_loses_and_doubles_nothing(s3, graph):
    begin = time.monotonic()
    finish(ingest(graph, s3.target()))
    whole = time.monotonic() - begin
    moments = random.Random(16)
    for _ in range(5):
        target = s3.target()
        process = ingest(graph, target)
        time.sleep(moments.uniform(0.0, 1.0) * whole)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        finish(ingest(graph, target))
        assert differences(graph, target) == []
        later(graph)
        process = ingest(graph, target)
        time.sleep(moments.uniform(0.0, 0.5) * whole)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        finish(ingest(graph, target))
        assert differences(graph, target) == []
