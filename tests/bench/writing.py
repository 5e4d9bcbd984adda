"""What is written into Teams, beside what one writes first: imports and broadcasts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import stage
from tables_shown import QUICK, Figures, attempt, show


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
