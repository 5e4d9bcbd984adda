"""From an audience to people: each once, with who is left out and why, frozen in ``recipients.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.deliver.broadcast.audience import Audience
from lakeflow_teams.deliver.broadcast.table import Table

#: The service plan of Teams in each cloud (https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference).
_TEAMS_PLANS = {
    "usgov": "9953b155-8aef-4c56-92f3-72b0487fce41",
    "usgov_dod": "fd500458-c24c-478e-856c-a6067a8376cd",
}
_TEAMS_PLAN = "57ff2da0-773e-42df-b2af-ffb7a2317929"


def named_by(audience: Audience) -> dict[str, Any]:
    """What an audience names, as plain values; without what its table holds."""
    return {
        "users": audience.users,
        "teams": audience.teams,
        "groups": audience.groups,
        "everyone": audience.everyone,
        "channels": audience.channels,
        "webhooks": [one.name for one in audience.webhooks],
        "include_guests": audience.include_guests,
        "include_unlicensed": audience.include_unlicensed,
    }


def resolve(audience: Audience, options: Mapping[str, str], folder: Path, *, credential: object | None) -> dict[str, Any]:
    """Freezes the recipients in a folder, and returns how many there are of each state, and how many were named twice."""
    wanted = named_by(audience) | {"plan": _TEAMS_PLANS.get(options.get("cloud", "global"), _TEAMS_PLAN)}
    rows: Iterator[tuple[str, str]] = Table(audience.table).rows() if audience.table else iter(())
    counts: dict[str, Any] = json.loads(
        _core.resolve_recipients(options, json.dumps(wanted), rows, folder, credential=credential)
    )
    return counts
