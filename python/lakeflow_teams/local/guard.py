"""Deletes that look like a mistake are refused: of a reading that suddenly holds little, nothing must be taken for gone."""

from __future__ import annotations

import pyarrow as pa
from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write.delta import count, read
from lakeflow_teams.local.write.scd2 import holding

#: Share of a table's rows that one reading may delete, unless ``max_delete_percent`` says otherwise.
MAX_DELETE_PERCENT = 50
#: Tables with fewer rows than this may lose more: there a share says little. Losing all of them is refused nevertheless.
FEW_ROWS = 20


def snapshot(job: Job, rows: pa.Table) -> None:
    """Looks at a snapshot before it replaces what is stored: ``rows`` is all of it. Raises as :func:`refuse` does."""
    table = job.destination.open()
    if table is None or _most(job) >= 100:
        return
    if rows.num_rows and count(table) < FEW_ROWS:
        return
    keys = list(job.destination.shape.keys)
    stored = read(table, keys, holding(table))
    kept = stored.join(rows.select(keys).group_by(keys).aggregate([]), keys=keys, join_type="left semi").num_rows
    _refuse(job, stored.num_rows, stored.num_rows - kept)


def refuse(job: Job, table: DeltaTable, gone: int) -> None:
    """Raises :class:`LakeflowTeamsError` where ``gone`` rows are more than the destination may lose at once."""
    if gone:
        _refuse(job, count(table), gone)


def _refuse(job: Job, stored: int, gone: int) -> None:
    most = _most(job)
    if not gone or most >= 100:
        return
    is_all = gone >= stored
    is_much = stored >= FEW_ROWS and gone * 100 > most * stored
    if not is_much and not (is_all and not job.may_be_empty):
        return
    share = f"all {stored:,} rows" if is_all else f"{gone:,} of {stored:,} rows ({gone * 100 / stored:.0f} %)"
    raise _core.LakeflowTeamsError(
        f"destination {job.name}: this reading would delete {share}, and max_delete_percent is {most}; nothing was deleted. "
        f"If it is right, allow it once: ingest --only {job.name} --max-delete-percent 100"
    )


def _most(job: Job) -> int:
    most = job.spec.max_delete_percent
    return MAX_DELETE_PERCENT if most is None else most
