"""A step of a job that writes into Teams, as a command: its progress, its summary, its exit code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lakeflow_teams.cli.output import print_json


def take(
    step: str,
    go: Callable[..., Any],
    place: tuple[Path, Path, Path | None],
    shown: tuple[Callable[..., AbstractContextManager[Any]], Callable[[Any], None]],
    *,
    as_json: bool,
    quiet: bool,
    **more: Any,
) -> int:
    """Takes it; ``place`` is the plan, the target and the connection's file, ``shown`` shows progress and the summary."""
    from lakeflow_teams.spec.pipeline import load_connection

    (plan, target, connection), (progress, show) = place, shown
    options = load_connection(connection) if connection else None
    with progress(step, quiet=quiet or as_json) as tell:
        summary = go(plan, target, options, step=step, on_progress=tell, **more)
    if as_json:
        print_json(summary.to_dict())
    elif not quiet:
        show(summary)
    exit_code: int = summary.exit_code
    return exit_code
