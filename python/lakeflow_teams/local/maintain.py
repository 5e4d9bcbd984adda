"""Keeps the tables of a lakehouse in shape: small files are put together, and files of no recent version are deleted."""

from __future__ import annotations

from lakeflow_teams import _core
from lakeflow_teams.local.write.delta import opened
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import find
from lakeflow_teams.local.write.upkeep import Upkeep, compact_log, look_after
from lakeflow_teams.results.lakehouse import TableUpkeep
from lakeflow_teams.store.locate import Target, locate
from lakeflow_teams.store.location import Location


def maintain(target: Target) -> list[TableUpkeep]:
    """Looks after every table of the target. Raises :class:`ConfigurationError` where there is none.

    Readers and ingests may go on meanwhile: what an ingest commits first stays, and files that a version of the last seven
    days names are kept, or of as many as ``delta.deletedFileRetentionDuration`` says, if those are more.
    """
    root = locate(target)
    tables = root.tables()
    if not tables:
        raise _core.ConfigurationError(f"--target: there is no Delta table in {root}; lakeflow-teams ingest fills it")
    return [_table(root / catalog / schema / table, f"{catalog}.{schema}.{table}") for catalog, schema, table in tables]


def _table(location: Location, name: str) -> TableUpkeep:
    table = opened(location)
    if table is None:
        return TableUpkeep(name, 0, 0, 0)
    stamp = find(table).stamp
    if stamp is None:
        return _told(name, compact_log(table, location))
    keys, cursor = stamp.settings["primary_keys"], stamp.settings["sequence_by"]
    return _told(name, look_after(Destination(name, location, Shape(tuple(keys), cursor)), table))


def _told(name: str, done: Upkeep) -> TableUpkeep:
    return TableUpkeep(name, done.before, done.after, done.deleted)
