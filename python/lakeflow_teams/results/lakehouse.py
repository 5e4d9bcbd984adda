"""What a lakehouse holds, table by table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TableStatus:
    """One Delta table. Times are ISO 8601 in UTC.

    ``committed`` is the last commit's time; ``read_until`` is Graph's clock at the end of the last reading that the rows
    belong to, where there is an offset. ``state`` is ``done``, ``reading`` (an ingest was interrupted, or is at it: the
    next one goes on), or ``untracked`` (it holds no offset: a log, or a table that another program made).
    """

    table: str
    path: str
    state: str
    source_table: str | None
    rows: int
    version: int
    files: int
    bytes: int
    way: str | None
    committed: str | None
    read_until: str | None


@dataclass(frozen=True)
class LakehouseStatus:
    """Every table under a folder, and the last run's report, if one was written."""

    target: str
    tables: list[TableStatus]
    last_run: dict[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class TableUpkeep:
    """What ``maintain`` did to a table: its files ``before`` and ``after``, and how many of older versions it deleted."""

    table: str
    before: int
    after: int
    deleted: int


def size_text(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
