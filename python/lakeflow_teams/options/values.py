"""Python values become the text that the core reads, and back where Python needs the number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from os import PathLike, fspath
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.options.catalogue import secrets
from lakeflow_teams.options.redaction import Options


def as_text(name: str, value: Any) -> str:
    """The text form of one option's value.

    ``True`` becomes ``"true"``, a list ``"a,b"``, a datetime ISO 8601 in UTC (a naive one is taken as UTC), a
    timedelta its seconds. Raises :class:`ConfigurationError` for what has no text form, and for a secret that is no text:
    which one was meant is not known then.
    """
    if name.lower() in secrets() and not isinstance(value, str | PathLike):
        raise _core.ConfigurationError(
            f"option {name}: a secret must be text, and this is a {type(value).__name__}; write it in quotes "
            f'({name}: "..."), because YAML reads yes, 12_345, 0x1F or 2025-01-01 without them as something else'
        )
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


def as_options(values: Mapping[str, Any]) -> Options:
    """Every option as text under its lower-case name; ``None`` means that the option is not given."""
    return Options({str(name).lower(): as_text(str(name), value) for name, value in values.items() if value is not None})


def whole_number(options: Mapping[str, str], name: str) -> int | None:
    """A positive whole number, or ``None`` where the option is not given."""
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _core.ConfigurationError(f"option {name}: {text!r} is not a whole number of at least 1")
    return int(text)
