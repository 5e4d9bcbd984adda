"""Times that Teams cannot hold: each message is named with its line, refused, and counted; the others come."""

from __future__ import annotations

import json

import pytest

from lakeflow_teams import GraphEmulator, import_messages
from support.history import ledger, people, standing
from support.slack_export import entries, message, write_zip


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=8, chats=0, seed=5) as emulator:
        yield emulator


def planned(folder, source):
    path = folder / "import.yaml"
    path.write_text(json.dumps({"source": source, "team": {"name": "Imported"}}))
    return path


def test_in_a_table(graph, tmp_path):
    ada = people(graph)[0]["mail"]
    times = ["2021-03-04T09:30:00Z", "2121-03-04T09:30:00Z", "1969-12-31T23:59:59Z", "2021-03-04T09:30:00", "2021-03-05"]
    lines = [f"general;{at};{ada};{number}\n" for number, at in enumerate(times)]
    (tmp_path / "messages.csv").write_text("container;created;author;text\n" + "".join(lines), encoding="utf-8-sig")
    path = planned(tmp_path, "messages.csv")
    for step in ("check", "run"):
        summary = import_messages(path, tmp_path / "lake", dict(graph.options), step=step)
        assert (summary.exit_code, summary.counts["refused"]) == (3, 2)
        assert [problem[: len("messages.csv line 3")] for problem in summary.problems] == [
            f"messages.csv line {line}" for line in (3, 4, 5, 6)
        ]
    assert [(row["state"], row["code"]) for row in ledger(tmp_path / "lake")] == [
        ("refused", "before_1970"),
        ("posted", None),
        ("refused", "future"),
    ]
    assert [one[3] for one in standing(graph)] == ["<p>0</p>"]


def test_in_an_export_of_slack(graph, tmp_path):
    users = [{"id": "U1", "name": "ada", "profile": {"real_name": "Ada", "email": people(graph)[0]["mail"]}}]
    late = message("late", "4800000000.000100")
    files = entries([message("fine"), late], users=users)
    path = planned(tmp_path, str(write_zip(tmp_path / "export.zip", files)))
    ran = import_messages(path, tmp_path / "lake", dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"], ran.counts["refused"]) == (3, 1, 1)
    (problem,) = ran.problems
    assert "2122-02-08.json item 1: its ts is in the future" in problem
