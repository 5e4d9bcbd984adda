"""The source: a bulk export of Mattermost, read once and sorted, since its posts stand in no order."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path, PurePosixPath

import pyarrow as pa

from lakeflow_teams.deliver.sources.archive import Archive, EntryError, open_archive, open_beside, reading
from lakeflow_teams.deliver.sources.in_order import InOrder, each_once
from lakeflow_teams.deliver.sources.json_items import line_items
from lakeflow_teams.deliver.sources.loose import Json, mapping, mappings, number, text, texts
from lakeflow_teams.deliver.sources.mattermost.post import BadPostError, Reader
from lakeflow_teams.deliver.sources.model import CONTAINERS, USERS, Problem, SourceError
from lakeflow_teams.deliver.sources.problems import Problems
from lakeflow_teams.deliver.sources.rows import Message, batch

_KINDS = {"O": "standard", "P": "private"}
#: The channel that everybody of a team is in.
_GENERAL = "town-square"
_FILES = "data"
_ROWS = 4096
#: Replies are counted within their root's line.
_REPLIES = 1 << 20
_CORRECT = "Correct the line, or export again; the other posts are read"


class MattermostExport:
    """Reads a bulk export: the zip, the folder that it was unpacked to, or the JSON lines alone."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.problems: list[Problem] = Problems()
        self._archive = _opened(Path(path), self.problems)
        self._name = _lines_of(self._archive)
        self._check_version()
        self._teams: dict[str, str] = {}
        self._users: dict[str, Json] = {}
        self._containers: dict[str, dict[str, object]] = {}
        self._members: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        self._messages: InOrder | None = None
        self._with_messages: list[str] = []

    def users(self) -> pa.Table:
        """Everybody, by user name; bots too."""
        self._sorted()
        return pa.Table.from_pylist(list(self._users.values()), USERS)

    def containers(self) -> pa.Table:
        """Channels as `team/channel`, and direct channels as their members with commas between them."""
        self._sorted()
        rows = [
            {**row, "members": row.get("members") or self._members.get(container, [])}
            for container, row in self._containers.items()
        ]
        return pa.Table.from_pylist(rows, CONTAINERS)

    def messages(self, containers: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The posts and replies, sorted by container and time; the first reading sorts them in a temporary folder."""
        ordered = self._sorted()
        chosen = None if containers is None else set(containers)
        for container in self._with_messages:
            if chosen is None or container in chosen:
                yield from each_once(ordered.messages(container), partial(self._again, container))

    def content(self, key: str) -> bytes:
        """The bytes of a file of the export."""
        try:
            with reading(self._archive, key) as stream:
                return stream.read()
        except EntryError as error:
            raise SourceError(f"file {key}: {error.what}; {error.remedy}") from None

    def _check_version(self) -> None:
        try:
            with reading(self._archive, self._name) as stream:
                first = next(line_items(stream, self._name, []), (0, None))[1]
        except EntryError as error:
            raise SourceError(f"{self._name}: {error.what}; {error.remedy}") from None
        if not isinstance(first, dict) or first.get("type") != "version":
            raise SourceError(
                f"{self._name}: it is no bulk export of Mattermost, which begins with its version; check the path"
            )

    def _sorted(self) -> InOrder:
        if self._messages is None:
            ordered = InOrder()
            try:
                with reading(self._archive, self._name) as stream:
                    self._read(line_items(stream, self._name, self.problems), ordered)
            except EntryError as error:
                self.problems.append(Problem(self._name, error.what, error.remedy))
            self._with_messages = ordered.finish()
            self._messages = ordered
        return self._messages

    def _read(self, lines: Iterator[tuple[int, object]], ordered: InOrder) -> None:
        reader, now = Reader(self._names, self._key_of), int(time.time() * 1_000_000)
        held: list[Message] = []
        places: list[int] = []
        for line, item in lines:
            if not isinstance(item, dict):
                self._report(line, "it is no JSON object")
                continue
            kind = text(item, "type")
            for index, found in enumerate(self._item(kind, mapping(item, kind), reader, line)):
                which = "the post" if index == 0 else f"reply {index}"
                if isinstance(found, BadPostError):
                    self._report(line, f"{which}: {found}")
                    continue
                if found.created > now:
                    self._report(line, f"{which}: create_at is in the future")
                held.append(found)
                places.append(line * _REPLIES + index)
            if len(held) >= _ROWS:
                ordered.add(batch(held), places)
                held, places = [], []
        if held:
            ordered.add(batch(held), places)

    def _item(self, kind: str, item: Json, reader: Reader, line: int) -> Iterator[Message | BadPostError]:
        if kind == "team":
            self._teams[text(item, "name")] = text(item, "display_name") or text(item, "name")
        elif kind == "channel":
            self._channel(item)
        elif kind in {"user", "bot"}:
            self._user(item, kind, line)
        elif kind == "direct_channel":
            self._direct(texts(item, "members") or [text(one, "username") for one in mappings(item, "participants")])
        elif kind == "post":
            yield from reader.read(item, self._channel_of(item))
        elif kind == "direct_post":
            yield from reader.read(item, self._direct(texts(item, "channel_members")))
        elif kind not in {"version", "role", "scheme", "emoji"}:
            self._report(line, f"there is no meaning for an object of type {kind[:40]!r}")

    def _channel(self, item: Json) -> None:
        team, name = text(item, "team"), text(item, "name")
        about = [text(item, "purpose"), text(item, "header")]
        self._containers[f"{team}/{name}"] = {
            "source_id": f"{team}/{name}",
            "name": text(item, "display_name") or name,
            "kind": _KINDS.get(text(item, "type"), "private"),
            "team": self._teams.get(team, team),
            "description": "\n".join(part for part in about if part) or None,
            "general": name == _GENERAL,
            "archived": (number(item, "delete_at") or number(item, "deleted_at") or 0) > 0,
        }

    def _channel_of(self, post: Json) -> str:
        """Where a post is; a channel in no line is private, since nobody says that it is open to all."""
        team, name = text(post, "team"), text(post, "channel")
        container = f"{team}/{name}"
        if container not in self._containers:
            self._containers[container] = {
                "source_id": container,
                "name": name,
                "kind": "private",
                "team": self._teams.get(team, team),
            }
            what = "the export has posts of it and no line that describes it"
            self.problems.append(
                Problem(f"channel {container}", what, "It is read as a private channel; name or skip it in channels.csv")
            )
        return container

    def _direct(self, members: Sequence[str]) -> str:
        people = sorted(set(members))
        container = ",".join(people)
        kind = "group" if len(people) > 2 else "oneOnOne"
        self._containers.setdefault(container, {"source_id": container, "name": None, "kind": kind, "members": people})
        return container

    def _user(self, item: Json, kind: str, line: int) -> None:
        username = text(item, "username")
        if not username:
            self._report(line, f"a {kind} has no username")
            return
        full = f"{text(item, 'first_name')} {text(item, 'last_name')}".strip()
        name = full or text(item, "display_name") or text(item, "nickname") or username
        guest = "system_guest" in text(item, "roles").split()
        self._names[username] = name
        self._users[username] = {
            "source_id": username,
            "email": text(item, "email") or None,
            "display_name": name,
            "kind": "bot" if kind == "bot" else "guest" if guest else "person",
            "deleted": (number(item, "delete_at") or 0) > 0,
        }
        for team in mappings(item, "teams"):
            for channel in mappings(team, "channels"):
                self._members.setdefault(f"{text(team, 'name')}/{text(channel, 'name')}", []).append(username)

    def _key_of(self, path: str) -> str | None:
        """The entry of a file: paths are those below `data`, beside the lines."""
        beside = PurePosixPath(self._name).parent
        for name in (beside / _FILES / path, beside / path):
            if str(name) in self._archive.sizes and path:
                return str(name)
        return None

    def _again(self, container: str, _source_id: str, place: int) -> None:
        what = f"the same text by the same author in the same millisecond stands in {container} before"
        self._report(place // _REPLIES, what, "It is imported once")

    def _report(self, line: int, what: str, remedy: str = _CORRECT) -> None:
        self.problems.append(Problem(f"{self._name} line {line}", what, remedy))


def _opened(path: Path, problems: list[Problem]) -> Archive:
    if path.is_file() and path.suffix.lower() in {".jsonl", ".json", ".ndjson"} and not zipfile.is_zipfile(path):
        return open_beside(path, _FILES)
    return open_archive(path, problems)


def _lines_of(archive: Archive) -> str:
    """The one file of JSON lines."""
    found = [name for name in archive.sizes if name.lower().endswith((".jsonl", ".ndjson"))] or [
        name for name in archive.sizes if name.lower().endswith(".json") and "/" not in name
    ]
    if len(found) != 1:
        have = f"it has {', '.join(sorted(found)[:5])}" if found else "it has none"
        raise SourceError(
            f"{archive.path}: a bulk export of Mattermost has one file of JSON lines, {have}; give what Mattermost made"
        )
    return found[0]
