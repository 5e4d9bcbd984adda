"""Blocks: what apps compose their messages of, and the one block of rich text that a person's message is.

https://docs.slack.dev/reference/block-kit/blocks. Teams has no such elements in a message: they become text, lines, links.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.loose import Json, mapping, mappings, text
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.body import Body
from lakeflow_teams.deliver.sources.slack.files import without_token
from lakeflow_teams.deliver.sources.slack.mrkdwn import mrkdwn
from lakeflow_teams.deliver.sources.slack.rich_text import rich_text

#: Python's own limit of nesting is far; no app nests blocks this deep.
_DEEPEST = 6
_BESIDE = re.compile(r"(<blockquote>.*?</blockquote>|<pre>.*?</pre>)", re.DOTALL)


def blocks(found: Sequence[Json], body: Body, depth: int = 0) -> str:
    """The HTML of a list of blocks."""
    if len(found) == 1:
        return _block(found[0], body, depth)
    return "".join([_block(block, body, depth) for block in found])


def paragraph(content: str) -> str:
    """A paragraph, where there is something in it; preformatted text and quotes stand beside it."""
    if "<pre>" not in content and "<blockquote>" not in content:
        return f"<p>{content}</p>" if content else ""
    parts = _BESIDE.split(content)
    return "".join(part if _BESIDE.fullmatch(part) else f"<p>{part}</p>" for part in parts if part)


def _block(block: Json, body: Body, depth: int) -> str:
    kind = block.get("type")
    if kind == "rich_text":
        return rich_text(block, body)
    if kind == "divider":
        return "<hr>"
    if depth > _DEEPEST:
        body.note(notes.OTHER_KIND)
        return ""
    write = _BLOCKS.get(kind) if type(kind) is str else None
    if write is None:
        body.note(notes.OTHER_KIND)
        write = _unknown
    return write(block, body, depth)


def _composed(of: Json, name: str, body: Body) -> str:
    """A text object: `mrkdwn`, or `plain_text`; also the bare string that some apps send."""
    found = mapping(of, name)
    if not found:
        return mrkdwn(text(of, name), body)
    if found.get("type") == "plain_text":
        return html.escape_lines(text(found, "text"))
    return mrkdwn(text(found, "text"), body)


def _section(block: Json, body: Body, depth: int) -> str:
    parts = [paragraph(_composed(block, "text", body))]
    parts += [paragraph(_composed({"field": field}, "field", body)) for field in mappings(block, "fields")]
    accessory = mapping(block, "accessory")
    return "".join(parts) + (_elements([accessory], body, depth) if accessory else "")


def _header(block: Json, body: Body, _depth: int) -> str:
    content = _composed(block, "text", body)
    return f"<p><strong>{content}</strong></p>" if content else ""


def _context(block: Json, body: Body, depth: int) -> str:
    return _elements(mappings(block, "elements"), body, depth)


def _elements(elements: Sequence[Json], body: Body, depth: int) -> str:
    parts = []
    for element in elements:
        kind = element.get("type")
        if kind in {"mrkdwn", "plain_text"}:
            parts.append(paragraph(_composed({"text": element}, "text", body)))
        elif kind == "image":
            parts.append(_image(element, body, depth))
        elif kind == "button" and html.is_link(text(element, "url")):
            parts.append(f"<p>{html.link(text(element, 'url'), _composed(element, 'text', body))}</p>")
        else:
            body.note(notes.BUTTONS)
    return "".join(parts)


def _image(block: Json, body: Body, _depth: int) -> str:
    """An image of the web: Teams would have to fetch it from there, so it is a link."""
    url = text(block, "image_url") or without_token(text(mapping(block, "slack_file"), "url"))
    label = _composed(block, "title", body) or html.escape(text(block, "alt_text")) or "image"
    body.note(notes.LARGE_IMAGE)
    return f"<p>{html.link(url, label)}</p>"


def _video(block: Json, body: Body, _depth: int) -> str:
    body.note(notes.VIDEO)
    url = text(block, "title_url") or text(block, "video_url")
    linked = html.link(url, _composed(block, "title", body) or "video")
    return f"<p>{linked}</p>{paragraph(_composed(block, 'description', body))}"


def _file(_block_of_a_file: Json, _body: Body, _depth: int) -> str:
    """The file itself stands in the message's files."""
    return ""


def _markdown(block: Json, _body: Body, _depth: int) -> str:
    return html.preformatted(text(block, "text"))


def _call(block: Json, body: Body, _depth: int) -> str:
    body.note(notes.HUDDLE)
    call = mapping(mapping(block, "call"), "v1")
    return f"<p>{html.link(text(call, 'join_url'), html.escape(text(call, 'name') or 'call'))}</p>"


def _input(block: Json, body: Body, _depth: int) -> str:
    body.note(notes.POLL)
    return paragraph(_composed(block, "label", body))


def _table(block: Json, body: Body, _depth: int) -> str:
    rows = block.get("rows")
    lines = []
    for row in rows if type(rows) is list else []:
        cells = [_cell(cell, body) for cell in row if type(cell) is dict] if type(row) is list else []
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table>{''.join(lines)}</table>" if lines else ""


def _cell(cell: Json, body: Body) -> str:
    return rich_text(cell, body) if cell.get("type") == "rich_text" else html.escape(text(cell, "text"))


def _unknown(block: Json, body: Body, depth: int) -> str:
    """Kinds to come: their text, and the blocks inside."""
    parts = [paragraph(_composed(block, name, body)) for name in ("title", "text")]
    return "".join(parts) + blocks([*mappings(block, "blocks"), *mappings(block, "elements")], body, depth + 1)


_BLOCKS: dict[str, Callable[[Json, Body, int], str]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _context,
    "image": _image,
    "video": _video,
    "file": _file,
    "markdown": _markdown,
    "call": _call,
    "input": _input,
    "table": _table,
}
