"""Messages per day and the busiest channels, asked of the Delta tables with SQL: only the sums come into memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder

from lakeflow_teams.results.lakehouse import TableStatus
from lakeflow_teams.store.location import Location

#: How far the page looks back, counted from the newest day that has a message.
DAYS = 90
BUSIEST = 10

#: By the source table.
_Counted = dict[str, list[dict[str, Any]]]

_KINDS = {"messages": "messages", "message_replies": "replies"}
#: Source tables that are looked at.
SOURCES = (*_KINDS, "channels", "teams")
_KEYS = {
    "messages": ("team_id", "channel_id", "id"),
    "message_replies": ("team_id", "channel_id", "parent_message_id", "id"),
}


def volume(target: Location, tables: Iterable[TableStatus]) -> dict[str, Any] | None:
    """What people wrote in channels in the last 90 days, or ``None`` where the lakehouse holds no messages.

    ``days`` are consecutive, with ``messages`` and ``replies`` each; ``channels`` are the busiest ones, by name where the
    lakehouse knows it. System events do not count.
    """
    found = _neighbours(list(tables))
    kinds = {source: name for source, name in _KINDS.items() if source in found}
    if not kinds:
        return None
    builder = QueryBuilder()
    latest: dict[str, str | None] = {}
    for source, table in found.items():
        opened = target.at(table.path).table()
        if opened is None:
            return None  # removed a moment ago
        builder = builder.register(source, opened)
        latest[source] = _latest(opened)
    written = {source: found[source] for source in kinds}
    last = _last_days(builder, written, _told([latest[source] for source in kinds]))
    if last is None:
        return None
    newest, counts = last
    first = newest - timedelta(days=DAYS - 1)
    days: dict[str, dict[str, Any]] = {}
    for offset in range(DAYS):
        day = (first + timedelta(days=offset)).isoformat()
        days[day] = {"day": day, "messages": 0, "replies": 0}
    channels: dict[tuple[str, str], dict[str, Any]] = {}
    for source, name in kinds.items():
        for row in counts[source]:
            if row["channel_id"] is None:
                if row["day"] in days:
                    days[row["day"]][name] = row["count"]
                continue
            key = (row["team_id"], row["channel_id"])
            entry = channels.setdefault(key, {"team_id": key[0], "channel_id": key[1], "messages": 0, "replies": 0})
            entry[name] = row["count"]
    busiest = sorted(channels.values(), key=lambda each: (-each["messages"] - each["replies"], each["channel_id"]))[:BUSIEST]
    _name(builder, found, busiest)
    return {"days": list(days.values()), "channels": busiest}


#: ISO 8601, whether the table has timestamps or the text that Graph sent.
_TIME = 'CAST("createdDateTime" AS VARCHAR)'


def _neighbours(tables: Sequence[TableStatus]) -> dict[str, TableStatus]:
    """One table per source, all of the schema that holds the messages."""
    ours = [table for table in tables if table.source_table and table.rows]
    schema = next((_schema(table) for table in ours if table.source_table in _KINDS), None)
    found: dict[str, TableStatus] = {}
    for table in ours:
        if table.source_table in SOURCES and _schema(table) == schema:
            found.setdefault(str(table.source_table), table)
    return found


def _schema(table: TableStatus) -> str:
    return table.table.rpartition(".")[0]


def _latest(table: DeltaTable) -> str | None:
    """No row was created after the day this begins with; ``None`` where the log does not tell it of every file."""
    files = pa.table(table.get_add_actions(flatten=True))
    name = "max.createdDateTime"
    known = name in files.schema.names and files[name].null_count == 0
    return str(pc.max(files[name]).as_py()) if known else None


def _told(latest: Sequence[str | None]) -> date | None:
    """The day after which nothing was created; ``None`` where that of a table is not known."""
    known = [text for text in latest if text is not None]
    return date.fromisoformat(max(known)[:10]) if len(known) == len(latest) else None


def _newest(builder: QueryBuilder, tables: Mapping[str, TableStatus]) -> date | None:
    """The day of the newest message, for which whole tables are read."""
    queries = (f"SELECT max({_TIME}) AS newest FROM {source} WHERE \"messageType\" = 'message'" for source in tables)
    found = [row["newest"] for query in queries for row in _rows(builder, query) if row["newest"]]
    return date.fromisoformat(max(found)[:10]) if found else None


def _last_days(builder: QueryBuilder, tables: Mapping[str, TableStatus], told: date | None) -> tuple[date, _Counted] | None:
    """The day of the newest message, and what each table holds of the days up to it.

    The day that the log tells of may have events of the system only, and no message.
    """
    if told is not None:
        counts = _counted(builder, tables, told)
        days = [row["day"] for rows in counts.values() for row in rows if row["day"]]
        if days:
            newest = date.fromisoformat(max(days))
            return newest, counts if newest == told else _counted(builder, tables, newest)
    found = _newest(builder, tables)
    return (found, _counted(builder, tables, found)) if found is not None else None


def _counted(builder: QueryBuilder, tables: Mapping[str, TableStatus], newest: date) -> _Counted:
    first = newest - timedelta(days=DAYS - 1)
    return {source: _rows(builder, _counts(table, first)) for source, table in tables.items()}


def _counts(table: TableStatus, first: date) -> str:
    """The messages of each day, and those of each channel, in one reading."""
    # Counted and not selected by their type, of which the engine would make a second pass over all rows.
    count = "count(*) FILTER (WHERE \"messageType\" = 'message')"
    sets = "GROUPING SETS ((day), (team_id, channel_id))"
    names = f"CAST(day AS VARCHAR) AS day, team_id, channel_id, {count} AS count"
    return f"SELECT {names} FROM ({_written(table, first)}) GROUP BY {sets} HAVING {count} > 0"


def _written(table: TableStatus, first: date) -> str:
    """Each message and each event of the system once: a table that keeps versions holds it several times."""
    # As a date and not as text, of which one would be made for each message. It is null for what is no time.
    day = 'TRY_CAST("createdDateTime" AS DATE) AS day'
    # Of the column itself, so that files and row groups of older days are not read.
    where = f"\"createdDateTime\" >= '{first.isoformat()}'"
    if table.way == "append":
        keys = ", ".join(_KEYS[str(table.source_table)])
        return f'SELECT DISTINCT {keys}, "messageType", {day} FROM {table.source_table} WHERE {where}'
    now = ' AND "__END_AT" IS NULL' if table.way == "scd2" else ""
    return f'SELECT team_id, channel_id, "messageType", {day} FROM {table.source_table} WHERE {where}{now}'


def _name(builder: QueryBuilder, found: dict[str, TableStatus], channels: list[dict[str, Any]]) -> None:
    """Adds the names of channels and teams; an id stands for itself where its name is not stored."""
    names: dict[tuple[str, str], str] = {}
    for source in ("channels", "teams"):
        if source not in found:
            continue
        wanted = {each["channel_id" if source == "channels" else "team_id"] for each in channels}
        ids = ", ".join("'" + each.replace("'", "''") + "'" for each in wanted)
        now = ' AND "__END_AT" IS NULL' if found[source].way == "snapshot_scd2" else ""
        query = f'SELECT id, "displayName" AS name FROM {source} WHERE id IN ({ids}){now}'
        names |= {(source, row["id"]): row["name"] for row in _rows(builder, query) if row["name"]}
    for each in channels:
        each["channel"] = names.get(("channels", each["channel_id"]), each["channel_id"])
        each["team"] = names.get(("teams", each["team_id"]), each["team_id"])


def _rows(builder: QueryBuilder, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(builder.execute(query).read_all()).to_pylist()
    return rows
