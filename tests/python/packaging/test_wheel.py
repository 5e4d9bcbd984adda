"""The wheel holds what the framework and Databricks look for. Only where `make wheel` has been run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from support.paths import ROOT

DIST = ROOT / "dist"
USE = """
import importlib.util, lakeflow_teams
with lakeflow_teams.GraphEmulator(teams=2) as graph:
    assert sum(map(len, lakeflow_teams.TeamsClient(graph.options).read("teams"))) == 2
package = "databricks.labs.community_connector.sources.microsoft_teams"
spec = importlib.util.find_spec("databricks.labs.community_connector.sources")
print((next(iter(spec.submodule_search_locations)) + "/microsoft_teams/connector_spec.yaml"))
"""


@pytest.fixture(scope="module")
def wheel():
    found = sorted(DIST.glob("lakeflow_teams-*.whl"), key=lambda file: file.stat().st_mtime)
    if not found:
        pytest.skip("no wheel in dist; `make wheel` makes one")
    return found[-1]


def test_the_wheel_brings_the_frameworks_package_and_nothing_of_its_parents(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    ours = {name.rsplit("/", 1)[1] for name in names if name.startswith("databricks/")}
    assert ours == {
        "__init__.py",
        "_generated_microsoft_teams_python_source.py",
        "connector_spec.yaml",
        "microsoft_teams.py",
    }
    assert all("/sources/microsoft_teams/" in name for name in names if name.startswith("databricks/"))
    assert "abi3" in wheel.name


BUILD_SCRIPTS = {file.name for file in (ROOT / "tools").glob("*.py")}


def test_the_wheel_holds_no_build_script(wheel):
    assert BUILD_SCRIPTS
    assert not BUILD_SCRIPTS & {name.rsplit("/", 1)[-1] for name in zipfile.ZipFile(wheel).namelist()}


def test_the_sources_of_the_wheel_hold_no_build_script():
    """What `make wheel` packs is all of ``python/``; this needs no wheel."""
    packed = list((ROOT / "python").rglob("*.py"))
    assert not BUILD_SCRIPTS & {file.name for file in packed}
    assert [file.name for file in packed if "__main__" in file.read_text(encoding="utf-8")] == []


def test_the_wheel_carries_its_bill_of_materials(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if ".dist-info/sboms/" in name and "lakeflow" in name)
        bill = json.loads(archive.read(name))
    assert bill["bomFormat"] == "CycloneDX"
    components = {component["name"]: component for component in bill["components"]}
    assert {"ring", "rustls", "reqwest", "arrow-array", "pyo3"} <= set(components)
    assert not {"openssl", "openssl-sys", "native-tls", "arrow-json"} & set(components)
    assert all(component.get("version") for component in components.values())


def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    venv.create(tmp_path, with_pip=False)
    (site,) = tmp_path.glob("lib/python3.*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    python = tmp_path / "bin" / Path(sys.executable).name
    run = subprocess.run(
        [python if python.exists() else tmp_path / "bin" / "python", "-c", USE],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).is_file()
