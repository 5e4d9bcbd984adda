"""Whether the lakehouse holds what Graph has: keys that are unique, every scope's rows, no gaps; and what can be repaired.

A reading of the keys alone says which stored rows Graph no longer has, and which it has and the lakehouse lacks. Rows that
came after the last reading are no gaps: the next ingest reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams import _core
from lakeflow_teams.local.choice import Choice
from lakeflow_teams.local.plan import Job, Pass
from lakeflow_teams.local.runner import connect, prepared, rooted, run
from lakeflow_teams.local.write import times
from lakeflow_teams.local.write.heal import doubled, heal
from lakeflow_teams.local.write.rows import table_of
from lakeflow_teams.local.write.scd2 import END, holding
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.spec.pipeline import PipelineSpec
from lakeflow_teams.spec.writing import is_snapshot
from lakeflow_teams.store.locate import Target
from lakeflow_teams.store.location import Location

#: Columns that say in which scope a row is.
_SCOPES = ("team_id", "channel_id", "chat_id", "group_id", "user_id")
_TOMBSTONE = "deletedDateTime"


@dataclass(frozen=True)
class ScopeCount:
    """A scope whose stored rows are not those that Graph has."""

    scope: str
    stored: int
    in_graph: int


@dataclass
class Verified:
    """What was found of one destination.

    ``doubled`` keys are stored more than once. ``missing`` rows are in Graph and not stored, ``gone`` ones are stored and
    not in Graph any more; ``scopes`` says where. ``error`` is why Graph could not be compared with. ``repaired`` says what
    was done about it.
    """

    destination: str
    rows: int = 0
    in_graph: int | None = None
    doubled: int = 0
    missing: int = 0
    gone: int = 0
    scopes: list[ScopeCount] = field(default_factory=list)
    error: str | None = None
    repaired: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing was found that is wrong."""
        return not (self.doubled or self.missing or self.gone or self.error)


def verify(
    spec: PipelineSpec,
    target: Target,
    connection: Mapping[str, Any] | None = None,
    *,
    only: tuple[str, ...] = (),
    offline: bool = False,
    repair: bool = False,
) -> list[Verified]:
    """Looks at every destination of ``spec`` that was written. ``offline`` sends nothing, and looks at keys only.

    ``repair`` takes out doubled keys, and reads tables with gaps or with rows that are gone from the beginning.
    """
    client, options = connect(spec, connection, None)
    root = rooted(spec, target)
    choice = Choice(only)
    passes, _ = prepared(spec, root, options, client, choice)
    found = {job.name: _look(client, step, job, offline=offline) for step in passes for job in step.jobs}
    if repair:
        jobs = {job.name: job for step in passes for job in step.jobs}
        _repair(spec, root, connection, jobs, found)
    return list(found.values())


def _look(client: _core.Client, step: Pass, job: Job, *, offline: bool) -> Verified:
    table = job.destination.open()
    if table is None:
        return Verified(job.name, error="it was never written")
    keys = list(job.destination.shape.keys)
    rows = job.destination.stored(table)
    found = Verified(job.name, doubled=doubled(rows, keys, job.identity).num_rows)
    cursor = [job.destination.shape.cursor] if job.destination.shape.cursor else []
    further = [name for name in (_TOMBSTONE, END, *(("set_size",) if job.set_keys else ())) if name in rows.schema.names]
    columns = list(dict.fromkeys([*keys, *cursor, *further]))
    empty = pa.schema([rows.schema.field(name) for name in columns]).empty_table()
    stored = pa.concat_tables([empty, *(holding(some.select(columns)) for some in rows.scan(columns))])
    found.rows = stored.num_rows
    if offline or any(key not in _own_keys(job) for key in keys):
        return found
    stored = stored if job.way != "append" else _newest_of(stored, keys)
    try:
        present = _present(client, step, job, [*keys, *cursor, *(("set_size",) if job.set_keys else ())])
    except _core.LakeflowTeamsError as error:
        found.error = f"Graph could not be compared with: {error}"
        return found
    _compare(job, found, stored, present, keys)
    return found


def _own_keys(job: Job) -> tuple[str, ...]:
    return job.destination.shape.own or job.destination.shape.keys


def _newest_of(stored: pa.Table, keys: list[str]) -> pa.Table:
    """One row for each key, deleted where its newest version is."""
    names = [name for name in stored.schema.names if name not in keys]
    merged = stored.group_by(keys).aggregate([(name, "max") for name in names])
    return merged.rename_columns({f"{name}_max": name for name in names})


def _present(client: _core.Client, step: Pass, job: Job, columns: list[str]) -> pa.Table:
    source = job.spec.source_table
    names = list(dict.fromkeys(columns))
    schema = pa.schema(client.schema(source, step.options, columns=names))
    rows = table_of(client.read(source, step.options, columns=names), schema)
    return rows.filter(pc.greater(rows["set_size"], 0)) if job.set_keys else rows  # "none any more" is no row that is stored


def _compare(job: Job, found: Verified, stored: pa.Table, present: pa.Table, keys: list[str]) -> None:
    found.in_graph = present.num_rows
    stamp = job.destination.found().stamp
    cursor = job.destination.shape.cursor
    missing = present.join(stored.select(keys), keys=keys, join_type="left anti")
    gone = stored.join(present.select(keys), keys=keys, join_type="left anti")
    if _TOMBSTONE in gone.schema.names:
        gone = gone.filter(pc.is_null(gone[_TOMBSTONE]))  # Graph may leave out what it said was deleted
    if job.set_keys and "set_size" in gone.schema.names:
        gone = gone.filter(pc.greater(gone["set_size"], 0))
    until = _core.offset_info(stamp.offset)["until"] if stamp is not None and stamp.offset else None
    if cursor is not None and until is not None and not is_snapshot(job.way):
        begin = pa.scalar(times.moment(until, missing[cursor].type))
        missing = missing.filter(pc.less(missing[cursor], begin))
    found.missing, found.gone = missing.num_rows, gone.num_rows
    scope = [key for key in keys if key in _SCOPES]
    if scope and (found.missing or found.gone):
        stored_by, present_by = _counted(stored, scope), _counted(present, scope)
        concerned = set(_counted(missing, scope)) | set(_counted(gone, scope))
        found.scopes = [
            ScopeCount("/".join(each), stored_by.get(each, 0), present_by.get(each, 0)) for each in sorted(concerned)
        ]


def _counted(rows: pa.Table, scope: list[str]) -> dict[tuple[str, ...], int]:
    counted = rows.group_by(scope).aggregate([([], "count_all")])
    names = zip(*(counted[name].to_pylist() for name in scope), strict=True)
    return dict(zip(names, counted["count_all"].to_pylist(), strict=True))


def _repair(
    spec: PipelineSpec,
    root: Location,
    connection: Mapping[str, Any] | None,
    jobs: Mapping[str, Job],
    found: dict[str, Verified],
) -> None:
    for name, each in found.items():
        if each.doubled:
            job = jobs[name]
            state = replace(job.destination.found(), touched=True)
            _, removed = heal(job.destination, job.identity, state, Stamp(0, settings=job.settings))
            each.repaired.append(f"{removed} doubled rows were removed")
    afresh = tuple(name for name, each in found.items() if (each.missing or each.gone) and not each.error)
    if not afresh:
        return
    summary = run(spec, root, connection, report=False, choice=Choice(afresh, afresh, removes_gone=True))
    for line in summary.destinations:
        if line.destination in found:
            changes = f"{line.inserts} rows added, {line.updates} changed, {line.deletes} removed"
            found[line.destination].repaired.append(line.error or f"read from the beginning: {changes}")
