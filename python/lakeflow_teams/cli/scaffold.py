"""What ``init`` writes and says: a pipeline for chosen tables, and how to register an application that may read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams._templates import render

#: What a pipeline holds where nothing is said: what a team's page shows, and no private conversation.
USUAL = ("teams", "channels", "members", "messages", "message_replies")

#: All tables, by what they are about, in the order in which ``init`` asks.
GROUPS = (
    ("Teams and channels", ("teams", "channels", "members", "channel_members", "deleted_teams")),
    ("Messages in channels", ("messages", "message_replies")),
    (
        "Parts of these messages",
        ("message_reactions", "message_mentions", "message_attachments", "system_events", "hosted_contents"),
    ),
    ("Chats", ("chats", "chat_members", "chat_messages")),
    (
        "Parts of chat messages",
        (
            "chat_message_reactions",
            "chat_message_mentions",
            "chat_message_attachments",
            "chat_system_events",
            "chat_hosted_contents",
        ),
    ),
    ("People and groups", ("users", "groups", "group_members", "group_owners", "user_licenses")),
    ("Shared channels", ("shared_channel_members", "shared_channel_teams", "incoming_channels")),
    (
        "Apps, tabs and tags",
        ("channel_tabs", "chat_tabs", "team_apps", "chat_apps", "user_apps", "team_tags", "team_tag_members"),
    ),
    ("Shifts and files", ("schedules", "shifts", "team_drives")),
    ("Group mail", ("conversations", "conversation_threads", "conversation_posts")),
    ("Meetings and calls", ("call_records", "online_meeting_transcripts", "online_meeting_recordings")),
    ("Retention and use", ("retained_messages", "deleted_team_messages", "team_device_usage_report")),
)

_DISCOVERY = re.compile(r"\bfetch_all_\w+")
_EXPORT = "     export AZURE_TENANT_ID=... AZURE_CLIENT_ID=... AZURE_CLIENT_SECRET=..."
_EVENTS = ("messages", "message_replies", "chat_messages")


def choose(names: Sequence[str]) -> list[_core.TableInfo]:
    """The declarations of the tables, in the order of the documentation. Raises :class:`ConfigurationError`."""
    known = {info["name"]: info for info in _core.tables()}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise _core.ConfigurationError(f"--tables: there is no table {name!r}; {hint}")
    return [info for name, info in known.items() if name in names]


def pipeline(
    tables: Sequence[_core.TableInfo], *, path: str, catalog: str, schema: str, team_id: str = "", start_date: str = ""
) -> str:
    """The text of a pipeline spec. Options that the core refuses raise :class:`ConfigurationError`."""
    entries = []
    for info in tables:
        options = _options(info, team_id, start_date)
        _core.schema(info["name"], options)
        discovers = any(name.startswith("fetch_all_") for name in options)
        entries.append({**info, "options": options, "discovers": discovers, "reads_history": info["name"] in _EVENTS})
    return render("pipeline.yaml", tables=entries, path=path, catalog=catalog, schema=schema)


def permissions(tables: Sequence[_core.TableInfo]) -> dict[str, list[str]]:
    """Each Graph application permission, and the tables it is for."""
    found: dict[str, list[str]] = {}
    for info in tables:
        for permission in info["permissions"]:
            found.setdefault(permission, []).append(info["name"])
    return found


def registration(needed: Mapping[str, Sequence[str]]) -> list[str]:
    """The steps from nothing to credentials, for exactly these permissions."""
    width = max((len(name) for name in needed), default=0)
    rights = "\n".join(f"     {name:<{width}}  {', '.join(tables)}" for name, tables in needed.items())
    return [
        "Entra admin center (https://entra.microsoft.com), App registrations, New registration: any name, this directory.",
        f"API permissions, Add a permission, Microsoft Graph, Application permissions (not Delegated):\n{rights}",
        "Grant admin consent, on the same page. Without it the list above counts for nothing.",
        "Certificates & secrets, New client secret. Copy its Value, not its ID; it is shown once.",
        f"Put the app's two ids (Overview) and the secret where the connector looks for them:\n{_EXPORT}",
    ]


def _options(info: _core.TableInfo, team_id: str, start_date: str) -> dict[str, Any]:
    """What the table must be told: everything there is, or the named teams."""
    required = info["required_options"]
    discovered = _DISCOVERY.findall(required)
    if required.startswith("one of "):  # the first discovers all there is, and a named team stands for all of them
        discovered = [] if team_id else discovered[:1]
    options = dict.fromkeys(discovered, "true")
    if team_id and "team_id" in required:
        options.pop("fetch_all_teams", None)
        options = {"team_id": team_id, **options}
    if start_date and info["name"] in _EVENTS:
        options["start_date"] = start_date
    return options
