"""The package as the tests import it: the sources by links, and the unoptimised module that ``cargo build`` made.

It is a folder of its own for ``PYTHONPATH``, so that the optimised module of ``make build``, which lies among the sources,
stays as it is. The metadata (entry points) and the command belong to it too: nothing has to be installed for the tests.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "python"
#: What cargo calls the module on Linux and on macOS, and what Python does.
BUILT = ("liblakeflow_teams.so", "liblakeflow_teams.dylib")
MODULE = "_core.abi3.so"


def stage(site: Path, target: Path) -> None:
    """Makes the folder anew, except for the metadata where it is there."""
    package = site / "lakeflow_teams"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    for entry in (SOURCES / "lakeflow_teams").iterdir():
        if entry.name != "__pycache__" and not entry.match("_core*.so"):
            (package / entry.name).symlink_to(entry)
    module = next(target / name for name in BUILT if (target / name).exists())
    shutil.copyfile(module, package / MODULE)
    databricks = site / "databricks"
    if not databricks.is_symlink():
        databricks.symlink_to(SOURCES / "databricks")


def describe(site: Path) -> None:
    """Writes the metadata, and the command into ``bin``."""
    python = Path(sys.executable)
    metadata = ("pep517", "write-dist-info", "--metadata-directory", site, "--interpreter", python)
    subprocess.run([python.with_name("maturin"), *metadata], check=True, capture_output=True)
    command = site / "bin" / "lakeflow-teams"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f"#!{python}\nfrom lakeflow_teams.cli import main\n\nmain()\n", encoding="utf-8")
    command.chmod(0o755)


if __name__ == "__main__":
    stage(Path(sys.argv[1]), Path(sys.argv[2]))
    describe(Path(sys.argv[1]))
