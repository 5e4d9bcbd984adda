"""What goes on beside the requests: subscriptions are kept alive, notifications are merged, and polling finds what was lost.

Each of the three has a thread of its own: no event has to come for any of them to go on, and none waits for another.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic, time
from typing import Any

from lakeflow_teams import _core, telemetry
from lakeflow_teams.listen.files import FOLDER, listening_alone, replace_json
from lakeflow_teams.listen.handlers import Handlers
from lakeflow_teams.listen.merging import Merged, Merger, can_merge
from lakeflow_teams.listen.polling import Gap, Poller, Request, Waiting, moment
from lakeflow_teams.listen.settings import Settings
from lakeflow_teams.local.plan import Job, plan
from lakeflow_teams.local.runner import connect, rooted
from lakeflow_teams.spec.pipeline import PipelineSpec
from lakeflow_teams.store.folder import Folder
from lakeflow_teams.store.locate import Target

_log = logging.getLogger(__name__)

STATE = "service.json"
STOP = "stop"
#: How often Graph's clock and our subscriptions are looked at, whatever there is to do: one request, of 25 in 20 seconds.
LOOK_SECONDS = 10.0
_ASIDE_SECONDS = 60.0
#: A machine that slept longer than this may have missed notifications.
_GAP_SECONDS = 120.0
#: An answer later than this is what Graph calls slow, and then it holds notifications back for ten minutes.
SLOW_SECONDS = 3.0
_AFTER_SLOWNESS_SECONDS = 600.0
_RETRY_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 3_600.0
#: How often a stretch is given again to destinations that fail while others take it.
_TRIES = 3
_TICK_SECONDS = 0.5
_MOST_ITEMS = 2000
#: How long nothing may be merged before a poll no longer waits for notifications that came before it.
_STANDSTILL_SECONDS = 30.0


class Service:
    """One listener for a lakehouse. Making it takes the lock on ``<target>/_listen``, and sends nothing."""

    def __init__(
        self,
        spec: PipelineSpec,
        target: Target,
        settings: Settings,
        connection: Mapping[str, Any] | None = None,
        *,
        credential: object | None = None,
        handlers: Handlers | None = None,
    ) -> None:
        settings = replace(settings, keep_notifications=settings.keep_notifications or spec.keep_notifications)
        self.settings, self.handlers = settings, handlers or Handlers()
        client, options = connect(spec, connection, credential)
        root = rooted(spec, target)
        if not isinstance(root, Folder):
            raise _core.ConfigurationError(f"listen: target {root} is no folder; notifications are kept on a disk first")
        self.folder: Path = root.path / FOLDER
        self._jobs = [job for step in plan(spec, root, options, client) for job in step.jobs]
        for job in self._jobs:
            job.ready()
        merged = [job for job in self._jobs if can_merge(job)]
        _once_each(merged)
        self._require_handled(merged)
        tables = [(job.spec.source_table, job.spec.options, None) for job in merged]
        asked = settings.for_core(options.get("tenant_id"))
        with ExitStack() as held:
            held.enter_context(listening_alone(self.folder))
            self.core = _core.Listener(self.folder, options, tables, asked, credential=credential)
            self._held = held.pop_all()
        (self.folder / STOP).unlink(missing_ok=True)
        self._merger = Merger(merged, root, keeps_notifications=settings.keep_notifications)
        self._poller = Poller(spec, root, self.folder, self._jobs, connection=connection, credential=credential)
        self._polls = Waiting()
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._caught_up = threading.Event()
        self._caught_up.set()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._state: dict[str, Any] = {"lag_seconds": None, "merged": 0, "failures": {}}
        self._slow_at: float | None = None
        self._again: tuple[float, Request] | None = None
        self._pause_seconds = _RETRY_SECONDS
        self._tries = 0
        self._after_seconds = 0.0
        self._gaps: set[Gap] = set()
        #: A comparison is asked for, or under way.
        self._compares = False

    def start(self, loop: asyncio.AbstractEventLoop | None = None, *, after_seconds: float = 0.0) -> None:
        """Begins to merge and to poll, and after a while to subscribe: by then the address must be answered."""
        self._loop, self._after_seconds = loop, after_seconds
        self._polls.ask(Request("start"))
        for name, run in (("subscriptions", self._maintain), ("merge", self._merge), ("poll", self._poll)):
            thread = threading.Thread(target=self._guarded, args=(name, run), name=f"listen-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, seconds: float = 4.0) -> bool:
        """Ends it; what is on disk stays. Whether all threads ended in time: one that waits for Graph may not."""
        self._stopping.set()
        self._due.set()
        self._polls.wake()
        end = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))
        ended = not any(thread.is_alive() for thread in self._threads)
        self._write_state()
        if ended:
            self.core.close()
            self._held.close()
        return ended

    def end(self) -> None:
        """Asks it to end; safe in a handler of signals."""
        self._stopping.set()

    def pause(self, seconds: float) -> None:
        """Waits, unless it ends."""
        self._stopping.wait(seconds)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end, by another process too."""
        if not self._stopping.is_set() and (self.folder / STOP).exists():
            self._stopping.set()
        return self._stopping.is_set()

    def answered(self, seconds: float) -> None:
        """Notes how long an answer took. After a slow one Graph may hold notifications back, or drop them."""
        if seconds > SLOW_SECONDS:
            self._slow_at = monotonic()

    def reads_elsewhere(self) -> None:
        """Notifications are read from a hub: polling waits until nothing is left there."""
        self._caught_up.clear()

    def caught_up(self) -> None:
        """Nothing is left to be read."""
        self._caught_up.set()

    def wake(self) -> None:
        """Something came that concerns subscriptions."""
        self._due.set()

    def take(self, batch: _core.Notifications) -> bool:
        """Merges a stretch, and calls the handlers. Whether all of it is in the tables, or will be polled."""
        merged = self._merger.merge(batch)
        lag = self._age(batch.oldest_arrival)
        telemetry.notified(batch.counts, lag)
        for name, error in merged.errors.items():
            self._fail(name, error)
        if merged.errors and not self._gives_up(merged):
            return False
        self._tries = 0
        self.handlers.call(merged, self._loop)
        self._ask_for(batch)
        self._state["merged"] += batch.items
        self._state["lag_seconds"] = lag
        self._state["last_notification"] = merged.last_arrival or self._state.get("last_notification")
        return True

    def _gives_up(self, merged: Merged) -> bool:
        """Whether the others go on without the destinations that fail; these are polled. If all fail, it is the disk."""
        self._tries += 1
        if self._tries < _TRIES or not merged.counts:
            return False
        failed = frozenset(job.spec.source_table for job in self._jobs if job.name in merged.errors)
        self._polls.ask(Request("a merge failed", failed))
        return True

    def _ask_for(self, batch: _core.Notifications) -> None:
        if batch.lifecycle:
            self.wake()
        if batch.oversized:
            tables = frozenset(table for item in batch.oversized for table in item["tables"])
            self._polls.ask(Request("oversized", tables))

    def _age(self, oldest: str | None) -> float | None:
        """Seconds since then, by Graph's clock, which arrivals are dated by."""
        now = self.core.now
        return None if oldest is None or now is None else max(0.0, (moment(now) - moment(oldest)).total_seconds())

    def _require_handled(self, jobs: list[Job]) -> None:
        known = {job.spec.source_table for job in jobs}
        for table in sorted(self.handlers.tables - known):
            named = ", ".join(sorted(known))
            raise _core.ConfigurationError(f"receiver.on: the pipeline has no table {table} to wait for; it has {named}")

    def _guarded(self, name: str, run: Callable[[], None]) -> None:
        """Runs until the end; what goes wrong is noted, and it goes on after a pause."""
        while not self.stopping:
            try:
                run()
            except Exception as error:  # noqa: PERF203  (the boundary of a thread)
                self._fail(name, error)
                self._stopping.wait(2.0)

    def _fail(self, name: str, error: Exception) -> None:
        text = " ".join(str(error).split())
        _log.error("%s: %s: %s", name, type(error).__name__, text)
        self._state["failures"][name] = {"at": _now(), "error": f"{type(error).__name__}: {text}"}

    def _maintain(self) -> None:
        pause, self._after_seconds = self._after_seconds, 0.0
        last, last_wall = monotonic(), time()
        while not self._stopping.is_set():
            self._due.wait(pause)
            if self.stopping:
                return
            self._due.clear()
            slept = max(monotonic() - last, time() - last_wall) - pause
            last, last_wall = monotonic(), time()
            report = json.loads(self.core.maintain())
            self._note(report)
            self._ask_for_gaps(report, slept)
            self._ready.set()
            pause = max(0.2, min(float(report.get("next_in_seconds") or LOOK_SECONDS), LOOK_SECONDS))

    def _note(self, report: Mapping[str, Any]) -> None:
        for failure in report.get("failures", ()):
            _log.error(
                "subscription %s: %s: %s; %s",
                failure.get("resource"),
                failure.get("code") or failure.get("status"),
                failure.get("message"),
                failure.get("remedy"),
            )
        self._state["subscription_failures"] = report.get("failures", [])
        self._state["not_pushed"] = report.get("not_pushed", [])
        self._write_state()

    def _ask_for_gaps(self, report: Mapping[str, Any], slept: float) -> None:
        for gap in report.get("gaps", ()):
            found = Gap(gap["resource"], gap["until"], frozenset(gap["tables"]))
            # It is told until it is polled.
            if found not in self._gaps:
                self._gaps.add(found)
                self._polls.ask(Request(gap["reason"], found.tables, gaps=(found,)))
        if slept > _GAP_SECONDS:
            self._polls.ask(Request("this machine slept"))
        if self._slow_at is not None and monotonic() - self._slow_at > _AFTER_SLOWNESS_SECONDS:
            self._slow_at = None
            self._polls.ask(Request("answers were slow"))
        if not self._compares and self._poller.is_due(self.core.now, self.settings.reconcile_hours):
            self._compares = True
            self._polls.ask(Request("daily", whole=True))

    def _merge(self) -> None:
        while not (self.stopping or self._can_merge):
            self._stopping.wait(_TICK_SECONDS)
        aside_at = 0.0
        while not self.stopping:
            begin = monotonic()
            batch = self.core.next(max_items=_MOST_ITEMS, wait_seconds=_TICK_SECONDS)
            if batch is None:
                self._state["lag_seconds"] = 0.0
                if begin - aside_at > _ASIDE_SECONDS:
                    aside_at, batch = begin, self.core.retry_aside(max_items=_MOST_ITEMS)
            if batch is not None:
                self._keep(batch)
            if batch is not None and batch.items < _MOST_ITEMS:  # else more is waiting
                self._stopping.wait(max(0.0, self.settings.merge_seconds - (monotonic() - begin)))

    def _keep(self, batch: _core.Notifications) -> None:
        if self.take(batch):
            if batch.position is not None:
                self.core.done(batch.position)
        else:
            self.core.rewind()
            self._stopping.wait(2.0)
        self._write_state()

    @property
    def _can_merge(self) -> bool:
        """Whether all tables are there; the first poll makes them, and one that cannot be read is made by a merge."""
        if not self._state.get("polled"):
            self._state["polled"] = all(job.destination.open() for job in self._jobs)
        return bool(self._state["polled"])

    def _poll(self) -> None:
        while not self.stopping:
            if not self._ready.wait(_TICK_SECONDS):
                continue
            if self._again is not None and monotonic() >= self._again[0]:
                self._polls.ask(self._again[1])
                self._again = None
            request = self._polls.take(_TICK_SECONDS)
            if request is not None:
                self._once(request)

    def _once(self, request: Request) -> None:
        self._drain()
        try:
            poll = self._poller.poll(request, self.core.now)
        except Exception:
            self._ask_again(request)
            raise
        self._compares &= not request.whole
        self._state["polled"] = True
        telemetry.lost(poll.reason, poll.found)
        failed = self._poller.failed(poll)
        for name, text in poll.errors.items():
            _log.error("poll of %s: %s", name, text)
            self._state["failures"][name] = {"at": _now(), "error": text}
        if failed:
            self._ask_again(request.rest(failed))
        else:
            self._pause_seconds = _RETRY_SECONDS
        done = [gap for gap in request.gaps if not gap.tables & failed]
        for gap in done:
            self.core.caught_up(gap.resource, gap.until)
            self._gaps.discard(gap)
        if done:
            self._due.set()
        self._write_state()

    def _ask_again(self, request: Request) -> None:
        """Later, and then later still: what is refused is refused for a reason."""
        request = request if self._again is None else self._again[1].joined(request)
        self._again = (monotonic() + self._pause_seconds, request)
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _drain(self) -> None:
        """What has come by now is merged first, or polling would find it. Where nothing is merged any more, it is polled.

        A hub may never be read to its end, so that it is waited for no longer than for one that stands still.
        """
        asked_at = self.core.now
        merged, began_at = self._state["merged"], monotonic()
        moved_at = began_at
        while self._can_merge and not self.stopping and monotonic() < moved_at + _STANDSTILL_SECONDS:
            is_read = self._caught_up.is_set() or monotonic() > began_at + _STANDSTILL_SECONDS
            oldest = self.core.spool["oldest"]
            if is_read and (oldest is None or (asked_at is not None and moment(oldest) > moment(asked_at))):
                return
            if merged != self._state["merged"]:
                merged, moved_at = self._state["merged"], monotonic()
            self._stopping.wait(0.1)

    def _write_state(self) -> None:
        further = {"at": _now(), "graph_now": self.core.now, "handler_failures": self.handlers.failures}
        replace_json(self.folder / STATE, {**self._state, **further, "received": self.core.received})


def _once_each(jobs: list[Job]) -> None:
    seen: dict[str, str] = {}
    for job in jobs:
        before = seen.setdefault(job.spec.source_table, job.name)
        if before != job.name:
            raise _core.ConfigurationError(
                f"listen: {before} and {job.name} are both of {job.spec.source_table}; a listener fills one of them, so "
                "leave the other to a pipeline of its own"
            )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
