"""The columns that views take from each table, under the names that they have in views. SQL is DuckDB's.

A column is SQL over the table's own columns, or several where one may be missing: the first that can be had is taken. Where
none can, the column is null; where the table is missing too, it has no rows.
"""

from __future__ import annotations

TEXT, TIME, BOOL, TEXTS = "VARCHAR", "TIMESTAMPTZ", "BOOLEAN", "VARCHAR[]"

_USER = 'STRUCT("id" VARCHAR, "displayName" VARCHAR)'
_IDENTITY = f'STRUCT("user" {_USER}, "application" {_USER}, "conversation" {_USER}, "tag" {_USER})'
_REACTIONS = f'STRUCT("reactionType" VARCHAR, "displayName" VARCHAR, "createdDateTime" VARCHAR, "user" {_IDENTITY})[]'
_MENTIONS = f'STRUCT("id" INT, "mentionText" VARCHAR, "mentioned" {_IDENTITY})[]'
_ATTACHMENTS = 'STRUCT("id" VARCHAR, "contentType" VARCHAR, "contentUrl" VARCHAR, "name" VARCHAR)[]'

#: The body without markup, where the pipeline does not ask for body_text: mentions and images lose their marks.
_ENTITIES = (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "''"), ("&amp;", "&"))
_PLAIN = "REGEXP_REPLACE(\"body\".\"content\", '<[^>]*>', ' ', 'g')"
for _entity, _sign in _ENTITIES:
    _PLAIN = f"REPLACE({_PLAIN}, '{_entity}', '{_sign}')"
_PLAIN = f'CASE WHEN "body"."contentType" = \'text\' THEN "body"."content" ELSE TRIM({_PLAIN}) END'

_AUTHOR_KIND = """CASE WHEN NOT "from"."user"."id" IS NULL THEN 'user'
WHEN NOT "from"."application"."id" IS NULL THEN 'application' WHEN NOT "from"."device"."id" IS NULL THEN 'device' END"""

_MESSAGE: dict[str, tuple[str | tuple[str, ...], str]] = {
    "message_id": ('"id"', TEXT),
    "message_type": ('"messageType"', TEXT),
    "author_id": ('COALESCE("from"."user"."id", "from"."application"."id", "from"."device"."id")', TEXT),
    "author": (
        'COALESCE("from"."user"."displayName", "from"."application"."displayName", "from"."device"."displayName")',
        TEXT,
    ),
    "author_kind": (
        _AUTHOR_KIND,
        TEXT,
    ),
    "subject": ('"subject"', TEXT),
    "text": (('"body_text"', _PLAIN), TEXT),
    "importance": ('"importance"', TEXT),
    "created_at": ('"createdDateTime"', TIME),
    "edited_at": ('"lastEditedDateTime"', TIME),
    "modified_at": ('"lastModifiedDateTime"', TIME),
    "deleted_at": ('"deletedDateTime"', TIME),
    "link": ('"webUrl"', TEXT),
    "reactions": ('"reactions"', _REACTIONS),
    "mentions": ('"mentions"', _MENTIONS),
    "attachments": ('"attachments"', _ATTACHMENTS),
}
_MEMBER: dict[str, tuple[str | tuple[str, ...], str]] = {
    "user_id": ('"userId"', TEXT),
    "tenant_id": ('"tenantId"', TEXT),
    "person": ('"displayName"', TEXT),
    "mail": ('"email"', TEXT),
    "roles": ('"roles"', TEXTS),
    "sees_from": ('"visibleHistoryStartDateTime"', TIME),
}
_TEAM = {"team_id": ('"team_id"', TEXT)}
_CHANNEL = {**_TEAM, "channel_id": ('"channel_id"', TEXT)}
_CHAT = {"chat_id": ('"chat_id"', TEXT)}

SOURCES: dict[str, dict[str, tuple[str | tuple[str, ...], str]]] = {
    "teams": {"team_id": ('"id"', TEXT), "team": ('"displayName"', TEXT)},
    "channels": {
        **_TEAM,
        "channel_id": ('"id"', TEXT),
        "channel": ('"displayName"', TEXT),
        "membership": ('"membershipType"', TEXT),
    },
    "chats": {"chat_id": ('"id"', TEXT), "chat": ('"topic"', TEXT), "chat_type": ('"chatType"', TEXT)},
    "messages": {**_CHANNEL, **_MESSAGE},
    "message_replies": {**_CHANNEL, "root_id": ('"parent_message_id"', TEXT), **_MESSAGE},
    "chat_messages": {**_CHAT, **_MESSAGE},
    "members": {**_TEAM, **_MEMBER},
    "channel_members": {**_CHANNEL, **_MEMBER},
    "shared_channel_members": {**_CHANNEL, **_MEMBER},
    "chat_members": {**_CHAT, **_MEMBER},
    "users": {
        "user_id": ('"id"', TEXT),
        "person": ('"displayName"', TEXT),
        "mail": ('"mail"', TEXT),
        "user_principal_name": ('"userPrincipalName"', TEXT),
        "job_title": ('"jobTitle"', TEXT),
        "department": ('"department"', TEXT),
        "user_type": ('"userType"', TEXT),
        "is_enabled": ('"accountEnabled"', BOOL),
    },
    # Every version of a membership: of a destination with scd_type SCD_TYPE_2.
    "members_history": {
        **_TEAM,
        **_MEMBER,
        "valid_from": ('"__START_AT"', TIME),
        "valid_to": ('"__END_AT"', TIME),
    },
}
