"""Programs of their own beside the tests, for what can't live in the tests' Spark session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Where the programs find the tests' helpers.
PATHS = (HERE, HERE.parent)


def run_python(*arguments, paths=PATHS, timeout=500, cwd=None):
    """Runs an interpreter where ``paths`` come first; what it printed is text."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, filter(None, (*paths, os.environ.get("PYTHONPATH")))))},
    )
