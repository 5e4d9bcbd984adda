"""The core's log records are Python's: under one name, at levels that can be changed at any time, without secrets."""

from __future__ import annotations

import logging

import pytest

from lakeflow_teams import TeamsClient


@pytest.fixture
def logger():
    found = logging.getLogger("lakeflow_teams")
    yield found
    found.setLevel(logging.NOTSET)


def read_with_trouble(graph):
    graph.fault(path="/teams", status=503, times=2, retry_after="0.1")
    return sum(len(batch) for batch in TeamsClient(graph.options).read("teams"))


def records(caplog):
    return [record for record in caplog.records if record.name.startswith("lakeflow_teams")]


def test_levels_can_be_changed_while_the_process_runs(graph, caplog, logger):
    for level, expected in ((logging.WARNING, False), (logging.DEBUG, True), (logging.WARNING, False)):
        caplog.clear()
        logger.setLevel(level)
        assert read_with_trouble(graph) == len(graph.truth("teams"))
        assert any("503" in record.getMessage() for record in records(caplog)) is expected


def test_no_record_holds_a_secret(graph, options, caplog, logger):
    logger.setLevel(1)
    caplog.set_level(1)
    read_with_trouble(graph)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert records(caplog)
    assert options["client_secret"] not in said
    assert "Bearer " not in said
    assert "eyJ" not in said
