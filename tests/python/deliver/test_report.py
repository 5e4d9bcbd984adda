"""The page of each step: counts that add up, what was changed and why, the rate, and what is left to do by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from support.history import History, people, plan


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=8, chats=0, seed=5) as emulator:
        yield emulator


def shown(page):
    """The page's text, its counts by name, and its tables' rows."""
    html = Path(page).read_text(encoding="utf-8")
    counts = {name: int(count.replace(",", "")) for count, name in re.findall(r"<b>([\d,]+)</b><span>([^<]+)</span>", html)}
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    return html, counts, rows


def test_the_pages_tell_what_became_of_everything(graph, tmp_path):
    history = History(people(graph), channels=2, messages=30)
    path, target = plan(tmp_path, history.write(tmp_path / "source")), tmp_path / "lake"
    graph.fault(
        path="/messages", method="POST", kind="status", status=400, code="BadRequest", message="<no>", skip=9, times=2
    )
    ran = import_messages(path, target, dict(graph.options))
    html, counts, rows = shown(ran.page)
    assert counts == {"posted": 58, "pending": 0, "attempting": 0, "refused": 2, "skipped": 0, "all posts": 60}
    assert sum(ran.posts_per_second) == 58
    assert "Posts per second" in html
    moved = next(row for row in rows if row and row[0].startswith("time moved"))
    assert int(moved[1]) == ran.changed[moved[0]] > 0
    assert ["&lt;no&gt;", "2"] in rows, "why, escaped"
    for one in ran.containers:
        assert [one.name, "standard", "30", *map(str, (one.posted, 0, 0, one.refused, 0)), ""] in rows

    graph.set(revoke_permission="ChannelSettings.ReadWrite.All")
    completed = import_messages(path, target, dict(graph.options), step="complete")
    html, counts, _ = shown(completed.page)
    assert completed.exit_code == 0
    assert "Left to do by hand" in html
    assert html.count("Take the mark out of the description of") == len(completed.to_do) >= 2
    assert counts["all posts"] == 60
