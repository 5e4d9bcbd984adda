"""Deletes that look like a mistake are refused: of a reading that suddenly holds little, nothing must be taken for gone."""

from __future__ import annotations

from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.write.delta import arrow_schema, count
from lakeflow_teams.local.write.scd2 import END, holding

#: Share of a table's rows that one reading may delete, unless ``max_delete_percent`` says otherwise.
MAX_DELETE_PERCENT = 50
#: Tables with fewer rows than this may lose more: there a share says little. Losing all of them is refused nevertheless.
FEW_ROWS = 20


def refuse(job: Job, gone: int) -> None:
    """Raises :class:`LakeflowTeamsError` where ``gone`` rows are more than the destination may lose at once."""
    most = MAX_DELETE_PERCENT if job.spec.max_delete_percent is None else job.spec.max_delete_percent
    table = job.destination.open() if gone and most < 100 else None
    if table is None:
        return
    stored = _rows(job, table)
    is_all = gone >= stored
    is_much = stored >= FEW_ROWS and gone * 100 > most * stored
    if not is_much and not (is_all and not job.may_be_empty):
        return
    share = f"all {stored:,} rows" if is_all else f"{gone:,} of {stored:,} rows ({gone * 100 / stored:.0f} %)"
    raise _core.LakeflowTeamsError(
        f"destination {job.name}: this reading would delete {share}, and max_delete_percent is {most}; nothing was deleted. "
        f"If it is right, allow it once: ingest --only {job.name} --max-delete-percent 100"
    )


def _rows(job: Job, table: DeltaTable) -> int:
    """The rows that hold: of a history those without an end."""
    if END not in arrow_schema(table).names:
        return count(table)
    return sum(holding(rows).num_rows for rows in job.destination.stored(table).scan([END]))
