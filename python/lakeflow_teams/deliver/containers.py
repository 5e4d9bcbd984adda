"""What becomes what: the source's containers, and the channels and chats that they are imported into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.deliver.document import ImportSpec
from lakeflow_teams.deliver.mapping import MappedContainer, read_channels
from lakeflow_teams.deliver.people import People
from lakeflow_teams.deliver.sources.model import Problem, Source
from lakeflow_teams.deliver.yaml_file import refuse

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CHATS = ("oneOnOne", "group")
_LARGEST_CHAT = 250
_LONGEST_TOPIC = 200

Row = dict[str, Any]


@dataclass
class Containers:
    """Teams and containers as the plan holds them, and as ``channels.csv`` shows them."""

    teams: list[dict[str, Any]]
    plan: list[dict[str, Any]]
    rows: list[MappedContainer]


def containers(
    spec: ImportSpec, source: Source, people: People, taken: Mapping[str, list[str]], problems: list[Problem]
) -> Containers:
    """Maps every container. ``taken`` are the channels' names of teams that exist, by their id."""
    given = _given(spec.channels, problems)
    teams = _Teams(spec)
    plan: list[dict[str, Any]] = []
    rows: list[MappedContainer] = []
    seen: set[str] = set()
    for row in source.containers().to_pylist():
        if row["source_id"] in seen:
            problems.append(Problem(f"container {row['source_id']}", "the source has it twice", "The first one counts"))
            continue
        seen.add(row["source_id"])
        mapped = given.pop(row["source_id"], MappedContainer(row["source_id"]))
        kind = mapped.kind or row["kind"]
        members = [
            entra_id for one in row["members"] or [] if (entra_id := people.entra_id(one)) and one not in people.deleted
        ]
        is_chat = kind in _CHATS
        one: dict[str, Any] = {
            "source": row["source_id"],
            "name": mapped.name or row["name"] or "",
            "kind": kind,
            "team": None if is_chat else teams.of(mapped.team, row["team"], row["source_id"]),
            "id": mapped.existing_id,
            "general": bool(row["general"]) and kind == "standard" and mapped.existing_id is None,
            "description": (row["description"] or "")[:1024],
            "created": _milliseconds(row["created"]),
            "members": sorted(set(members)),
            "refused": None,
            "notes": [],
        }
        if mapped.action == "skip":
            one["refused"] = _refused("skip", "left out by channels.csv", skipped=True)
        elif is_chat:
            _chat(one, row, people)
        elif kind in ("private", "shared") and people.owner is None and mapped.existing_id is None:
            one["refused"] = _refused("owner", "a private or shared channel needs an owner, and import.yaml names none")
        plan.append(one)
    for source_id in given:
        what = f"the source has no container {source_id}"
        problems.append(Problem("channels.csv", what, "Remove the line, or write the id that the source uses"))
    _name(teams.plan, plan, taken)
    for one in plan:
        team = None if one["team"] is None else teams.plan[one["team"]]["id"] or teams.plan[one["team"]]["name"]
        action = "skip" if one["refused"] and one["refused"]["code"] == "skip" else "import"
        name = one["name"] if one["kind"] != "oneOnOne" else None
        source_name = one.pop("source_name", None)
        rows.append(MappedContainer(one["source"], source_name, one["kind"], team, name, one["id"], action))
    return Containers(teams.plan, plan, rows)


class _Teams:
    """The teams of the plan: the one that it names, and those that the source or the CSV name."""

    def __init__(self, spec: ImportSpec) -> None:
        self._spec = spec
        self.plan: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}
        if spec.team_id or spec.team_name:
            self._add("", spec.team_id, spec.team_name or "", spec.team_description)

    def of(self, mapped: str | None, own: str | None, container: str) -> int:
        """The team that the CSV names, else that of the plan, else the source's own."""
        if "" in self._places and mapped in (None, self._spec.team_name, self._spec.team_id):
            return self._places[""]
        name = mapped or own
        if name is None:
            refuse(f"team: container {container} needs one; write `team: {{name: ...}}` or `team: {{team_id: ...}}`")
        if name not in self._places:
            is_id = bool(_GUID.fullmatch(name))
            self._add(name, name if is_id else None, "" if is_id else name, "")
        return self._places[name]

    def _add(self, key: str, team_id: str | None, name: str, description: str) -> None:
        self._places[key] = len(self.plan)
        self.plan.append({"id": team_id, "name": name, "description": description})


def _refused(code: str, reason: str, *, skipped: bool = False) -> dict[str, Any]:
    return {"skipped": skipped, "code": code, "reason": reason}


def _chat(one: dict[str, Any], row: Row, people: People) -> None:
    """Chats of people who are not all mapped become group chats, so that nobody writes into somebody else's chat."""
    everybody = list(dict.fromkeys(row["members"] or []))
    if len(everybody) == 1 and one["id"] is None:
        one["refused"] = _refused("self", "a note to oneself", skipped=True)
        return
    mapped = {entra_id for member in everybody if (entra_id := people.entra_id(member))}
    missing = [member for member in everybody if people.entra_id(member) is None]
    names = [people.plan.get(member, {}).get("name") or member for member in everybody]
    one["name"] = (one["name"] or ", ".join(names))[:_LONGEST_TOPIC]
    if one["kind"] == "oneOnOne" and not missing and len(mapped) == 2:
        one["members"] = sorted(mapped)
        return
    if one["kind"] == "oneOnOne":
        one["kind"] = "group"
        one["notes"].append("a chat of two became a group chat, because not both have an account")
    if missing and people.fallback:
        mapped.add(people.fallback["id"])
    one["members"] = sorted(mapped)
    if one["id"] is not None:
        return
    if not mapped:
        one["refused"] = _refused("members", "nobody of it has an account, and no fallback_author is named")
    elif len(mapped) > _LARGEST_CHAT:
        one["refused"] = _refused("members", f"a chat has at most {_LARGEST_CHAT} people, and this one {len(mapped)}")


def _name(teams: list[dict[str, Any]], plan: list[dict[str, Any]], taken: Mapping[str, list[str]]) -> None:
    """Gives every new channel a name that Teams takes, and that no other has; one General a team."""
    for one in plan:
        one["source_name"] = one["name"]
    for place, team in enumerate(teams):
        own = [one for one in plan if one["team"] == place and not (one["refused"] and one["refused"]["skipped"])]
        general = next((one for one in own if one["general"]), None)
        for one in own:
            one["general"] = one is general
        fresh = [one for one in own if one["id"] is None and not one["general"]]
        names = _core.channel_names([one["name"] for one in fresh], ["General", *taken.get(team["id"] or "", [])])
        for one, name in zip(fresh, names, strict=True):
            if name != one["name"]:
                one["notes"].append(f"called {name}, because Teams does not take {one['name']!r} or has it already")
            one["name"] = name
        if general is not None:
            general["name"] = "General"


def _milliseconds(moment: datetime | None) -> int | None:
    found = None if moment is None else int(moment.timestamp() * 1000)
    # Exports write 0 or 1 where they have no time.
    return found if found is not None and found > 86_400_000 else None


def _given(channels: Path | Mapping[str, Any], problems: list[Problem]) -> dict[str, MappedContainer]:
    if isinstance(channels, Path):
        return read_channels(channels, problems)
    found = {}
    known = {
        "name": "name",
        "kind": "kind",
        "existing_id": "existing_id",
        "existing id": "existing_id",
        "action": "action",
        "team": "team",
    }
    for source_id, given in channels.items():
        value = given
        if isinstance(given, str):
            value = {"action": "skip"} if given == "skip" else {"name": given}
        if not isinstance(value, Mapping) or set(value) - set(known):
            refuse(
                f"channels.{source_id}: a name, `skip`, or a mapping of name, kind, team, existing_id, action is expected"
            )
        cells = {known[key]: str(text) for key, text in value.items() if text is not None}
        found[source_id] = MappedContainer(**{"source_id": source_id, **cells})
    return found
