"""A lakehouse in Azure's storage, as Azurite speaks for it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from lakeflow_teams import ConfigurationError, ingest_local
from lakeflow_teams.local.journal import unfinished
from lakeflow_teams.local.status import status
from lakeflow_teams.store.locate import locate
from support.lakehouse import differences, entry, later, pipeline, version
from support.stores import created_late

TABLES = ("members", "message_replies")
SPEC = pipeline(*(entry(table) for table in TABLES))


def test_tables_status_and_report_lie_in_the_container(azure, graph, options):
    target = azure.target()
    ingest_local(SPEC, target, options)
    later(graph)
    summary = ingest_local(SPEC, target, options)
    assert differences(graph, target, TABLES) == []
    assert summary.page.startswith(f"{target}/_reports/")
    assert {table.state for table in status(target).tables} == {"done", "untracked"}
    before = [version(target, table) for table in TABLES]
    ingest_local(SPEC, target, options)
    assert [version(target, table) for table in TABLES] == before


def test_a_small_file_is_written_listed_and_removed(azure):
    folder = locate(azure.target()) / "a"
    file = folder / "file.json"
    for content in (b"1", b"2"):
        file.write(content)
        assert file.read() == content
    assert [each.name for each in folder.files()] == ["file.json"]
    file.remove()
    file.remove()
    assert file.read() is None


def test_one_of_two_creates_a_table(azure):
    assert created_late(azure.target()) == ([{"id": "1"}], 0)


def test_a_token_is_taken_before_the_application_of_graph(azure, graph, options, monkeypatch):
    """AZURE_CLIENT_SECRET often is there for Graph. A token for the storage says more about what is meant."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"AZURE_{name}", options[name.lower()])
    monkeypatch.setenv("AZURE_STORAGE_SAS_KEY", azure.sas(expires=at(hours=1)))
    target = azure.target()
    ingest_local(pipeline(entry("members")), target, options)
    assert differences(graph, target, ["members"]) == []
    # What such a token may not delete is no reason to fail, and no run seems to go on.
    assert unfinished(locate(target)) == []


def test_a_token_that_ran_out_is_told_without_it(azure, graph, options, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    token = azure.sas(expires=at(hours=-1))
    monkeypatch.setenv("AZURE_STORAGE_SAS_KEY", token)
    with pytest.raises(ConfigurationError) as caught:
        ingest_local(SPEC, azure.target(), options)
    assert "Azure refuses" in str(caught.value) or "does not accept the credentials" in str(caught.value)
    assert token[-20:] not in str(caught.value)
    assert graph.requests() == []


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("AZURE_STORAGE_ACCOUNT_KEY", "bm90IHRoZSBrZXk=", "Azure refuses (AuthorizationFailure)"),  # Azurite's word for it
        ("AZURE_STORAGE_ACCOUNT_KEY", "%%%", "does not accept the credentials"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "", "no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME"),
        ("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:9/devstoreaccount1", "Azure cannot be reached"),
    ],
)
def test_what_is_wrong_is_told_before_graph_is_asked(azure, graph, options, monkeypatch, name, value, line):
    monkeypatch.setenv(name, value)
    if not value:
        monkeypatch.delenv(name)
    target = azure.target()
    with pytest.raises(ConfigurationError) as caught:
        ingest_local(SPEC, target, options)
    assert str(caught.value).startswith(f"target {target}: ")
    assert line in str(caught.value)
    assert graph.requests() == []


def test_a_container_that_is_not_there(azure, graph, options):
    with pytest.raises(ConfigurationError, match="there is no container nobody-made-it; create it"):
        ingest_local(SPEC, "az://nobody-made-it/lake", options)
    assert graph.requests() == []


def at(**later):
    return (datetime.now(timezone.utc) + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")
