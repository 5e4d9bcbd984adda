"""Incremental tables: micro-batches, each committed together with the offset that goes on from it.

Tables that share a pass are committed one after the other in a fixed order. A kill between two of those commits leaves one
table a batch behind; the next run goes on from the offset of the one that is behind, and the rows that the other already
has merge into themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local import guard, preflight, reconcile, refill
from lakeflow_teams.local.plan import Job, Pass
from lakeflow_teams.local.write import append, emptied, folding, merge, pushed, repeated, scd2, upkeep
from lakeflow_teams.local.write.delta import OvertakenError
from lakeflow_teams.local.write.heal import heal
from lakeflow_teams.local.write.rows import newest, table_of
from lakeflow_teams.local.write.stamp import Found, Stamp
from lakeflow_teams.results.summary import Counts, DestinationSummary, Progress

#: Rows of one micro-batch where no option says otherwise.
ROWS_PER_BATCH = 20_000
#: Seconds after which an offset without rows is committed in the middle of a round.
QUIET_SECONDS = 30.0
#: So many rows of the overlap may come again in each run that finds nothing else. After more, the clock is committed once.
MOST_REPEATED = 100

_WRITERS = {"merge": merge.write, "append": append.write, "scd2": scd2.write}


class _TakenError(Exception):
    """What came first is another ingest's, so that this one has to begin again from the stored offset."""


@dataclass(frozen=True)
class How:
    """How a pass is run: after another ingest committed first, from the beginning, and with a reconciliation at its end.

    ``confirms_deletes``: that also looks at rows which are known as deleted.
    """

    overtaken: bool = False
    afresh: bool = False
    removes_gone: bool = False
    confirms_deletes: bool = False


class Incremental:
    """One pass over tables with a cursor: from the stored offset to the end of the round."""

    def __init__(
        self,
        client: _core.Client,
        step: Pass,
        lines: list[DestinationSummary],
        notes: list[str],
        tell: Callable[[Progress], None],
        *,
        writer: str,
        how: How = How(),
    ) -> None:
        self._client = client
        self._pass = step
        self._lines = lines
        self._notes = notes
        self._tell = tell
        self._writer = writer
        self._how = how
        self._schemas = {table: pa.schema(client.schema(table, step.options)) for table in step.tables}
        self._batches: list[int] = [0] * len(lines)
        #: What each table carried last, as far as this reading knows.
        self._last: list[Stamp | None] = [None] * len(lines)
        self._reconciled: list[str | None] = [None] * len(lines)
        self._epoch = 1
        self._position = 0
        self._old_round = False
        self._refreshes = False
        self._stored: str | None = None
        self._stored_at = monotonic()

    def run(self) -> None:
        """Reads and commits until the round is over; after a round that an earlier run began, one of today's.

        Where a scope fails, all others are committed, the round's end too, and the step after it raises the error.
        """
        offset = self._resume()
        while True:
            step = self._client.micro_batch(self._pass.tables, self._pass.options, offset, max_rows=ROWS_PER_BATCH)
            if step.offset != offset:
                self._commit(step)
            elif offset is not None:
                self._notes.extend(preflight.too_early(self._pass, offset, self._client.now))
            if step.offset == offset or (step.finished and not self._old_round):
                self._reconcile(step.offset)
                break
            self._old_round &= not step.finished
            offset = step.offset

    def _resume(self) -> str | None:
        """The offset to go on from, or ``None`` to read everything. Settings that changed may forbid going on."""
        found = [self._found(index) for index in range(len(self._pass.jobs))]
        if self._how.overtaken and _is_between_commits(found, self._writer):
            raise OvertakenError(f"another ingest is between its commits to {', '.join(self._pass.members)}")
        self._batches = [state.batch or 0 for state in found]
        self._last = [state.stamp for state in found]
        self._reconciled = [state.stamp.reconciled if state.stamp else None for state in found]
        stamps = [state.stamp for state in found if state.stamp is not None]
        for job, state in zip(self._pass.jobs, found, strict=True):
            if state.stamp is not None:
                job.check(state.stamp)
        reason = self._why_from_the_start(found)
        if reason is not None:
            if reason:
                self._notes.append(f"{', '.join(self._pass.members)}: everything is read again, because {reason}")
            self._epoch = max((stamp.epoch for stamp in stamps), default=0) + 1
            return None
        behind = min(stamps, key=lambda stamp: (stamp.position, _clock(stamp.offset)))
        self._epoch, self._position = behind.epoch, behind.position
        self._old_round = not behind.finished
        self._refreshes = behind.afresh and not behind.finished
        if all(stamp.position == behind.position for stamp in stamps):
            self._stored = behind.offset
        return behind.offset

    def _found(self, index: int) -> Found:
        """The stored state of one table, once no key of it is doubled."""
        job, line = self._pass.jobs[index], self._lines[index]
        found, removed = heal(job.destination, job.identity, job.destination.found(), Stamp(0, settings=job.settings))
        line.healed(removed, self._notes)
        if job.keeps_markers(found):
            stamp = replace(found.stamp or Stamp(0), batch=(found.batch or 0) + 1, settings=job.settings)
            emptied.take_out(job.destination, job.set_keys, stamp)
            return job.destination.found()
        return found

    def _why_from_the_start(self, found: list[Found]) -> str | None:
        """``None`` to go on, ``""`` for a first run, otherwise the reason to read everything again."""
        if all(state.batch is None for state in found):
            return ""
        self._refreshes = self._how.afresh
        if self._how.afresh:
            return "it was asked for (full refresh)"
        epochs = {state.stamp.epoch for state in found if state.stamp is not None}
        for job, state in zip(self._pass.jobs, found, strict=True):
            if state.batch is None:
                return f"{job.name} is new and is filled from the same reading"
            if state.stamp is None:
                return f"the log of {job.name} no longer holds its offset"
            if job.reaches_further_back(state.stamp):
                return "start_date was moved back"
            if len(found) > 1 and state.stamp.members != self._pass.members:
                return "these tables were not filled from one reading before"
            if len(epochs) > 1:
                return "the last such reading was interrupted at its first commit"
        stamps = [state.stamp for state in found if state.stamp is not None]
        offsets = {(stamp.position, stamp.offset and _without_clock(stamp.offset)) for stamp in stamps}
        if len(offsets) > len({stamp.position for stamp in stamps}):
            return "two ingests wrote these tables at the same time"
        return None

    def _commit(self, step: _core.MicroBatch) -> None:
        counted = [self._rows_of(step, table) for table in self._pass.tables]
        is_idle = self._comes_again(step, sum(counted)) if any(counted) else not self._matters(step)
        if is_idle:
            for line, count in zip(self._lines, counted, strict=True):
                line.rows += count
            return
        self._position += 1
        for index, (line, count) in enumerate(zip(self._lines, counted, strict=True)):
            self._write(index, step)
            line.rows += count
            line.micro_batches += 1
            self._tell(Progress(line.destination, line.rows, line.micro_batches, share=step.share))
        self._stored, self._stored_at = step.offset, monotonic()

    def _write(self, index: int, step: _core.MicroBatch) -> None:
        job = self._pass.jobs[index]
        rows = self._read(step, job)
        gone = step.deletes.get(job.spec.source_table, [])
        deletes = pa.Table.from_batches([pa.record_batch(batch) for batch in gone]) if gone else None
        folding.refuse(job.destination, job.identity, rows)
        if self._refreshes and job.way == "scd2":
            self._refill(index, emptied.replace(job.destination, rows, job.set_keys)[0] if job.set_keys else rows)
        stamp = self._stamp(index, step.offset, finished=_is_round_over(step.offset))
        counts = self._beside_pushes(index, stamp, lambda stamp: self._merge(index, step, rows, deletes, stamp))
        self._lines[index].add(counts)
        upkeep.after_commit(job.destination, self._batches[index])

    def _merge(self, index: int, step: _core.MicroBatch, rows: pa.Table, deletes: pa.Table | None, stamp: Stamp) -> Counts:
        job = self._pass.jobs[index]
        if job.set_keys and job.way != "append":
            rows, deletes = emptied.replace(job.destination, rows, job.set_keys)
        old = job.destination.open() if step.full_since is not None and job.way != "append" else None
        if step.full_since is not None and old is not None:
            unseen = reconcile.unseen(job.destination.shape, job.destination.stored(old), step.full_since)
            # What this batch brings again is dated later than its delete, and stays.
            keys = list(job.destination.shape.keys)
            lost = unseen.select(keys).join(rows.select(keys), keys=keys, join_type="left anti")
            guard.refuse(job, lost.num_rows)
            deletes = unseen if deletes is None else pa.concat_tables([unseen, deletes], promote_options="default")
        return _WRITERS[job.way](job.destination, rows, deletes, stamp)

    def _refill(self, index: int, rows: pa.Table) -> None:
        job = self._pass.jobs[index]
        versions = newest(rows, (*job.destination.shape.keys, job.destination.shape.sequence), None)
        self._lines[index].updates += refill.versions(job, versions, self._batches[index] + 1)
        self._batches[index] = job.destination.found().batch or 0

    def _beside_pushes(self, index: int, stamp: Stamp, write: Callable[[Stamp], Counts]) -> Counts:
        """Commits; where pushed rows came first, on top of them: their commits carry on the offset that it began at."""
        destination = self._pass.jobs[index].destination

        def once() -> Counts:
            nonlocal stamp
            try:
                return write(stamp)
            except OvertakenError:
                found = destination.found()
                if not pushed.is_on(found.stamp, self._last[index]):
                    raise _TakenError from None
                stamp = replace(stamp, batch=(found.batch or 0) + 1)
                raise

        try:
            counts = pushed.again(once)
        except _TakenError:
            raise OvertakenError(f"{destination.path}: another ingest committed to it") from None
        self._batches[index], self._last[index] = stamp.batch, stamp
        return counts

    def _stamp(self, index: int, offset: str, *, finished: bool) -> Stamp:
        self._batches[index] += 1
        return Stamp(
            batch=self._batches[index],
            offset=offset,
            epoch=self._epoch,
            position=self._position,
            finished=finished,
            members=self._pass.members,
            settings=self._pass.jobs[index].settings,
            reconciled=self._reconciled[index],
            writer=self._writer,
            afresh=self._refreshes,
        )

    def _reconcile(self, offset: str) -> None:
        """Removes rows that Graph no longer has, where ``reconcile_days`` asks for it and they have passed."""
        now = self._client.now
        if now is None:
            return
        self._position += 1  # its offset may be later than that of the last commit, and then is no other table's
        tombstones = reconcile.Tombstones(compared=self._how.confirms_deletes)
        before = []
        for index, job in enumerate(self._pass.jobs):
            is_due = reconcile.is_due(job, self._reconciled[index], now) or (self._how.removes_gone and job.way != "append")
            if is_due:
                self._remove_vanished(index, offset, now, tombstones)
                before += [] if tombstones.shown else [index]
        # A table of the same reading showed some, so that those before it are compared with that in mind.
        for index in before if tombstones.shown else ():
            self._remove_vanished(index, offset, now, tombstones)

    def _remove_vanished(self, index: int, offset: str, now: str, tombstones: reconcile.Tombstones) -> None:
        job = self._pass.jobs[index]
        table = job.destination.open()
        if table is None:
            return
        gone, known = reconcile.vanished(self._client, job, job.destination.stored(table), now, tombstones)
        guard.refuse(job, gone.num_rows - known)
        self._lines[index].confirmed += known
        self._reconciled[index] = now
        rows = self._schemas[job.spec.source_table].empty_table()
        stamp = self._stamp(index, offset, finished=True)
        write = partial(_WRITERS[job.way], job.destination, rows, gone)
        self._lines[index].add(self._beside_pushes(index, stamp, write))

    def _matters(self, step: _core.MicroBatch) -> bool:
        """Whether an offset without rows is worth a commit: not if only its clock moved, and not too often."""
        if self._only_clock_moved(step):
            return False
        return _is_round_over(step.offset) or monotonic() - self._stored_at > QUIET_SECONDS

    def _comes_again(self, step: _core.MicroBatch, count: int) -> bool:
        """Whether a few rows of the overlap are all there is, stored as they are: a commit would only move the clock.

        With ``min_poll_seconds`` it is made, because the next round is held against the clock.
        """
        if count > MOST_REPEATED or self._refreshes or step.full_since is not None or any(step.deletes.values()):
            return False
        if not self._only_clock_moved(step) or float(self._pass.options["min_poll_seconds"]):
            return False
        return all(repeated.is_stored(job.destination, self._read(step, job), job.way) for job in self._pass.jobs)

    def _only_clock_moved(self, step: _core.MicroBatch) -> bool:
        return self._stored is not None and _without_clock(step.offset) == _without_clock(self._stored)

    def _read(self, step: _core.MicroBatch, job: Job) -> pa.Table:
        table = job.spec.source_table
        return table_of(step.tables.get(table, []), self._schemas[table])

    @staticmethod
    def _rows_of(step: _core.MicroBatch, table: str) -> int:
        batches = [*step.tables.get(table, []), *step.deletes.get(table, [])]
        return sum(batch.num_rows for batch in batches)


def _is_between_commits(found: list[Found], writer: str) -> bool:
    """Whether another ingest than ``writer``'s has committed to one of the tables, and not yet to the others."""
    places = [(state.stamp.epoch, state.stamp.position) if state.stamp else None for state in found]
    furthest = max((place for place in places if place), default=None)
    ahead = {state.stamp.writer for state, place in zip(found, places, strict=True) if state.stamp and place == furthest}
    return len(set(places)) > 1 and ahead != {writer}


def _is_round_over(offset: str) -> bool:
    """Also of a round in which a scope failed, whose error is still to come."""
    return _core.offset_info(offset)["finished"]


def _clock(offset: str | None) -> str:
    """When the offset's round began. Of two offsets that differ in that only, the earlier one misses nothing."""
    return (_core.offset_info(offset)["until"] if offset else None) or ""


def _without_clock(offset: str) -> str:
    return _core.offset_info(offset)["without_clock"]
