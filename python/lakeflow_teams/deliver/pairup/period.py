"""The weeks and months that rounds belong to."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

EVERY = ("week", "month")


def round_of(every: str, moment: datetime, timezone: ZoneInfo) -> str:
    """The round that a moment belongs to: an ISO week such as ``2026-W48``, or a month such as ``2026-11``."""
    local = moment.astimezone(timezone)
    if every == "month":
        return f"{local:%Y-%m}"
    year, week, _ = local.isocalendar()
    return f"{year}-W{week:02}"


def begins(name: str) -> date:
    """The first day of a round's week or month."""
    year, part = name.split("-")
    return date.fromisocalendar(int(year), int(part[1:]), 1) if part.startswith("W") else date(int(year), int(part), 1)
