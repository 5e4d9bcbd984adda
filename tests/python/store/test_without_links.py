"""A file system without hard links, such as a Databricks volume's mount: a library in front of libc's makes one of any."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from support.lakehouse import differences, entry, later, pipeline

SHIM = """
#include <errno.h>
int link(const char *a, const char *b) { errno = ENOSYS; return -1; }
int linkat(int x, const char *a, int y, const char *b, int flags) { errno = ENOSYS; return -1; }
"""
INGEST = """
import json, os, sys
from lakeflow_teams import ingest_local
spec, target, options = json.loads(sys.stdin.read())
ingest_local(spec, target, options)
"""
TABLES = ("members", "messages", "message_replies")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler for Linux")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "links.c").write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "links.so", folder / "links.c"], check=True)
    return folder / "links.so"


@pytest.mark.stores
def test_a_mount_without_hard_links_holds_a_lakehouse(graph, options, tmp_path, shim):
    work = json.dumps([pipeline(*(entry(table) for table in TABLES)), str(tmp_path), options])
    for _ in range(2):
        run = [sys.executable, "-c", INGEST]
        done = subprocess.run(run, input=work, capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": str(shim)})
        assert done.returncode == 0, done.stderr
        assert differences(graph, tmp_path, TABLES) == []
        later(graph)
