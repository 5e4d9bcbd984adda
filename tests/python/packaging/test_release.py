"""One version, and release notes from the changelog."""

from __future__ import annotations

import ast
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


@pytest.fixture
def jobs():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "wheels.yml").read_text())["jobs"]


def test_the_workflow_builds_for_each_machine_before_it_publishes(jobs):
    kinds = {each["name"] for each in jobs["wheel"]["strategy"]["matrix"]["include"]}
    assert kinds == {"linux-x86_64", "linux-aarch64", "macos-arm64", "macos-x86_64", "windows-x86_64"}
    assert {each["target"] for each in jobs["musl"]["strategy"]["matrix"]["include"]} == {"x86_64", "aarch64"}
    assert set(jobs["publish"]["needs"]) == {"wheel", "musl", "sdist"}
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert all("password" not in str(step) for step in jobs["publish"]["steps"])


def test_each_wheel_is_tried_where_it_was_built(jobs):
    runs = {name: "".join(step.get("run", "") for step in jobs[name]["steps"]) for name in ("wheel", "musl")}
    assert "pip install dist/*.whl" in runs["wheel"]
    assert runs["wheel"].count("python .ci/smoke") == 2
    assert "python .ci/smoke --core" in runs["musl"]


def test_the_classifiers_are_what_is_built_and_tested(jobs):
    project = (ROOT / "pyproject.toml").read_text()
    classifiers = re.findall(r'^    "(.+ :: .+)",$', project, re.MULTILINE)
    systems = {name.rpartition(" :: ")[2].lower() for name in classifiers if name.startswith("Operating System")}
    assert systems == {each["name"].partition("-")[0] for each in jobs["wheel"]["strategy"]["matrix"]["include"]}
    minors = {name.rpartition(" :: ")[2] for name in classifiers if "Python :: 3." in name}
    tested = set()
    for file in ("tests.yml", "wheels.yml"):
        tested |= set(re.findall(r'"(3\.\d+)"', (ROOT / ".github" / "workflows" / file).read_text()))
    assert minors == tested
    assert f'requires-python = ">={min(minors, key=lambda each: int(each[2:]))}"' in project


@pytest.mark.parametrize("arguments", [["--core"], []], ids=["core", "lakehouse"])
def test_what_tries_a_wheel_passes_here(arguments):
    done = subprocess.run([sys.executable, ROOT / ".ci/smoke", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"lakeflow-teams {lakeflow_teams.__version__} works on " in done.stdout


def test_what_only_one_system_has_stands_behind_a_guard():
    """Modules of POSIX or of Windows are imported in a branch, and signals that Windows lacks are not named."""
    only = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "msvcrt", "winreg"}
    lacking = re.compile(
        r"signal\.SIG(KILL|HUP|USR1|USR2|ALRM|CHLD|PIPE)|os\.(fork|register_at_fork|getuid|statvfs|mkfifo)\b|/proc/"
    )
    for file in (ROOT / "python").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not lacking.search(text), file
        top = {alias.name for node in ast.parse(text).body if isinstance(node, ast.Import) for alias in node.names}
        assert not top & only, file
    for file in (ROOT / "src").rglob("*.rs"):
        text = file.read_text(encoding="utf-8")
        assert "std::os::unix" not in text or "cfg(unix)" in text, file
    kills = [file.name for file in (ROOT / "python").rglob("*.py") if "os.kill" in file.read_text(encoding="utf-8")]
    assert kills == ["process.py"]  # on Windows number 0 is Ctrl+C
