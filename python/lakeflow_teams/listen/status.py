"""How a listener is doing, also while another process runs it: what the core, the service and the polls left on disk."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.listen import losses
from lakeflow_teams.listen.files import FOLDER, is_running, read_json
from lakeflow_teams.listen.polling import moment
from lakeflow_teams.listen.server import PROCESS
from lakeflow_teams.listen.service import STATE

_LAST_POLLS = 10


def status(target: Path) -> dict[str, Any]:
    """Everything of it as plain values. Raises :class:`ConfigurationError` where nothing ever listened."""
    folder = target / FOLDER
    if not folder.is_dir():
        raise _core.ConfigurationError(f"target {target}: nothing listens here, or ever did: there is no {folder}")
    found: dict[str, Any] = json.loads(_core.listen_status(folder))
    service, process, polls = read_json(folder / STATE), read_json(folder / PROCESS), losses.polls(folder)
    spool = found.get("spool") or {}
    running = is_running(folder)
    return {
        "running": running,
        **found,
        "received": service.get("received", {}),
        "url": process.get("url"),
        "pid": process.get("pid") if running else None,
        "last_notification": _last(found, service),
        "lag_seconds": _lag(spool, service, running=running),
        "merged": service.get("merged", 0),
        "losses_found": sum(poll.found for poll in polls),
        "polls": [_shown(poll) for poll in polls[-_LAST_POLLS:]],
        "not_pushed": service.get("not_pushed", []),
        "subscription_failures": service.get("subscription_failures", []),
        "failures": service.get("failures", {}),
        "handler_failures": service.get("handler_failures", 0),
    }


def _last(found: dict[str, Any], service: dict[str, Any]) -> str | None:
    """Of subscriptions it is written down at their next turn, of rows with their commit."""
    arrivals = [each.get("last_notification") for each in found["subscriptions"]]
    return max(filter(None, [*arrivals, service.get("last_notification")]), default=None)


def _lag(spool: dict[str, Any], service: dict[str, Any], *, running: bool) -> float:
    """How long the oldest notification waits that is not in its table yet. Arrivals are dated by Graph's clock."""
    oldest = spool.get("oldest") if spool.get("items") else None
    if oldest is None:
        return 0.0
    now, at = service.get("graph_now") if running else None, service.get("at")
    by_graph = moment(now) + (datetime.now(timezone.utc) - moment(at)) if now and at else datetime.now(timezone.utc)
    return round(max(0.0, (by_graph - moment(str(oldest))).total_seconds()), 3)


def _shown(poll: losses.Poll) -> dict[str, Any]:
    return {
        "at": poll.at,
        "reason": poll.reason,
        "whole": poll.whole,
        "losses_found": poll.found,
        "missing": poll.missing,
        "changed": poll.changed,
        "gone": poll.gone,
        "errors": poll.errors,
    }
