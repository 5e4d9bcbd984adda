"""Markdown as Mattermost writes it, as HTML: CommonMark, tables, strikethrough, line breaks as they are; no HTML of its own.

Markdown is parsed by markdown-it-py. In its text we find what Mattermost adds: ``@name``, ``:emoji:`` and bare addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from lakeflow_teams._extras import need
from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.emoji import emoji_of
from lakeflow_teams.deliver.sources.mattermost import notes
from lakeflow_teams.deliver.sources.sanitize import sanitized

#: Without these a text is no Markdown, and parsing it is not worth its time.
_MARKED = re.compile(r"[*_`~#>|@:<&\\\[\]!+-]|\d[.)]|\n[ \t]|\n\n|^[ \t]|www\.")
_FOUND = re.compile(
    r"(?<![\w@./:])@(?P<user>[a-z0-9][a-z0-9._-]*)"
    r"|(?<![\w:]):(?P<emoji>[a-z0-9_+-]+):(?!\w)"
    r"|(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'])"
)
_BETWEEN_BLOCKS = re.compile(r">\n+<")


class Body:
    """What gathers beside the HTML of one post."""

    def __init__(self, people: Mapping[str, str]) -> None:
        self.people = people
        self.mentions: list[dict[str, Any]] = []
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> list[str] | None:
        """Each once, in the order they came."""
        return list(self._notes) or None

    def note(self, what: str) -> None:
        """Something that was changed or has no place in Teams."""
        self._notes[what] = None

    def mention(self, user: str) -> str | None:
        """The HTML of a mention; ``None`` where nobody has the name."""
        name = self.people.get(user)
        if name is None:
            return None
        number = len(self.mentions)
        self.mentions.append({"id": number, "text": name, "user": user})
        return html.mention(number, name)


def markdown(text: str, body: Body) -> str:
    """The HTML of a post's text."""
    text = html.clean(text)
    if not text.strip():
        return ""
    if not _MARKED.search(text):
        return f"<p>{html.escape_lines(text)}</p>"
    rendered: str = _parser().render(text, {"body": body})
    found, changed = sanitized(_BETWEEN_BLOCKS.sub("><", rendered).strip())
    if changed:
        body.note(notes.CHANGED)
    return found


@cache
def _parser() -> Any:
    module = need("markdown_it", "local", "reading Mattermost's Markdown")
    parser = module.MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["strikethrough", "table"])
    parser.validateLink = html.is_link
    for name, rule in (("text", _text), ("image", _image), ("fence", _code), ("code_block", _code)):
        parser.add_render_rule(name, rule)
    return parser


def _text(_self: Any, tokens: Sequence[Any], index: int, _options: Any, env: Mapping[str, Any]) -> str:
    body, text, at = env["body"], tokens[index].content, 0
    in_link = any(token.type == "link_open" for token in tokens[:index]) and not _is_closed(tokens[:index])
    parts: list[str] = []
    for found in _FOUND.finditer(text):
        written = _found(found, body, in_link=in_link)
        if written is not None:
            parts += [html.escape(text[at : found.start()]), written]
            at = found.end()
    return "".join([*parts, html.escape(text[at:])])


def _is_closed(tokens: Sequence[Any]) -> bool:
    last = [token.type for token in tokens if token.type in {"link_open", "link_close"}]
    return last[-1:] == ["link_close"]


def _found(found: re.Match[str], body: Body, *, in_link: bool) -> str | None:
    if found["emoji"]:
        sign = emoji_of(found["emoji"])
        if sign is None and not found["emoji"].isdecimal():
            body.note(notes.CUSTOM_EMOJI)
        return sign
    if in_link:
        return None
    if found["user"]:
        name = found["user"]
        whole = body.mention(name)
        # A full stop at the end may be that of the sentence.
        trimmed = name.rstrip("._-")
        if whole is None and trimmed != name and (short := body.mention(trimmed)):
            return short + name[len(trimmed) :]
        return whole
    return html.link(found["url"])


def _image(_self: Any, tokens: Sequence[Any], index: int, _options: Any, env: Mapping[str, Any]) -> str:
    token = tokens[index]
    env["body"].note(notes.WEB_IMAGE)
    return html.link(str(token.attrs.get("src", "")), html.escape(token.content or "image"))


def _code(_self: Any, tokens: Sequence[Any], index: int, _options: Any, _env: Mapping[str, Any]) -> str:
    return html.preformatted(tokens[index].content.removesuffix("\n")) + "\n"
