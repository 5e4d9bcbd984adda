"""Options: Python values become the text the core reads, and secrets stay out of sight."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from lakeflow_teams import _core

HIDDEN = "***"


def as_text(name: str, value: Any) -> str:
    """The text form of one option's value.

    ``True`` becomes ``"true"``, a list ``"a,b"``, a datetime ISO 8601 in UTC (a naive one is taken as UTC), a
    timedelta its seconds. Raises :class:`ConfigurationError` for what has no text form.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, PathLike):
        return str(fspath(value))
    if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping):
        return _comma_list(name, value)
    raise _core.ConfigurationError(
        f"option {name}: a {type(value).__name__} cannot be used as a value; give text, a number, true/false or a list"
    )


def _comma_list(name: str, values: Iterable[Any]) -> str:
    parts = [as_text(name, value) for value in values]
    broken = next((part for part in parts if "," in part), None)
    if broken is not None:
        raise _core.ConfigurationError(f"option {name}: {broken!r} holds a comma; give its parts as separate list items")
    return ",".join(parts)


class Options(dict[str, str]):
    """Options that print without their secrets: debuggers and crash reporters show whatever an object holds."""

    def __repr__(self) -> str:
        return repr(redacted(self))


def as_options(values: Mapping[str, Any]) -> Options:
    """Every option as text under its lower-case name; ``None`` means that the option is not given."""
    return Options({str(name).lower(): as_text(str(name), value) for name, value in values.items() if value is not None})


def names(door: str) -> list[str]:
    """The options of one door, ``connection`` or ``table``, in the order of the documentation."""
    return [option["name"] for option in _core.options() if option["door"] == door]


def redacted(options: Mapping[str, str]) -> dict[str, str]:
    """The options as they may be shown: secrets, and names the core does not know, lose their value."""
    shown = {option["name"] for option in _core.options() if not option["secret"]}
    return {name: value if name in shown and not _is_misplaced(name, value) else HIDDEN for name, value in options.items()}


def _is_misplaced(name: str, value: str) -> bool:
    """Whether the place of a secret looks like the secret itself."""
    if name == "client_secret_env":
        return re.fullmatch(r"\w{1,60}", value, re.ASCII) is None
    path = Path(value)
    return name == "client_secret_file" and not path.is_absolute() and (path.parent == Path() or not path.parent.is_dir())


def show(kind: str, options: Mapping[str, str]) -> str:
    """A repr of something made from options."""
    inside = ", ".join(f"{name}={value!r}" for name, value in redacted(options).items())
    return f"{kind}({inside})"


def whole_number(options: Mapping[str, str], name: str) -> int | None:
    """A positive whole number, or ``None`` where the option is not given."""
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _core.ConfigurationError(f"option {name}: {text!r} is not a whole number of at least 1")
    return int(text)
