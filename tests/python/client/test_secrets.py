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
