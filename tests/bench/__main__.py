"""``make bench``: one table per question, and all figures in bench-results/bench.json. It asserts nothing.

``BENCH=quick`` takes less than two minutes; ``BENCH_ONLY=decode,limits`` runs some sections.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import stage
from hearing import backlog, bots, decoders, notifications
from lakes import lakehouse, snapshots
from reading import FULL_PARSES, decode, end_to_end, incremental, incumbent, limits, memory
from tables_shown import CONSOLE, QUICK, Figures, attempt, per_million, show
from writing import broadcasts, imports


def size() -> Figures:
    """(i) Start-up and size."""
    figures: Figures = {"import_ms": stage.timed_import()}
    core = next((stage.ROOT / "python" / "lakeflow_teams").glob("_core*.so"))
    packed = stage.RESULTS / "core.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in core.parent.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(core.parent))
    figures["wheel_mb"] = packed.stat().st_size / 1e6
    figures["core_mb"] = core.stat().st_size / 1e6
    packed.unlink()
    lines = [
        ["import lakeflow_teams, beyond the interpreter", f"{figures['import_ms']:.0f} ms"],
        ["the native module", f"{figures['core_mb']:.1f} MB"],
        ["packed, as in the wheel", f"{figures['wheel_mb']:.1f} MB"],
    ]
    show("Start-up and size", ["", ""], lines)
    return figures


def factors(figures: Figures) -> None:
    """What the figures of a run are to each other, where it has both sides."""
    lines = []
    pages = figures.get("decode", {})
    for kind in ("export", "list", "export, long texts"):
        if kind in pages:
            parsers = {name: one["cpu_seconds_per_million"] for name, one in pages[kind]["parsers"].items()}
            fastest = min(parsers[name] for name in FULL_PARSES)
            lines.append(
                [f"decode, {kind}: times the fastest full parse", f"{parsers['lakeflow-teams'] / fastest:.2f}", "1.5"]
            )
    runs = figures.get("end_to_end", {}).get("0 ms", {})
    for of in ("", ", ten times as many", ", top=50"):
        ours, drain = runs.get(f"connector, both tables{of}"), runs.get(f"raw drain, inflate{of}")
        if ours and drain and "export" in pages:
            speed = pages["export"]["parsers"]["lakeflow-teams"]["megabytes_per_second"]
            decoding = drain["bytes"] / 1e6 / speed
            factor = ours["cpu"] / (drain["cpu"] + decoding)
            lines.append([f"a whole read{of}: times the raw drain and decoding what it brought", f"{factor:.2f}", "1.5"])
    for rows, runs_of in ((name, one) for name, one in figures.get("lakehouse", {}).items() if isinstance(one, dict)):
        appended = runs_of["read and appended"]
        if "cpu" in appended and "cpu" in runs_of["first ingest"]:
            factor = per_million(runs_of["first ingest"]) / per_million(appended)
            lines.append([f"first ingest, {rows}: times reading and appending", f"{factor:.2f}", "1.3"])
        if "cpu" in runs_of.get("dlt, all again", {}):
            less = runs_of["dlt, all again"]["cpu"] / runs_of["1,000 rows changed"]["cpu"]
            lines.append(
                [f"1,000 rows changed, {rows}: CPU, times less than a load by dlt that merges", f"{less:.0f}", "10"]
            )
    if "cpu" in runs.get("careful", {}):
        less = per_million(runs["careful"]) / per_million(runs["connector, both tables"])
        lines.append(["CPU per row: times less than the careful client", f"{less:.0f}", "15"])
    if lines:
        show("Factors", ["", "", "wanted"], lines)


SECTIONS = {
    one.__name__: one
    for one in (
        decode,
        end_to_end,
        incumbent,
        incremental,
        limits,
        imports,
        broadcasts,
        bots,
        decoders,
        notifications,
        backlog,
        memory,
        lakehouse,
        snapshots,
        size,
    )
}


def main() -> None:
    stage.RESULTS.mkdir(exist_ok=True)
    wanted = os.environ.get("BENCH_ONLY", ",".join(SECTIONS)).split(",")
    place = stage.RESULTS / "bench.json"
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version(), "quick": QUICK}
    figures: Figures = {"machine": machine, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    started = time.perf_counter()
    for name in wanted:
        begun, others = time.perf_counter(), os.getloadavg()[0]
        figures[name] = attempt(SECTIONS[name])
        figures[name]["load"] = others
        if "skipped" in figures[name]:
            CONSOLE.print(f"{name}: skipped, {figures[name]['skipped']}")
        CONSOLE.print(f"[dim]{name}: {time.perf_counter() - begun:.0f} s, load before {others:.1f}[/]\n")
        place.write_text(json.dumps(figures, indent=1))
    factors(figures)
    drawn = attempt(lambda: stage.plot(place, place.with_suffix(".svg")) or {})
    CONSOLE.print(drawn.get("skipped", f"drawn in {place.with_suffix('.svg').relative_to(stage.ROOT)}"))
    CONSOLE.print(f"{time.perf_counter() - started:.0f} s in all; the figures are in {place.relative_to(stage.ROOT)}")


if __name__ == "__main__":
    main()
