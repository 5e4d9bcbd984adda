"""The demo: an emulated tenant into Delta tables, twice, each time compared with the truth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from rich.console import Console

from lakeflow_teams import _core
from lakeflow_teams.demo import screen
from lakeflow_teams.local.runner import run as run_pipeline
from lakeflow_teams.local.write.delta import read
from lakeflow_teams.results.summary import RunSummary
from lakeflow_teams.results.terminal import progress
from lakeflow_teams.spec.pipeline import PipelineSpec, parse
from lakeflow_teams.testing.compare import compare

MARKER = ".lakeflow-teams-demo"
SCHEMA = "teams"
#: What happens in the tenant between the two runs.
EVENTS = {
    "new_messages": 40,
    "late_replies": 60,
    "edits": 50,
    "reply_edits": 20,
    "deletes": 15,
    "member_adds": 8,
    "member_removes": 5,
    "renamed_channels": 2,
}
#: Seconds that pass before the second run.
LATER = 26 * 3600.0

_OPTIONS = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}
_NEEDS = {
    "teams": (),
    "channels": ("fetch_all_teams",),
    "members": ("fetch_all_teams",),
    "messages": ("fetch_all_teams", "fetch_all_channels", "fetch_all_messages"),
    "message_replies": ("fetch_all_teams", "fetch_all_channels", "fetch_all_messages"),
    "chats": (),
}


class DemoMismatchError(_core.LakeflowTeamsError):
    """A table does not equal the emulator's truth."""


def pipeline() -> PipelineSpec:
    """All six tables of the emulated tenant."""
    objects = [
        {
            "table": {
                "source_table": table,
                "destination_schema": SCHEMA,
                "table_configuration": {name: _OPTIONS[name] for name in needs},
            }
        }
        for table, needs in _NEEDS.items()
    ]
    return parse({"connection_name": "demo", "objects": objects}, Path())


def run(target: Path, *, teams: int = 20, seed: int = 7, console: Console | None = None) -> list[RunSummary]:
    """Runs the demo into ``target`` and returns both summaries. Raises :class:`DemoMismatchError` or the run's error."""
    console = console or Console()
    _prepare(target)
    with _core.GraphEmulator(teams=teams, seed=seed) as graph:
        screen.welcome(console, graph, teams, seed)
        first = _ingest("First ingest: everything", graph, target, console)
        graph.mutate(**EVENTS)  # type: ignore[arg-type]
        graph.advance(LATER)
        screen.events(console, EVENTS)
        second = _ingest("Second ingest: only what changed", graph, target, console)
        screen.goodbye(console, target, [first, second])
    return [first, second]


def _ingest(title: str, graph: _core.GraphEmulator, target: Path, console: Console) -> RunSummary:
    screen.title(console, title)
    with progress(console=console if console.is_terminal else None) as tell:
        summary = run_pipeline(pipeline(), target, graph.options, on_progress=tell)
    screen.summary(console, summary)
    summary.raise_for_error()
    rows = verify(graph, target)
    screen.verified(console, rows)
    return summary


def verify(graph: _core.GraphEmulator, target: Path) -> dict[str, int]:
    """Rows per table, once each table was found equal to the truth. Raises :class:`DemoMismatchError`."""
    counts: dict[str, int] = {}
    for info in _core.tables():
        table = info["name"]
        if table not in _NEEDS:
            continue
        stored: list[dict[str, Any]] = read(target / "main" / SCHEMA / table).to_pylist()
        problems = compare(table, stored, graph.truth(table), info["primary_keys"])
        if problems:
            raise DemoMismatchError(f"table {table} does not equal the tenant: {'; '.join(problems[:3])}")
        counts[table] = len(stored)
    return counts


def _prepare(target: Path) -> None:
    """An empty folder: the demo's own is emptied, any other that holds something is refused."""
    if target.exists() and any(target.iterdir()):
        if not (target / MARKER).exists():
            raise _core.ConfigurationError(f"target {target}: the folder is not empty; name another one")
        shutil.rmtree(target)
    target.mkdir(parents=True, exist_ok=True)
    (target / MARKER).touch()
