"""Where a lakehouse may lie: any folder that can be written, found out before the first request."""

from __future__ import annotations

import os
import sys

import pytest
from deltalake import write_deltalake

from lakeflow_teams import ConfigurationError, ingest_local
from lakeflow_teams.local.status import status
from support.lakehouse import differences, entry, later, pipeline, stored

NAMES = [
    "my lake", "50%", "a%20b", "a%2Fb", "a#b", "a?b", "a:b", "[x]", "{y}", "a+b&c", "ünï 漢字", "a|b", "a^b", "it's", 'q"q',
    "$HOME", "~", "a\\b", "a\nb", "a\x01b", "\udcff", " ", "-rf", ".hidden", "a" * 200,
]  # fmt: skip
#: Five at a time, each in the one before.
PATHS = ["/".join(NAMES[at : at + 5]) for at in range(0, len(NAMES), 5)]
SPEC = pipeline(entry("members"), entry("messages"), entry("members", "history", scd_type="SCD_TYPE_2"))


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_a_folder_may_have_any_name(graph, options, tmp_path, path):
    target = tmp_path / path
    ingest_local(SPEC, target, options)
    later(graph)
    summary = ingest_local(SPEC, target, options)
    assert not [note for note in summary.notes if "could not be written" in note or "everything is read again" in note]
    above = tmp_path
    for name in path.split("/"):
        assert [folder.name for folder in above.iterdir()] == [name]
        above /= name
    assert differences(graph, target, ["members", "messages"]) == []
    assert {line.state for line in status(target).tables} == {"done", "untracked"}
    assert stored(target, "ingest_report").num_rows > 0
    assert not list(target.rglob(".staging-*")), "nothing is left over"


@pytest.mark.parametrize("name", ["a%20b", "a#b", "[x]", "a|b"])
def test_a_table_may_have_any_name(graph, options, tmp_path, name):
    spec = pipeline(entry("members", name))
    ingest_local(spec, tmp_path, options)
    graph.mutate(member_adds=2)
    ingest_local(spec, tmp_path, options)
    assert stored(tmp_path, name).num_rows == len(graph.truth("members"))


def test_what_cannot_be_written_is_refused_before_the_first_request(graph, options, tmp_path):
    (tmp_path / "file").touch()
    long = "x" * 256
    for target, reason in {
        tmp_path / "file": "Not a directory",
        tmp_path / "file" / "below": "Not a directory",
        tmp_path / long: "a name too long",
        tmp_path / "null\0byte": "with a null",
        "/proc/lake": "No such file or directory",
    }.items():
        graph.clear_requests()
        with pytest.raises(ConfigurationError, match=f"destination main.teams.members: .* cannot be written .*{reason}"):
            ingest_local(SPEC, target, options)
        assert graph.requests() == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_others_is_refused_before_the_first_request(graph, options, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        ingest_local(SPEC, tmp_path / "lake", options)
    assert graph.requests() == []


def test_a_table_of_another_program_is_refused_before_the_first_request(graph, options, tmp_path):
    ingest_local(pipeline(entry("members")), tmp_path, options)
    write_deltalake(str(tmp_path / "main" / "teams" / "messages"), stored(tmp_path, "members"))
    graph.clear_requests()
    with pytest.raises(ConfigurationError, match=r"main\.teams\.messages: .*lakeflow-teams did not write"):
        ingest_local(SPEC, tmp_path, options)
    assert graph.requests() == []


def test_a_table_of_another_source_is_refused_before_the_first_request(graph, options, tmp_path):
    ingest_local(pipeline(entry("members", "messages")), tmp_path, options)
    graph.clear_requests()
    with pytest.raises(ConfigurationError, match=r"main\.teams\.messages: it was filled with source_table members"):
        ingest_local(SPEC, tmp_path, options)
    assert graph.requests() == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_disk_that_fills_is_one_line(graph, options, tmp_path):
    import resource
    import subprocess

    (tmp_path / "pipeline.yaml").write_text(str(pipeline(entry("messages"), entry("message_replies"))))
    environment = {**os.environ, **{f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in options.items()}}
    command = [
        sys.executable,
        "-m",
        "lakeflow_teams",
        "ingest",
        "pipeline.yaml",
        "--target",
        "lake",
        "--quiet",
        "--no-report",
    ]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))

    done = subprocess.run(
        command, env=environment, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert "the disk is full; what was committed stays" in done.stderr
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    assert differences(graph, tmp_path / "lake", ["messages", "message_replies"]) == []
