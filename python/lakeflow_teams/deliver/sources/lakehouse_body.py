"""The body of a message that Graph gave: images by their place, and what only Teams can show as text."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, NamedTuple

from lakeflow_teams.deliver.sources.html import escape, link

Row = dict[str, Any]

_IMAGE = re.compile(r"<img\b[^>]*?/?>", re.IGNORECASE)
_SOURCE = re.compile(r"""\bsrc\s*=\s*"([^"]*)\"""", re.IGNORECASE)
_HOSTED = re.compile(r"/hostedContents/([^/]+)/\$value")
_ALT = re.compile(r"""\balt\s*=\s*"([^"]*)\"""", re.IGNORECASE)
_EMOJI = re.compile(r"<emoji\b[^>]*>(?:\s*</emoji>)?", re.IGNORECASE)
_ATTACHMENT = re.compile(r"""<attachment\b[^>]*?\bid\s*=\s*"([^"]*)"[^>]*>(?:\s*</attachment>)?""", re.IGNORECASE)
_QUOTES = ("messageReference", "forwardedMessageReference")


class Body(NamedTuple):
    """What a row of the model has of it."""

    html: str
    mentions: list[Row]
    images: list[Row]
    attachments: list[Row]
    notes: list[str]


def body(container: str, row: Row) -> Body:
    """The body of a row of ``messages``, ``message_replies`` or ``chat_messages``."""
    given = row["body"] or {}
    text = given.get("content") or ""
    notes: list[str] = []
    if given.get("contentType") == "text":
        text = escape(text).replace("\n", "<br>")
    images: list[Row] = []
    text = _IMAGE.sub(lambda found: _image(found[0], container, row, images, notes), text)
    text = _EMOJI.sub(lambda found: alt[1] if (alt := _ALT.search(found[0])) else "", text)
    files, texts = _attachments(row, notes)
    shown: set[str] = set()

    def place(found: re.Match[str]) -> str:
        shown.add(found[1])
        return texts.get(found[1], "")

    text = _ATTACHMENT.sub(place, text)
    text += "".join(html for one, html in texts.items() if one not in shown)
    return Body(text, _mentions(row), images, files, notes)


def _image(tag: str, container: str, row: Row, images: list[Row], notes: list[str]) -> str:
    source = _SOURCE.search(tag)
    hosted = _HOSTED.search(source[1]) if source else None
    if source is None or hosted is None:
        if source is None:
            return ""
        notes.append("image of another site, linked")
        return link(unescape(source[1]), "image")
    number = str(len(images) + 1)
    key = f"{container}|{row['id']}|{hosted[1]}"
    images.append({"id": number, "key": key, "name": None, "content_type": "image/png", "size": None, "url": None})
    return tag.replace(source[1], f"../hostedContents/{number}/$value")


def _mentions(row: Row) -> list[Row]:
    found = []
    for mention in row["mentions"] or []:
        user = ((mention.get("mentioned") or {}).get("user") or {}).get("id")
        found.append({"id": mention["id"], "text": mention.get("mentionText"), "user": user})
    return found


def _attachments(row: Row, notes: list[str]) -> tuple[list[Row], dict[str, str]]:
    """Files, which become links, and what is shown in their places: quotes and cards as text."""
    files: list[Row] = []
    texts: dict[str, str] = {}
    for one in row["attachments"] or []:
        kind = one.get("contentType") or ""
        if kind in _QUOTES:
            texts[one["id"]] = f"<blockquote>{escape(_preview(one.get('content')))}</blockquote>"
            notes.append("quoted message as text")
        elif one.get("contentUrl"):
            files.append(
                {"name": one.get("name"), "url": one["contentUrl"], "content_type": kind, "size": None, "key": None}
            )
            texts[one["id"]] = ""
        else:
            said = "<br>".join(map(escape, _texts(one.get("content"))))
            texts[one["id"]] = f"<blockquote>{said or escape(one.get('name') or 'a card')}</blockquote>"
            notes.append("card as text")
    return files, texts


def _preview(content: str | None) -> str:
    found = _json(content)
    return str(found.get("messagePreview") or "") if isinstance(found, dict) else ""


def _json(content: str | None) -> Any:
    try:
        return json.loads(content or "null")
    except ValueError:
        return None


def _texts(content: str | None) -> list[str]:
    """What a card says, in its order."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                if name in ("title", "text", "subtitle", "value") and isinstance(item, str) and item.strip():
                    found.append(item)
                else:
                    walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(_json(content))
    return found
