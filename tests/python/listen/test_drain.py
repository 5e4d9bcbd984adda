"""A poll waits for what came before it, as long as that is being merged."""

from __future__ import annotations

import threading

import pytest

from lakeflow_teams.listen import service
from lakeflow_teams.listen.service import Service

EARLY, NOW, LATE = (f"2026-01-15T12:00:0{second}Z" for second in (1, 2, 3))


class Spool:
    """A core that is looked at so often before only later items are left; each look may find more merged."""

    now = NOW

    def __init__(self, state, looks, *, moves):
        self.looks, self._state, self._last, self._moves = 0, state, looks, moves

    @property
    def spool(self):
        self.looks += 1
        self._state["merged"] += self._moves
        return {"oldest": EARLY if self.looks < self._last else LATE}


@pytest.fixture
def drained(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "_STANDSTILL_SECONDS", 0.35)

    def run(looks, *, moves, caught_up=True):
        listener = object.__new__(Service)
        listener.folder, listener._state = tmp_path, {"merged": 0, "polled": True}
        listener._stopping, listener._caught_up = threading.Event(), threading.Event()
        if caught_up:
            listener._caught_up.set()
        listener.core = Spool(listener._state, looks, moves=moves)
        listener._drain()
        return listener.core.looks

    return run


def test_a_backlog_that_moves_is_waited_for_and_later_items_are_not(drained):
    assert drained(8, moves=5) == 8


def test_one_that_stands_still_is_not(drained):
    assert drained(10_000, moves=0) < 8


def test_a_hub_that_is_never_read_to_its_end_holds_up_no_poll(drained):
    assert 1 < drained(1, moves=5, caught_up=False) < 8
