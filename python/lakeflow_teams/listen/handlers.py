"""Functions of a program that are called with rows, after these are in their tables."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.listen.merging import Change, Merged

_log = logging.getLogger(__name__)

KINDS = ("created", "updated", "deleted")
Handler = Callable[[Change], Awaitable[None] | None]
F = TypeVar("F", bound=Handler)


@dataclass(frozen=True)
class _Wanted:
    table: str
    kind: str | None
    call: Handler


class Handlers:
    """The registered functions, each of which is called at least once for a row.

    One that fails is logged, counted, and leaves the others alone.
    """

    def __init__(self) -> None:
        self._wanted: list[_Wanted] = []
        self.failures = 0

    def on(self, table: str, kind: str | None = None) -> Callable[[F], F]:
        """A decorator for rows of a table, of one kind or of all."""
        if kind is not None and kind not in KINDS:
            hint = did_you_mean(kind, KINDS, otherwise=f"; it is one of {', '.join(KINDS)}")
            raise _core.ConfigurationError(f"receiver.on: there is no kind {kind!r}{hint}")

        def register(call: F) -> F:
            self._wanted.append(_Wanted(table, kind, call))
            return call

        return register

    @property
    def tables(self) -> set[str]:
        """The tables that functions wait for."""
        return {wanted.table for wanted in self._wanted}

    def call(self, merged: Merged, loop: asyncio.AbstractEventLoop | None) -> None:
        """Calls every function that waits for a row. Coroutines run on ``loop``, the others on this thread."""
        for wanted in self._wanted:
            for change in merged.changes(wanted.table, wanted.kind):
                try:
                    result = wanted.call(change)
                    if inspect.isawaitable(result):
                        _run(result, loop)
                except Exception as error:  # noqa: PERF203
                    self.failures += 1
                    # What it says may quote a message.
                    _log.error("handler of %s failed: %s", wanted.table, type(error).__name__)


def _run(result: Awaitable[None], loop: asyncio.AbstractEventLoop | None) -> None:
    async def finished() -> None:
        await result

    if loop is None or loop.is_closed():
        asyncio.run(finished())
    else:
        asyncio.run_coroutine_threadsafe(finished(), loop).result()
