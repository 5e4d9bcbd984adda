"""What of a pipeline is run: some of its tables, and which of them from the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.local.plan import Job, Pass
from lakeflow_teams.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class Choice:
    """``only`` and ``full_refresh`` name destinations (``catalog.schema.table`` or its last part) or source tables.

    Without ``only`` everything is run; what ``full_refresh`` names is read from the beginning. ``max_delete_percent`` takes
    the place of every destination's own. ``removes_gone`` reads the keys of what Graph has once more, and removes the rows
    that are not among them; with ``confirms_deletes`` those too that are marked as deleted.
    """

    only: tuple[str, ...] = ()
    full_refresh: tuple[str, ...] = ()
    max_delete_percent: int | None = None
    removes_gone: bool = False
    confirms_deletes: bool = False

    def of(self, passes: Sequence[Pass]) -> tuple[list[Pass], list[str]]:
        """The passes to run, and what to say of them. Raises :class:`ConfigurationError` for a name that they lack."""
        jobs = [job for step in passes for job in step.jobs]
        for option, names in (("--only", self.only), ("--full-refresh", self.full_refresh)):
            for name in names:
                _require(option, name, jobs)
        chosen = [step for step in passes if not self.only or any(_is(job, self.only) for job in step.jobs)]
        notes = []
        for step in chosen:
            others = [job.name for job in step.jobs if self.only and not _is(job, self.only)]
            if others:
                notes.append(f"{', '.join(others)}: filled too, because it comes from the same reading")
        return chosen, notes

    def is_afresh(self, step: Pass) -> bool:
        """Whether the pass is read from the beginning."""
        return any(_is(job, self.full_refresh) for job in step.jobs)

    def allowing(self, spec: PipelineSpec) -> PipelineSpec:
        """The spec, with the deletes that this run allows."""
        if self.max_delete_percent is None:
            return spec
        tables = tuple(replace(table, max_delete_percent=self.max_delete_percent) for table in spec.tables)
        return replace(spec, tables=tables)


EVERYTHING = Choice()


def _is(job: Job, names: Sequence[str]) -> bool:
    return any(name in names for name in _names(job))


def _names(job: Job) -> tuple[str, ...]:
    return (job.name, job.spec.table, job.spec.source_table)


def _require(option: str, name: str, jobs: Sequence[Job]) -> None:
    known = [each for job in jobs for each in _names(job)]
    if name not in known:
        listed = ", ".join(job.name for job in jobs)
        hint = did_you_mean(name, known, otherwise=f"; it has {listed}")
        raise _core.ConfigurationError(f"{option} {name}: the pipeline has no such table{hint}")
