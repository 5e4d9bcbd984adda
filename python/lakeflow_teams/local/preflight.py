"""What can be said before anything is read: what a run is allowed to, and what its options do to what is stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.local.choice import Choice
from lakeflow_teams.local.plan import Job, Pass
from lakeflow_teams.local.write.delta import arrow_schema, count
from lakeflow_teams.local.write.scd2 import END, holding
from lakeflow_teams.spec.writing import is_snapshot

#: Options that name scopes, and the columns that hold these.
_SCOPE_COLUMNS = {
    "team_id": ("team_id", "teams"),
    "channel_id": ("channel_id", "channels"),
    "user_id": ("user_id", "users"),
    "chat_id": ("chat_id", "chats"),
    "group_id": ("group_id", "groups"),
    "exclude_team_id": ("team_id", "teams"),
    "exclude_channel_id": ("channel_id", "channels"),
}


def sign_in(client: _core.Client, passes: Sequence[Pass]) -> Mapping[tuple[str, ...], Exception]:
    """Asks for a token once, and tells which passes need not begin, by their members, and why.

    Without a token that is all of them, for one reason. Where the token holds too little for a table, one cheap request of
    it decides: a team may consent for itself.
    """
    tables = {step.members: [(job.spec.source_table, job.spec.options) for job in step.jobs] for step in passes}
    try:
        roles = client.roles()
    except _core.LakeflowTeamsError as error:
        return dict.fromkeys(tables, error)
    if roles is None:
        return {}
    granted = set(roles)
    doubtful = {members: wanted for members, wanted in tables.items() if _lacks(granted, wanted)}
    refused: dict[tuple[str, ...], Exception] = {}
    for members, wanted in doubtful.items():
        missing = _missing(json.loads(client.check(wanted)))
        if missing:
            refused[members] = _core.PermissionDeniedError(
                f"the token does not hold {', '.join(missing)}: grant the application "
                f"permission{'s' if len(missing) > 1 else ''} with admin consent (a token keeps what it holds until it ends)"
            )
    return refused


def _lacks(granted: set[str], wanted: Sequence[tuple[str, Mapping[str, str]]]) -> bool:
    infos = {info["name"]: info for info in _core.tables()}
    return any(
        permission not in granted and not granted.intersection(infos[table]["wider_permissions"].get(permission, ()))
        for table, _ in wanted
        for permission in infos[table]["permissions"]
    )


def _missing(check: Mapping[str, Any]) -> list[str]:
    """The permissions for want of which a cheap request was refused, each once."""
    names = [
        permission["name"]
        for table in check["tables"]
        if table["status"] == "missing" and table["error"]
        for permission in table["permissions"]
        if permission["status"] == "missing"
    ]
    return list(dict.fromkeys(names))


def notes(client: _core.Client, passes: Sequence[Pass], choice: Choice) -> list[str]:
    """What the options of this run do to tables that hold rows already. Sends nothing."""
    found = []
    for step in passes:
        for job in step.jobs:
            table = job.destination.open()
            if table is None or not count(table):
                continue
            if not is_snapshot(job.way):
                found += _new_columns(job, table, pa.schema(client.schema(job.spec.source_table, job.spec.options)), choice)
            found += _left_outside(job, table)
    return found


def _new_columns(job: Job, table: DeltaTable, wanted: pa.Schema, choice: Choice) -> list[str]:
    stored = arrow_schema(table).names
    new = [name for name in wanted.names if name not in stored]
    if not new or choice.full_refresh:
        return []
    remedy = (
        "APPEND_ONLY changes no row, so they stay without"
        if job.way == "append"
        else f"`ingest --full-refresh {job.spec.table}` reads everything again and fills them"
    )
    verb = "is" if len(new) == 1 else "are"
    return [f"{job.name}: {', '.join(new)} {verb} new, and null in the {count(table):,} rows that were there; {remedy}"]


def _left_outside(job: Job, table: DeltaTable) -> list[str]:
    """Stored rows of scopes that the options do not read any more."""
    stamp = job.destination.found().stamp
    before = stamp.settings.get("scopes") if stamp is not None else None
    now = job.settings["scopes"]
    if before == now or (before is None and not is_snapshot(job.way)):
        return []
    found = []
    for option, (column, own) in _SCOPE_COLUMNS.items():
        name = "id" if job.spec.source_table == own else column
        if option not in now or name not in arrow_schema(table).names:
            continue
        ids = pa.array([part.strip() for part in now[option].split(",") if part.strip()], pa.string())
        outside = _outside(job, table, name, ids, keeps=not option.startswith("exclude_"))
        if outside:
            scopes = len(outside)
            fate = "are to be deleted" if is_snapshot(job.way) else "stay, and are not read any more"
            what = f"{scopes} {own if scopes != 1 else own.removesuffix('s')}"
            found.append(f"{job.name}: {option} leaves {what} outside; their {sum(outside.values()):,} rows {fate}")
    return found


def _outside(job: Job, table: DeltaTable, name: str, ids: pa.Array, *, keeps: bool) -> Counter[str]:
    """The rows of each scope that is not among ``ids``, or with ``keeps`` off of each that is."""
    stored = job.destination.stored(table)
    found: Counter[str] = Counter()
    for rows in stored.scan([name, *(column for column in (END,) if column in stored.schema.names)]):
        column = holding(rows)[name]
        among = pc.is_in(column, value_set=ids.cast(column.type))
        found.update(column.filter(pc.invert(among) if keeps else among).to_pylist())
    return found


def too_early(step: Pass, offset: str, now: str | None) -> list[str]:
    """Why a reading brought nothing although something may have happened: ``min_poll_seconds`` had not passed."""
    until, least = _core.offset_info(offset)["until"], float(step.options["min_poll_seconds"])
    if until is None or now is None or not least:
        return []
    seconds = (_time(now) - _time(until)).total_seconds()
    # The server tells whole seconds, so that its clock may seem to be up to one behind.
    if not -1 < seconds < least:
        return []
    names, ago = ", ".join(step.members), max(seconds, 0)
    return [f"{names}: polled {ago:.0f} s ago, so nothing was asked (min_poll_seconds={least:.0f})"]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
