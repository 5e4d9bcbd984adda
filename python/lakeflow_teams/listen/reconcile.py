"""``listen reconcile``: the poll that is made daily, now, whether a listener runs or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.listen import losses
from lakeflow_teams.listen.files import FOLDER, is_running
from lakeflow_teams.listen.polling import Poller, Request
from lakeflow_teams.local.plan import plan
from lakeflow_teams.local.runner import connect, rooted
from lakeflow_teams.spec.pipeline import PipelineSpec

#: How long a running listener is given to merge what is on disk.
_DRAIN_SECONDS = 30.0


def reconcile(spec: PipelineSpec, target: Path, connection: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Polls everything, removes what is gone, and tells which rows no notification had brought."""
    client, options = connect(spec, connection, None)
    root = rooted(spec, target)
    jobs = [job for step in plan(spec, root, options, client) for job in step.jobs]
    folder = target / FOLDER
    _drain(folder)
    poll = Poller(spec, root, folder, jobs, connection=connection, credential=None).poll(
        Request("asked for", whole=True), None
    )
    return {"losses_found": poll.found, **_plain(poll)}


def _drain(folder: Path) -> None:
    """What a running listener has on disk is merged by it first, or polling would find it."""
    end = monotonic() + _DRAIN_SECONDS
    while is_running(folder) and monotonic() < end:
        if not json.loads(_core.listen_status(folder))["spool"]["items"]:
            return
        sleep(0.2)


def _plain(poll: losses.Poll) -> dict[str, Any]:
    return {name: getattr(poll, name) for name in ("at", "missing", "changed", "gone", "errors")}
