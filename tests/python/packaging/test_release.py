"""One version, and release notes from the changelog."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml

import lakeflow_teams
from support.paths import ROOT


def test_the_version_stands_in_one_place():
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    assert lakeflow_teams.__version__ == version
    project = (ROOT / "pyproject.toml").read_text()
    assert 'dynamic = ["version"]' in project
    assert not re.search(r"^version\s*=", project, re.MULTILINE)


def notes(folder, *arguments):
    command = [sys.executable, str(ROOT / ".ci" / "release-notes"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def released(tmp_path):
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "x"\nversion = "0.2.0"\n[dependencies]\na = { version = "9" }\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- New.\n\n## [0.1.0]\n\n- Old.\n"
    )
    return tmp_path


def test_the_notes_are_the_section_of_the_version(released):
    done = notes(released, "v0.2.0")
    assert (done.returncode, done.stdout) == (0, "- New.\n")


def test_a_tag_of_another_version_is_refused(released):
    done = notes(released, "v0.3.0")
    assert done.returncode == 1
    assert "0.2.0" in done.stderr


def test_a_version_without_notes_is_refused(released):
    text = (released / "CHANGELOG.md").read_text().replace("- New.", "")
    (released / "CHANGELOG.md").write_text(text)
    assert notes(released).returncode == 1


def test_the_workflow_builds_for_both_machines_before_it_publishes():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "wheels.yml").read_text())["jobs"]
    assert {each["target"] for each in jobs["linux"]["strategy"]["matrix"]["include"]} == {"x86_64", "aarch64"}
    assert set(jobs["publish"]["needs"]) == {"linux", "sdist"}
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert all("password" not in str(step) for step in jobs["publish"]["steps"])
