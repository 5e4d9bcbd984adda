"""What a run would do, said before it does it. Sends nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.local.choice import Choice
from lakeflow_teams.local.plan import Job
from lakeflow_teams.local.runner import connect, prepared, rooted
from lakeflow_teams.spec.pipeline import PipelineSpec
from lakeflow_teams.spec.writing import is_snapshot
from lakeflow_teams.store.locate import Target


def look(
    spec: PipelineSpec, target: Target, connection: Mapping[str, Any] | None, choice: Choice
) -> tuple[list[dict[str, str]], list[str]]:
    """For each destination its name, way and what would be done; and notes. Raises :class:`ConfigurationError`."""
    client, options = connect(spec, connection, None)
    passes, notes = prepared(spec, rooted(spec, target), options, client, choice)
    lines = [
        {"destination": job.name, "way": job.way, "what": _what(job, is_afresh=choice.is_afresh(step))}
        for step in passes
        for job in step.jobs
    ]
    return lines, notes


def _what(job: Job, *, is_afresh: bool) -> str:
    stamp = job.destination.found().stamp
    if is_snapshot(job.way):
        return "read whole, and replaced where it changed" if stamp is not None else "read whole for the first time"
    start = job.settings["start_date"]
    everything = f"read from {start}" if start else "read from the beginning"
    if stamp is None or stamp.offset is None:
        return f"{everything}, for the first time"
    if is_afresh:
        return f"{everything} again"
    if job.reaches_further_back(stamp):
        return f"{everything} again, because start_date was moved back"
    info = _core.offset_info(stamp.offset)
    if not stamp.finished:
        return f"gone on with the reading that began at {_second(info['until'])}"
    return f"changes since {_second(info['until'])}"


def _second(time: str | None) -> str:
    return f"{time[:19]}Z" if time else "its last page"
