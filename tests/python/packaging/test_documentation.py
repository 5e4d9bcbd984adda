"""What the documentation says to type is typed here: every block of these pages runs, in order, in an empty directory.

The tenant is the emulator, reached through the environment as a real one would be. Three things are stood in for: ``make`` only
looks whether its target exists (the targets build and test everything), ``pip`` whether the extras do, and ``...`` in credentials
stays as it is, because the environment's own win.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakeflow_teams import GraphEmulator
from support.debug_build import SILENCED
from support.paths import ROOT, SITE

PAGES = (
    "README.md",
    "docs/index.md",
    "docs/quick-start.md",
    "docs/real-tenant.md",
    "docs/databricks.md",
    "docs/notebook.md",
    "docs/views.md",
    "docs/command-line.md",
    "docs/observability.md",
)
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

STAND_INS = {
    "make": f'exec "{shutil.which("make")}" --no-print-directory --dry-run --directory "{ROOT}" "$@" > /dev/null',
    "pip": f"""exec "{sys.executable}" - "$@" <<'END'
import re, sys
from pathlib import Path
text = Path("{ROOT}/pyproject.toml").read_text()
command, *wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
assert command == "install", command
for each in wanted:
    for extra in re.findall(r"[\\w]+", each.partition("[")[2]):
        assert f"\\n{{extra}} = [" in text, extra
END""",
}


def blocks(page):
    """The fenced blocks of a page: (language, text), without the indent of a list."""
    for indent, language, text in FENCE.findall((ROOT / page).read_text()):
        yield language, "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def script(page):
    """One shell script of all blocks, so that what one sets the next one sees."""
    lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT"]
    for number, (language, text) in enumerate(blocks(page)):
        end = f"END_{number}"
        if language == "bash":
            lines.append(text)
        elif language == "yaml":
            lines.append(
                f"cat > pipeline.yaml <<'{end}'\n{text}{end}\nlakeflow-teams ingest pipeline.yaml --target yaml --quiet"
            )
        elif language == "python" and "def test_" in text:
            lines.append(
                f"cat > test_{number}.py <<'{end}'\n{text}{end}\npython -m pytest -q -p no:cacheprovider test_{number}.py"
            )
        elif language == "python":
            lines.append(f"python - <<'{end}'\n{text}{end}")
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in STAND_INS.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    here = tmp_path / "here"
    here.mkdir()
    path = os.pathsep.join(map(str, (tools, SITE / "bin", Path(sys.executable).parent, os.environ["PATH"])))
    with GraphEmulator(teams=3, messages_per_channel=20) as graph:
        tenant = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in graph.options.items()}
        if "lakeflow-teams emulator" in script(page):
            tenant = {}  # the page brings its own
        env = {**os.environ, **tenant, "PATH": path}
        command = ["timeout", "600", "bash", "-c", script(page)]  # which also ends what the page began
        done = subprocess.run(command, cwd=here, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def test_every_page_has_something_to_run():
    assert all(list(blocks(page)) for page in PAGES)


@pytest.mark.parametrize("file", sorted((ROOT / "examples" / "tests").glob("test_*.py")), ids=lambda file: file.stem)
def test_the_worked_examples_pass(file, tmp_path):
    plain = ("-q", "-p", "no:cacheprovider", "-W", SILENCED, "--rootdir", str(tmp_path))
    command = [sys.executable, "-m", "pytest", *plain, str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d passed", done.stdout)


def test_links_of_the_readme_lead_somewhere():
    for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text()):
            assert (ROOT / target).exists(), f"{page}: {target}"
