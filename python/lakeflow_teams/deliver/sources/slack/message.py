"""One message of an export as a row: what it is, who wrote it, and its HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.emoji import emoji_of
from lakeflow_teams.deliver.sources.loose import Json, mapping, mappings, number, text, texts
from lakeflow_teams.deliver.sources.rows import Message
from lakeflow_teams.deliver.sources.slack import notes
from lakeflow_teams.deliver.sources.slack.attachments import attachment
from lakeflow_teams.deliver.sources.slack.blocks import blocks, paragraph
from lakeflow_teams.deliver.sources.slack.body import Body, Directory
from lakeflow_teams.deliver.sources.slack.files import files
from lakeflow_teams.deliver.sources.slack.layout import shown_name
from lakeflow_teams.deliver.sources.slack.mrkdwn import mrkdwn
from lakeflow_teams.deliver.sources.slack.values import key, micros

SYSTEM_EVENT: Final = "system event"
DELETED: Final = "deleted"
EDIT: Final = "record of an edit"

#: What Slack itself writes into a channel; nothing of it was written by a person.
_EVENTS = frozenset(
    f"{where}_{what}"
    for where in ("channel", "group")
    for what in (
        "join",
        "leave",
        "topic",
        "purpose",
        "name",
        "archive",
        "unarchive",
        "convert_to_private",
        "convert_to_public",
        "posting_permissions",
        "canvas_updated",
    )
) | {
    "pinned_item",
    "unpinned_item",
    "reminder_add",
    "joiner_notification",
    "joiner_notification_for_inviter",
    "app_conversation_join",
    "app_conversation_leave",
    "bot_add",
    "bot_remove",
    "bot_enable",
    "bot_disable",
    "message_replied",
    "reply_broadcast",
    "tabbed_canvas_updated",
    "ekm_access_denied",
}
_SKIPPED: Mapping[str, str] = {
    **dict.fromkeys(_EVENTS, SYSTEM_EVENT),
    "message_deleted": DELETED,
    "message_changed": EDIT,
}
_CALLS = {"huddle_thread", "sh_room_created", "sh_room_shared"}
#: Until 2018 the upload itself was a text of Slack's: `<@U1> uploaded a file: <link|title> and commented: ...`
_UPLOAD = re.compile(
    r"<@[^>]+> (?:uploaded|shared) (?:a|an|this) [^<\n]*<[^>]+>(?: and commented: (?P<comment>.*))?", re.DOTALL
)
#: Graph takes up to 250 reactions of a message.
_REACTIONS = 250
_NOBODY = {"", "U00"}


class Reader:
    """Makes rows of one export's messages."""

    def __init__(self, directory: Directory, key_of: Callable[[Json, str], str | None]) -> None:
        self._directory = directory
        self._key_of = key_of

    def read(self, message: Json, created: int, container: str, day: str) -> Message:
        """The row of a message, whatever its shape; ``created`` is its ``ts``, ``day`` the file it stands in."""
        subtype = text(message, "subtype")
        author, author_name = self._author(message, subtype)
        thread = micros(message.get("thread_ts"))
        parent = None if thread is None or thread == created else key(thread)
        source_id = key(created)
        skip = _SKIPPED.get(subtype) or (None if message.get("type", "message") == "message" else SYSTEM_EVENT)
        if skip:
            return Message(container, source_id, parent, author, author_name, created, skip=skip)
        body = Body(self._directory, self._key_of, day)
        content = _content(message, subtype, body)
        edited = micros(mapping(message, "edited").get("ts")) if "edited" in message else None
        if message.get("pinned_to"):
            body.note(notes.PINNED)
        return Message(
            container,
            source_id,
            parent,
            author,
            author_name,
            created,
            html=content,
            mentions=body.mentions or None,
            images=body.images or None,
            attachments=body.attachments or None,
            reactions=_reactions(message, body) if "reactions" in message else None,
            edited=edited,
            notes=body.notes,
        )

    def _author(self, message: Json, subtype: str) -> tuple[str | None, str | None]:
        """The id, and the name that is shown where no list has it or a bot writes under a name of its own."""
        directory = self._directory
        user = text(message, "user")
        if subtype == "file_comment":
            user = text(mapping(message, "comment"), "user") or user
        elif subtype in _CALLS:
            user = text(mapping(message, "room"), "created_by") or user
        if user in directory.people and user not in directory.accounts_of_bots:
            return user, None
        bot = text(message, "bot_id") or text(mapping(message, "bot_profile"), "id")
        if user in _NOBODY and bot:
            user = directory.bots.get(bot, bot)
        profile = mapping(message, "user_profile")
        name = shown_name(
            (message, "username"),
            (mapping(message, "bot_profile"), "name"),
            (profile, "real_name"),
            (profile, "display_name"),
            (profile, "name"),
        )
        return (None if user in _NOBODY else user), name or directory.people.get(user) or None


def _content(message: Json, subtype: str, body: Body) -> str:
    """The complete HTML of a message."""
    if subtype == "tombstone":
        body.note(notes.DELETED)
        return "<p><em>This message was deleted.</em></p>"
    if subtype in _CALLS:
        body.note(notes.HUDDLE)
        return _call(message)
    content = _text(message, subtype, body)
    if "attachments" in message:
        content += "".join(attachment(one, body) for one in mappings(message, "attachments"))
    if "files" in message or "file" in message:
        content += files(message, body)
    if subtype == "thread_broadcast":
        body.note(notes.BROADCAST)
    return content


def _text(message: Json, subtype: str, body: Body) -> str:
    if "blocks" in message and (content := blocks(mappings(message, "blocks"), body)):
        return content
    plain = text(message, "text")
    if subtype == "file_comment":
        body.note(notes.FILE_COMMENT)
        plain = text(mapping(message, "comment"), "comment") or plain
    elif "file" in message and (upload := _UPLOAD.fullmatch(plain)):
        plain = upload["comment"] or text(mapping(mapping(message, "file"), "initial_comment"), "comment")
    content = mrkdwn(plain, body)
    if subtype == "me_message" and content and "<pre>" not in content and "<blockquote>" not in content:
        content = f"<em>{content}</em>"
    return paragraph(content)


def _call(message: Json) -> str:
    room = mapping(message, "room")
    begun, ended = number(room, "date_start") or 0, number(room, "date_end") or 0
    minutes = f", {(ended - begun + 59) // 60} min" if 0 < begun < ended else ""
    name = html.escape(text(room, "name"))
    return f"<p><em>Call{minutes}{': ' + name if name else ''}</em></p>"


def _reactions(message: Json, body: Body) -> list[dict[str, Any]] | None:
    """One for each person, and for those that are only counted."""
    found: list[dict[str, Any]] = []
    for reaction in mappings(message, "reactions"):
        name = text(reaction, "name")
        sign = emoji_of(name)
        if sign is None:
            body.note(notes.CUSTOM_EMOJI)
        users: list[str | None] = list(texts(reaction, "users"))
        unnamed = min((number(reaction, "count") or 0) - len(users), _REACTIONS)
        users += [None] * unnamed
        found += [{"reaction": sign or f":{name}:", "user": user} for user in users]
    if len(found) > _REACTIONS:
        body.note(notes.MANY_REACTIONS)
    return found[:_REACTIONS] or None
