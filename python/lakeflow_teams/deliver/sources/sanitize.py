"""HTML of a source, reduced to what Teams takes in a message.

Tags and attributes are those of an allow list; what is not on it loses its tag and keeps its text, but for scripts and
styles, which lose both. Tags that were left open are closed, so that no message can reach out of its own HTML.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from lakeflow_teams.deliver.sources import html

_WORDS = (
    "p div span br hr b strong i em u s strike del ins sub sup code pre blockquote ul ol li a img at"
    " h1 h2 h3 h4 h5 h6 table thead tbody tr th td"
)
#: What Teams shows in a message.
TAGS = frozenset(_WORDS.split())
_EMPTY = frozenset({"br", "hr", "img"})
_WITHOUT_TEXT = frozenset({"script", "style", "head", "title", "iframe", "object", "template", "noscript"})
_IMAGE = re.compile(r"\.\./hostedContents/[A-Za-z0-9_-]+/\$value")
_NUMBER = re.compile(r"[0-9]{1,6}")

#: HTML that is nothing but allowed tags without attributes, links to the web, mentions and hosted images, as most is; in
#: RE2's syntax, for whole columns.
PLAIN = (
    r"^(?:[^<]|</?(?:p|div|br|hr|b|strong|i|em|u|s|code|pre|blockquote|ul|ol|li|table|tr|td|th) ?/?>|</(?:a|at)>"
    r'|<a href="https?://[^"<>]*">|<at id="[0-9]{1,6}">'
    r'|<img src="\.\./hostedContents/[A-Za-z0-9_-]+/\$value"(?: (?:width|height)="[0-9]{1,6}")*>)*$'
)


def sanitized(text: str) -> tuple[str, bool]:
    """The HTML as Teams takes it, and whether something of it had to go."""
    parser = _Sanitizer()
    parser.feed(html.clean(text))
    parser.close()
    return parser.finished(), parser.changed


class _Sanitizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.changed = False
        self._parts: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def finished(self) -> str:
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(html.escape(data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _WITHOUT_TEXT:
            self._silent += 1
            self.changed = True
        elif self._silent:
            return
        elif tag == "img":
            self._image(given)
        elif tag in TAGS:
            self._parts.append(self._begin(tag, given))
            if tag not in _EMPTY:
                self._open.append(tag)
        else:
            self.changed = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _WITHOUT_TEXT:
            self.changed = True
            return
        self.handle_starttag(tag, attrs)
        if tag in TAGS and tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _WITHOUT_TEXT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and tag in self._open:
            while (closed := self._open.pop()) != tag:
                self._parts.append(f"</{closed}>")
            self._parts.append(f"</{tag}>")

    def _begin(self, tag: str, given: dict[str, str]) -> str:
        if tag == "a":
            url = given.get("href", "").strip()
            if html.is_link(url):
                return f'<a href="{html.attribute(url)}">'
            self.changed = True
            return "<a>"
        if tag == "at" and _NUMBER.fullmatch(given.get("id", "")):
            return f'<at id="{given["id"]}">'
        if tag == "ol" and _NUMBER.fullmatch(given.get("start", "")):
            return f'<ol start="{given["start"]}">'
        return f"<{tag}>"

    def _image(self, given: dict[str, str]) -> None:
        """Only images that the message brings along; those of the web become links."""
        source = given.get("src", "").strip()
        if _IMAGE.fullmatch(source):
            size = "".join(
                f' {name}="{given[name]}"' for name in ("width", "height") if _NUMBER.fullmatch(given.get(name, ""))
            )
            self._parts.append(f'<img src="{source}"{size}>')
            return
        self.changed = True
        self._parts.append(html.link(source if html.is_link(source) else "", html.escape(given.get("alt") or "image")))
