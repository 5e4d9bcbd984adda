"""What every source of an import gives: who wrote (`users`), where (`containers`), and what (`messages`).

A source reads one format and knows nothing of Teams' limits: names are cleaned, texts split, times made unique and people
matched by the plan, in one place for all sources. What a source cannot express as HTML it renders as text, ``<pre>``,
``<blockquote>`` or a link, and says so in `notes`; a row that is not to be imported (a join event) is given all the same,
with the reason in `skip`, so that counts add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Times of a source are finer than Teams' milliseconds, and order messages within one.
TIME = pa.timestamp("us", tz="UTC")


def _required(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=False)


#: One row per person or bot that a container or a message names. The first of two rows with one `source_id` counts.
USERS = pa.schema(
    [
        # The key that `author`, `mentions.user`, `reactions.user` and `members` hold.
        _required("source_id", pa.string()),
        pa.field("email", pa.string()),
        pa.field("display_name", pa.string()),
        # `person`, `guest` or `bot`; null is a person. A bot has no account to write under: its messages are the fallback
        # author's, with its name.
        pa.field("kind", pa.string()),
        # Whether the account is closed in the source.
        pa.field("deleted", pa.bool_()),
        # The person's object id in Entra ID, where the source knows one (`lakehouse`: that of the tenant it was read from).
        pa.field("entra_id", pa.string()),
    ]
)

#: One row per channel or chat. `source_id` is unique over the whole source.
CONTAINERS = pa.schema(
    [
        _required("source_id", pa.string()),
        # Null for a chat without a name.
        pa.field("name", pa.string()),
        # Graph's words: `standard`, `private` or `shared` (a channel's membershipType), `oneOnOne` or `group` (a chat's
        # chatType). A chat of more than two people is `group`; a note to oneself is `oneOnOne` with one member.
        _required("kind", pa.string()),
        # Which of the source's teams a channel is in (its name); null: the one team of the plan.
        pa.field("team", pa.string()),
        # Purpose or topic, as plain text.
        pa.field("description", pa.string()),
        pa.field("created", TIME),
        pa.field("creator", pa.string()),
        pa.field("archived", pa.bool_()),
        # Whether it is the channel that everybody is in: it becomes the team's General.
        pa.field("general", pa.bool_()),
        # `source_id` of users.
        pa.field("members", pa.list_(pa.string())),
    ]
)

#: A person named in a text. The HTML has ``<at id="0">Bo</at>`` for the mention with id 0.
MENTION = pa.struct([_required("id", pa.int32()), pa.field("text", pa.string()), pa.field("user", pa.string())])

#: An inline image. The HTML has ``<img src="../hostedContents/1/$value">`` for the image with id ``1``, with `width` and
#: `height` where they are known.
IMAGE = pa.struct(
    [
        _required("id", pa.string()),
        # What :meth:`Source.content` takes; null where the source has no bytes, so that a link or a note takes its place.
        pa.field("key", pa.string()),
        pa.field("name", pa.string()),
        # Such as `image/png`.
        pa.field("content_type", pa.string()),
        # Bytes, where known before reading.
        pa.field("size", pa.int64()),
        # Where people can open it, for `images: link` and for what is too large.
        pa.field("url", pa.string()),
    ]
)

#: A file that is linked to. The HTML does not name it: links follow the text.
ATTACHMENT = pa.struct(
    [
        pa.field("name", pa.string()),
        # Null: only its name is told.
        pa.field("url", pa.string()),
        pa.field("content_type", pa.string()),
        pa.field("size", pa.int64()),
        # As in images, for `images: upload`.
        pa.field("key", pa.string()),
    ]
)

#: Who reacted, with what; one row per person.
REACTION = pa.struct(
    [
        # A Unicode emoji; a name in colons where there is none (`:partyparrot:`).
        _required("reaction", pa.string()),
        # Null for a person that the source does not name.
        pa.field("user", pa.string()),
        # Null where the source has no time for it.
        pa.field("created", TIME),
    ]
)

#: One row per message or reply. `source_id` is unique within its container.
MESSAGES = pa.schema(
    [
        _required("container", pa.string()),
        # A source without ids gives a hash of container, author, time and text.
        _required("source_id", pa.string()),
        # `source_id` of the root; null for a root. A root that the source does not have is no error here: the plan makes
        # the reply a root and notes it. Replies to replies name the root.
        pa.field("parent", pa.string()),
        # `source_id` of a user; null where nobody is named.
        pa.field("author", pa.string()),
        # The name shown at the message, for an author who is in no list, or a bot that writes under many names.
        pa.field("author_name", pa.string()),
        _required("created", TIME),
        pa.field("subject", pa.string()),
        # `normal`, `high` or `urgent`; null is normal.
        pa.field("importance", pa.string()),
        # The body as HTML, complete and escaped; at least an empty text.
        _required("html", pa.string()),
        pa.field("mentions", pa.list_(MENTION)),
        pa.field("images", pa.list_(IMAGE)),
        pa.field("attachments", pa.list_(ATTACHMENT)),
        pa.field("reactions", pa.list_(REACTION)),
        # When it was last edited; the text is the last one.
        pa.field("edited", TIME),
        # Why it is not imported (`system event`, `deleted`): counted as skipped. Null: it is imported.
        pa.field("skip", pa.string()),
        # What the source changed or could not express, each a short text that is the same for all such cases.
        pa.field("notes", pa.list_(pa.string())),
    ]
)


class Problem(NamedTuple):
    """Something of the source that could not be read, and cost that alone."""

    #: File, line or item, such as ``general/2021-03-04.json``.
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}"


class SourceError(ValueError):
    """The source as a whole cannot be read: one line that names the thing, its value and the remedy."""


class Source(Protocol):
    """A reader of one format.

    Its class takes a path (and options as keywords), and refuses with :class:`SourceError` what is not in its format.
    Reading is repeatable: each method may be called again and gives the same.
    """

    #: What could not be read so far; complete once `messages` has been read to its end.
    problems: list[Problem]

    def users(self) -> pa.Table:
        """Everybody, in :data:`USERS`."""

    def containers(self) -> pa.Table:
        """Every channel and chat, in :data:`CONTAINERS`."""

    def messages(self, containers: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The messages of these containers (null: of all), in :data:`MESSAGES`, some thousand rows or 8 MB a batch.

        A batch is of one container, and a container's batches follow each other, oldest message first: by `created`, and
        in the source's own order where two have one time. Nothing is kept in memory that grows with the source.
        """

    def content(self, key: str) -> bytes:
        """The bytes of an image or a file. Raises :class:`SourceError` where they cannot be had."""
