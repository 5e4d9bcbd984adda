"""Processes of a measurement: an emulator on one side, a contender on the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "bench-results"
TOOLS = RESULTS / "tools"
#: What the comparison needs and nothing else does; installed into an environment of its own, and skipped if that fails.
PACKAGES = {
    "bots": ["pyjwt[crypto]"],
    "careful": ["requests", "orjson"],
    "dlt": ["dlt"],
    "dlt_merge": ["dlt[deltalake]"],
    "msgraph": ["msgraph-sdk", "requests"],
    "plot": ["matplotlib"],
}


class SkippedError(Exception):
    """A measurement that cannot be made here; the text says why."""


class Emulator:
    """A tenant in a process of its own."""

    def __init__(self, **knobs: Any) -> None:
        command = [sys.executable, str(HERE / "server.py"), json.dumps(knobs)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.options: dict[str, str] = self._answer()["options"]

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def ask(self, command: str, **arguments: Any) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([command, arguments]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self) -> Emulator:  # noqa: PYI034 (Self needs Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)


def tenant(rows: int, **knobs: Any) -> Emulator:
    """A tenant of 20 teams with 5 channels each, that holds about so many roots and replies."""
    size = {"teams": 20, "channels_per_team": 5, "messages_per_channel": max(1, rows // 200)}
    plain = {"empty_channel": False, "missing_teams": 0, "big_threads": 0}
    return Emulator(**{**size, **plain, **knobs})


def contend(
    name: str, emulator: Emulator, *, python: str = sys.executable, program: str = "contenders.py", **job: Any
) -> dict[str, Any]:
    """Runs a contender once and adds what the emulator saw of it."""
    emulator.ask("clear")
    before = emulator.ask("connections")
    options = {**emulator.options, **job.pop("options", {})}
    command = [python, str(HERE / program), name, json.dumps({"options": options, **job})]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise SkippedError(f"{name} failed: {last[:200]}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    counts = emulator.ask("counts")
    result["counts"] = {key: count for key, count in counts.items() if "token" not in key}
    result["requests"] = sum(count for key, count in result["counts"].items() if not key.startswith("$batch"))
    result["connections"] = emulator.ask("connections") - before
    return result


def serve(name: str, *, python: str = sys.executable, **job: Any) -> tuple[subprocess.Popen[str], int]:
    """A bot in a process of its own, and its port. It ends with its stdin."""
    command = [python, str(HERE / "bots.py"), name, json.dumps(job)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise SkippedError(f"{name} did not start")
    return process, json.loads(line)["port"]


def ended(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Ends such a process: its CPU seconds and its peak memory in MB."""
    assert process.stdin
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SkippedError(f"the bot ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def floor(*arguments: str, **environment: str) -> tuple[dict[str, Any], float, float]:
    """Runs the Rust side of the bench: its figures, its CPU seconds and its peak memory in MB."""
    command = [_floor_binary(), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    assert process.stdout
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SkippedError("the Rust bench failed")
    return json.loads(text), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


_BINARY: list[str] = []


def _floor_binary() -> str:
    """Built by `make bench`; cargo says where it is."""
    if not _BINARY:
        command = [
            "cargo",
            "bench",
            "--locked",
            "--no-run",
            "--package",
            "teams-benches",
            "--bench",
            "floor",
            "--message-format",
            "json",
        ]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        messages = (json.loads(line) for line in done.stdout.splitlines())
        _BINARY.append(
            next(m["executable"] for m in messages if m.get("target", {}).get("name") == "floor" and m.get("executable"))
        )
    return _BINARY[0]


def drain(emulator: Emulator, urls: list[str], encoding: str) -> dict[str, Any]:
    """Asks the same again, and throws everything away."""
    from contenders import _token

    file = RESULTS / "urls.txt"
    file.write_text("\n".join(urls))
    result, cpu, peak = floor("drain", str(file), DRAIN_TOKEN=_token(emulator.options), DRAIN_ENCODING=encoding)
    return {**result, "cpu": cpu, "peak_mb": peak}


def tools(name: str) -> str:
    """An interpreter that has the packages of a contender, and ours."""
    python = TOOLS / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    try:
        if not python.exists():
            subprocess.run(
                [sys.executable, "-m", "venv", "--without-pip", str(TOOLS)], check=True, capture_output=True, text=True
            )
            import site

            target = next((TOOLS / "lib").glob("python*/site-packages"))
            (target / "connector.pth").write_text("\n".join([*site.getsitepackages(), str(ROOT / "python")]))
        command = [str(uv), "pip", "install", "--quiet", "--python", str(python), *PACKAGES[name]]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except (subprocess.SubprocessError, OSError) as error:
        last = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise SkippedError(f"{' and '.join(PACKAGES[name])} cannot be installed: {last[:160]}") from error
    return str(python)


def plot(figures: Path, out: Path) -> None:
    """Draws the figures of a run."""
    command = [tools("plot"), str(HERE / "plot.py"), str(figures), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SkippedError(f"no plot: {(done.stderr.strip().splitlines() or ['no output'])[-1][:200]}")


def timed_import() -> float:
    """Milliseconds that ``import lakeflow_teams`` adds to a bare interpreter, the best of seven."""

    def best(code: str) -> float:
        times = []
        for _ in range(7):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-I", "-c", code], check=True)
            times.append(time.perf_counter() - started)
        return min(times)

    return 1000 * (best("import lakeflow_teams") - best("pass"))
