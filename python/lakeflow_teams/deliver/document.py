"""``import.yaml``: what is imported, where, and how. Every mistake is one line with the key, its line, and the remedy."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.yaml_file import Reader, parse, refuse

FORMATS = ("slack", "mattermost", "lakehouse", "tables")
IMAGES = ("inline", "link", "upload", "drop")
REACTIONS = ("try", "text", "drop")
MEMBERS = ("add", "leave")

_KEYS = (
    "source",
    "team",
    "channels",
    "users",
    "fallback_author",
    "owner",
    "images",
    "drive",
    "reactions",
    "rate",
    "since",
    "until",
    "members",
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DRIVE = re.compile(r"[\w!-]+", re.ASCII)
#: Teams' own figure for one channel.
_FASTEST = 5.0


@dataclass(frozen=True)
class ImportSpec:
    """A checked ``import.yaml``. ``channels`` and ``users`` are a file or the same mappings by the source's ids."""

    name: str
    source: Path
    format: str
    options: dict[str, Any]
    team_id: str | None = None
    team_name: str | None = None
    team_description: str = ""
    channels: Path | dict[str, Any] = field(default_factory=dict)
    users: Path | dict[str, Any] = field(default_factory=dict)
    fallback_author: str | None = None
    owner: str | None = None
    images: str = "inline"
    #: The id of the drive that ``images: upload`` writes to.
    drive: str | None = None
    reactions: str = "try"
    rate: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    add_members: bool = False
    #: What the plan was read from.
    text: str = ""


def load(plan: str | PathLike[str] | Mapping[str, Any]) -> ImportSpec:
    """Reads a plan from its file or a mapping. Raises :class:`ConfigurationError`."""
    if isinstance(plan, Mapping):
        return _Reader("plan", Path(), {}).spec(dict(plan), "import", str(sorted(map(str, plan.items()))))
    path = Path(plan)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        refuse(f"{path}: it cannot be read ({reason}); `lakeflow-teams import init SOURCE` writes one")
    document, lines = parse(path, text)
    return _Reader(str(path), path.parent, lines).spec(document, path.stem, text)


class _Reader(Reader):
    def spec(self, given: Any, name: str, text: str) -> ImportSpec:
        if not isinstance(given, dict):
            refuse(f"{self.where}: a mapping with `source` and `team` is expected")
        self.known("", given, _KEYS)
        source, kind, options = self._source(given.get("source"))
        team_id, team_name, description = self._team(given.get("team"))
        images = self.word("images", given.get("images"), IMAGES)
        drive = self._drive(given.get("drive"))
        if images == "upload" and drive is None:
            self.refuse("images", "upload needs `drive`, the id of the document library that images are put into")
        return ImportSpec(
            name=re.sub(r"[^\w.-]", "_", name) or "import",
            source=source,
            format=kind,
            options=options,
            team_id=team_id,
            team_name=team_name,
            team_description=description,
            channels=self._mapping("channels", given.get("channels")),
            users=self._mapping("users", given.get("users")),
            fallback_author=self._text("fallback_author", given.get("fallback_author")),
            owner=self._text("owner", given.get("owner")),
            images=images,
            drive=drive,
            reactions=self.word("reactions", given.get("reactions"), REACTIONS),
            rate=self._rate(given.get("rate")),
            since=self.time("since", given.get("since")),
            until=self.time("until", given.get("until")),
            add_members=self.word("members", given.get("members"), ("leave", "add")) == "add",
            text=text,
        )

    def _source(self, given: Any) -> tuple[Path, str, dict[str, Any]]:
        if isinstance(given, str):
            given = {"path": given}
        if not isinstance(given, dict) or not given.get("path"):
            self.refuse("source", "a path, or a mapping with path and format, is expected")
        options = {key: value for key, value in given.items() if key not in {"path", "format"}}
        path = self.folder / str(given["path"])
        kind = given.get("format") or guess(path)
        if kind not in FORMATS:
            self.refuse("source.format", f"{kind!r} is not one of {', '.join(FORMATS)}")
        return path, str(kind), options

    def _team(self, given: Any) -> tuple[str | None, str | None, str]:
        if given is None:
            return None, None, ""
        if isinstance(given, str):
            given = {"team_id": given} if _GUID.fullmatch(given) else {"name": given}
        if not isinstance(given, dict):
            self.refuse("team", "a mapping with name and description, or with team_id, is expected")
        self.known("team.", given, ("name", "description", "team_id"))
        team_id, name = given.get("team_id"), given.get("name")
        if team_id is not None and not _GUID.fullmatch(str(team_id)):
            self.refuse("team.team_id", f"{team_id!r} is no team's id: it is a GUID")
        if (team_id is None) == (name is None):
            self.refuse("team", "either name (a new team) or team_id (one that exists) is expected")
        return team_id, None if name is None else str(name), str(given.get("description") or "")

    def _mapping(self, key: str, given: Any) -> Path | dict[str, Any]:
        if given is None:
            return {}
        if isinstance(given, str):
            return self.folder / given
        if isinstance(given, dict):
            return {str(name): value for name, value in given.items()}
        return self.refuse(key, "the path of a CSV, or a mapping by the source's ids, is expected")

    def _text(self, key: str, given: Any) -> str | None:
        if given is None:
            return None
        text = str(given).strip()
        if not _GUID.fullmatch(text) and "@" not in text:
            self.refuse(key, f"{text!r} is neither the object id of a user nor an e-mail address")
        return text

    def _drive(self, given: Any) -> str | None:
        if given is None:
            return None
        text = str(given).strip()
        if not _DRIVE.fullmatch(text):
            self.refuse("drive", f"{given!r} is no drive's id, such as b!4eW7...; `GET /sites/{{id}}/drives` lists them")
        return text

    def _rate(self, given: Any) -> float | None:
        if given is None or given == "adaptive":
            return None
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= _FASTEST:
            self.refuse("rate", f"{given!r} is not a number of posts per second and container above 0, up to {_FASTEST:g}")
        return float(given)


def guess(path: Path) -> str:
    """The format of a source, by what it is called and holds."""
    if path.suffix.lower() == ".zip":
        return "mattermost" if _has_json_lines(path) else "slack"
    if path.suffix.lower() == ".jsonl":
        return "tables" if path.stem == "messages" else "mattermost"
    if path.is_dir() and ((path / "channels.json").is_file() or (path / "teams").is_dir()):
        return "slack"
    if path.is_dir() and any(
        (path / "main" / "default" / name / "_delta_log").is_dir() for name in ("messages", "chat_messages")
    ):
        return "lakehouse"
    return "tables"


def _has_json_lines(path: Path) -> bool:
    """Slack's exports are JSON files; a zip that cannot be opened is left to the reader, which says why."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".jsonl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
