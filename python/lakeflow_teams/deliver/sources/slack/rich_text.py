"""Rich text, the form in which Slack keeps what people write since 2019.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block: sections, lists, quotes and preformatted text, and in them
text with a style, links, people, groups, channels, emoji, broadcasts, dates and colours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import lru_cache

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.emoji import emoji_of
from lakeflow_teams.deliver.sources.loose import Json, mappings, number, text
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.body import Body

#: From the inside to the outside.
_STYLES = (("code", "code"), ("strike", "s"), ("underline", "u"), ("italic", "em"), ("bold", "strong"))
_DEEPEST_LIST = 8


def rich_text(block: Json, body: Body) -> str:
    """The HTML of a `rich_text` block."""
    elements = mappings(block, "elements")
    if len(elements) == 1 and elements[0].get("type") == "rich_text_section":  # nearly every message
        return _part("rich_text_section", elements[0], body)
    parts: list[str] = []
    at = 0
    while at < len(elements):
        kind = elements[at].get("type")
        if kind == "rich_text_list":
            end = at
            while end < len(elements) and elements[end].get("type") == kind:
                end += 1
            parts.append(_lists(elements[at:end], body))
            at = end
            continue
        parts.append(_part(kind, elements[at], body))
        at += 1
    return "".join(parts)


def _part(kind: object, element: Json, body: Body) -> str:
    if kind == "rich_text_preformatted":
        return html.preformatted(plain(element))
    content = _inline(mappings(element, "elements"), body)
    if kind == "rich_text_quote":
        return f"<blockquote>{content}</blockquote>"
    if kind != "rich_text_section":
        body.note(notes.OTHER_KIND)
        content = content or _inline([element], body)
    # A break at the end stands for the line that the next part begins with.
    content = content.removesuffix("<br>")
    return f"<p>{content}</p>" if content else ""


def _lists(elements: Sequence[Json], body: Body) -> str:
    """Lists that follow each other are one, whose levels are their indents."""
    parts: list[str] = []
    open_tags: list[str] = []
    for element in elements:
        level = min(max(number(element, "indent") or 0, 0), _DEEPEST_LIST)
        tag = "ol" if element.get("style") == "ordered" else "ul"
        while len(open_tags) > level + 1 or (len(open_tags) == level + 1 and open_tags[-1] != tag):
            parts.append(f"</li></{open_tags.pop()}>")
        for index, item in enumerate(mappings(element, "elements")):
            if len(open_tags) == level + 1:
                parts.append("</li>")
            while len(open_tags) < level + 1:
                skipped = len(open_tags) < level
                open_tags.append("ul" if skipped else tag)
                start = (number(element, "offset") or 0) if tag == "ol" and not skipped and index == 0 else 0
                parts.append(
                    (f'<ol start="{start + 1}">' if start > 0 else f"<{open_tags[-1]}>") + ("<li>" if skipped else "")
                )
            parts.append("<li>" + _inline(mappings(item, "elements"), body))
    parts.extend(f"</li></{tag}>" for tag in reversed(open_tags))
    return "".join(parts)


def _inline(elements: Sequence[Json], body: Body) -> str:
    parts = []
    for element in elements:
        kind = element.get("type")
        if kind == "text":
            content = html.escape_lines(text(element, "text"))
        else:
            write = _INLINE.get(kind) if type(kind) is str else None
            content = write(element, body) if write else _other(element, body)
        style = element.get("style")
        parts.append(_styled(content, style) if type(style) is dict else content)
    return "".join(parts)


def _styled(content: str, style: Json) -> str:
    for name, tag in _STYLES:
        if style.get(name) is True:
            content = f"<{tag}>{content}</{tag}>"
    return content


def _link(element: Json, body: Body) -> str:
    url = text(element, "url")
    if url and not html.is_link(url):
        body.note(notes.LINK_KIND)
    return html.link(url, html.escape(text(element, "text")))


def _user(element: Json, body: Body) -> str:
    return body.mention(text(element, "user_id"))


def _group(element: Json, body: Body) -> str:
    body.note(notes.GROUP_MENTION)
    return html.escape("@" + (text(element, "usergroup_id") or text(element, "team_id")))


def _channel(element: Json, body: Body) -> str:
    return body.channel(text(element, "channel_id"))


def _emoji(element: Json, body: Body) -> str:
    return _sign(text(element, "unicode")) or emoji(text(element, "name"), body)


def emoji(name: str, body: Body) -> str:
    """The emoji of a name; a custom one stays a name in colons."""
    found = emoji_of(name)
    if found is None:
        body.note(notes.CUSTOM_EMOJI)
        return html.escape(f":{name}:")
    return found


@lru_cache(maxsize=4096)
def _sign(codes: str) -> str:
    try:
        return html.clean("".join(chr(int(code, 16)) for code in codes.split("-"))) if codes else ""
    except (ValueError, OverflowError):
        return ""


def _broadcast(element: Json, _body: Body) -> str:
    return html.escape("@" + text(element, "range"))


def _date(element: Json, _body: Body) -> str:
    return html.escape(text(element, "fallback") or written_date(number(element, "timestamp")))


def written_date(seconds: int | None) -> str:
    """A moment as text, where the one who wrote left no text for it."""
    try:
        moment = datetime.fromtimestamp(seconds or 0, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _color(element: Json, _body: Body) -> str:
    return html.escape(text(element, "value"))


def _other(element: Json, body: Body) -> str:
    """Elements of newer kinds: what they show as text."""
    body.note(notes.OTHER_KIND)
    return html.escape_lines(_shown(element))


_INLINE: dict[str, Callable[[Json, Body], str]] = {
    "link": _link,
    "user": _user,
    "usergroup": _group,
    "team": _group,
    "channel": _channel,
    "emoji": _emoji,
    "broadcast": _broadcast,
    "date": _date,
    "color": _color,
}


def plain(element: Json) -> str:
    """The text of an element without any markup."""
    return "".join(_shown(item) for item in mappings(element, "elements"))


def _shown(element: Json) -> str:
    return next((found for name in ("text", "url", "fallback", "label", "name") if (found := text(element, name))), "")
