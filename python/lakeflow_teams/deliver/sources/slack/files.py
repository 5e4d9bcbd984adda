"""Files of a message, by the modes they are in: hosted by Slack, elsewhere, gone, or text that Slack keeps itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.loose import Json, mapping, mappings, number, text
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.body import Body
from lakeflow_teams.deliver.sources.slack.values import unescape

#: What clients of Teams show inline.
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
#: Deleted, hidden by the limit of a free workspace, or never seen by whoever exported (an empty name).
_GONE = frozenset({"tombstone", "hidden_by_limit"})
#: The export's own token: whoever has such a link has the file.
_TOKEN = re.compile(r"(?<=[?&])t=[^&#]*&?")


def files(message: Json, body: Body) -> str:
    """The HTML that the message's files bring: images and snippets. All others are attachments."""
    return "".join(_file(file, body) for file in files_of(message))


def files_of(message: Json) -> Iterator[Json]:
    """`files`, or the one `file` of messages before 2018."""
    found = mappings(message, "files") or [mapping(message, "file")]
    return (file for file in found if file)


def _file(file: Json, body: Body) -> str:
    mode = text(file, "mode")
    name = unescape(text(file, "title") or text(file, "name")) or "file"
    if mode in _GONE or not (text(file, "id") or text(file, "permalink") or text(file, "url_private")):
        body.note(notes.FILE_GONE)
        body.attachments.append(_attachment(name, None, file, body))
        return ""
    if text(file, "mimetype") in _IMAGES and mode in {"hosted", "external", ""}:
        return f"<p>{body.image(file.get('original_w'), file.get('original_h'), **_image(name, file, body))}</p>"
    body.attachments.append(_attachment(name, shown_url(file), file, body))
    if mode == "snippet":
        return _snippet(file, body)
    if mode in {"space", "post", "canvas", "list"}:
        body.note(notes.CANVAS)
    return ""


def _snippet(file: Json, body: Body) -> str:
    """As much of it as the export holds."""
    preview = text(file, "preview")
    if not preview:
        return ""
    body.note(notes.SNIPPET)
    more = number(file, "lines_more") or 0
    return html.preformatted(preview) + (f"<p>({more} more lines in the file)</p>" if more > 0 else "")


def _image(name: str, file: Json, body: Body) -> dict[str, Any]:
    return {"name": name, "content_type": text(file, "mimetype"), **_common(shown_url(file), file, body)}


def _attachment(name: str, url: str | None, file: Json, body: Body) -> dict[str, Any]:
    return {"name": name, "content_type": text(file, "mimetype") or None, **_common(url, file, body)}


def _common(url: str | None, file: Json, body: Body) -> dict[str, Any]:
    size = number(file, "size")
    return {"url": url, "size": size if size is not None and size >= 0 else None, "key": body.key_of(file)}


def shown_url(file: Json) -> str | None:
    """Where people who may see it find the file: its page in Slack, else its address without the export's token."""
    for name in ("permalink", "external_url", "url_private"):
        url = text(file, name)
        if html.is_link(url):
            return without_token(url)
    return None


def without_token(url: str) -> str:
    """The address as anybody may see it."""
    return _TOKEN.sub("", url).rstrip("?&")
