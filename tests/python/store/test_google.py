"""A lakehouse in Google's storage, as far as a server of its dialect can tell."""

from __future__ import annotations

import json

import pytest

from lakeflow_teams import ConfigurationError, ingest_local
from lakeflow_teams.local.status import status
from lakeflow_teams.store.locate import locate
from support.lakehouse import differences, entry, later, pipeline
from support.stores import created_late

TABLES = ("members", "message_replies")
SPEC = pipeline(*(entry(table) for table in TABLES))


def test_tables_status_and_report_lie_in_the_bucket(google, graph, options):
    target = google.target()
    ingest_local(SPEC, target, options)
    later(graph)
    summary = ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    assert summary.page.startswith(f"{target}/_reports/")
    assert {table.state for table in status(target).tables} == {"done", "untracked"}


def test_a_small_file_is_written_listed_and_removed(google):
    folder = locate(google.target()) / "a"
    file = folder / "file.json"
    file.write(b"1")
    assert (file.read(), [each.name for each in folder.files()]) == (b"1", ["file.json"])
    file.remove()
    assert file.read() is None


def test_one_of_two_creates_a_table(google):
    assert created_late(google.target()) == ([{"id": "1"}], 0)


def test_a_key_that_is_none_is_told_before_graph_is_asked(google, graph, options, monkeypatch):
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps({"private_key": "HIDDEN"}))
    with pytest.raises(ConfigurationError) as caught:
        ingest_local(SPEC, google.target(), options)
    assert "Google Cloud Storage does not accept the credentials" in str(caught.value)
    assert "check GOOGLE_SERVICE_ACCOUNT" in str(caught.value)
    assert "HIDDEN" not in str(caught.value)
    assert graph.requests() == []


def test_a_bucket_that_is_not_there(google, graph, options):
    with pytest.raises(ConfigurationError, match="there is no bucket nobody-made-it; create it"):
        ingest_local(SPEC, "gs://nobody-made-it/lake", options)
    assert graph.requests() == []
