"""Graph asks for a pause: the run waits as asked, and nothing is missing."""

import pytest

from lakeflow_teams import TeamsClient, ThrottledError


def test_it_waits_as_asked(graph_emulator):
    graph_emulator.fault(path="/teams", status=429, retry_after="0.5", times=2)
    client = TeamsClient(graph_emulator.options)

    teams = client.read("teams").to_arrow()

    assert teams.num_rows == len(graph_emulator.truth("teams"))
    assert client.report.retries == 2
    assert client.report.throttled_seconds > 0.9


def test_it_gives_up_when_the_pause_is_longer_than_it_may_wait(graph_emulator):
    graph_emulator.fault(path="/teams", status=429, retry_after="600", times=1000)
    client = TeamsClient(graph_emulator.options, retry_timeout_seconds=5)

    with pytest.raises(ThrottledError):
        client.read("teams").to_arrow()
