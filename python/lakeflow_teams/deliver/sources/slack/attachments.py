"""Attachments: what apps wrote before there were blocks, previews of links, and messages that were shared.

https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments. Each is a quote under the text.
"""

from __future__ import annotations

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.loose import Json, mapping, mappings, text
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.blocks import blocks, paragraph
from lakeflow_teams.deliver.sources.slack.body import Body
from lakeflow_teams.deliver.sources.slack.files import files
from lakeflow_teams.deliver.sources.slack.mrkdwn import mrkdwn
from lakeflow_teams.deliver.sources.slack.values import unescape


def attachment(found: Json, body: Body) -> str:
    """The HTML of one attachment."""
    body.note(_kind(found))
    if mappings(found, "actions"):
        body.note(notes.BUTTONS)
    content = _heading(found, body) + _content(found, body) + _footing(found, body)
    if not content:
        content = html.escape_lines(unescape(text(found, "fallback")))
    pretext = paragraph(mrkdwn(text(found, "pretext"), body))
    return pretext + (f"<blockquote>{content}</blockquote>" if content else "") + files(found, body)


def _kind(found: Json) -> str:
    if found.get("is_msg_unfurl") is True or found.get("is_share") is True:
        return notes.QUOTED
    if text(found, "from_url") or text(found, "original_url"):
        return notes.LINK_PREVIEW
    return notes.CARD


def _heading(found: Json, body: Body) -> str:
    author = html.escape(unescape(text(found, "author_name") or text(found, "service_name")))
    author = html.link(text(found, "author_link"), author) if author and html.is_link(text(found, "author_link")) else author
    title = mrkdwn(text(found, "title"), body)
    url = text(found, "title_link")
    title = f"<strong>{html.link(url, title) if html.is_link(url) else title}</strong>" if title else ""
    return paragraph(author) + paragraph(title)


def _content(found: Json, body: Body) -> str:
    inner = mappings(found, "blocks")
    for shared in mappings(found, "message_blocks"):
        inner += mappings(mapping(shared, "message"), "blocks")
    return (blocks(inner, body) if inner else paragraph(mrkdwn(text(found, "text"), body))) + _fields(found, body)


def _fields(found: Json, body: Body) -> str:
    parts = []
    for field in mappings(found, "fields"):
        title, value = mrkdwn(text(field, "title"), body), mrkdwn(text(field, "value"), body)
        parts.append(paragraph(f"<strong>{title}</strong><br>{value}" if title else value))
    return "".join(parts)


def _footing(found: Json, body: Body) -> str:
    parts = []
    url = text(found, "image_url")
    if url:
        body.note(notes.LARGE_IMAGE)
        parts.append(html.link(url, "image"))
    url = text(found, "from_url")
    if url and found.get("is_msg_unfurl") is True:
        parts.append(html.link(url, "shared message"))
    parts.append(mrkdwn(text(found, "footer"), body))
    return "".join(paragraph(part) for part in parts)
