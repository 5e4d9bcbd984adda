"""What is in the lakehouse, from the Delta tables alone: rows, versions, and how far each has been read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pyarrow as pa
from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.local import journal
from lakeflow_teams.local.write.delta import count, opened
from lakeflow_teams.local.write.stamp import Found, find
from lakeflow_teams.results.lakehouse import LakehouseStatus, RunState, TableStatus
from lakeflow_teams.run_report.files import latest
from lakeflow_teams.store.locate import Target, locate
from lakeflow_teams.store.location import Location


def status(target: Target) -> LakehouseStatus:
    """What the target holds. Raises :class:`ConfigurationError` where that is nothing."""
    root = locate(target)
    known = journal.entries(root)
    found = {table.table: table for table in tables_of(root)}
    if not found and not known:
        raise _core.ConfigurationError(f"--target: there is no Delta table in {root}; lakeflow-teams ingest fills it")
    never = {name: _never(root, name, entry) for name, entry in known.items() if name not in found}
    tables = [_with(table, known.get(name)) for name, table in sorted({**found, **never}.items())]
    runs = [RunState(run.started, _state_of(run), run.host, run.pid) for run in journal.unfinished(root)]
    return LakehouseStatus(str(root), tables, latest(root), runs)


def _with(table: TableStatus, entry: journal.Entry | None) -> TableStatus:
    """A table with what the journal knows of it."""
    if entry is None:
        return table
    return replace(
        table,
        checked=entry.checked,
        changed=entry.changed,
        error=entry.error,
        error_at=entry.error_at,
        left_out=dict(entry.left_out),
    )


def _never(root: Location, name: str, entry: journal.Entry) -> TableStatus:
    path = f"{root}/{name.replace('.', '/')}"
    return TableStatus(name, path, "never written", entry.source_table or None, 0, None, 0, 0, None, None, None)


def _state_of(run: journal.Running) -> str:
    return "unknown" if run.alive is None else "running" if run.alive else "killed"


def tables_of(target: Location) -> list[TableStatus]:
    """Every ``<catalog>/<schema>/<table>`` of the target, in the order of their names."""
    found = ((parts, opened(target / parts[0] / parts[1] / parts[2])) for parts in target.tables())
    return [_table(target, parts, table) for parts, table in found if table is not None]


def _table(target: Location, parts: tuple[str, str, str], table: DeltaTable) -> TableStatus:
    path = target / parts[0] / parts[1] / parts[2]
    found = find(table)
    sizes = pa.table(table.get_add_actions(flatten=True)).column("size_bytes").to_pylist()
    stamp = found.stamp
    return TableStatus(
        table=".".join(parts),
        path=str(path),
        state=_state(found),
        source_table=stamp.settings.get("source_table") if stamp else None,
        rows=count(table),
        version=table.version(),
        files=len(sizes),
        bytes=sum(size or 0 for size in sizes),
        way=stamp.settings.get("way") if stamp else None,
        committed=_committed(table),
        read_until=_core.offset_info(stamp.offset)["until"] if stamp and stamp.offset else None,
    )


def _state(found: Found) -> str:
    if found.batch is None:
        return "untracked"
    return "done" if found.stamp is None or found.stamp.finished else "reading"


def _committed(table: DeltaTable) -> str | None:
    for commit in table.history(1):
        moment = datetime.fromtimestamp(commit["timestamp"] / 1000, timezone.utc)
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return None
