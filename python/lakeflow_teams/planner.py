"""Micro-batches for readers that run elsewhere: the end is fixed first, then partitions are read, any number of times."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lakeflow_teams import _core

Offset = dict[str, Any]

#: Scopes of one micro-batch where no option says otherwise and the engine asks again until there is nothing left.
SCOPES_PER_BATCH = 1000


def offset_text(offset: Mapping[str, Any] | None) -> str | None:
    """The core's form of an offset; an empty one is the beginning."""
    return json.dumps(offset, separators=(",", ":"), ensure_ascii=False) if offset else None


class Planner:
    """Plans the micro-batches of one table, one after the other.

    Offsets are flat dicts in a stable order, because Spark compares them as text. ``client`` is called when a request is
    needed, so that a planner that has not planned yet holds nothing but text.
    """

    def __init__(
        self,
        table: str,
        options: Mapping[str, str],
        client: Callable[[], _core.Client],
        max_scopes: int | None = None,
    ) -> None:
        self._table = table
        self._options = dict(options)
        self._client = client
        self._max_scopes = max_scopes
        self._planned: tuple[str | None, str | None, list[str]] | None = None
        self._is_pinned = False
        self._rounds_begun = 0

    def pin(self) -> None:
        """From now on at most one new round is begun, so that a run which asks until nothing is left comes to an end."""
        self._is_pinned = True
        self._rounds_begun = 0

    def latest(self, start: Offset | None) -> Offset:
        """Where the micro-batch ends that begins at ``start``; ``start`` itself when there is nothing to do for now."""
        before = offset_text(start)
        last = _core.offset_info(before or "{}")
        begins = last["finished"]
        # The error of a round in which a scope failed comes when the next one is planned.
        if begins and self._is_pinned and self._rounds_begun and not last["failed"]:
            return start or {}
        plan = self._client().plan(self._table, self._options, before, self._max_scopes)
        end: Offset = json.loads(plan.offset)
        if not plan.partitions and (end == start or not end):
            return start or {}
        self._rounds_begun += begins
        self._planned = (before, offset_text(end), plan.partitions)
        return end

    def partitions(self, start: Offset | None, end: Offset) -> list[str]:
        """What is read between two offsets. A micro-batch that this planner did not plan is planned again."""
        before, after = offset_text(start), offset_text(end)
        if after is None or before == after:
            return []
        if self._planned is not None and self._planned[:2] == (before, after):
            return self._planned[2]
        return self._client().plan(self._table, self._options, before, end=after).partitions
