"""What an export holds and where: conversations with their day files, and people.

A workspace has its lists (`channels.json`, `groups.json`, `mpims.json`, `dms.json`, `users.json`) at the root and a folder
per conversation. A Grid export has such workspaces under `teams/NAME/`, `org_users.json`, and at the root what they share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lakeflow_teams.deliver.sources.archive import Archive
from lakeflow_teams.deliver.sources.json_items import array_items
from lakeflow_teams.deliver.sources.loose import Json, mapping, number, text, texts
from lakeflow_teams.deliver.sources.model import Problem, SourceError
from lakeflow_teams.deliver.sources.slack.values import unescape

_LISTS = {"channels.json": "standard", "groups.json": "private", "mpims.json": "group", "dms.json": "oneOnOne"}
_USERS = ("users.json", "org_users.json")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")


@dataclass
class Conversation:
    """A channel, a group or a DM, and its day files, oldest first."""

    id: str
    name: str | None
    kind: str
    team: str | None
    description: str | None = None
    created: int | None = None
    creator: str | None = None
    archived: bool = False
    general: bool = False
    members: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)


@dataclass
class Person:
    """Who is in a list of users."""

    id: str
    name: str
    email: str | None
    kind: str
    deleted: bool
    bot_id: str | None


@dataclass(frozen=True)
class Layout:
    """The whole export without its messages."""

    conversations: dict[str, Conversation]
    people: dict[str, Person]


def read_layout(archive: Archive, problems: list[Problem]) -> Layout:
    """Reads the lists and finds the folders. Raises :class:`SourceError` where the archive is no export of Slack."""
    root = _root(archive)
    conversations: dict[str, Conversation] = {}
    people: dict[str, Person] = {}
    unclaimed = _day_folders(archive, root)
    for place in _workspaces(archive, root):
        for name in _USERS:
            for person in _people(archive, place + name, problems):
                people.setdefault(person.id, person)
        team = place.removeprefix(root).removeprefix("teams/").rstrip("/") or None
        for conversation in _conversations(archive, place, team, problems):
            known = conversations.setdefault(conversation.id, conversation)
            known.days += _claim(unclaimed, place, conversation)
    for folder, days in unclaimed.items():
        conversation = _unlisted(folder, days, root, problems)
        conversations.setdefault(conversation.id, conversation).days += days
    for conversation in conversations.values():
        conversation.days.sort(key=lambda day: PurePosixPath(day).name)
    return Layout(conversations, people)


def _root(archive: Archive) -> str:
    """The folder of the export: people zip it again with a folder around it."""
    lists = [name for name in archive.sizes if PurePosixPath(name).name in {*_LISTS, *_USERS}]
    if not lists:
        raise SourceError(f"{archive.path}: it is no export of Slack, it has no channels.json; give what Slack made")
    folder = min((str(PurePosixPath(name).parent) for name in lists), key=lambda folder: folder.count("/"))
    if re.search(r"(^|/)teams/[^/]+$", folder):
        folder = str(PurePosixPath(folder).parent.parent)
    return "" if folder == "." else f"{folder}/"


def _workspaces(archive: Archive, root: str) -> list[str]:
    """Where lists are: the root, and the workspaces of a Grid."""
    inside = re.compile(re.escape(root) + r"teams/[^/]+/")
    found = {match[0] for name in archive.sizes if (match := inside.match(name)) and PurePosixPath(name).name in _LISTS}
    return [root, *sorted(found)]


def _day_folders(archive: Archive, root: str) -> dict[str, list[str]]:
    """Every folder that has day files. Other files in it (canvases) hold no messages."""
    folders: dict[str, list[str]] = {}
    for name in archive.sizes:
        path = PurePosixPath(name)
        if name.startswith(root) and _DAY.fullmatch(path.name):
            folders.setdefault(str(path.parent), []).append(name)
    return folders


def _claim(unclaimed: dict[str, list[str]], place: str, conversation: Conversation) -> list[str]:
    """The folder is named after the conversation; a DM's, and any in archives of other programs, after its id."""
    for name in (conversation.name, conversation.id):
        if name and (days := unclaimed.pop(f"{place}{name}", None)):
            return days
    return []


def _unlisted(folder: str, days: list[str], root: str, problems: list[Problem]) -> Conversation:
    name = PurePosixPath(folder).name
    what = f"{len(days)} files of messages are in a folder that no list of conversations names"
    problems.append(Problem(f"{folder}/", what, "They are read as a private channel; name or skip it in channels.csv"))
    return Conversation(id=folder.removeprefix(root), name=name, kind="private", team=None)


def _conversations(archive: Archive, place: str, team: str | None, problems: list[Problem]) -> Iterator[Conversation]:
    for file, kind in _LISTS.items():
        for item, where in _listed(archive, place + file, problems):
            if not text(item, "id"):
                problems.append(Problem(where, "a conversation has no id", "Export it again; the others are read"))
                continue
            yield _conversation(item, kind, team)


def _conversation(item: Json, kind: str, team: str | None) -> Conversation:
    members = list(dict.fromkeys(texts(item, "members")))
    named = kind in {"standard", "private"}
    return Conversation(
        id=text(item, "id"),
        name=text(item, "name") or None,
        kind="group" if kind == "oneOnOne" and len(members) > 2 else kind,
        team=team,
        description=_description(item) if named else None,
        created=_created(item),
        creator=text(item, "creator") or None,
        archived=item.get("is_archived") is True,
        general=named and item.get("is_general") is True,
        members=members,
    )


def _description(item: Json) -> str | None:
    parts = [text(mapping(item, name), "value") for name in ("purpose", "topic")]
    return unescape("\n".join(dict.fromkeys(part for part in parts if part))) or None


def _created(item: Json) -> int | None:
    """Seconds, or 1 where Slack does not say."""
    seconds = number(item, "created")
    return seconds * 1_000_000 if seconds is not None and 1 < seconds < 10**11 else None


def _people(archive: Archive, name: str, problems: list[Problem]) -> Iterator[Person]:
    for item, where in _listed(archive, name, problems):
        if not text(item, "id"):
            problems.append(Problem(where, "a user has no id", "Export it again; the others are read"))
            continue
        profile = mapping(item, "profile")
        yield Person(
            id=text(item, "id"),
            name=shown_name((profile, "real_name"), (item, "real_name"), (profile, "display_name"), (item, "name")),
            email=text(profile, "email") or None,
            kind=_kind(item),
            deleted=item.get("deleted") is True,
            bot_id=text(profile, "bot_id") or None,
        )


def _kind(item: Json) -> str:
    if item.get("is_bot") is True or item.get("is_app_user") is True or item.get("id") == "USLACKBOT":
        return "bot"
    guest = item.get("is_restricted") is True or item.get("is_ultra_restricted") is True
    return "guest" if guest else "person"


def shown_name(*candidates: tuple[Json, str]) -> str:
    """The first name that is there."""
    return next((unescape(found) for of, name in candidates if (found := text(of, name).strip())), "")


def _listed(archive: Archive, name: str, problems: list[Problem]) -> Iterator[tuple[Json, str]]:
    if name not in archive.sizes:
        return
    for index, item in enumerate(array_items(archive, name, problems)):
        where = f"{name} item {index + 1}"
        if isinstance(item, dict):
            yield item, where
        else:
            problems.append(Problem(where, "it is no object", "Export it again; the others are read"))


def conversations_of(layout: Layout, wanted: Sequence[str] | None) -> list[Conversation]:
    """Those with these ids, in the order of the export."""
    chosen = None if wanted is None else set(wanted)
    return [one for one in layout.conversations.values() if chosen is None or one.id in chosen]
