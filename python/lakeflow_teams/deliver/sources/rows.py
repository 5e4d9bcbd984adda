"""Messages, one by one, into record batches of the model's schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from lakeflow_teams.deliver.sources.model import MESSAGES

#: A batch ends with whichever comes first.
_ROWS = 4096
_CHARACTERS = 8_000_000


class Message(NamedTuple):
    """A row of :data:`MESSAGES`, in the order of its columns. Times are microseconds since 1970."""

    container: str
    source_id: str
    parent: str | None
    author: str | None
    author_name: str | None
    created: int
    subject: str | None = None
    importance: str | None = None
    html: str = ""
    mentions: Sequence[dict[str, Any]] | None = None
    images: Sequence[dict[str, Any]] | None = None
    attachments: Sequence[dict[str, Any]] | None = None
    reactions: Sequence[dict[str, Any]] | None = None
    edited: int | None = None
    skip: str | None = None
    notes: Sequence[str] | None = None


def batches(messages: Iterable[Message]) -> Iterator[pa.RecordBatch]:
    """Batches of one container each, of messages that follow each other."""
    held: list[Message] = []
    characters = 0
    for message in messages:
        if held and (len(held) == _ROWS or characters > _CHARACTERS or message.container != held[0].container):
            yield batch(held)
            held, characters = [], 0
        held.append(message)
        characters += len(message.html)
    if held:
        yield batch(held)


def batch(messages: Sequence[Message]) -> pa.RecordBatch:
    """These messages, in the schema of the model."""
    columns = zip(MESSAGES, zip(*messages, strict=True), strict=True)
    return pa.record_batch([_column(values, field.type) for field, values in columns], schema=MESSAGES)


def _column(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    # Most columns of lists and times are empty in most batches.
    return pa.nulls(len(values), kind) if values.count(None) == len(values) else pa.array(values, kind)
