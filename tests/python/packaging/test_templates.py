"""Templates are compiled once for all runs, where Python's own modules are."""

from __future__ import annotations

import sys

import pytest
from jinja2 import Environment

from lakeflow_teams import _templates


@pytest.fixture
def anew(tmp_path, monkeypatch):
    """Renders as a new process does."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def render(folder=tmp_path):
        environment = _templates._environment.__wrapped__()
        environment.bytecode_cache.directory = str(folder)
        return environment.get_template("import.yaml.j2")

    return render


def test_a_template_is_compiled_once(anew, tmp_path, monkeypatch):
    first = anew()
    assert [path.suffix for path in tmp_path.iterdir()] == [".jinja"]
    monkeypatch.setattr(Environment, "_generate", None)  # what compiles
    assert anew().root_render_func.__code__ == first.root_render_func.__code__


def test_what_may_not_be_written_is_compiled_each_time(anew, tmp_path, monkeypatch):
    anew(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    anew()
    assert list(tmp_path.iterdir()) == []


def test_the_place_is_that_of_compiled_modules(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    assert _templates._Compiled().directory.startswith(str(tmp_path))
