"""The table ``pairups``: a row per person of every round, with the group and what became of their card; and who met whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from lakeflow_teams.deliver.pairup.grouping import Met
from lakeflow_teams.deliver.pairup.rounds import Round
from lakeflow_teams.store.staging import address

TABLE = ("main", "default", "pairups")
_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("pairup", pa.string(), nullable=False),
        pa.field("round", pa.string(), nullable=False),
        pa.field("formed_at", _TIME, nullable=False),
        pa.field("person_id", pa.string(), nullable=False),
        pa.field("display_name", pa.string()),
        pa.field("group", pa.int32()),
        pa.field("with_ids", pa.list_(pa.string())),
        pa.field("state", pa.string(), nullable=False),
        pa.field("error_code", pa.string()),
        pa.field("error", pa.string()),
        pa.field("sent_at", _TIME),
    ]
)
#: A pair has met where at least one of them was told, or may have been.
_REACHED = ("succeeded", "unknown", "attempting", "recalled")
_UNDER_WAY = ("queued", "attempting", "throttled")

#: Of a person: state, code, reason, and when it was sent.
Outcome = tuple[str, str | None, str | None, datetime | None]


def path(target: Path) -> Path:
    """Where the table is."""
    return target.joinpath(*TABLE)


def write(target: Path, name: str, formed: Round, outcomes: Mapping[str, Outcome]) -> None:
    """Writes the rows of one round anew, and leaves those of others."""
    rows = pa.Table.from_pylist(list(_rows(name, formed, outcomes)), schema=SCHEMA)
    place = address(path(target))
    path(target).parent.mkdir(parents=True, exist_ok=True)
    if DeltaTable.is_deltatable(place):
        write_deltalake(place, rows, mode="overwrite", predicate=f"{_is('pairup', name)} and {_is('round', formed.name)}")
    else:
        write_deltalake(place, rows, mode="append")


def told(target: Path, name: str) -> set[str]:
    """The rounds of which the table has what became of everybody."""
    rows = _column(target, name, ["round", "state"]).group_by(["round", "state"]).aggregate([]).to_pylist()
    under_way = {row["round"] for row in rows if row["state"] in _UNDER_WAY}
    return {row["round"] for row in rows} - under_way


def met(target: Path, name: str, *, before: str) -> dict[tuple[str, str], Met]:
    """Who met whom in earlier rounds than the one that is named."""
    rows = _column(target, name, ["round", "formed_at", "group", "person_id", "state"]).to_pylist()
    formed = {row["round"]: row["formed_at"] for row in rows if row["round"] != before}
    ago = {one: at for at, one in enumerate(sorted(formed, key=formed.__getitem__, reverse=True), 1)}
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        if row["group"] is not None and row["round"] in ago:
            groups.setdefault((row["round"], row["group"]), []).append(row)
    return _pairs((ago[of], people) for (of, _), people in groups.items())


def _pairs(groups: Iterable[tuple[int, list[dict[str, Any]]]]) -> dict[tuple[str, str], Met]:
    found: dict[tuple[str, str], Met] = {}
    for rounds_ago, people in groups:
        reached = {row["person_id"] for row in people if row["state"] in _REACHED}
        for pair in combinations(sorted(row["person_id"] for row in people), 2):
            if reached.intersection(pair):
                known = found.get(pair, Met(0, rounds_ago))
                found[pair] = Met(known.times + 1, min(known.rounds_ago, rounds_ago))
    return found


def _rows(name: str, formed: Round, outcomes: Mapping[str, Outcome]) -> Iterable[dict[str, Any]]:
    groups = {one: (at, group) for at, group in enumerate(formed.groups, 1) for one in group}
    for person in formed.people:
        at, group = groups.get(person.id, (None, ()))
        state, code, why, sent_at = outcomes.get(person.id, (person.state, None, person.why or None, None))
        yield {
            "pairup": name,
            "round": formed.name,
            "formed_at": datetime.fromtimestamp(formed.formed_at / 1000, timezone.utc),
            "person_id": person.id,
            "display_name": person.name,
            "group": at,
            "with_ids": [one for one in group if one != person.id] or None,
            "state": state,
            "error_code": code,
            "error": why,
            "sent_at": sent_at,
        }


def _column(target: Path, name: str, columns: list[str]) -> pa.Table:
    place = address(path(target))
    if not DeltaTable.is_deltatable(place):
        return SCHEMA.empty_table().select(columns)
    return DeltaTable(place).to_pyarrow_table(columns=columns, filters=[("pairup", "=", name)])


def _is(column: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"{column} = '{quoted}'"
