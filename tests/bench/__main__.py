"""``make bench``: one table per question, and all figures in bench-results/bench.json. It asserts nothing.

``BENCH=quick`` takes less than two minutes; ``BENCH_ONLY=decode,limits`` runs some sections.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import stage

Figures = dict[str, Any]
QUICK = os.environ.get("BENCH") == "quick"
CONSOLE = Console(width=140)
INCUMBENT = os.environ.get("INCUMBENT_SOURCE")


def show(title: str, head: list[str], lines: list[list[str]], note: str = "") -> None:
    table = Table(title=title, title_justify="left", caption=note or None, caption_justify="left")
    for at, name in enumerate(head):
        table.add_column(name, justify="left" if at == 0 else "right")
    for line in lines:
        table.add_row(*line)
    CONSOLE.print(table)


def attempt(measure: Callable[[], Figures]) -> Figures:
    try:
        return measure()
    except stage.SkippedError as reason:
        return {"skipped": str(reason)}


def median_of(turns: int, measure: Callable[[], Figures]) -> Figures:
    """The run with the median processor time."""
    return sorted((measure() for _ in range(turns)), key=lambda result: result["cpu"])[turns // 2]


def per_million(result: Figures) -> float:
    return result["cpu"] / result["rows"] * 1e6


#: Parsers that make something of every value.
FULL_PARSES = {"sonic-rs value", "simd-json tape", "simd-json value", "serde_json value"}

# Sections -------------------------------------------------------------------------------------------------------------


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


def imports() -> Figures:
    """(g) Messages into Teams: at the rate that is granted, without limits, and after half of them; beside a plain importer."""
    quiet = {"teams": 1, "channels_per_team": 1, "messages_per_channel": 1, "chats": 0, "users": 10, "threads": 2}
    folder = stage.RESULTS / "imports"
    folder.mkdir(exist_ok=True)
    few, many = (100, 100) if QUICK else (200, 1_000)
    cases: list[tuple[str, str, Figures, Figures]] = []
    for name in ("engine", "plain"):
        job = {"channels": 50, "characters": 200, "folder": str(folder)}
        cases += [
            (f"{name}, 5 a second and channel", name, {"rate_limits": True}, {**job, "messages": few}),
            (f"{name}, no limits", name, {}, {**job, "messages": many}),
            (f"{name}, no limits, 5,000 characters", name, {}, {**job, "messages": many // 5, "characters": 5_000}),
        ]
    half = {"channels": 50, "messages": 1_000 if QUICK else 10_000, "characters": 200, "folder": str(folder)}
    cases.append(("engine, first post when half is done", "resume", {}, half))
    figures: Figures = {}
    for title, name, knobs, job in cases:
        limits = {"rate_limits": "documented"} if knobs else {"rate_limits": "off"}
        with stage.Emulator(**quiet, **knobs) as emulator:
            figures[title] = attempt(
                lambda name=name, job=job, limits=limits, emulator=emulator: stage.contend(
                    name, emulator, program="importers.py", options=limits, **job
                )
            )
    figures |= _checked(folder, quiet)
    shutil.rmtree(folder, ignore_errors=True)
    lines = []
    for title, one in figures.items():
        if "skipped" in one:
            lines.append([title, "skipped", one["skipped"], "", "", "", ""])
            continue
        wall = one["first_post"] if "first_post" in one else one["wall"]
        rate = "" if "first_post" in one else f"{one['posts'] / wall:,.0f}"
        best = f"{_steady(one['timeline']):,.0f}" if one.get("timeline") else ""
        lines.append([title, f"{one['posts']:,}", rate, best, f"{wall:.1f}", f"{one['cpu']:.1f}", f"{one['peak_mb']:.0f}"])
    show(
        "Imports",
        ["", "posts", "posts/s", "with all channels", "wall s", "CPU s", "peak MB"],
        lines,
        "250 posts a second are granted to 50 channels, which are made at 4 a second; 'with all channels': the best 20 s",
    )
    return figures


def _checked(folder: Path, emulator: Figures) -> Figures:
    """`import check` of an export of Slack."""
    sys.path.insert(0, str(stage.ROOT / "tests" / "python"))
    from support.slack_export import write_large

    megabytes = 100 if QUICK else 1_000
    export = folder / "export.zip"
    write_large(export, megabytes)
    job = {"export": str(export), "folder": str(folder / "checked"), "options": {"rate_limits": "off"}}
    with stage.Emulator(**emulator) as tenant:
        title = f"check, an export of Slack of {megabytes:,} MB"
        return {title: attempt(lambda: stage.contend("check", tenant, program="importers.py", **job))}


def _steady(timeline: list[int], seconds: int = 20) -> float:
    """Posts a second in the best stretch of so many seconds."""
    width = min(seconds, len(timeline))
    return max(sum(timeline[at : at + width]) / width for at in range(len(timeline) - width + 1))


def broadcasts() -> Figures:
    """(h) A card to many people: at the limit of 50 requests a second, and without limits; beside a plain sender."""
    quiet = {"teams": 1, "channels_per_team": 1, "messages_per_channel": 1, "chats": 0, "app_installed": 1.0, "threads": 2}
    folder = stage.RESULTS / "broadcasts"
    folder.mkdir(parents=True, exist_ok=True)
    limited, free = (600, 3_000) if QUICK else (3_000, 20_000)
    cases: list[tuple[str, str, Figures]] = []
    for name in ("engine", "plain"):
        cases += [
            (f"{name}, 50 requests a second, cold", name, {"users": limited, "rate_limits": True}),
            (f"{name}, no limits", name, {"users": free}),
        ]
    cases.append(("engine, no limits, many", "engine", {"users": 10_000 if QUICK else 100_000}))
    figures: Figures = {}
    for title, name, knobs in cases:
        limits = {"rate_limits": "documented" if "rate_limits" in knobs else "off"}
        with stage.Emulator(**quiet, **knobs) as emulator:
            job = {"folder": str(folder)}
            figures[title] = attempt(
                lambda name=name, job=job, limits=limits, emulator=emulator: stage.contend(
                    name, emulator, program="senders.py", options=limits, **job
                )
            )
    shutil.rmtree(folder, ignore_errors=True)
    lines = []
    for title, one in figures.items():
        if "skipped" in one:
            lines.append([title, "skipped", one["skipped"], "", "", "", ""])
            continue
        asked = 2 * one["sent"]
        lines.append(
            [
                title,
                f"{one['sent']:,}",
                f"{one['sent'] / one['wall']:,.0f}",
                f"{asked / one['wall']:,.1f}",
                f"{one['wall']:.1f}",
                f"{one['cpu']:.1f}",
                f"{one['peak_mb']:.0f}",
            ]
        )
    show(
        "Broadcasts",
        ["", "messages", "messages/s", "requests/s", "wall s", "CPU s", "peak MB"],
        lines,
        "each conversation is opened first, so that a message is two requests",
    )
    return figures


def bots() -> Figures:
    """(i) Activities that come to a bot: as many as it takes, and how long an answer takes at 200 a second."""
    import bot_people

    many, seconds = (4_000, 5) if QUICK else (40_000, 30)
    figures: Figures = {}
    with stage.Emulator(teams=1, channels_per_team=1, messages_per_channel=1, chats=0, users=2) as emulator:
        user = emulator.ask("users")[0]
        said = emulator.ask("act", deed="message", user=user, text="It is down again")[0]
        for name in ("engine", "plain"):
            with tempfile.TemporaryDirectory(dir=stage.RESULTS) as folder:
                figures[name] = attempt(
                    lambda name=name, folder=folder: _one_bot(bot_people, emulator, name, folder, said, many, seconds)
                )
    lines = []
    for name, one in figures.items():
        if "skipped" in one:
            lines.append([name, "skipped", one["skipped"], *[""] * 5])
            continue
        times = [f"{1000 * one[key]:.1f}" for key in ("p50", "p99", "longest")]
        lines.append(
            [
                name,
                f"{one['per_second']:,.0f}",
                f"{one['cpu_per_thousand']:.2f}",
                *times,
                f"{one['peak_mb']:.0f}",
                one["stored"],
            ]
        )
    head = ["", "activities/s", "CPU s per 1,000", "p50 ms at 200/s", "p99 ms", "longest ms", "peak MB", "stored"]
    show("Bots", head, lines, "verified and stored; people and bot share this machine's cores")
    return figures


def _one_bot(people: Any, emulator: Any, name: str, folder: str, said: Figures, many: int, seconds: int) -> Figures:
    python = stage.tools("bots") if name == "plain" else sys.executable
    process, port = stage.serve(name, python=python, options=emulator.options, folder=folder)
    people.flood(port, people.requests(said, 500))  # keys, pools and code are warm
    times = people.steady(port, people.requests(said, 200 * seconds, 1_000), 200)
    wall, good = people.flood(port, people.requests(said, many, 1_000_000))
    cpu, peak = stage.ended(process)
    total = 500 + 200 * seconds + many
    return {
        "per_second": many / wall,
        "answered": good,
        "cpu_per_thousand": 1000 * cpu / total,
        "p50": times[len(times) // 2],
        "p99": times[int(len(times) * 0.99)],
        "longest": times[-1],
        "peak_mb": peak,
        "stored": _stored(name, folder, total),
    }


def _stored(name: str, folder: str, expected: int) -> str:
    if name == "plain":
        count = sum(1 for _ in (Path(folder) / "activities.jsonl").open())
    else:
        from deltalake import DeltaTable

        table = DeltaTable(Path(folder) / "main" / "default" / "bot_activities")
        count = table.to_pyarrow_dataset().count_rows()
    return f"{count:,} of {expected:,}"


def decoders() -> Figures:
    """(l) Change notifications decrypted and decoded, as Spark's workers and the listener do it."""
    command = [sys.executable, str(stage.HERE / "decoders.py"), "4000" if QUICK else "40000"]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    figures: Figures = result["figures"]
    lines = [[name, f"{one['a_second']:,.0f}", f"{one['cpu_microseconds_each']:,.0f}"] for name, one in figures.items()]
    show(
        "Decoding notifications, each with a key of its own",
        ["", "a second", "CPU us each"],
        lines,
        f"RSA of 2,048 bits; the core uses {result['cores']} cores",
    )
    return figures


def notifications() -> Figures:
    """(k) What Graph pushes: how fast POSTs are answered, and how long a notification takes to its table."""
    seconds = 5 if QUICK else 20
    figures = {f"{rate} POSTs a second": attempt(lambda rate=rate: _pushed(rate, seconds)) for rate in (50, 500)}
    lines = []
    for title, one in figures.items():
        if "skipped" in one:
            lines.append([title, "skipped", one["skipped"], "", "", "", "", ""])
            continue
        lines.append(
            [
                title,
                f"{one['rows']:,} of {one['sent']:,}",
                f"{one['rate']:,.0f}",
                f"{one['answer_median']:.0f} / {one['answer_99']:.0f}",
                f"{one['lag_median']:.2f} / {one['lag_99']:.2f}",
                f"{one['lag_most']:.2f}",
                f"{one['cpu']:.1f}",
                f"{one['peak_mb']:.0f}",
            ]
        )
    head = ["", "rows", "sent/s", "answer ms, median / 99 %", "to Delta s, median / 99 %", "most", "CPU s", "peak MB"]
    show("Notifications", head, lines, "one notification in each POST; the emulator shares the machine")
    return figures


def _pushed(rate: int, seconds: int) -> Figures:
    folder = stage.RESULTS / "notifications"
    shutil.rmtree(folder, ignore_errors=True)
    size: Figures = {"teams": 2, "channels_per_team": 5, "messages_per_channel": 100, "chats": 0, "threads": 2}
    with stage.Emulator(**size, push={"items_per_post": 1}) as emulator:
        job = {"options": {**emulator.options}, "folder": str(folder), "port": _free_port()}
        command = [sys.executable, str(stage.HERE / "listeners.py"), json.dumps(job)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin
        assert process.stdout
        if process.stdout.readline().strip() != "ready":
            raise stage.SkippedError("the listener did not start")
        began, each = time.perf_counter(), max(1, rate // 20)
        for turn in range(seconds * 20):
            emulator.ask("mutate", new_messages=each)
            time.sleep(max(0.0, began + (turn + 1) * each / rate - time.perf_counter()))
        sent, took = seconds * 20 * each, time.perf_counter() - began
        process.stdin.write(f"{sent}\n")
        process.stdin.close()
        result = json.loads(process.stdout.readline())
        process.wait(timeout=60)
        answers = sorted(emulator.ask("answers"))
    shutil.rmtree(folder, ignore_errors=True)
    middle, most = answers[len(answers) // 2], answers[int(len(answers) * 0.99) - 1]
    return {**result, "sent": sent, "rate": sent / took, "answer_median": middle, "answer_99": most}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def _lakehouse(rows: int, *, beside: bool) -> Figures:
    """A first ingest, one after nothing changed, and one after 1,000 rows did, beside what writes the same rows otherwise."""
    figures: Figures = {}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        stage.tenant(rows, export_top_max=50, history_days=730) as emulator,
    ):

        def run(name: str, contender: str, target: str, python: str = sys.executable) -> None:
            place = str(Path(folder) / target)
            one = figures[name] = attempt(lambda: stage.contend(contender, emulator, python=python, target=place))
            told = one.get("skipped") or f"{one['rows']:,} rows, {one['cpu']:.2f} CPU s, {one['peak_mb']:.0f} MB"
            CONSOLE.print(f"[dim]{rows:,} rows, {name}: {told}[/]")

        run("read and thrown away", "thrown_away", "nowhere")
        run("read and appended", "appends", "appended")
        shutil.rmtree(Path(folder) / "appended", ignore_errors=True)
        run("first ingest", "ingest", "ours")
        emulator.ask("advance", seconds=3600)
        run("nothing changed", "ingest", "ours")
        for turn in ("", ", again"):  # the first finds files as the first ingest left them
            emulator.ask("mutate", new_messages=400, late_replies=400, edits=100, reply_edits=100)
            emulator.ask("advance", seconds=3600)
            run(f"1,000 rows changed{turn}", "ingest", "ours")
        if beside:
            python = attempt(lambda: {"python": stage.tools("dlt_merge")})
            if "python" in python:
                run("dlt, merged", "dlt_merge", "dlt", python["python"])
            else:
                figures["dlt, merged"] = python
    return figures


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
        if "cpu" in runs_of.get("dlt, merged", {}):
            less = per_million(runs_of["dlt, merged"]) / per_million(runs_of["first ingest"])
            lines.append([f"first ingest, {rows}: CPU per row, times less than dlt", f"{less:.0f}", "10"])
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
