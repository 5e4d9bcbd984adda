"""kill -9 at random moments of a broadcast whose answers get lost: nobody gets it twice, nobody vanishes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from deltalake import DeltaTable

from lakeflow_teams import GraphEmulator, broadcast

RUN = """
import json, sys
from lakeflow_teams.deliver.broadcast.entry import broadcast
plan, target, options = json.loads(sys.stdin.read())
print("ready", flush=True)
broadcast(plan, target, options)
"""
CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Hello ${display_name}"}]}
PLAN = {"name": "news", "recipients": {"everyone": True}, "card": CARD, "install": True}
SEND = "POST /v3/conversations/{id}/activities"
#: Rows of the table of errors, for one recipient each.
ROWS = {
    "Bad Argument": "failed",
    "BotDisabledByAdmin": "blocked",
    "BotNotInConversationRoster": "not_installed",
    "ConversationBlockedByUser": "blocked",
    "MessageWritesBlocked": "blocked",
    "ForbiddenOperationException": "not_installed",
    "NotEnoughPermissions": "failed",
    "ConversationNotFound": "not_found",
    "PreconditionFailed": "throttled",
    "ServiceError": "unknown",
    "GatewayTimeout": "unknown",
}


def start(target, graph):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(json.dumps([PLAN, str(target), dict(graph.options)]))
    process.stdin.close()
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def kill_until_done(users, tmp_path, *, kills, seed):
    with GraphEmulator(teams=1, channels_per_team=1, messages_per_channel=1, users=users, chats=0, latency_ms=2) as graph:
        people = json.loads(graph.truth_json("users"))
        expected = {user["id"] for user in people if user["userType"] != "Guest" and user["accountEnabled"]}
        bad = dict(zip(sorted(expected), ROWS, strict=False))
        # What is refused when the conversation is begun never comes to the message.
        graph.set(bot_errors=bad)
        graph.fault(path=SEND, status=504, after=True, probability=0.01, seed=seed)
        graph.fault(path=SEND, kind="reset", after=True, probability=0.01, seed=seed + 1)
        graph.fault(path=SEND, status=429, retry_after="0.05", probability=0.02, seed=seed + 2)
        graph.fault(path="POST /v3/conversations", status=503, probability=0.02, seed=seed + 3)
        target, moments = tmp_path / "lake", random.Random(seed)
        done = lambda: graph.request_counts().get(SEND, 0)  # noqa: E731
        in_flight = 0
        for _ in range(kills):
            process = start(target, graph)
            goal = done() + moments.uniform(0, 1.4) * len(expected) / kills
            while done() < goal and process.poll() is None:
                time.sleep(0.002)
            time.sleep(moments.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            process.stderr.close()
            in_flight += 128
        ran = broadcast(PLAN, target, dict(graph.options))
        graph.clear_faults()
        deliveries = [one for one in graph.deliveries() if one["action"] == "send"]
        per_person = Counter(one["recipient"] for one in deliveries)
        assert max(per_person.values()) == 1, per_person.most_common(3)
        rows = DeltaTable(target / "main" / "default" / "deliveries").to_pyarrow_table().to_pylist()
        states = {row["recipient_id"]: row["state"] for row in rows}
        assert len(states) == len(rows) == ran.total == sum(ran.counts.values())
        assert expected <= set(states)
        reached = {user for user, state in states.items() if state == "succeeded"}
        unknown = {user for user, state in states.items() if state == "unknown"}
        assert reached <= set(per_person) <= reached | unknown
        assert not {"queued", "attempting"} & set(states.values())
        lost = sum(1 for one in graph.requests() if one["template"] == SEND.split(" ")[1] and one["status"] in (0, 504))
        assert len(unknown) <= in_flight + lost + 2
        # What is unknown is looked for, and then everybody who could be reached was reached once.
        graph.set(bot_errors={})
        looked = broadcast({**PLAN, "on_unknown": "reconcile"}, target, dict(graph.options), retry_failed=True)
        per_person = Counter(one["recipient"] for one in graph.deliveries() if one["action"] == "send")
        assert max(per_person.values()) == 1
        assert looked.counts.get("unknown", 0) == 0
        assert looked.counts["succeeded"] >= len(expected) - 3


def test_kill_a_small_broadcast(tmp_path):
    kill_until_done(160, tmp_path, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize("seed", [11])
def test_kill_a_broadcast_to_thousands(tmp_path, seed):
    kill_until_done(3_400, tmp_path, kills=10, seed=seed)
