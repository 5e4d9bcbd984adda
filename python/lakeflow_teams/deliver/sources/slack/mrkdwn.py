"""mrkdwn, Slack's markup in text: of messages before 2019, of apps, of attachments.

https://docs.slack.dev/messaging/formatting-message-text. Order matters: code, then what stands in angle brackets, then
emoji, then styles at word borders, then quotes line by line. What is done is put aside, so that no later step looks into it.
"""

from __future__ import annotations

import re
from functools import partial

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.emoji import emoji_of
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.body import Body
from lakeflow_teams.deliver.sources.slack.rich_text import written_date
from lakeflow_teams.deliver.sources.slack.values import unescape

_MARKED = re.compile(r"[`<&:*_~\n>]|  ")
_PIECE = re.compile(
    r"```(?P<pre>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<angle>[^<>\n]+)>"
    r"|(?<![\w:]):(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):(?!\w)",
    re.DOTALL,
)
#: Noncharacters, which no text holds once it is clean: a piece that was put aside is a number between them.
_INLINE = "\ufdd0{}\ufdd1"
_BLOCK = "\ufdd2{}\ufdd1"
_PUT_ASIDE = re.compile("[\ufdd0\ufdd2](\\d+)\ufdd1")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: At word borders; an underscore is none of a word, so that styles can stand in each other.
_STYLES = tuple(
    (
        sign,
        re.compile(
            r"(?<![^\W_])(?<!{0}){0}(?![\s{0}])([^{0}\n\ufdd2]+?)(?<!\s){0}(?![^\W_])(?!{0})".replace("{0}", re.escape(sign))
        ),
        tag,
    )
    for sign, tag in (("*", "strong"), ("_", "em"), ("~", "s"))
)
_REST_IS_QUOTE = re.compile(r"^&gt;&gt;&gt; ?", re.MULTILINE)
_QUOTE = re.compile(r"(?:^&gt; ?.*(?:\n|\Z))+", re.MULTILINE)
_QUOTE_SIGN = re.compile(r"^&gt; ?", re.MULTILINE)
_AROUND_BLOCK = re.compile(r"(?:<br>)?(<(?:pre|blockquote)>.*?</(?:pre|blockquote)>)(?:<br>)?", re.DOTALL)


def mrkdwn(text: str, body: Body) -> str:
    """The HTML of a text, which is clean."""
    if not _MARKED.search(text):
        return html.escape(text)
    aside: list[str] = []

    def put_aside(piece: re.Match[str]) -> str:
        done = _piece(piece, body)
        if done is None:
            return piece[0]
        aside.append(done)
        return (_BLOCK if piece["pre"] else _INLINE).format(len(aside) - 1)

    text = html.entities(unescape(_PIECE.sub(put_aside, text)))
    for sign, pattern, tag in _STYLES:
        if sign in text:
            text = pattern.sub(partial(_styled, tag), text)
    text = _quoted(text)
    text = html.visible_lines(text)
    text = _PUT_ASIDE.sub(lambda number: aside[int(number[1])], text)
    return _AROUND_BLOCK.sub(r"\1", text) if "<pre>" in text or "<blockquote>" in text else text


def _styled(tag: str, found: re.Match[str]) -> str:
    """What is between two signs, unless a style that was found before begins or ends in it: tags do not cross."""
    open_tags = 0
    for sign in re.findall("</?", found[1]):
        open_tags += 1 if sign == "<" else -1
        if open_tags < 0:
            break
    return found[0] if open_tags else f"<{tag}>{found[1]}</{tag}>"


def _piece(piece: re.Match[str], body: Body) -> str | None:
    """The HTML of a piece; ``None`` where it is none after all."""
    kind = piece.lastgroup
    if kind == "pre":
        return html.preformatted(unescape(_without_brackets(piece["pre"])).strip("\n"))
    if kind == "code":
        return f"<code>{html.escape(unescape(_without_brackets(piece['code'])))}</code>"
    if kind == "angle":
        return _angle(piece["angle"], body)
    return emoji_of(piece["emoji"])


def _without_brackets(code: str) -> str:
    """Slack makes links in code too; there the address alone is meant."""
    return re.sub(r"<((?:https?|mailto):[^<>|]+)(?:\|([^<>]*))?>", lambda link: link[2] or link[1], code)


def _angle(inside: str, body: Body) -> str | None:
    target, _, label = inside.partition("|")
    label = unescape(label)
    sign, rest = target[:1], target[1:]
    if sign == "@":
        return body.mention(rest, label)
    if sign == "#":
        return body.channel(rest, label)
    if sign == "!":
        return _special(rest, label, body)
    url = unescape(target)
    if not _ADDRESS.match(url):
        return None
    if not html.is_link(url):
        body.note(notes.LINK_KIND)
    return html.link(url, html.escape(label))


def _special(command: str, label: str, body: Body) -> str:
    name, *rest = command.split("^")
    if name == "subteam":
        body.note(notes.GROUP_MENTION)
        return html.escape(label or "@" + "".join(rest[:1]))
    if name == "date":
        seconds = rest[0] if rest and rest[0].isdecimal() and len(rest[0]) < 12 else "0"
        shown = html.escape(label or written_date(int(seconds)))
        return html.link(unescape(rest[2]), shown) if len(rest) > 2 else shown
    return html.escape(label or f"@{name}")


def _quoted(text: str) -> str:
    """Lines that begin with `>`; from `>>>` on all that follows."""
    if "&gt;" not in text:
        return text
    rest = _REST_IS_QUOTE.search(text)
    lines = text[: rest.start()] if rest else text
    quoted = _QUOTE.sub(
        lambda found: f"<blockquote>{_QUOTE_SIGN.sub('', found[0]).removesuffix(chr(10))}</blockquote>", lines
    )
    return f"{quoted}<blockquote>{text[rest.end() :]}</blockquote>" if rest else quoted
