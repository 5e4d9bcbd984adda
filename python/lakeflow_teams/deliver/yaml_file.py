"""What the files of jobs share: YAML whose mistakes are one line each, with the key, its line, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import Self


def refuse(message: str) -> NoReturn:
    """Raises :class:`ConfigurationError`."""
    raise _core.ConfigurationError(message)


def read(path: Path) -> tuple[Any, dict[str, int]]:
    """What a YAML file holds, and the line of every key. Raises :class:`ConfigurationError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        refuse(f"{path}: it cannot be read ({reason})")
    return parse(path, text)


def parse(path: Path, text: str) -> tuple[Any, dict[str, int]]:
    """What a YAML text holds, and the line of every key. Raises :class:`ConfigurationError`."""
    lines: dict[str, int] = {}
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _doubles(path, root, "", lines)
        return yaml.safe_load(text), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}" if mark else ""
        return refuse(f"{path}{place}: {getattr(error, 'problem', None) or 'it is not valid YAML'}")


def _doubles(path: Path, node: Any, above: str, lines: dict[str, int]) -> None:
    """Notes the line of every key, and refuses one that stands twice in a mapping."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            refuse(f"{path} line {line}: {name} stands there twice; leave one of them")
        seen.add(name)
        lines[above + name] = line
        _doubles(path, value, f"{above}{name}.", lines)


class Reader:
    """Checks a document, whose lines are known."""

    def __init__(self, where: str, folder: Path, lines: dict[str, int]) -> None:
        self.where = where
        self.folder = folder
        self._lines = lines

    @classmethod
    def of(cls, plan: str | PathLike[str] | Mapping[str, Any], what: str) -> tuple[Self, Any]:
        """A reader of a file or a mapping, and the document that it is for. Raises :class:`ConfigurationError`."""
        if isinstance(plan, Mapping):
            return cls(what, Path(), {}), dict(plan)
        path = Path(plan)
        document, lines = read(path)
        return cls(str(path), path.parent, lines), document

    def refuse(self, key: str, message: str) -> NoReturn:
        """Raises :class:`ConfigurationError` that names the key and its line."""
        line = self._lines.get(key)
        refuse(f"{self.where}{f' line {line}' if line else ''}: {key}: {message}")

    def known(self, above: str, mapping: dict[Any, Any], known: tuple[str, ...]) -> None:
        """Refuses keys that are not known."""
        for key in mapping:
            if key not in known:
                near = did_you_mean(str(key), known, otherwise=f"; known are {', '.join(known)}")
                self.refuse(f"{above}{key}", f"there is no such key{near}")

    def word(self, key: str, given: Any, known: tuple[str, ...]) -> str:
        """One of some words; the first where none is given."""
        if given is None:
            return known[0]
        if given not in known:
            self.refuse(key, f"{given!r} is not one of {', '.join(known)}{did_you_mean(str(given), known)}")
        return str(given)

    def time(self, key: str, given: Any) -> datetime | None:
        """A time; without an offset it is UTC."""
        if given is None:
            return None
        if isinstance(given, datetime):
            found = given
        elif isinstance(given, date):
            found = datetime(given.year, given.month, given.day, tzinfo=timezone.utc)
        else:
            try:
                found = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
            except ValueError:
                self.refuse(key, f"{given!r} is no ISO 8601 time, such as 2021-03-04T00:00:00Z")
        return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

    def text(self, key: str, given: Any) -> str | None:
        """A text that is not empty, or none."""
        if given is None:
            return None
        if not isinstance(given, str) or not given.strip():
            self.refuse(key, "a text is expected")
        return given.strip()

    def flag(self, key: str, given: Any) -> bool:
        """True or false; false where nothing is said."""
        if given is None:
            return False
        if not isinstance(given, bool):
            self.refuse(key, f"{given!r} is neither true nor false")
        return given

    def count(self, key: str, given: Any) -> int | None:
        """A whole number of at least 1, or none."""
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            self.refuse(key, f"{given!r} is no whole number of at least 1")
        return given

    def file(self, key: str, given: Any) -> Path | None:
        """A file that is there; its path is relative to the document."""
        text = self.text(key, given)
        if text is None:
            return None
        path = self.folder / text
        if not path.is_file():
            self.refuse(key, f"there is no file {path}")
        return path
