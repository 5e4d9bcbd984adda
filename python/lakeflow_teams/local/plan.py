"""From the spec to passes: which reading fills which destinations, and how each of them is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local import timestamps
from lakeflow_teams.local.write.destination import Destination, Shape
from lakeflow_teams.local.write.stamp import Found, Stamp
from lakeflow_teams.spec.pipeline import PipelineSpec, TableSpec
from lakeflow_teams.spec.writing import Way, is_snapshot, keeps_history, needs_sequence, way_of
from lakeflow_teams.store.location import Location

#: Options that say which scopes are read.
SCOPES = ("team_id", "channel_id", "user_id", "chat_id", "group_id", "exclude_team_id", "exclude_channel_id")
#: In the settings of a table of messages' items: rows that say "none any more" are kept apart from it.
MARKERS = "emptied_apart"

_CONFLICTS = ("source_table", "way", "primary_keys", "sequence_by", "tenant_id")


@dataclass(frozen=True)
class Job:
    """One destination: where it comes from, how it is written, and the settings its offset is only valid with."""

    spec: TableSpec
    way: Way
    destination: Destination
    settings: dict[str, Any]
    #: The key of the message whose items the rows are; empty for a table whose rows stand for themselves.
    set_keys: tuple[str, ...] = ()
    #: It is usual that the source table holds nothing.
    may_be_empty: bool = False

    @property
    def name(self) -> str:
        """``catalog.schema.table``."""
        return self.spec.name

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that no two rows share; histories add the time from which a version holds."""
        keys, cursor = self.destination.shape.keys, self.destination.shape.cursor
        return (*keys, cursor) if self.way == "append" and cursor and cursor not in keys else keys

    def ready(self) -> None:
        """Raises :class:`ConfigurationError` where the destination holds something else."""
        stamp = self.destination.found().stamp
        if stamp is not None:
            self.check(stamp)
        if (table := self.destination.open()) is not None:
            self.destination.require_columns(table)

    def check(self, stamp: Stamp) -> None:
        """Raises :class:`ConfigurationError` where the stored rows were made from something else."""
        for key in _CONFLICTS:
            before, now = stamp.settings.get(key), self.settings.get(key)
            if before != now and not (key == "tenant_id" and (before is None or now is None)):
                raise _core.ConfigurationError(
                    f"destination {self.name}: it was filled with {key} {_plain(before)}, and now {key} is {_plain(now)}; "
                    f"choose another destination_table, or remove {self.destination.path} to start over"
                )

    def keeps_markers(self, found: Found) -> bool:
        """Whether stored rows may say that a message holds nothing any more, as earlier versions wrote them."""
        stamp = found.stamp
        return bool(self.set_keys) and self.way != "append" and stamp is not None and MARKERS not in stamp.settings

    def reaches_further_back(self, stamp: Stamp) -> bool:
        """Whether ``start_date`` is earlier than the one the stored rows were read with."""
        before, now = stamp.settings.get("start_date"), self.settings.get("start_date")
        return before is not None and (now is None or _instant(now) < _instant(before))


@dataclass(frozen=True)
class Pass:
    """Jobs that are filled from one reading, with the options it is read with."""

    jobs: tuple[Job, ...]
    options: dict[str, str]

    @property
    def tables(self) -> list[str]:
        """The source tables, in the order they are committed."""
        return [job.spec.source_table for job in self.jobs]

    @property
    def members(self) -> tuple[str, ...]:
        """The names of the destinations."""
        return tuple(job.name for job in self.jobs)


def plan(spec: PipelineSpec, target: Location, connection: Mapping[str, str], client: _core.Client) -> list[Pass]:
    """Every pass of a pipeline, in the order of the spec.

    Raises :class:`ConfigurationError` before anything is read, also where a destination cannot be written.
    """
    infos = {info["name"]: info for info in _core.tables()}
    for table in spec.tables:
        _place(target, table).require_writable(f"destination {table.name}")
    tables = timestamps.decided(spec.tables, infos, lambda table: _place(target, table), client)
    jobs = [_job(table, _place(target, table), connection, client, infos[table.source_table]) for table in tables]
    passes: list[Pass] = []
    taken: set[str] = set()
    for job in jobs:
        if job.name in taken:
            continue
        together = _together(job, [other for other in jobs if other.name not in taken], infos)
        client.validate([member.spec.source_table for member in together], job.spec.options)
        taken.update(member.name for member in together)
        # Who runs an ingest expects it to read; the option is for streams, which ask again by themselves.
        passes.append(Pass(together, {"min_poll_seconds": "0", **job.spec.options}))
    return passes


def _together(job: Job, open_jobs: list[Job], infos: Mapping[str, _core.TableInfo]) -> tuple[Job, ...]:
    """The job, and others whose tables come from the same reading with the same options."""
    reading = infos[job.spec.source_table]["reading"]
    found = {job.spec.source_table: job}
    for other in open_jobs:
        if infos[other.spec.source_table]["reading"] == reading and other.spec.options == job.spec.options:
            found.setdefault(other.spec.source_table, other)
    return tuple(found[table] for table in infos if table in found)


def _place(target: Location, table: TableSpec) -> Location:
    return target / table.catalog / table.schema / table.table


def _job(
    table: TableSpec, path: Location, connection: Mapping[str, str], client: _core.Client, info: _core.TableInfo
) -> Job:
    schema = pa.schema(client.schema(table.source_table, table.options))
    way = _way(table, info)
    keys = table.primary_keys or tuple(info["primary_keys"])
    snapshot = is_snapshot(way)
    cursor = None if snapshot else table.sequence_by or info["cursor_field"]
    _exist(table, "primary_keys", keys, schema)
    _exist(table, "sequence_by", (cursor,) if cursor else (), schema)
    settings: dict[str, Any] = {
        "source_table": table.source_table,
        "way": way,
        "primary_keys": list(keys),
        "sequence_by": cursor,
        "tenant_id": _guid(connection.get("tenant_id")),
        "start_date": None if snapshot else table.options.get("start_date"),
        "scopes": {name: table.options[name] for name in SCOPES if name in table.options},
    }
    time = schema.field(cursor).type if cursor else timestamps.kind_of(table)
    own = tuple(info["primary_keys"]) if table.primary_keys else ()
    sets = () if table.primary_keys or table.sequence_by else tuple(info["set_keys"] or ())
    if sets and way != "append":
        settings[MARKERS] = True
    shape = Shape(tuple(keys), cursor, own, time, _described(tuple(keys), cursor, way), message=sets)
    return Job(table, way, Destination(table.name, path, shape), settings, sets, info["may_be_empty"])


def _described(keys: tuple[str, ...], cursor: str | None, way: Way) -> tuple[str, ...]:
    """What tells a row from all others: its key, and where rows are versions, the time of the version."""
    more = "__START_AT" if keeps_history(way) else cursor if way == "append" else None
    return (*keys, more) if more and more not in keys else keys


def _way(table: TableSpec, info: _core.TableInfo) -> Way:
    way = way_of(info["ingestion_type"], table.scd_type)
    if (way is None or is_snapshot(way)) and table.reconcile_days is not None:
        raise _core.ConfigurationError(
            f"destination {table.name}: {table.source_table} is a snapshot, so leave out reconcile_days"
        )
    if way is None:
        raise _core.ConfigurationError(
            f"destination {table.name}: scd_type APPEND_ONLY needs a table with a cursor, and {table.source_table} is "
            "a snapshot; use SCD_TYPE_1, or SCD_TYPE_2 to keep its history"
        )
    if needs_sequence(way) and info["cursor_field"] is None and table.sequence_by is None:
        raise _core.ConfigurationError(
            f"destination {table.name}: {table.source_table} has no cursor, so scd_type {table.scd_type} needs sequence_by"
        )
    if way == "append" and table.reconcile_days is not None:
        raise _core.ConfigurationError(
            f"destination {table.name}: reconcile_days removes rows, and APPEND_ONLY never does; leave one of them out"
        )
    return way


def _exist(table: TableSpec, option: str, columns: tuple[str, ...], schema: pa.Schema) -> None:
    for name in columns:
        if name not in schema.names:
            raise _core.ConfigurationError(
                f"destination {table.name}: {option} names {name}, which {table.source_table} does not have; "
                f"its columns are {', '.join(schema.names)}"
            )
        kind = schema.field(name).type
        is_plain = pa.types.is_string(kind) or pa.types.is_timestamp(kind)
        if not (is_plain or (option == "primary_keys" and pa.types.is_integer(kind))):
            raise _core.ConfigurationError(
                f"destination {table.name}: {option} names {name}, which is not a text column or a time"
            )


def _guid(text: str | None) -> str | None:
    """A tenant is comparable only by its GUID; it can also be named by any of its domains."""
    if text is None or len(text) != 36 or text.count("-") != 4:
        return None
    return text.lower()


def _instant(text: str) -> str:
    """A comparable form of an ISO date or timestamp; what is neither compares as text."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    return (
        moment if moment.tzinfo is None else moment.replace(tzinfo=None) - (moment.utcoffset() or moment - moment)
    ).isoformat()


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
