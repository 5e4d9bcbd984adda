"""A secret is never shown: not in a repr, an error, a log, a pickle or an output."""

from __future__ import annotations

import logging
import pickle
import traceback

import pytest

from lakeflow_teams import AuthenticationError, ConfigurationError, MicrosoftTeamsLakeflowConnect, TeamsClient, ingest_local
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import entry, pipeline

SECRET = "Zq8~never.shown-4711"


@pytest.fixture
def wrong(options):
    return {**options, "client_secret": SECRET}


def test_reprs_hide_it(wrong):
    for thing in (TeamsClient(wrong), MicrosoftTeamsLakeflowConnect(wrong)):
        assert SECRET not in f"{thing!r} {thing!s}"
        assert "***" in repr(thing)
        assert wrong["tenant_id"] in repr(thing)
    assert SECRET not in repr(load({**pipeline(), "connection": wrong}))


@pytest.mark.parametrize("secret", ["yes", "12_345", "0x1F", "0o17", "1e3", "2025-01-01", "12:30:45", "off"])
@pytest.mark.parametrize("place", ["pipeline", "connection file"])
def test_a_secret_that_yaml_reads_as_something_else_is_refused(tmp_path, secret, place):
    lines = f"tenant_id: t\nclient_id: c\nclient_secret: {secret}\n"
    (tmp_path / "connection.yaml").write_text(lines)
    given = "connection.yaml" if place == "connection file" else "\n  " + lines.replace("\n", "\n  ")
    path = tmp_path / "pipeline.yaml"
    path.write_text(f"connection: {given}\nobjects:\n  - table: {{source_table: teams}}\n")
    if secret in ("1e3", "0o17"):  # which YAML 1.1 leaves a text
        assert load(path).connection["client_secret"] == secret
        return
    with pytest.raises(ConfigurationError, match=r"client_secret: a secret must be text.*in quotes"):
        load(path)
    quoted = path.read_text().replace(secret, f"'{secret}'")
    path.write_text(quoted)
    (tmp_path / "connection.yaml").write_text(lines.replace(secret, f"'{secret}'"))
    assert load(path).connection["client_secret"] == secret


def test_a_client_does_not_pickle(wrong):
    with pytest.raises(TypeError, match="make one per process"):
        pickle.dumps(TeamsClient(wrong))


def test_errors_and_logs_hide_it(wrong, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(AuthenticationError, match="AADSTS7000215") as caught:
        list(TeamsClient(wrong).read("teams"))
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown + caplog.text + repr(caught.value) + repr(vars(caught.value))
    assert SECRET.encode() not in pickle.dumps(caught.value)


def test_a_misspelt_secret_is_not_echoed(options):
    with pytest.raises(ConfigurationError) as caught:
        TeamsClient({**options, "client_secrt": SECRET})
    assert SECRET not in str(caught.value)


def test_the_lakehouse_does_not_hold_it(graph, options, tmp_path):
    summary = ingest_local(pipeline(entry("teams"), entry("chats")), tmp_path, options)
    assert options["client_secret"] not in repr(summary) + str(summary.to_dict())
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert options["client_secret"].encode() not in file.read_bytes()
