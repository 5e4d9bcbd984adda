"""One row of a table of messages: checked, and in the model's form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from lakeflow_teams.deliver.sources.html import clean, escape_lines
from lakeflow_teams.deliver.sources.identity import hashed_id
from lakeflow_teams.deliver.sources.model import MESSAGES
from lakeflow_teams.deliver.sources.rows import Message
from lakeflow_teams.deliver.sources.sanitize import sanitized
from lakeflow_teams.deliver.sources.tables.files import Row
from lakeflow_teams.deliver.sources.tables.values import BadRowError, items, objects, text, time

#: Instead of `html`: plain text, whose line breaks are kept.
TEXT = "text"
COLUMNS = (*MESSAGES.names, TEXT)
NEEDED = ("container", "created")
IMPORTANCE = ("normal", "high", "urgent")
HTML_CHANGED = "HTML that Teams does not take left out"


def message_of(row: Row, zone: tzinfo | None) -> Message:
    """The message of a row. Raises :class:`BadRowError`."""
    container = text(row, "container")
    if container is None:
        raise BadRowError("container is empty", "Write the id of the channel or chat")
    created = _created(row, zone)
    author = text(row, "author")
    body, written, changed = _body(row)
    notes = [clean(str(note)) for note in items(row, "notes") or ()] + ([HTML_CHANGED] if changed else [])
    return Message(
        container,
        text(row, "source_id") or hashed_id(container, author, created, written),
        text(row, "parent"),
        author,
        text(row, "author_name"),
        created,
        subject=text(row, "subject"),
        importance=_importance(row),
        html=body,
        mentions=_mentions(row),
        images=_listed(
            row, "images", {"id": text, "key": text, "name": text, "content_type": text, "size": _size, "url": text}, "id"
        ),
        attachments=_listed(
            row, "attachments", {"name": text, "url": text, "content_type": text, "size": _size, "key": text}
        ),
        reactions=_listed(
            row,
            "reactions",
            {"reaction": text, "user": text, "created": lambda one, name: time(one, name, zone)},
            "reaction",
        ),
        edited=time(row, "edited", zone),
        skip=text(row, "skip"),
        notes=notes or None,
    )


def _created(row: Row, zone: tzinfo | None) -> int:
    created = time(row, "created", zone)
    if created is None:
        raise BadRowError("created is empty", "Write when the message was sent, such as 2021-03-04T09:30:00Z")
    return created


def untimely(created: int, now: int) -> tuple[str, str] | None:
    """What is wrong with a time that Teams cannot hold, and the remedy. Such a message is refused, and counted as that."""
    if created < 0:
        return "created is before 1970", "Correct the time; where it is a number, it counts from 1970"
    if created > now:
        return "created is in the future", "Correct the time, or import the message once it has come"
    return None


def _body(row: Row) -> tuple[str, str, bool]:
    """The HTML, what the source wrote, and whether something had to go."""
    found = text(row, "html")
    if found is not None:
        body, changed = sanitized(found)
        return body, found, changed
    written = text(row, TEXT) or ""
    return f"<p>{escape_lines(written)}</p>" if written else "", written, False


def _importance(row: Row) -> str | None:
    value = text(row, "importance")
    if value is not None and value not in IMPORTANCE:
        raise BadRowError(f"importance {value[:40]!r} is not known", f"Write one of {', '.join(IMPORTANCE)}")
    return value


def _mentions(row: Row) -> list[dict[str, Any]] | None:
    found = [
        {"id": _size(one, "id"), "text": text(one, "text"), "user": text(one, "user")} for one in objects(row, "mentions")
    ]
    if any(one["id"] is None for one in found):
        raise BadRowError("a mention has no id", 'Give it the number of its <at id="...">')
    return found or None


def _listed(
    row: Row, name: str, fields: dict[str, Callable[[Row, str], Any]], needed: str | None = None
) -> list[dict[str, Any]] | None:
    found = [{field: read(one, field) for field, read in fields.items()} for one in objects(row, name)]
    if needed and any(one[needed] is None for one in found):
        raise BadRowError(f"one of {name} has no {needed}", f"Give each of {name} its {needed}")
    return found or None


def _size(row: Row, name: str) -> int | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
        return value
    if str(value).isdecimal() and len(str(value)) < 10:
        return int(value)
    raise BadRowError(f"{name} is no whole number", f"Write {name} as a number")
