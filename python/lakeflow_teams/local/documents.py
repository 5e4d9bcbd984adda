"""Threads as documents for search: whole, or cut into chunks that fit an embedding model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.local import analysis
from lakeflow_teams.store.locate import Target

Document = dict[str, Any]

#: Where a text may be cut, the best place first: between posts, between paragraphs, lines, sentences, words.
_PLACES = (r"\n\n(?=\*\*[^\n]+\*\* \(\d{4}-\d{2}-\d{2} \d{2}:\d{2}\))", r"\n\n", r"\n", r"(?<=[.!?]) ", r" ")
_LEAST = 200


def thread_documents(
    target: Target, *, changed_since: datetime | None = None, chunk_characters: int | None = None
) -> Iterator[Document]:
    """The rows of ``v_thread_documents`` of a lakehouse, oldest change first.

    With ``changed_since``, the greatest ``updated_at`` of an earlier call, only threads that changed after it: each is one
    new row that replaces the earlier one of its ``thread_key``. One that was deleted has ``is_deleted`` and no text.

    With ``chunk_characters`` each row is a chunk, of at most as many characters: ``chunk`` counts them from 0, ``chunks``
    says how many the thread has, and each begins with the thread's title. Those of a thread replace all earlier ones of it.
    Raises :class:`ConfigurationError` for less than 200 characters. Needs the extra ``notebook``.
    """
    if chunk_characters is not None and chunk_characters < _LEAST:
        raise _core.ConfigurationError(
            f"chunk_characters {chunk_characters}: at least {_LEAST} are needed for title and text"
        )
    with analysis.connect(target) as connection:
        query = "SELECT * FROM v_thread_documents WHERE ? IS NULL OR updated_at > ? ORDER BY updated_at, thread_key"
        rows = connection.sql(query, params=[changed_since, changed_since]).to_arrow_table().to_pylist()
    for row in rows:
        yield from [row] if chunk_characters is None else _chunks(row, chunk_characters)


def _chunks(row: Document, size: int) -> Iterator[Document]:
    if row["markdown"] is None:
        yield {**row, "chunk": 0, "chunks": 0}
        return
    title, _, text = row["markdown"].partition("\n\n")
    head = f"{title}\n\n"
    parts = list(pieces(text, size - len(head)))
    for number, part in enumerate(parts):
        yield {**row, "markdown": head + part, "chunk": number, "chunks": len(parts)}


def pieces(text: str, size: int) -> Iterator[str]:
    """A text in pieces of at most ``size`` characters, cut at the best places that there are."""
    yield from _cut(text, size, _PLACES)


def _cut(text: str, size: int, places: tuple[str, ...]) -> Iterator[str]:
    if len(text) <= size:
        yield text
        return
    if not places:
        yield from (text[start : start + size] for start in range(0, len(text), size))
        return
    place, *rest = places
    held = ""
    for found, joint in _split(text, place):
        if held and len(held) + len(joint) + len(found) > size:
            yield held
            held = found
        else:
            held += joint + found
        if len(held) > size:
            *whole, held = _cut(held, size, tuple(rest))
            yield from whole
    if held:
        yield held


def _split(text: str, place: str) -> Iterator[tuple[str, str]]:
    """Parts, each with what stood before it."""
    start, joint = 0, ""
    for match in re.finditer(place, text):
        yield text[start : match.start()], joint
        start, joint = match.end(), match[0]
    yield text[start:], joint
