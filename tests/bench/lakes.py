"""The whole way into Delta tables."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import stage
from tables_shown import CONSOLE, QUICK, Figures, attempt, per_million, show


def _lakehouse(rows: int, *, beside: bool) -> Figures:
    """A first ingest, one after nothing changed, and one after 1,000 rows did, beside what writes the same rows otherwise."""
    figures: Figures = {}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        stage.tenant(rows, export_top_max=50, history_days=730) as emulator,
    ):

        def run(name: str, contender: str, target: str, python: str = sys.executable, **job: Any) -> None:
            place = str(Path(folder) / target)
            one = figures[name] = attempt(lambda: stage.contend(contender, emulator, python=python, target=place, **job))
            told = one.get("skipped") or f"{one['rows']:,} rows, {one['cpu']:.2f} CPU s, {one['peak_mb']:.0f} MB"
            CONSOLE.print(f"[dim]{rows:,} rows, {name}: {told}[/]")

        run("read and thrown away", "thrown_away", "nowhere")
        run("read and appended", "appends", "appended")
        shutil.rmtree(Path(folder) / "appended", ignore_errors=True)
        run("first ingest", "ingest", "ours")
        emulator.ask("advance", seconds=3600)
        run("nothing changed", "ingest", "ours")
        for turn in ("", ", again"):  # the first finds files as the first ingest left them
            _change(emulator)
            run(f"1,000 rows changed{turn}", "ingest", "ours")
        if beside:
            tools = attempt(lambda: {"python": stage.tools("dlt_merge")})
            if "python" not in tools:
                return {**figures, "dlt": tools}
            offset = {"offset_file": str(Path(folder) / "offset")}
            run("dlt, first load", "dlt_merge", "dlt", tools["python"], **offset)
            _change(emulator)
            run("dlt, 1,000 rows changed", "dlt_merge", "dlt", tools["python"], **offset)
            run("dlt, all again", "dlt_merge", "dlt", tools["python"])
    return figures


def _change(emulator: stage.Emulator) -> None:
    """A thousand rows, and time passes."""
    emulator.ask("mutate", new_messages=400, late_replies=400, edits=100, reply_edits=100)
    emulator.ask("advance", seconds=3600)


def lakehouse() -> Figures:
    """(f) The whole way into Delta tables: what writing costs beside reading, and whether it grows with the table."""
    sizes = [20_000] if QUICK else [int(one) for one in os.environ.get("LAKEHOUSE_ROWS", "1000000,5000000").split(",")]
    all_figures: Figures = {}
    for rows in sizes:
        figures = _lakehouse(rows, beside=rows <= 1_000_000)
        lines = []
        for name, one in figures.items():
            if "skipped" in one:
                lines.append([name, "skipped", one["skipped"], *[""] * 3])
                continue
            per = f"{per_million(one):.1f}" if one["rows"] > rows // 2 else ""
            lines.append([name, f"{one['rows']:,}", f"{one['wall']:.1f}", f"{one['cpu']:.2f}", per, f"{one['peak_mb']:.0f}"])
        head = ["", "rows read", "wall s", "CPU s", "CPU s per million", "peak MB"]
        show(f"The lakehouse, {rows:,} rows, 50 a page", head, lines)
        all_figures[f"{rows:,} rows"] = figures
    return all_figures


def snapshots() -> Figures:
    """(h) Tables that are read whole: memory, and what a reading costs that finds nothing."""
    teams, users = (500, 20_000) if QUICK else (10_000, 500_000)
    knobs = {"teams": teams, "channels_per_team": 1, "messages_per_channel": 1, "members_per_team": 50, "users": users}
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, stage.tenant(0, **knobs) as emulator:
        for table, changes in (("members", {"member_adds": 500, "member_removes": 500}), ("users", {})):
            for name in ("first reading", "nothing changed", "1,000 rows changed"):
                if name != "first reading":
                    emulator.ask("advance", seconds=3600)
                if name == "1,000 rows changed":
                    if not changes:
                        continue
                    emulator.ask("mutate", **changes)
                job = {"target": folder, "tables": [table]}
                figures[f"{table}, {name}"] = attempt(lambda job=job: stage.contend("ingest", emulator, **job))
    lines = [
        [name, "skipped", one["skipped"], *[""] * 3]
        if "skipped" in one
        else [
            name,
            f"{one['rows']:,}",
            f"{one['changed']:,}",
            f"{one['wall']:.1f}",
            f"{one['cpu']:.2f}",
            f"{one['peak_mb']:.0f}",
        ]
        for name, one in figures.items()
    ]
    show("Tables that are read whole", ["", "rows read", "rows written", "wall s", "CPU s", "peak MB"], lines)
    return figures
