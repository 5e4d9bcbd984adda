"""A tenant that edits, deletes, restores and adds while notifications are lost, doubled and reordered and listeners are killed:
after the daily reconciliation its tables equal the truth, and the report names what only polling found."""

from __future__ import annotations

import os
import random
import time

import pytest

from lakeflow_teams import GraphEmulator
from support.lakehouse import differences, entry
from support.listening import listening, tell, wait_for, written

TABLES = ("channels", "messages", "message_replies")
ROUGH = {"lost": 0.03, "doubled": 0.05, "overtaken": 0.2, "late_ms": 1500, "token_version": "mixed", "foreign_items": 0.1}
HAPPENS = {
    "new_messages": 6,
    "late_replies": 4,
    "edits": 6,
    "reply_edits": 3,
    "reactions": 4,
    "deletes": 2,
    "undeletes": 1,
    "hard_deletes": 1,
    "renamed_channels": 1,
}


def rough(tmp_path, seconds):
    size = {"teams": 3, "channels_per_team": 3, "messages_per_channel": 25, "users": 10, "chats": 2, "big_threads": 0}
    moments = random.Random(11)
    with GraphEmulator(**size, seed=3) as graph:
        file, target = written(tmp_path, graph, *(entry(table) for table in TABLES)), tmp_path / "lake"
        with listening(file, target) as listener:
            listener.ready()
            graph.set(push=ROUGH)
            begin, turn, events = time.monotonic(), 0, iter((0.25, 0.5, 0.75, 9.9))
            event = next(events)
            while (gone := time.monotonic() - begin) < seconds:
                turn += 1
                graph.mutate(**HAPPENS, seed=turn)
                time.sleep(moments.uniform(0.2, 0.6))
                if gone > event * seconds:
                    if event == 0.5:
                        graph.remove_subscriptions(graph.subscriptions()[0]["id"])
                    else:
                        listener.kill()
                        graph.mutate(**HAPPENS, seed=1000 + turn)
                        listener.start()
                    event = next(events)
            graph.set(push={})
            wait_for(lambda: all(notice["fate"] != "waiting" for notice in graph.notices()))
            lost = [notice for notice in graph.notices() if notice["fate"] == "lost"]
            assert lost, "nothing was lost"
            found = tell("reconcile", file, "--target", target)
            assert found["errors"] == {}
            assert differences(graph, target, TABLES) == []
            status = listener.status()
            assert status["losses_found"] > 0
            assert status["running"]
            assert len(status["subscriptions"]) == len(graph.subscriptions())
            return status


def test_nothing_is_lost_whatever_notifications_do(tmp_path):
    rough(tmp_path, 8)


@pytest.mark.slow
def test_nothing_is_lost_for_ten_minutes(tmp_path):
    print(rough(tmp_path, float(os.environ.get("LISTEN_SECONDS", "600")))["polls"])
