"""Interpreters beside the tests, for what cannot live in the process or the Spark session of the tests."""

from __future__ import annotations

import os
import subprocess
import sys

from support.paths import TESTS

#: For a JVM that ends after a minute or two: its slower compiler would not pay, and takes a core from the tests.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def run_python(*arguments, paths=(TESTS,), timeout=500, cwd=None):
    """Runs an interpreter where ``paths`` come first; what it printed is text."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        env={
            **os.environ,
            "JDK_JAVA_OPTIONS": SHORT_LIVED,
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, (*paths, os.environ.get("PYTHONPATH"))))),
        },
    )
