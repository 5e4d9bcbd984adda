"""``python plot.py bench.json bench.svg``: the figures of a run as one picture; panels without figures stay out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Figures = dict[str, Any]
OURS, OTHERS = "#2a6f97", "#b0b7bf"


def _bars(axes: Axes, title: str, values: dict[str, float]) -> None:
    names = list(values)
    colours = [OURS if name.startswith(("lakeflow", "connector")) else OTHERS for name in names]
    bars = axes.barh(names, list(values.values()), color=colours)
    axes.bar_label(bars, [f"{value:.3g}" for value in values.values()], padding=3, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(right=max(values.values()) * 4)
    axes.invert_yaxis()
    axes.set_title(title, loc="left", fontsize=10)


def decode(axes: Axes, figures: Figures) -> None:
    parsers = figures["export"]["parsers"]
    values = {name: one["cpu_seconds_per_million"] for name, one in parsers.items()}
    _bars(axes, "Decode: CPU s per million messages", dict(sorted(values.items(), key=lambda one: one[1])))


def end_to_end(axes: Axes, figures: Figures) -> None:
    runs = {name: one for name, one in figures["0 ms"].items() if "rows" in one}
    values = {name: 1e6 * one["cpu"] / one["rows"] for name, one in runs.items()}
    _bars(axes, "Whole read: CPU s per million rows", dict(sorted(values.items(), key=lambda one: one[1])))


def memory(axes: Axes, figures: Figures) -> None:
    for name, one in figures.items():
        if isinstance(one, dict) and "rows" in name:
            axes.plot([rows for rows, _ in one["curve"]], [mb for _, mb in one["curve"]], marker=".", label=name)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    axes.set_title("Resident memory, MB, by rows read", loc="left", fontsize=10)


PANELS: dict[str, Callable[[Axes, Figures], None]] = {one.__name__: one for one in (decode, end_to_end, memory)}


def main() -> None:
    figures = json.loads(Path(sys.argv[1]).read_text())
    shown = [name for name in PANELS if name in figures and "skipped" not in figures[name]]
    if not shown:
        return
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 8})
    drawing, rows = plt.subplots(len(shown), 1, figsize=(8, 3 * len(shown)), squeeze=False, layout="constrained")
    for name, (axes,) in zip(shown, rows, strict=True):
        PANELS[name](axes, figures[name])
    drawing.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
