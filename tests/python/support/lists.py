"""The tables that are one list per parent, the usage report, and the options that discover everything in them."""

from __future__ import annotations

_CHANNELS = ("fetch_all_teams", "fetch_all_channels")

LISTS = {
    "group_members": ("fetch_all_groups",),
    "group_owners": ("fetch_all_groups",),
    "user_licenses": (),
    "channel_members": _CHANNELS,
    "shared_channel_members": _CHANNELS,
    "shared_channel_teams": _CHANNELS,
    "incoming_channels": ("fetch_all_teams",),
    "chat_members": ("fetch_all_users",),
    "channel_tabs": _CHANNELS,
    "chat_tabs": ("fetch_all_users",),
    "team_apps": ("fetch_all_teams",),
    "chat_apps": ("fetch_all_users",),
    "user_apps": ("fetch_all_users",),
    "team_tags": ("fetch_all_teams",),
    "team_tag_members": ("fetch_all_teams",),
    "deleted_teams": (),
    "schedules": ("fetch_all_teams",),
    "shifts": ("fetch_all_teams",),
    "conversations": ("fetch_all_groups",),
    "conversation_threads": ("fetch_all_groups",),
    "conversation_posts": ("fetch_all_groups",),
    "team_drives": ("fetch_all_teams",),
    "team_device_usage_report": (),
}
