"""What is in the lakehouse, from the Delta tables alone: rows, versions, and how far each has been read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams._staging import address
from lakeflow_teams.local import journal
from lakeflow_teams.local.write.delta import count
from lakeflow_teams.local.write.stamp import Found, find
from lakeflow_teams.results.lakehouse import LakehouseStatus, RunState, TableStatus
from lakeflow_teams.run_report.files import latest


def status(target: Path) -> LakehouseStatus:
    """What the folder holds. Raises :class:`ConfigurationError` where that is nothing."""
    known = journal.entries(target)
    found = {table.table: table for table in tables_of(target)}
    if not found and not known:
        raise _core.ConfigurationError(f"--target: there is no Delta table in {target}; lakeflow-teams ingest fills it")
    never = {name: _never(target, name, entry) for name, entry in known.items() if name not in found}
    tables = [_with(table, known.get(name)) for name, table in sorted({**found, **never}.items())]
    runs = [RunState(run.started, _state_of(run), run.host, run.pid) for run in journal.unfinished(target)]
    return LakehouseStatus(str(target), tables, latest(target), runs)


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


def _never(target: Path, name: str, entry: journal.Entry) -> TableStatus:
    path = str(target.joinpath(*name.split(".")))
    return TableStatus(name, path, "never written", entry.source_table or None, 0, None, 0, 0, None, None, None)


def _state_of(run: journal.Running) -> str:
    return "unknown" if run.alive is None else "running" if run.alive else "killed"


def tables_of(target: Path) -> list[TableStatus]:
    """Every ``<catalog>/<schema>/<table>`` of the folder, in the order of their names."""
    return [_table(target, log.parent) for log in sorted(target.glob("*/*/*/_delta_log"))]


def _table(target: Path, path: Path) -> TableStatus:
    table = DeltaTable(address(path))
    found = find(table)
    sizes = pa.table(table.get_add_actions(flatten=True)).column("size_bytes").to_pylist()
    stamp = found.stamp
    return TableStatus(
        table=".".join(path.relative_to(target).parts),
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
