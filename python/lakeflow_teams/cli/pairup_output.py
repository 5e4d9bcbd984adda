"""How a step of a pair-up looks on a terminal and in a log."""

from __future__ import annotations

from rich.console import Console

from lakeflow_teams.cli.broadcast_output import print_counts, print_end, print_findings, print_minutes
from lakeflow_teams.deliver.broadcast.summary import STATES
from lakeflow_teams.deliver.pairup.summary import LEFT_OUT, PairUpSummary


def show(summary: PairUpSummary) -> None:
    """Prints a summary."""
    console = Console()
    print_counts(console, f"{summary.name} {summary.round}", "people", summary.counts, (*STATES, *LEFT_OUT))
    again = f", {summary.repeats:,} pairs met before" if summary.repeats else ", nobody meets anybody again"
    console.print(f"{summary.groups:,} groups{again if summary.groups else ''}")
    print_minutes(console, summary.minutes)
    print_findings(console, summary.reasons, summary.problems, summary.warnings)
    print_end(console, summary.stopped, running=summary.running)
