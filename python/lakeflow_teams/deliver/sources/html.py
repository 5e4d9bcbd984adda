"""HTML as Teams takes it in a message, made from text that nobody has checked.

Every piece of text goes through :func:`escape`, every address through :func:`link`, so that what a person wrote can never
become a tag, an attribute or a script. :mod:`.sanitize` is for sources that bring HTML of their own.
"""

from __future__ import annotations

import re

#: Control characters and noncharacters: JSON escapes can bring them, XML and Teams take none of them.
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]")
#: Half of a surrogate pair, from a JSON escape that was cut: no UTF-8 has it.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(r"(?:https?|ftp)://[^\s/]|mailto:[^\s]|tel:[^\s]", re.IGNORECASE)
_INDENT = re.compile(r"(?<=\n) +| {2,}")


def clean(text: str) -> str:
    """The text without characters that no message can hold."""
    if text.isascii() and text.isprintable():
        return text
    text = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _SURROGATE.sub("\ufffd", text)


def entities(text: str) -> str:
    """Text that is clean, with what would begin a tag or an entity written as an entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape(text: str) -> str:
    """Text on one line, or in ``<pre>``."""
    if text.isascii() and text.isprintable() and not ("&" in text or "<" in text or ">" in text):
        return text  # most of what people write; the rest takes four times as long
    return entities(clean(text))


def escape_lines(text: str) -> str:
    """Text whose line breaks and runs of spaces are to be seen."""
    if text.isascii() and text.isprintable() and not ("&" in text or "<" in text or ">" in text or "  " in text):
        return text
    return visible_lines(escape(text))


def visible_lines(text: str) -> str:
    """The same for text that is escaped already."""
    if "\n" in text or "  " in text:
        text = _INDENT.sub(lambda spaces: "&nbsp;" * len(spaces[0]), text).replace("\n", "<br>")
    return text


def attribute(text: str) -> str:
    """Text inside double quotes."""
    return escape(text).replace('"', "&quot;").replace("\n", " ")


def is_link(url: str) -> bool:
    """Whether an address may become a link: the web, mail, telephone. Never a script, never a file of this machine."""
    return _LINK.match(url) is not None


def link(url: str, label: str = "") -> str:
    """``<a>`` around the label, which is HTML; an address of another kind is written after the label as text."""
    url = clean(url).strip()
    if is_link(url):
        return f'<a href="{attribute(url)}">{label or escape(url)}</a>'
    return f"{label} ({escape(url)})" if label and url else label or escape(url)


def image(number: int, width: object = None, height: object = None) -> str:
    """The place of the message's image with this id."""
    size = ""
    if isinstance(width, int) and isinstance(height, int) and 0 < width <= 100_000 and 0 < height <= 100_000:
        size = f' width="{width}" height="{height}"'
    return f'<img src="../hostedContents/{number}/$value"{size}>'


def mention(number: int, name: str) -> str:
    """The place of the message's mention with this id."""
    return f'<at id="{number}">{escape(name)}</at>'


def preformatted(text: str) -> str:
    """Code, or whatever lives from its columns."""
    return f"<pre>{escape(text)}</pre>"
