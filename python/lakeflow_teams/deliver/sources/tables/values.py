"""Values of a row that may come as text, as numbers or typed. What cannot be read is told in one clause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any

from lakeflow_teams.deliver.sources.html import clean
from lakeflow_teams.deliver.sources.tables.files import Row, cell

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER = re.compile(r"-?\d{1,17}(?:\.\d+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: Microseconds until the year 10,000, with which Python's and Arrow's calendars end.
_END_OF_TIME = 253_402_300_800_000_000
_MICROSECOND = timedelta(microseconds=1)
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


class BadRowError(Exception):
    """What is wrong with a value of a row, and the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def text(row: Row, name: str) -> str | None:
    """Text, or a number as text; ``None`` where it is missing or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool | bytes | list | dict):
        raise BadRowError(f"{name} is no text", f"Write {name} as text")
    return str(value)


def flag(row: Row, name: str) -> bool | None:
    """True or false, also as words."""
    value = row.get(name)
    if value is None or value == "" or isinstance(value, bool):
        return None if value == "" else value
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise BadRowError(f"{name} {word[:40]!r} is neither true nor false", "Write true or false")
    return word in _TRUE


def items(row: Row, name: str) -> Sequence[Any] | None:
    """A list, in CSV as JSON or separated by semicolons."""
    value = cell(row.get(name))
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    if not isinstance(value, list):
        raise BadRowError(f"{name} is no list", f"Write {name} as a list, in CSV as JSON")
    return value


def objects(row: Row, name: str) -> list[Row]:
    """A list of objects, in CSV as JSON."""
    found = items(row, name) or []
    if not all(isinstance(one, dict) for one in found):
        raise BadRowError(f"{name} is no list of objects", f"Write {name} as a list of objects, in CSV as JSON")
    return list(found)


def time(row: Row, name: str, zone: tzinfo | None) -> int | None:
    """Microseconds since 1970: an ISO 8601 text, a timestamp, or a number of seconds, milliseconds or microseconds.

    Of a number the size decides: up to 11 digits are seconds, up to 14 milliseconds, more microseconds.
    """
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = _parsed(value.strip(), name)
    if isinstance(value, bool) or not isinstance(value, int | float | date):
        raise BadRowError(f"{name} is no time", "Write it as 2021-03-04T09:30:00Z")
    if isinstance(value, datetime):
        return _of_moment(value, name, zone)
    if isinstance(value, date):
        return _of_moment(datetime(value.year, value.month, value.day), name, zone)  # noqa: DTZ001 - the zone is what is asked
    if not abs(value) < _END_OF_TIME:  # neither is what is not a number
        raise BadRowError(f"{name} is no time", "Write it as 2021-03-04T09:30:00Z")
    return _of_number(value)


def _parsed(value: str, name: str) -> datetime | int | float:
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    found = _ISO.fullmatch(value)
    try:
        if found:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
            micro = int((found[7] or "").ljust(6, "0")[:6])
            return datetime(year, month, day, hour, minute, second, micro, tzinfo=_offset(found[8]))
    except ValueError:
        pass
    raise BadRowError(f"{name} {value[:40]!r} is no time", "Write it as 2021-03-04T09:30:00Z")


def _offset(text_of_zone: str | None) -> tzinfo | None:
    if text_of_zone is None:
        return None
    if text_of_zone in {"Z", "z", "UTC"}:
        return timezone.utc
    digits = text_of_zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text_of_zone[0] == "-" else offset)


def _of_moment(value: datetime, name: str, zone: tzinfo | None) -> int:
    if value.tzinfo is None:
        if zone is None:
            remedy = (
                "Write the offset (2021-03-04T09:30:00Z, ...+01:00), or give the source a timezone such as Europe/Zurich"
            )
            raise BadRowError(f"{name} has no time zone", remedy)
        value = value.replace(tzinfo=zone)
    return (value - _EPOCH) // _MICROSECOND


def _of_number(value: float) -> int:
    size = abs(value)
    if size < 1e11:
        return round(value * 1_000_000)
    return round(value * 1000) if size < 1e14 else round(value)
