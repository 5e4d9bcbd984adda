"""One post of an export as a row, and its replies."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.emoji import emoji_of
from lakeflow_teams.deliver.sources.identity import hashed_id
from lakeflow_teams.deliver.sources.loose import Json, mapping, mappings, number, text
from lakeflow_teams.deliver.sources.mattermost import notes
from lakeflow_teams.deliver.sources.mattermost.markdown import Body, markdown
from lakeflow_teams.deliver.sources.rows import Message

SYSTEM_EVENT: Final = "system event"
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
_WEB = "slack_attachment"
_KNOWN_TYPES = frozenset({"", "me", "burn_on_read", _WEB})


class BadPostError(Exception):
    """What is wrong with a post."""


class Reader:
    """Makes rows of posts. ``key_of`` finds a file of the export by the path that a post gives."""

    def __init__(self, people: Mapping[str, str], key_of: Callable[[str], str | None]) -> None:
        self._people = people
        self._key_of = key_of

    def read(self, post: Json, container: str) -> Iterator[Message | BadPostError]:
        """The post, and after it its replies; what is wrong with one comes in its place."""
        root = self._row(post, container, None)
        yield root
        parent = None if isinstance(root, BadPostError) else root.source_id
        for reply in mappings(post, "replies"):
            yield self._row(reply, container, parent)

    def _row(self, post: Json, container: str, parent: str | None) -> Message | BadPostError:
        created = number(post, "create_at")
        if created is None or created <= 0:
            return BadPostError("create_at, which says when it was written, is missing, no number or before 1970")
        author, author_name = self._author(post)
        written = text(post, "message")
        source_id = hashed_id(container, author, created * 1000, written)
        kind = text(post, "type")
        if kind.startswith("system_"):
            return Message(container, source_id, parent, author, author_name, created * 1000, skip=SYSTEM_EVENT)
        body = Body(self._people)
        content = _content(post, kind, written, body)
        images, attachments, shown = self._files(post, body)
        edited = number(post, "edit_at")
        if post.get("is_pinned") is True:
            body.note(notes.PINNED)
        return Message(
            container,
            source_id,
            parent,
            author,
            author_name,
            created * 1000,
            html=content + shown,
            mentions=body.mentions or None,
            images=images or None,
            attachments=attachments or None,
            reactions=_reactions(post, body) or None,
            edited=edited * 1000 if edited is not None and 0 < edited < 2**52 else None,
            notes=body.notes,
        )

    def _author(self, post: Json) -> tuple[str | None, str | None]:
        author = text(post, "user") or None
        shown = text(mapping(post, "props"), "override_username")
        return author, shown or (author if author not in self._people else None)

    def _files(self, post: Json, body: Body) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
        """Images and other files; and the HTML of the images."""
        images: list[dict[str, Any]] = []
        attachments: list[dict[str, Any]] = []
        for file in mappings(post, "attachments"):
            path = text(file, "path")
            key = self._key_of(path)
            if key is None:
                body.note(notes.FILE_MISSING)
            name = PurePosixPath(path).name or "file"
            kind = mimetypes.guess_type(name)[0]
            found = {"key": key, "name": name, "content_type": kind, "size": None, "url": None}
            if kind in _IMAGES:
                images.append({"id": str(len(images) + 1), **found})
            else:
                attachments.append(found)
        return images, attachments, "".join(f"<p>{html.image(number + 1)}</p>" for number in range(len(images)))


def _content(post: Json, kind: str, written: str, body: Body) -> str:
    content = markdown(written, body)
    if kind == "me" and content.count("<p>") == 1 and content.startswith("<p>") and content.endswith("</p>"):
        content = f"<p><em>{content[3:-4]}</em></p>"
    if kind not in _KNOWN_TYPES:
        body.note(notes.OTHER_KIND)
    return content + "".join(_card(card, body) for card in mappings(mapping(post, "props"), "attachments"))


def _card(card: Json, body: Body) -> str:
    """A message attachment, https://developers.mattermost.com/integrate/reference/message-attachments/."""
    body.note(notes.CARD)
    if mappings(card, "actions"):
        body.note(notes.BUTTONS)
    parts = [_line(card, "author_name", "author_link"), _title(card), markdown(text(card, "text"), body)]
    for field in mappings(card, "fields"):
        title = html.escape(text(field, "title"))
        parts += [f"<p><strong>{title}</strong></p>" if title else "", markdown(_shown(field), body)]
    if text(card, "image_url"):
        body.note(notes.WEB_IMAGE)
        parts.append(f"<p>{html.link(text(card, 'image_url'), 'image')}</p>")
    parts.append(_line(card, "footer", ""))
    content = "".join(parts) or _line(card, "fallback", "")
    return markdown(text(card, "pretext"), body) + (f"<blockquote>{content}</blockquote>" if content else "")


def _title(card: Json) -> str:
    line = _line(card, "title", "title_link")
    return f"<p><strong>{line[3:-4]}</strong></p>" if line else ""


def _line(card: Json, name: str, link: str) -> str:
    label, url = html.escape(text(card, name)), text(card, link)
    if not label:
        return ""
    return f"<p>{html.link(url, label) if html.is_link(url) else label}</p>"


def _shown(field: Json) -> str:
    value = field.get("value")
    return text(field, "value") or ("" if value is None or isinstance(value, dict | list) else str(value))


def _reactions(post: Json, body: Body) -> list[dict[str, Any]]:
    found = []
    for reaction in mappings(post, "reactions"):
        name = text(reaction, "emoji_name")
        sign = emoji_of(name)
        if sign is None:
            body.note(notes.CUSTOM_EMOJI)
        created = number(reaction, "create_at")
        time = created * 1000 if created is not None and 0 < created < 2**52 else None
        found.append({"reaction": sign or f":{name}:", "user": text(reaction, "user") or None, "created": time})
    return found
