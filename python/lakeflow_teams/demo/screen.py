"""What the demo shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax

from lakeflow_teams import _core
from lakeflow_teams.results.summary import RunSummary
from lakeflow_teams.results.terminal import show_summary


def welcome(console: Console, graph: _core.GraphEmulator, teams: int, seed: int) -> None:
    """Says where the tenant is."""
    console.print(
        Panel(
            f"A Microsoft Teams tenant with [bold]{teams} teams[/] (seed {seed}) is running at [cyan]{graph.url}[/].\n"
            "It follows Microsoft Graph's documented behaviour; nothing leaves this machine.",
            title="lakeflow-teams demo",
            border_style="blue",
        )
    )


def title(console: Console, text: str) -> None:
    """Begins a part."""
    console.rule(f"[bold]{text}", align="left")


def events(console: Console, counts: Mapping[str, int]) -> None:
    """Says what happened in the tenant."""
    happened = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    console.print(f"\nA day passes in the tenant: [bold]{happened}[/].\n", highlight=False)


def summary(console: Console, done: RunSummary) -> None:
    """What the run did."""
    show_summary(done, console)


def verified(console: Console, rows: Mapping[str, int]) -> None:
    """Says that the tables are right."""
    console.print(
        f"[green]✓[/] {len(rows)} tables, {sum(rows.values()):,} rows: equal to the tenant, no row lost, none doubled.\n",
        highlight=False,
    )


def goodbye(console: Console, target: Path, runs: Sequence[RunSummary]) -> None:
    """What to try next."""
    requests = " then ".join(f"{run.requests:,}" for run in runs)
    rows = " then ".join(f"{sum(line.rows for line in run.destinations):,}" for run in runs)
    console.rule("[bold]Done", align="left")
    console.print(f"Rows read: {rows}. Requests: {requests}. The tables are in [cyan]{target}[/].", highlight=False)
    console.print(f"The report of the last run, for a browser: [cyan]{runs[-1].page}[/]\n", highlight=False, soft_wrap=True)
    query = (
        "from deltalake import DeltaTable, QueryBuilder\n"
        f'messages = DeltaTable("{target}/main/teams/messages")\n'
        'tables = QueryBuilder().register("messages", messages)\n'
        'busiest = "SELECT team_id, count(*) FROM messages GROUP BY 1 ORDER BY 2 DESC"\n'
        "print(tables.execute(busiest).read_all())"
    )
    notebook = (
        "from lakeflow_teams import GraphEmulator, TeamsClient\n"
        "with GraphEmulator(teams=5) as graph:\n"
        '    teams = TeamsClient(graph.options).read("teams").to_polars()'
    )
    tenant = (
        "lakeflow-teams init    # writes pipeline.yaml, and says how to register an application\n"
        "export AZURE_TENANT_ID=... AZURE_CLIENT_ID=... AZURE_CLIENT_SECRET=...\n"
        "lakeflow-teams ingest pipeline.yaml --target ./lakehouse"
    )
    for heading, code, language in (
        ("Ask the tables", query, "python"),
        ("In a notebook", notebook, "python"),
        ("Your own tenant", tenant, "bash"),
    ):
        console.print(f"[bold]{heading}[/]")
        console.print(Syntax(code, language, background_color="default", word_wrap=True))
        console.print()
