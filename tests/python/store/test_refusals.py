"""A store that cannot be written is told in one line, with target, reason and remedy, before Graph is asked anything."""

from __future__ import annotations

import json

import pytest

from lakeflow_teams import ConfigurationError, ingest_local
from lakeflow_teams.cli.app import run
from support.lakehouse import entry, pipeline
from support.stores import SECRET

SPEC = pipeline(entry("members"))
ANY = ("PUT", ".")


def refused(graph, options, target, spec=SPEC):
    """The error's line, once it was seen that nothing was read."""
    graph.clear_requests()
    with pytest.raises(ConfigurationError) as caught:
        ingest_local(spec, target, options)
    assert graph.requests() == []
    line = str(caught.value)
    assert "\n" not in line
    assert SECRET not in line
    return line


@pytest.mark.parametrize(
    ("fault", "reason", "remedy"),
    [
        ("denied", "S3 refuses (AccessDenied)", "the credentials need s3:ListBucket, s3:GetObject, s3:PutObject"),
        ("wrong_key", "does not accept the credentials (InvalidAccessKeyId)", "check AWS_ACCESS_KEY_ID and AWS_SECRET"),
        ("expired", "the credentials of S3 have expired (ExpiredToken)", "renew them"),
        ("region", "the bucket is in another region", "set AWS_REGION"),
        ("slow_down", "S3 is busy and refused every repeat (SlowDown)", "run again later"),
        ("careless", "the store writes over a file although told not to", "aws_s3_allow_unsafe_rename"),
    ],
)
def test_a_store_that_refuses(s3, graph, options, fault, reason, remedy):
    target = s3.target()
    s3.faults((fault, *ANY))
    line = refused(graph, options, target)
    assert line.startswith(f"target {target}: ")
    assert reason in line
    assert remedy in line


@pytest.mark.parametrize("command", ["status", "views", "maintain"])
def test_who_only_looks_is_told_in_one_line_too(s3, capfd, command):
    target = s3.target()
    s3.faults(("denied", "GET", "."))
    assert run([command, "--target", target]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"target {target}: S3 refuses (AccessDenied); the credentials need" in err


def test_a_bucket_that_is_not_there(s3, graph, options):
    line = refused(graph, options, "s3://nobody-made-it/lake")
    assert "target s3://nobody-made-it/lake: there is no bucket nobody-made-it; create it" in line


def test_a_store_out_of_reach(s3, graph, options, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "S3 cannot be reached" in refused(graph, options, s3.target())


def test_a_server_without_tls_must_be_allowed(s3, graph, options, monkeypatch):
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    assert "allow_http: true" in refused(graph, options, s3.target())


def test_missing_credentials_are_named(s3, graph, options, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")  # where a machine of AWS has its own
    line = refused(graph, options, s3.target())
    assert "there are no credentials for S3; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in line


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"aws_acces_key_id": SECRET},
            "storage_options.aws_acces_key_id: this store has no such option; did you mean aws_access_key_id?",
        ),
        (
            {"aws_secret_access_key": "${NOT_SET}"},
            "storage_options.aws_secret_access_key: the environment variable NOT_SET is not set",
        ),
        ({"aws_secret_access_key": 12345}, "storage_options.aws_secret_access_key: it must be text, and this is a int"),
        ("text", "storage_options: a mapping of storage options is expected"),
    ],
)
def test_an_option_that_is_none(s3, graph, options, given, line):
    assert line in refused(graph, options, s3.target(), {**SPEC, "storage_options": given})


def test_a_secret_under_the_wrong_name_is_not_quoted(s3, graph, options):
    line = refused(graph, options, s3.target(), {**SPEC, "storage_options": {"aws_skip_signature": SECRET}})
    assert "***" in line


@pytest.mark.parametrize("text", ["{", "[]", '"text"'])
def test_a_variable_that_holds_no_options(s3, graph, options, monkeypatch, text):
    monkeypatch.setenv("LAKEFLOW_TEAMS_STORAGE_OPTIONS", text)
    assert "LAKEFLOW_TEAMS_STORAGE_OPTIONS: it is not a JSON object" in refused(graph, options, s3.target())


def test_a_name_that_deltalake_takes_for_something_else(s3, graph, options):
    line = refused(graph, options, s3.target(), pipeline(entry("members", "a#b")))
    assert "'a#b' cannot be a name in it" in line


def test_a_store_without_conditions_serves_one_ingest_at_a_time(s3, graph, options):
    target = s3.target()
    s3.faults(("careless", *ANY))
    spec = {**SPEC, "storage_options": {"aws_s3_allow_unsafe_rename": True}}
    assert ingest_local(spec, target, options).destinations[0].rows > 0


def test_the_probe_leaves_nothing_behind(s3, graph, options):
    target = s3.target()
    ingest_local(SPEC, target, options, report=False)
    assert any("_lakeflow-teams-probe-" in path for _, path in s3.requests())
    assert [key for key in s3.objects() if "probe" in key] == []


def test_status_says_it_too(s3, capsys):
    assert run(["status", "--target", "s3://nobody-made-it/lake"]) == 1
    assert capsys.readouterr().err.startswith(
        "lakeflow-teams: LakeflowTeamsError: target s3://nobody-made-it/lake: there is no"
    )
    assert run(["status", "--target", s3.target()]) == 2
    assert "there is no Delta table in s3://" in capsys.readouterr().err


def test_no_secret_is_written_or_said(s3, graph, options, tmp_path, capfd, monkeypatch):
    """In the pipeline file by reference, in the variable as JSON: both open the store, neither is seen again."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("LAKE_SECRET", SECRET)
    monkeypatch.setenv("LAKEFLOW_TEAMS_STORAGE_OPTIONS", json.dumps({"aws_secret_access_key": SECRET}))
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    target = s3.target()
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps({**SPEC, "storage_options": {"aws_secret_access_key": "${LAKE_SECRET}"}}))
    monkeypatch.setenv("LAKEFLOW_TEAMS_DEBUG", "1")
    assert run(["-v", "ingest", str(file), "--target", target]) == 0
    assert run(["status", "--target", target, "--json"]) == 0
    s3.faults(("denied", "PUT", "members"))
    assert run(["-v", "ingest", str(file), "--target", target]) == 2
    said = capfd.readouterr()
    assert "AccessDenied" in said.err
    assert SECRET not in said.out + said.err
    written = s3.objects()
    assert any(b"ingest_report" in name.encode() for name in written)
    assert not [name for name, content in written.items() if SECRET.encode() in content]
