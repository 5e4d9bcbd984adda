"""The page about a step of an import: counts that add up, what was changed and why, rate over time, what is left to do."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from lakeflow_teams import _core
from lakeflow_teams._templates import render
from lakeflow_teams.deliver.summary import STATES, ImportSummary, difference_line
from lakeflow_teams.run_report import charts

FOLDER = "_reports"
_BARS = 60
#: Containers, differences and such that a page lists; the ledger table has all of them.
_MOST = 500


def write(summary: ImportSummary, target: Path, name: str) -> Path:
    """Writes ``<target>/_reports/import-<name>-<step>.html`` and returns it."""
    folder = target / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"import-{name}-{summary.step}.html"
    file.write_text(html(summary, name), encoding="utf-8", errors="replace")
    return file


def html(summary: ImportSummary, name: str) -> str:
    """The page. It loads nothing, runs no script, and escapes every value."""
    return render(
        "import.html",
        run=summary,
        title=name,
        states=STATES,
        counts=summary.counts,
        rates=charts.columns(_buckets(summary.posts_per_second), "at", ["posts"], width=charts.NARROW),
        containers=summary.containers[:_MOST],
        unmapped=sorted(summary.unmapped.items())[:_MOST],
        differences=[difference_line(one) for one in summary.differences[:_MOST]],
        more={"containers": len(summary.containers) - _MOST, "differences": len(summary.differences) - _MOST},
        connector=_core.__version__,
        now=datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def _buckets(posts: list[int]) -> list[dict[str, float | str]]:
    """Posts per second, over so many stretches of the run."""
    width = max(1, -(-len(posts) // _BARS))
    stretches = (posts[at : at + width] for at in range(0, len(posts), width))
    return [{"at": f"{at * width} s", "posts": sum(one) / len(one)} for at, one in enumerate(stretches)]
