"""Compares a table's rows with what the tenant holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

Row = Mapping[str, Any]

#: Columns whose values are compared; keys always are.
COLUMNS: dict[str, tuple[str, ...]] = {
    "teams": ("displayName", "description", "visibility", "isArchived", "createdDateTime", "webUrl"),
    "channels": ("displayName", "description", "membershipType", "createdDateTime", "webUrl"),
    "members": ("displayName", "userId", "email", "roles"),
    "messages": (
        "messageType",
        "subject",
        "importance",
        "createdDateTime",
        "lastModifiedDateTime",
        "lastEditedDateTime",
        "deletedDateTime",
        "body",
        "etag",
    ),
    "message_replies": (
        "messageType",
        "importance",
        "createdDateTime",
        "lastModifiedDateTime",
        "lastEditedDateTime",
        "deletedDateTime",
        "body",
        "etag",
    ),
    "chats": ("topic", "chatType", "createdDateTime", "lastUpdatedDateTime", "webUrl"),
}


def compare(
    table: str, rows: Iterable[Row], truth: Iterable[Row], keys: Sequence[str], columns: Iterable[str] | None = None
) -> list[str]:
    """Every difference in words; an empty list means equal. Doubled keys are differences too.

    ``columns`` are those whose values are compared, instead of the table's in :data:`COLUMNS`.
    """
    columns = tuple(COLUMNS[table] if columns is None else columns)
    problems: list[str] = []
    stored = _by_key("stored", rows, keys, problems)
    wanted = _by_key("in the tenant", truth, keys, problems)
    problems += [f"row {key} is missing" for key in wanted.keys() - stored.keys()]
    problems += [f"row {key} should not be there" for key in stored.keys() - wanted.keys()]
    for key in wanted.keys() & stored.keys():
        for column in columns:
            have, want = stored[key].get(column), wanted[key].get(column)
            if not _equal(have, want):
                problems.append(f"row {key}: {column} is {have!r} and should be {want!r}")
    return problems


def _by_key(where: str, rows: Iterable[Row], keys: Sequence[str], problems: list[str]) -> dict[tuple[Any, ...], Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        if key in found:
            problems.append(f"row {key} is {where} twice")
        found[key] = row
    return found


def _equal(have: Any, want: Any) -> bool:
    if isinstance(have, Mapping) and isinstance(want, Mapping):
        return all(_equal(have.get(name), want.get(name)) for name in have.keys() & want.keys())
    if have != want:
        moment = _moment(want)
        is_none = have is None and moment is not None and moment.year == 1  # which is how Graph writes that there is none
        return is_none or (moment is not None and moment == _moment(have))
    return True


def _moment(value: Any) -> datetime | None:
    """The instant of a timestamp, or of Graph's text with any number of digits; ``None`` for everything else."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) < 20 or value[10] != "T" or not value.endswith("Z"):
        return None
    seconds, _, fraction = value[:-1].partition(".")
    try:
        return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
