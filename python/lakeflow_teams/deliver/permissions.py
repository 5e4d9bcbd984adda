"""The application permissions that an import needs. One is not enough: making chats, members and reading have their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lakeflow_teams import _core

_CHATS = ("oneOnOne", "group")
#: What includes what.
_WIDER = {
    "Chat.Create": ("Chat.ReadWrite.All",),
    "Chat.Read.All": ("Chat.ReadWrite.All",),
    "TeamMember.ReadWriteNonOwnerRole.All": ("TeamMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"),
    "Channel.ReadBasic.All": ("ChannelSettings.Read.All",),
    "Files.ReadWrite.All": ("Sites.ReadWrite.All",),
    "Channel.Create": ("Teamwork.Migrate.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"),
}


def needed(plan: Mapping[str, Any]) -> dict[str, str]:
    """Permission to what it is for, for all steps of a plan."""
    wanted = {"Teamwork.Migrate.All": "teams, channels and messages"}
    work = [one for one in plan["containers"] if not one["refused"]]
    if any(one["kind"] in _CHATS and not one["id"] for one in work):
        wanted["Chat.Create"] = "new chats"
    if any(one["kind"] in _CHATS for one in work):
        wanted["Chat.Read.All"] = "reading chats back"
    if any(one["kind"] not in _CHATS for one in work):
        wanted["ChannelMessage.Read.All"] = "reading channels back"
        wanted["Channel.ReadBasic.All"] = "the channels' state"
    if plan["add_members"]:
        if any(one["kind"] not in _CHATS for one in work):
            wanted["TeamMember.ReadWriteNonOwnerRole.All"] = "members of teams"
        if any(one["kind"] in ("private", "shared") for one in work):
            wanted["ChannelMember.ReadWrite.All"] = "members of private and shared channels"
        if any(one["kind"] in _CHATS for one in work):
            wanted["ChatMember.ReadWrite.All"] = "members of chats, who are added again so that they see all of the history"
    if plan["images"] == "upload":
        wanted["Files.ReadWrite.All"] = "uploading images"
    return wanted


def missing(client: _core.Client, plan: Mapping[str, Any]) -> dict[str, str]:
    """What is needed and not in the token. Nothing where the token does not tell."""
    roles = json.loads(client.check([]))["authentication"]["roles"]
    if roles is None:
        return {}
    held = set(roles)
    return {
        name: what for name, what in needed(plan).items() if name not in held and not held.intersection(_WIDER.get(name, ()))
    }
