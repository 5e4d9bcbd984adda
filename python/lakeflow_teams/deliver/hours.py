"""How long the posts of an import take at Teams' limits, which two documents give differently."""

from __future__ import annotations

from collections.abc import Sequence

from lakeflow_teams.deliver.summary import ContainerSummary

#: Posts a second: per channel by the article on imports, and by the throttling table; per chat; for the tenant's channels
#: and chats together by the table.
ARTICLE, TABLE, CHAT = 5.0, 1.0, 1.0
TENANT_CHANNELS, TENANT_CHATS = 50.0, 20.0
_CHATS = ("oneOnOne", "group")


def hours(containers: Sequence[ContainerSummary], rate: float | None) -> dict[str, float]:
    """Hours for what is pending: ``fast`` at five a second and channel, ``slow`` at one."""
    return {
        "fast": _hours(containers, min(rate or ARTICLE, ARTICLE), None),
        "slow": _hours(containers, min(rate or TABLE, TABLE), TENANT_CHANNELS),
    }


def _hours(containers: Sequence[ContainerSummary], rate: float, tenant: float | None) -> float:
    channels = [one.pending for one in containers if one.kind not in _CHATS]
    chats = [one.pending for one in containers if one.kind in _CHATS]
    # The longest container is the least, because its posts are sent one after the other.
    seconds = max(channels, default=0) / rate
    if tenant is not None:
        seconds = max(seconds, sum(channels) / tenant)
    seconds = max(seconds, max(chats, default=0) / min(rate, CHAT), sum(chats) / TENANT_CHATS)
    return round(seconds / 3600, 2)
