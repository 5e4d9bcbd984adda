"""Slack's own kinds of values: times that are keys, and escaped text."""

from __future__ import annotations

import re

#: Slack's key of a message within its channel: seconds, and a sequence in the place of microseconds.
_TS = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,6}))?")


def micros(value: object) -> int | None:
    """Microseconds since 1970 of a ``ts``; ``None`` where it is none."""
    if type(value) is str:
        if len(value) == 17 and value[10] == "." and value.isascii() and value[:10].isdigit() and value[11:].isdigit():
            return int(value[:10]) * 1_000_000 + int(value[11:])
        found = _TS.fullmatch(value.strip())
        return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0")) if found else None
    if type(value) is int and 0 <= value < 10**11:
        return value * 1_000_000
    if type(value) is float and 0 <= value < 1e11:
        return round(value * 1_000_000)
    return None


def key(time: int) -> str:
    """A ``ts`` in its normal form, as Slack writes it."""
    return f"{time // 1_000_000:010d}.{time % 1_000_000:06d}"


def unescape(value: str) -> str:
    """Slack escapes three characters in every text it holds."""
    if "&" in value:
        value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return value
