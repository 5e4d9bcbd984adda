"""The days that a run report shows, of tables that are made for it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeflow_teams.results.lakehouse import TableStatus
from lakeflow_teams.run_report import volume
from lakeflow_teams.store.locate import locate

NAMES = ("main", "teams", "messages")
TEXT, TIMESTAMP = pa.string(), pa.timestamp("us", "UTC")


def shown(target, rows, kind=TEXT):
    """The days with messages, and how far the page looks back."""
    columns = {
        "team_id": ["t"] * len(rows),
        "channel_id": ["c"] * len(rows),
        "id": [str(number) for number in range(len(rows))],
        "createdDateTime": pa.array([at for at, _ in rows], pa.string()).cast(kind),
        "messageType": [kind for _, kind in rows],
    }
    path = target.joinpath(*NAMES)
    write_deltalake(path, pa.table(columns))
    table = TableStatus(".".join(NAMES), str(path), "done", "messages", len(rows), 0, 1, 1, "merge", None, None)
    found = volume.volume(locate(target), [table])
    if found is None:
        return None
    days = found["days"]
    return days[0]["day"], days[-1]["day"], {day["day"]: day["messages"] for day in days if day["messages"]}


MESSAGES = [("2025-01-01T08:00:00.000Z", "message"), ("2025-03-31T08:00:00.000Z", "message")]


@pytest.mark.parametrize("kind", [TEXT, TIMESTAMP], ids=str)
@pytest.mark.parametrize("day", ["2025-03-31", "2025-04-01", "2025-05-30", "2025-10-17"])
def test_events_of_the_system_move_no_day(tmp_path, day, kind):
    event = (f"{day}T23:00:00.000Z", "systemEventMessage")
    assert shown(tmp_path, [*MESSAGES, event], kind) == ("2025-01-01", "2025-03-31", {"2025-01-01": 1, "2025-03-31": 1})


@pytest.mark.parametrize("kind", [TEXT, TIMESTAMP], ids=str)
def test_days_before_the_last_ninety_are_not_shown(tmp_path, kind):
    older = ("2024-12-31T23:59:59.999Z", "message")
    assert shown(tmp_path, [older, *MESSAGES], kind) == ("2025-01-01", "2025-03-31", {"2025-01-01": 1, "2025-03-31": 1})


def test_there_is_nothing_to_show_without_a_message(tmp_path):
    assert shown(tmp_path, [("2025-01-01T08:00:00.000Z", "systemEventMessage")]) is None
