"""Whether a destination's times are text or timestamps, and casting the stored rows where the pipeline says so.

New tables get timestamps: what reads a lakehouse (duckdb, polars, Spark) sorts, groups and subtracts by time. A stored
table stays as it was created, because its readers are written for that, unless the pipeline names the other with
``timestamps``. Then it is cast once, in one commit; the version before keeps every word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local.write import delta, times
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.stamp import Stamp
from lakeflow_teams.local.write.times import is_list
from lakeflow_teams.spec.pipeline import TableSpec
from lakeflow_teams.store.location import Location

OPTION = "timestamps"
TEXT, TIMESTAMP = "text", "timestamp"
_OWN = ("__START_AT", "__END_AT")


def decided(
    tables: Iterable[TableSpec],
    infos: Mapping[str, _core.TableInfo],
    place_of: Callable[[TableSpec], Location],
    client: _core.Client,
) -> list[TableSpec]:
    """The tables with the option filled in. A new table takes after those that are filled from the same reading."""
    asked = list(tables)
    known = [table.options.get(OPTION) or _stored(table, place_of(table), client) for table in asked]
    passes = [(infos[table.source_table]["reading"], table.options) for table in asked]
    chosen = []
    for table, mode, step in zip(asked, known, passes, strict=True):
        siblings = (other for other, same in zip(known, passes, strict=True) if same == step and other)
        chosen.append(replace(table, options={**table.options, OPTION: mode or next(siblings, TIMESTAMP)}))
    return chosen


def kind_of(table: TableSpec) -> pa.DataType:
    """The type of times that are not the source's."""
    return times.TIMESTAMP if table.options.get(OPTION) == TIMESTAMP else pa.string()


def migrate(destination: Destination, schema: pa.Schema, settings: dict[str, Any]) -> str | None:
    """Casts a stored table to the times of ``schema``, the source's. Returns a note where there was something to cast."""
    table = destination.open()
    if table is None:
        return None
    stored = delta.arrow_schema(table)
    wanted = _wanted(stored, schema, destination.shape.time)
    if wanted.equals(stored):
        return None
    found = destination.found()
    stamp = replace(found.stamp or Stamp(0, settings=settings), batch=(found.batch or 0) + 1)
    table = destination.current(stamp) or table
    rows, before = times.cast(delta.read(table), wanted), table.version()
    delta.overwrite(table, destination.path, rows, stamp.properties())
    return f"{destination.name}: times were cast as {OPTION} asks; version {before} has them as they were"


def _stored(table: TableSpec, place: Location, client: _core.Client) -> str | None:
    """What the stored table has; ``None`` where there is none, or it has no times."""
    found = delta.opened(place)
    if found is None:
        return None
    stored = delta.arrow_schema(found)
    if any(times.holds_timestamps(field.type) for field in stored):
        return TIMESTAMP
    source = pa.schema(client.schema(table.source_table, {**table.options, OPTION: TIMESTAMP}))
    has_text = any(times.holds_timestamps(field.type) for field in source) or _OWN[0] in stored.names
    return TEXT if has_text else None


def _wanted(stored: pa.Schema, source: pa.Schema, own: pa.DataType) -> pa.Schema:
    types = {**{field.name: field.type for field in source}, **dict.fromkeys(_OWN, own)}
    return pa.schema([field.with_type(_timed(field.type, types.get(field.name, field.type))) for field in stored])


def _timed(stored: pa.DataType, source: pa.DataType) -> pa.DataType:
    """The stored type with the source's times in the places of its own."""
    if pa.types.is_struct(stored) and pa.types.is_struct(source):
        types = {field.name: field.type for field in source}
        return pa.struct([field.with_type(_timed(field.type, types.get(field.name, field.type))) for field in stored])
    if is_list(stored) and is_list(source):
        return pa.list_(stored.value_field.with_type(_timed(stored.value_type, source.value_type)))
    times_differ = pa.types.is_timestamp(stored) != pa.types.is_timestamp(source)
    return source if times_differ else stored
