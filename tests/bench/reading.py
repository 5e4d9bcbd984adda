"""Reading: decoding, whole reads, rounds, limits and memory, beside the careful client and other connectors."""

from __future__ import annotations

import os
from typing import Any

import stage
from tables_shown import QUICK, Figures, attempt, median_of, per_million, show

INCUMBENT = os.environ.get("INCUMBENT_SOURCE")


#: Parsers that make something of every value.
FULL_PARSES = {"sonic-rs value", "simd-json tape", "simd-json value", "serde_json value"}


def decode() -> Figures:
    """(a) Page bytes to Arrow, beside parsers that only parse."""
    figures, _, _ = stage.floor(BENCH_TURNS="3" if QUICK else "7")
    names = {
        "export": "export pages",
        "list": "channel lists with replies",
        "export, long texts": "export pages of long texts",
    }
    for kind, pages in figures.items():
        fastest = min(parser["cpu_seconds_per_million"] for name, parser in pages["parsers"].items() if name in FULL_PARSES)
        lines = [
            [
                name + (" (to Arrow)" if name in {"lakeflow-teams", "arrow-json"} else ""),
                f"{parser['megabytes_per_second']:,.0f}",
                f"{parser['cpu_seconds_per_million']:.2f}",
                f"{parser['cpu_seconds_per_million'] / fastest:.1f}",
            ]
            for name, parser in pages["parsers"].items()
        ]
        size = pages["bytes"] / pages["rows"]
        show(
            f"Decode: {names[kind]}, {size:,.0f} bytes per message",
            ["", "MB/s", "CPU s per million", "x fastest parse"],
            lines,
        )
    return figures


def _beside_drain(emulator: stage.Emulator, turns: int, of: str = "", **options: str) -> Figures:
    """A read of both tables, and the same requests with their bodies thrown away."""
    ours = median_of(turns, lambda: stage.contend("connector", emulator, table_options=options))
    figures = {f"connector, both tables{of}": ours}
    urls = emulator.ask("urls")
    for encoding in ("identity", "gzip", "inflate"):
        drained = median_of(turns, lambda encoding=encoding: stage.drain(emulator, urls, encoding))
        figures[f"raw drain, {encoding}{of}"] = {**drained, "rows": ours["rows"]}
    return figures


def _end_to_end(rows: int, latency: int) -> Figures:
    turns = 1 if QUICK or latency else 3
    with stage.tenant(rows, latency_ms=latency) as emulator:
        figures = _beside_drain(emulator, turns)
        # What an export takes that gives no larger pages.
        figures |= _beside_drain(emulator, turns, ", top=50", top="50")
        for table in ("messages", "message_replies"):
            figures[f"connector, {table}"] = stage.contend("connector", emulator, tables=[table])
    others = {"careful": rows // 5, "dlt": rows // 20, "msgraph": rows // 500}
    for name, size in others.items():
        with stage.tenant(size, latency_ms=latency) as emulator:
            figures[name] = attempt(lambda name=name: stage.contend(name, emulator, python=stage.tools(name)))
    if not latency and not QUICK:
        with stage.tenant(10 * rows) as emulator:
            figures |= _beside_drain(emulator, turns, ", ten times as many")
    return figures


def end_to_end() -> Figures:
    """(b) From the emulator to Arrow, with and without latency."""
    rows = 20_000 if QUICK else 100_000
    all_figures = {}
    for latency in (0, 30):
        figures = _end_to_end(rows, latency)
        lines = []
        for name, result in figures.items():
            if "skipped" in result:
                lines.append([name, "skipped", result["skipped"], *[""] * 5])
                continue
            lines.append(
                [
                    name,
                    f"{result['rows']:,}",
                    f"{result['rows'] / result['wall']:,.0f}",
                    f"{per_million(result):.2f}",
                    f"{result['requests']:,}",
                    str(result.get("connections", "")),
                    f"{result['wall']:.2f}",
                    f"{result['peak_mb']:.0f}",
                ]
            )
        head = ["", "rows", "rows/s", "CPU s per million", "requests", "connections", "wall s", "peak MB"]
        show(f"End to end, {latency} ms latency", head, lines)
        all_figures[f"{latency} ms"] = figures
    return all_figures


#: What the new connector must be better by, in one pass or table by table.
FACTORS = (
    ("CPU, both tables in one pass, against two reads with Arrow", "both", "cpu", 100),
    ("CPU, messages alone, with Arrow", "messages", "cpu", 20),
    ("CPU, replies alone, with Arrow", "message_replies", "cpu", 100),
    ("wall time, messages", "messages", "wall", 20),
    ("wall time, replies", "message_replies", "wall", 100),
    ("requests, replies", "message_replies", "requests", 20),
    ("CPU, nothing new", "nothing new", "cpu", 100),
    ("wall time, nothing new", "nothing new", "wall", 100),
    ("requests, nothing new", "nothing new", "requests", 100),
)


def incumbent() -> Figures:
    """(b) The source this one replaces, as shipped, on the same tenant, and how much of everything is saved."""
    if not INCUMBENT:
        raise stage.SkippedError("INCUMBENT_SOURCE is not set")
    places = {name: stage.RESULTS / f"{name}-offset.json" for name in ("incumbent", "connector")}
    for place in places.values():
        place.unlink(missing_ok=True)
    old: Figures = {}
    new: Figures = {}
    # Its delta query knows the last eight months only, so no message is older here.
    with stage.tenant(1_000 if QUICK else 100_000, history_days=120, null_modified=False) as emulator:

        def theirs(**job: Any) -> Figures:
            return stage.contend("incumbent", emulator, python=stage.tools("careful"), source=INCUMBENT, **job)

        for table in ("messages", "message_replies"):
            old[table] = theirs(tables=[table], arrow=True, offset_file=str(places["incumbent"]))
            new[table] = stage.contend("connector", emulator, tables=[table])
        old["both"] = {
            key: sum(old[table][key] for table in ("messages", "message_replies"))
            for key in ("rows", "cpu", "wall", "requests")
        }
        new["both"] = stage.contend("connector", emulator)
        stage.contend("incremental", emulator, offset_file=str(places["connector"]))
        emulator.ask("advance", seconds=3600)
        old["nothing new"] = theirs(offset_file=str(places["incumbent"]), arrow=True)
        new["nothing new"] = stage.contend("incremental", emulator, offset_file=str(places["connector"]))
    lines = [
        [
            name,
            f"{old[run][measure]:,.2f}",
            f"{new[run][measure]:,.3f}",
            f"{old[run][measure] / new[run][measure]:,.0f}",
            str(wanted),
        ]
        for name, run, measure, wanted in FACTORS
    ]
    show(f"The incumbent, {new['both']['rows']:,} rows", ["", "incumbent", "connector", "times less", "wanted"], lines)
    return {"incumbent": old, "connector": new}


def incremental() -> Figures:
    """(c) Runs after the first, with nothing, 1 % and 10 % changed."""
    rows = 10_000 if QUICK else 100_000
    figures: Figures = {}
    place = stage.RESULTS / "offset.json"
    place.unlink(missing_ok=True)
    with stage.tenant(rows, export_lag_seconds=0) as emulator:
        figures["first run"] = stage.contend("incremental", emulator, offset_file=str(place))
        for name, changed in (("nothing changed", 0), ("1 % changed", rows // 100), ("10 % changed", rows // 10)):
            emulator.ask("advance", seconds=3600)
            if changed:
                emulator.ask("mutate", edits=changed // 2, late_replies=changed // 4, new_messages=changed // 4)
                emulator.ask("advance", seconds=120)
            figures[name] = stage.contend("incremental", emulator, offset_file=str(place))
    lines = [
        [name, f"{one['rows']:,}", f"{one['requests']:,}", f"{one['cpu']:.3f}", f"{one['wall']:.2f}"]
        for name, one in figures.items()
    ]
    show(f"Incremental, {rows:,} messages in 100 channels", ["", "rows", "requests", "CPU s", "wall s"], lines)
    return figures


#: Planned requests per second: 80 % of the documented limits.
PLANNED = {"getAllMessages": 160.0, "/messages": 16.0, "/channels": 48.0}


def _planned_seconds(counts: dict[str, int]) -> float:
    """The time of the busiest budget: different budgets run side by side."""
    seconds: dict[str, float] = {}
    for endpoint, count in counts.items():
        key = next((key for key in PLANNED if endpoint.endswith(key)), None)
        if key:
            seconds[key] = seconds.get(key, 0) + count / PLANNED[key]
    return max(seconds.values())


def limits() -> Figures:
    """(d) With Graph's limits enforced: how much of the planned rate is reached, and how many requests are refused."""
    figures: Figures = {}
    # The last lists and exports have nothing beside them, which takes some 4 seconds of a tenant of any size.
    for strategy, rows, teams in (("export", 300_000, 20), ("channels", 15_000, 20), ("auto", 20_000, 60)):
        with stage.tenant(rows // (4 if QUICK else 1), rate_limits=True, teams=teams) as emulator:
            job = {"options": {"rate_limits": "documented"}, "table_options": {"strategy": strategy}}
            one = stage.contend("connector", emulator, **job)
            statuses = emulator.ask("statuses")
        one["planned"] = _planned_seconds(one["counts"])
        one["refused"] = statuses.count(429) / len(statuses)
        figures[strategy] = one
    lines = [
        [
            name,
            f"{one['requests']:,}",
            f"{one['planned']:.1f}",
            f"{one['wall']:.1f}",
            f"{one['planned'] / one['wall']:.0%}",
            f"{one['refused']:.2%}",
        ]
        for name, one in figures.items()
    ]
    show("Limits enforced", ["strategy", "requests", "planned s", "wall s", "share of the plan", "429s"], lines)
    return figures


def memory() -> Figures:
    """(e) Memory over a million rows, and with a consumer that is slower than the network."""
    rows = 100_000 if QUICK else 1_000_000
    figures: Figures = {}
    for size in (rows // 10, rows):
        with stage.tenant(size) as emulator:
            figures[f"{size:,} rows"] = stage.contend("connector", emulator, every=size // 10)
    with stage.tenant(rows // 10) as emulator:
        figures["slow consumer"] = stage.contend("connector", emulator, pause=0.5, every=rows // 100)
    lines = []
    for name, one in figures.items():
        curve = [f"{mb:.0f}" for _, mb in one["curve"]]
        lines.append(
            [
                name,
                f"{one['rows']:,}",
                f"{one['wall']:.1f}",
                f"{per_million(one):.2f}",
                f"{one['peak_mb']:.0f}",
                " ".join(curve),
            ]
        )
    show("Memory", ["", "rows", "wall s", "CPU s per million", "peak MB", "MB at each tenth"], lines)
    return figures
