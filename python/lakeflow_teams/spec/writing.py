"""How a destination is written: the one place that decides it, for the local lakehouse and for Spark.

Where a way is impossible the caller refuses it, because only the caller knows where in the spec the mistake is.
"""

from __future__ import annotations

from typing import Literal

Way = Literal["merge", "append", "scd2", "snapshot", "snapshot_scd2"]

#: Values of ``scd_type``.
SCD_TYPES = ("SCD_TYPE_1", "SCD_TYPE_2", "APPEND_ONLY")

_OF_SNAPSHOTS: dict[str, Way] = {"SCD_TYPE_1": "snapshot", "SCD_TYPE_2": "snapshot_scd2"}
_OF_CHANGES: dict[str, Way] = {"SCD_TYPE_1": "merge", "SCD_TYPE_2": "scd2", "APPEND_ONLY": "append"}


def way_of(ingestion_type: str, scd_type: str | None) -> Way | None:
    """The way of writing a table of this ingestion type.

    Without an ``scd_type`` tables that only grow are appended, and all others hold each key once. ``None`` for a snapshot
    that is to be appended: it has no versions to tell apart.
    """
    if ingestion_type == "snapshot":
        return _OF_SNAPSHOTS.get(scd_type or "SCD_TYPE_1")
    return _OF_CHANGES[scd_type or ("APPEND_ONLY" if ingestion_type == "append" else "SCD_TYPE_1")]


def is_snapshot(way: Way) -> bool:
    """Whether the whole table is read each time, and what is missing is gone."""
    return way in ("snapshot", "snapshot_scd2")


def keeps_history(way: Way) -> bool:
    """Whether every version of a row is kept, with the time in which it held."""
    return way in ("scd2", "snapshot_scd2")


def needs_sequence(way: Way) -> bool:
    """Whether rows of one key are ordered by a column, which the table or the spec has to name."""
    return way in ("merge", "scd2")
