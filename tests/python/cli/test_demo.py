"""The demo ends well, and its comparison really compares."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lakeflow_teams import ConfigurationError
from lakeflow_teams.cli.app import run as command
from lakeflow_teams.demo import run
from lakeflow_teams.testing.compare import compare

CHAT = {
    "id": "1",
    "topic": "a",
    "chatType": "group",
    "createdDateTime": "2025-01-15T10:30:00Z",
    "lastUpdatedDateTime": "2025-01-15T10:30:01.5Z",
    "webUrl": None,
}


def test_the_demo_runs_again_and_again(tmp_path):
    for _ in range(2):
        screen = io.StringIO()
        first, second = run(tmp_path / "demo", teams=4, console=Console(file=screen, width=120))
        assert not first.failed
        # In four teams there are as few pages of history as of changes: what is less is the rows.
        read = [sum(line.rows for line in summary.destinations) for summary in (first, second)]
        assert read[1] < 0.9 * read[0]
        assert screen.getvalue().count("equal to the tenant") == 2


def test_machines_get_both_summaries_and_nothing_else(tmp_path, capfd):
    assert command(["demo", "--teams", "2", "--target", str(tmp_path / "demo"), "--json"]) == 0
    out, err = capfd.readouterr()
    first, second = json.loads(out)
    assert (first["failed"], second["failed"], len(second["destinations"])) == (False, False, 6)
    assert "\x1b" not in out + err


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ConfigurationError, match="not empty"):
        run(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_equal_instants_are_equal():
    padded = {**CHAT, "createdDateTime": "2025-01-15T10:30:00.000Z", "lastUpdatedDateTime": "2025-01-15T10:30:01.500Z"}
    assert compare("chats", [padded], [CHAT], ["id"]) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "is missing"),
        ([CHAT, {**CHAT, "id": "2"}], "should not be there"),
        ([CHAT, CHAT], "twice"),
        ([{**CHAT, "topic": "b"}], "topic is 'b' and should be 'a'"),
        ([{**CHAT, "topic": None}], "topic is None"),
        ([{**CHAT, "lastUpdatedDateTime": "2025-01-15T10:30:01.600Z"}], "lastUpdatedDateTime"),
    ],
)
def test_every_kind_of_difference_is_found(rows, said):
    (problem,) = compare("chats", rows, [CHAT], ["id"])
    assert said in problem
