"""What Teams sends: activities to a bot, and change notifications."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import stage
from tables_shown import QUICK, Figures, attempt, show


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


def backlog() -> Figures:
    """(m) Notifications that piled up while nothing was merged: ``BACKLOG_ITEMS``, a million unless it is named."""
    items = 10_000 if QUICK else int(os.environ.get("BACKLOG_ITEMS", "1000000"))
    one = attempt(lambda: _piled_up(items))
    if "skipped" in one:
        lines = [["skipped", one["skipped"], *[""] * 5]]
    else:
        each = 1e6 * one["cpu"] / one["items"]
        figures = (one["items"] / one["seconds"], one["seconds"], one["cpu"], each, one["peak_mb"], one["spool_mb"])
        lines = [[f"{one['items']:,}", *(f"{figure:,.0f}" for figure in figures), f"{one['rows']:,}", f"{one['found']:,}"]]
    head = ["notifications", "a second", "s", "CPU s", "CPU us each", "peak MB", "spool MB", "rows", "found by polling"]
    show("A backlog of notifications", head, lines, "decrypted, decoded and merged; polled after that")
    return one


def _piled_up(items: int) -> Figures:
    folder = stage.RESULTS / "backlog"
    shutil.rmtree(folder, ignore_errors=True)
    size: Figures = {"teams": 2, "channels_per_team": 5, "messages_per_channel": 100, "chats": 0, "threads": 2}
    with stage.Emulator(**size, push={"items_per_post": 100, "timeout_ms": 60_000, "patience_ms": 60_000}) as emulator:
        job = {"options": {**emulator.options}, "folder": str(folder), "port": _free_port()}
        command = [sys.executable, str(stage.HERE / "backlogs.py"), json.dumps(job)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin
        assert process.stdout
        if process.stdout.readline().strip() != "ready":
            raise stage.SkippedError("the listener did not start")
        process.stdin.write(f"{items}\n")
        process.stdin.flush()
        for begin in range(0, items, 10_000):
            emulator.ask("mutate", new_messages=min(10_000, items - begin))
        if process.stdout.readline().strip() != "kept":
            raise stage.SkippedError("not everything was kept")
        process.stdin.write("\n")
        process.stdin.close()
        result: Figures = json.loads(process.stdout.readline() or "null")
        process.wait(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)
    return result


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
