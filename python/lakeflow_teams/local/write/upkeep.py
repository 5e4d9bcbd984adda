"""A table's files kept in shape: small ones are put together, and those that are the table's no more are deleted.

Ingests do it by themselves every so many commits, and ``lakeflow-teams maintain`` when it is asked to. Readers are not
disturbed: what a version names stays for a week, or for as long as the table says.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from dataclasses import dataclass

from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from lakeflow_teams.local.write import delta
from lakeflow_teams.local.write.by_files import ByFiles
from lakeflow_teams.local.write.data_file import FILE_ROWS
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.stamp import UPKEEP
from lakeflow_teams.store.location import Location

_log = logging.getLogger(__name__)

#: Commits of an ingest between two looks at the table's files.
COMMITS = 32
#: Files of less than half a file's rows, from which on an ingest puts them together.
_MANY_FILES = 16
#: Rows that are put together in one commit.
_ROWS_AT_ONCE = 4 * FILE_ROWS
#: How often in a row another program may commit first.
_MOST_LOSSES = 5
#: Time travel and readers that are slow can rely on so many hours, whatever the table's own retention is.
_RETENTION_HOURS = 7 * 24
_RETENTION = "delta.deletedFileRetentionDuration"
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}


@dataclass(frozen=True)
class Upkeep:
    """What was done: files before and after, and how many files were deleted."""

    before: int
    after: int
    deleted: int


def after_commit(destination: Destination, number: int) -> None:
    """Looks after the table once in so many commits. What goes wrong is no error of the ingest: its rows are committed."""
    if number % COMMITS:
        return
    try:
        table = destination.open()
        if table is not None:
            look_after(destination, table, least=_MANY_FILES)
    except Exception as error:
        _log.info("%s: its files were not looked after (%s)", destination.name, error)


def after_log(path: Location) -> None:
    """The same for a table to which rows are only added."""
    table = delta.opened(path)
    if table is not None and table.version() % COMMITS == COMMITS - 1:
        compact_log(table, path)


def look_after(destination: Destination, table: DeltaTable, *, least: int = 2) -> Upkeep:
    """Puts small files together if there are so many, and deletes files that no version of the last days names."""
    before = len(table.file_uris())
    for _ in range(_MOST_LOSSES):
        try:
            _compact(destination, table, least)
            break
        except delta.OvertakenError:
            table = delta.refreshed(table, destination.path)
    table = delta.refreshed(table, destination.path)
    deleted = _clean(table)
    return Upkeep(before, len(delta.refreshed(table, destination.path).file_uris()), deleted)


def compact_log(table: DeltaTable, path: Location) -> Upkeep:
    """Looks after a table without keys, to which rows are only added."""
    before = len(table.file_uris())
    with delta.committing(path), suppress(delta.OvertakenError):
        table.optimize.compact()
    table = delta.refreshed(table, path)
    deleted = _clean(table)
    return Upkeep(before, len(delta.refreshed(table, path).file_uris()), deleted)


def _clean(table: DeltaTable) -> int:
    """Deletes the files that no version names that is younger than the retention, and tells how many."""
    hours = max(_RETENTION_HOURS, _hours(table.metadata().configuration.get(_RETENTION)))
    return len(table.vacuum(retention_hours=hours, dry_run=False, full=True, enforce_retention_duration=False))


def _compact(destination: Destination, table: DeltaTable, least: int) -> None:
    while True:
        stored = destination.stored(table)
        if not isinstance(stored, ByFiles):
            table.optimize.compact()
            return
        small = [number for number, file in enumerate(stored.files) if file.rows < FILE_ROWS // 2]
        if len(small) < max(least, 2):
            return
        some = _first(small, stored)
        actions: list[AddAction | RemoveAction] = [*stored.compacted(some)]
        actions += [delta.removal(stored.files[number].path, change=False) for number in some]
        delta.commit(table, destination.path, actions, CommitProperties(custom_metadata={UPKEEP: "compaction"}))
        table = delta.refreshed(table, destination.path)


def _first(small: list[int], stored: ByFiles) -> list[int]:
    """The oldest ones, of so many rows that they may lie in memory; two at least."""
    rows = 0
    some: list[int] = []
    for number in small:
        if len(some) >= 2 and rows >= _ROWS_AT_ONCE:
            break
        some.append(number)
        rows += stored.files[number].rows
    return some


def _hours(interval: str | None) -> int:
    """The hours of ``interval 2 weeks``; 0 of what says something else."""
    found = re.fullmatch(r"(?:interval )?(\d+) (hour|day|week)s?", interval or "")
    return int(found[1]) * _HOURS[found[2]] if found else 0
