"""JSON of any size, item by item: the items of an array, or the lines of a JSON lines file.

A file of some megabytes is parsed at once. A larger one, or a broken one, is parsed item by item: what is broken is named
with its line, and reading goes on with the next item that can be told from the rest.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from lakeflow_teams.deliver.sources.archive import Archive, EntryError, OpenEntry, reading
from lakeflow_teams.deliver.sources.model import Problem

_AT_ONCE = 16 * 1024 * 1024
_CHUNK = 1024 * 1024
#: Slack's longest message is 40,000 characters, Mattermost's 65,535; with blocks and files some times as much.
_LARGEST_ITEM = 32 * 1024 * 1024
_SPACE = re.compile(r"[\s,]*")
_REPAIR = "Correct the file, or export it again; the other items are read"


def array_items(archive: Archive, name: str, problems: list[Problem]) -> Iterator[Any]:
    """The items of the array that an entry holds. Whatever of it cannot be read is a problem."""
    try:
        with reading(archive, name) as stream:
            if archive.sizes[name] > _AT_ONCE:
                yield from _Items(stream, name, problems)
                return
            data = stream.read()
    except EntryError as error:
        problems.append(Problem(name, error.what, error.remedy))
        return
    yield from _parsed(data, name, problems)


def line_items(stream: OpenEntry, name: str, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    """The number and the value of each line. A line that is no JSON is a problem."""
    for number, line in enumerate(iter(lambda: stream.readline(_LARGEST_ITEM), b""), 1):
        text = line.strip(b"\xef\xbb\xbf \t\r\n") if number == 1 else line.strip()
        if not text:
            continue
        try:
            yield number, json.loads(text)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(f"{name} line {number}", f"it is no JSON ({_reason(error)})", _REPAIR))


def _parsed(data: bytes, name: str, problems: list[Problem]) -> Iterator[Any]:
    try:
        items = json.loads(data)
    except (ValueError, RecursionError):
        yield from _Items(BytesIO(data), name, problems)
        return
    if isinstance(items, list):
        yield from items
    else:
        problems.append(Problem(name, "it holds no list", _REPAIR))


class _Items:
    """The items of an array in a stream, through a window that grows only as far as one item needs."""

    def __init__(self, stream: OpenEntry, name: str, problems: list[Problem]) -> None:
        self._stream = stream
        self._name = name
        self._problems = problems
        self._decode = codecs.getincrementaldecoder("utf-8-sig")(errors="replace").decode
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def __iter__(self) -> Iterator[Any]:
        if self._next_sign() != "[":
            self._report("it holds no list")
            return
        self._at += 1
        begin = self._separator()
        while (sign := self._next_sign()) not in {"]", ""}:
            try:
                yield self._item()
            except (ValueError, RecursionError) as error:  # noqa: PERF203 - each item may be a broken one
                self._report(f"an item is no JSON ({_reason(error)})", getattr(error, "pos", self._at))
                if sign != "{" or not self._skip_to(begin):
                    return
        if not sign:
            self._report("it ends before its list does")

    def _separator(self) -> str:
        """What stands before the first item: a line break and spaces where the file is indented, as Slack's are."""
        self._next_sign()
        return self._before

    def _next_sign(self) -> str:
        """The next character that is no space or comma, at which reading stands then; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            end = space.end() if space else self._at
            if end < len(self._text) or not self._more():
                self._before = self._text[self._at : end]
                self._at = end
                return self._text[end : end + 1]

    def _item(self) -> Any:
        while True:
            try:
                item, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
            except ValueError:  # noqa: PERF203 - it may only be cut by the window
                if len(self._text) - self._at > _LARGEST_ITEM or not self._more():
                    raise
            else:
                # A number goes on in what has not been read yet.
                if self._at < len(self._text) or isinstance(item, dict | list | str) or not self._more():
                    return item

    def _skip_to(self, begin: str) -> bool:
        """Goes to the next item after a broken one, where items begin on lines of their own."""
        if "\n" not in begin:
            return False
        mark = begin[begin.rindex("\n") :] + "{"
        while (found := self._text.find(mark, self._at + 1)) < 0:
            keep = max(self._at, len(self._text) - len(mark))
            self._at = keep
            if not self._more():
                return False
        self._at = found
        return True

    def _more(self) -> bool:
        """Reads as much again as is held and not yet used, so that an item is looked at a few times only."""
        if self._ended:
            return False
        self._line += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :]
        self._at = 0
        data = self._stream.read(max(_CHUNK, len(self._text)))
        self._ended = not data
        self._text += self._decode(data, self._ended)
        return True

    def _report(self, what: str, at: int | None = None) -> None:
        line = self._line + self._text.count("\n", 0, self._at if at is None else at)
        self._problems.append(Problem(f"{self._name} line {line}", what, _REPAIR))


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deep, or has too long a number"
