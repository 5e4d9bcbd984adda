"""Runs a pipeline: reads each pass and commits it, so that a kill at any moment loses and doubles nothing."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pyarrow as pa
from deltalake.exceptions import CommitFailedError

from lakeflow_teams import _core, telemetry
from lakeflow_teams.local import guard, ingest_report, left_out, preflight, timestamps
from lakeflow_teams.local.choice import EVERYTHING, Choice
from lakeflow_teams.local.incremental import How, Incremental
from lakeflow_teams.local.journal import Journal, running
from lakeflow_teams.local.names import Names
from lakeflow_teams.local.plan import Job, Pass, plan
from lakeflow_teams.local.status import tables_of
from lakeflow_teams.local.write import scd2, snapshot, upkeep
from lakeflow_teams.local.write.delta import OvertakenError
from lakeflow_teams.local.write.heal import heal
from lakeflow_teams.local.write.rows import table_of
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.options import as_options
from lakeflow_teams.options.environment import connection_from_environment, require_credential
from lakeflow_teams.options.storage import parse as parse_storage_options
from lakeflow_teams.results.report import Report
from lakeflow_teams.results.summary import DestinationSummary, Progress, RunSummary, one_line
from lakeflow_teams.run_report import page
from lakeflow_teams.run_report.timeline import Timeline
from lakeflow_teams.spec.pipeline import PipelineSpec
from lakeflow_teams.spec.writing import is_snapshot, keeps_history
from lakeflow_teams.store.locate import Target, locate
from lakeflow_teams.store.location import Location

_log = logging.getLogger(__name__)

OnProgress = Callable[[Progress], None]

#: How often in a row another ingest may commit first before this one gives up.
MOST_LOSSES = 5
#: The wait after the first loss; each further one in a row waits as much more.
LOSS_WAIT_SECONDS = (0.2, 1.0)


def run(
    spec: PipelineSpec,
    target: Target,
    connection: Mapping[str, Any] | None = None,
    *,
    credential: object | None = None,
    storage_options: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
    report: bool = True,
    choice: Choice = EVERYTHING,
) -> RunSummary:
    """Fills the destinations of ``spec`` under ``target``, and writes the run report unless ``report`` is off.

    Mistakes in the spec or the connection raise :class:`ConfigurationError` before anything is sent. Then it signs in, once
    for all. After that an error ends its own pass only: what was complete is committed, the other passes run, and the first
    error is in the summary.
    """
    begin, started_at = monotonic(), _now()
    client, options = connect(spec, connection, credential)
    root = rooted(spec, target, storage_options)
    passes, notes = prepared(spec, root, options, client, choice)
    jobs = [job for step in passes for job in step.jobs]
    summary = RunSummary(spec.connection_name, [_empty(job) for job in jobs], notes=notes)
    with (
        running(root, {job.name: job.spec.source_table for job in jobs}) as journal,
        telemetry.run(spec.connection_name),
        Timeline(client) as timeline,
    ):
        runner = _Runner(client, root, summary, on_progress or (lambda _: None), journal=journal, choice=choice)
        refused = preflight.sign_in(client, passes)
        for step in passes:
            runner.run(step, refused.get(step.members))
    _fill(summary, Report.parse(client.report()), client.warnings)
    names = Names(root)
    names.add(summary.skipped)
    summary.timeline = timeline.samples
    summary.seconds = monotonic() - begin
    ingest_report.write(spec, root, summary, client.report_scopes(), (started_at, _now()), names=names)
    if report:
        _write_report(summary, root)
    return summary


def _write_report(summary: RunSummary, root: Location) -> None:
    """A report that cannot be written is no reason to fail: the rows are committed."""
    try:
        summary.page = str(page.write(summary, root, tables_of(root)))
    except Exception as error:
        _log.debug("the run report failed", exc_info=True)
        summary.notes.append(f"the run report could not be written: {_explain(root.explained(error))}")


def connect(
    spec: PipelineSpec, connection: Mapping[str, Any] | None, credential: object | None
) -> tuple[_core.Client, dict[str, str]]:
    """A client, and the connection options that it is made of. Sends nothing."""
    given = {**spec.connection, **as_options(connection or {})}
    options = connection_from_environment(given, has_credential=credential is not None)
    require_credential(options, has_credential=credential is not None)
    return _core.Client(options, credential=credential, strict=True), options


def rooted(spec: PipelineSpec, target: Target, storage_options: Mapping[str, Any] | None = None) -> Location:
    """The lakehouse, wherever it lies. Sends nothing."""
    return locate(target, {**spec.storage_options, **parse_storage_options(storage_options or {}, "storage_options")})


def prepared(
    spec: PipelineSpec, root: Location, options: Mapping[str, str], client: _core.Client, choice: Choice
) -> tuple[list[Pass], list[str]]:
    """The passes to run, each of which can be written, and what there is to say of them before. Sends nothing."""
    passes, notes = choice.of(plan(choice.allowing(spec), root, options, client))
    for job in (job for step in passes for job in step.jobs):
        job.ready()
    return passes, [*notes, *preflight.notes(client, passes, choice)]


class _Runner:
    def __init__(
        self,
        client: _core.Client,
        root: Location,
        summary: RunSummary,
        on_progress: OnProgress,
        *,
        journal: Journal,
        choice: Choice,
    ) -> None:
        self._client = client
        self._root = root
        self._summary = summary
        self._tell = on_progress
        self._journal = journal
        self._choice = choice
        self._name = uuid4().hex

    def run(self, step: Pass, refused: Exception | None) -> None:
        lines = [self._line(job) for job in step.jobs]
        _log.info("%s: begins", ", ".join(step.members))
        try:
            _unless(refused)
            with telemetry.reading(self._client, step.tables) as reading:
                self._read(step, lines, reading)
        except BaseException as raised:  # the other passes go on; the run ends with this error
            error = self._root.explained(_failure(raised))
            _log.debug("pass %s failed", ", ".join(step.members), exc_info=True)
            for line in lines:
                line.error = _explain(error)
            self._summary.error = self._summary.error or error
        telemetry.committed(lines)
        self._journal.write(lines)
        for line in lines:
            _log.info("%s: %s", line.destination, line.error or f"{line.rows:,} rows read")
            self._tell(Progress(line.destination, line.rows, line.micro_batches, done=True, error=line.error))

    def _read(self, step: Pass, lines: list[DestinationSummary], reading: telemetry.Reading) -> None:
        """Reads and commits; after another ingest committed first, again from the offset that is stored by then.

        Each loss is another ingest's commit, so of several that run at the same time at least one goes on.
        """

        def tell(progress: Progress) -> None:
            reading.flush()
            self._tell(progress)

        losses = 0
        while True:
            before = sum(line.micro_batches for line in lines)
            try:
                return self._once(step, lines, tell, overtaken=losses > 0)
            except OvertakenError as error:
                losses = 1 if sum(line.micro_batches for line in lines) > before else losses + 1
                if losses > MOST_LOSSES:
                    text = "another ingest is writing this table at the same time; run one at a time"
                    raise CommitFailedError(text) from error
                _log.info("%s: another ingest committed first (%s)", ", ".join(step.members), error)
                sleep(losses * random.uniform(*LOSS_WAIT_SECONDS))  # noqa: S311  (it may finish its commits meanwhile)

    def _once(
        self, step: Pass, lines: list[DestinationSummary], tell: Callable[[Progress], None], *, overtaken: bool
    ) -> None:
        for job in step.jobs:
            schema = pa.schema(self._client.schema(job.spec.source_table, step.options))
            note = timestamps.migrate(job.destination, schema, job.settings)
            self._summary.notes += [note] if note else []
        if is_snapshot(step.jobs[0].way):
            self._snapshot(step.jobs[0], lines[0], step.options, tell)
        else:
            afresh = self._choice.is_afresh(step) and not any(line.micro_batches for line in lines)
            how = How(
                overtaken=overtaken,
                afresh=afresh,
                removes_gone=self._choice.removes_gone,
                confirms_deletes=self._choice.confirms_deletes,
            )
            notes = self._summary.notes
            Incremental(self._client, step, lines, notes, tell, writer=self._name, how=how).run()

    def _line(self, job: Job) -> DestinationSummary:
        return next(line for line in self._summary.destinations if line.destination == job.name)

    def _snapshot(self, job: Job, line: DestinationSummary, options: dict[str, str], tell: OnProgress) -> None:
        fresh = Stamp(0, members=(job.name,), settings=job.settings)
        found, removed = heal(job.destination, job.identity, job.destination.found(), fresh)
        line.healed(removed, self._summary.notes)
        if found.stamp is not None:
            job.check(found.stamp)
        stamp = replace(fresh, batch=(found.batch or 0) + 1)
        table = job.spec.source_table
        schema = pa.schema(self._client.schema(table, options))
        absent = left_out.LeftOut()
        rows = self._read_whole(job, options, schema, line, tell, absent=absent)
        may_delete = partial(guard.refuse, job)
        if keeps_history(job.way):
            now = _now()
            at = scd2.later(job.destination, found.stamp.at if found.stamp else None, now)
            if at > now:
                self._summary.notes.append(f"{job.name}: this machine's clock was behind the last reading; {at} is taken")
            write = partial(scd2.write_snapshot, stamp=replace(stamp, at=at), now=at)
        else:
            write = partial(snapshot.write, stamp=stamp)
        line.add(write(job.destination, rows, schema, may_delete=may_delete, gone=absent.gone))
        self._note_kept(job, line, absent)
        upkeep.after_commit(job.destination, stamp.batch)
        line.micro_batches += 1

    def _read_whole(
        self,
        job: Job,
        options: dict[str, str],
        schema: pa.Schema,
        line: DestinationSummary,
        tell: OnProgress,
        *,
        absent: left_out.LeftOut,
    ) -> Iterator[pa.Table]:
        """A snapshot as it is read. What could not be read of it is ``absent`` at the end."""
        line.rows = 0
        stream = self._client.read(job.spec.source_table, options, keeps_doubtful=True, keeps_skipped=True)
        for batch in stream:
            rows = table_of([batch], schema)
            line.rows += rows.num_rows
            tell(Progress(line.destination, line.rows, line.micro_batches))
            yield rows
        absent.refused = [dict(place) for place in stream.left_out]
        absent.doubtful = [place for team in stream.doubtful if (place := {"team_id": team}) not in absent.refused]
        known, now = self._journal.left_out(job.name), _now()
        last = self._journal.last_checked(job.name)
        line.left_out = {name: known.get(name) or last or now for name in left_out.names(absent.refused)}

    def _note_kept(self, job: Job, line: DestinationSummary, absent: left_out.LeftOut) -> None:
        if absent.kept:
            since = min(line.left_out.values())
            what = f"{len(absent.refused)} skipped {'scope' if len(absent.refused) == 1 else 'scopes'}"
            self._summary.notes.append(
                f"{job.name}: {absent.kept:,} rows of {what} are kept as they were, and are stale since {since}"
            )


def _unless(refused: Exception | None) -> None:
    if refused is not None:
        raise refused


def _failure(error: BaseException) -> Exception:
    """The error of a pass; what must end the run at once, such as Ctrl-C, is raised on."""
    if isinstance(error, Exception):
        return error
    if type(error).__name__ == "PanicException":  # of deltalake's native code, and no Exception
        return _core.LakeflowTeamsError(f"deltalake failed: {one_line(error)}")
    raise error


def _explain(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}"


def _empty(job: Job) -> DestinationSummary:
    return DestinationSummary(job.name, job.spec.source_table, str(job.destination.path))


def _fill(summary: RunSummary, report: Report, warnings: list[str]) -> None:
    summary.requests, summary.retries = report.requests, report.retries
    summary.throttled_seconds, summary.planned_seconds = report.throttled_seconds, report.planned_seconds
    summary.bytes, summary.endpoints = report.bytes, report.raw.get("endpoints", {})
    summary.skipped, summary.skipped_count = report.skipped, report.skipped_count
    unexpected = (f"{column}: {count} values of another type became null" for column, count in report.wrong_types.items())
    keyless = (f"{column}: {count} rows came without it, and it is a key" for column, count in report.without_key.items())
    summary.notes = list(dict.fromkeys([*warnings, *report.warnings, *summary.notes, *report.notes, *unexpected, *keyless]))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
