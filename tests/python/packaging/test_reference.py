"""Generated files, pages of the documentation among them, are those that the code would write now."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import connector_spec
import lakeflow_teams
import option_types
import view_sql
from lakeflow_teams import _core
from lakeflow_teams.options import typed
from reference import PAGES
from support.paths import ROOT, SITE

FOLDER = ROOT / "docs" / "reference"
SPEC = SITE / "databricks/labs/community_connector/sources/microsoft_teams/connector_spec.yaml"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name):
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), f"docs/reference/{name} is out of date: run `make reference`"


@pytest.mark.parametrize("dialect", view_sql.DIALECTS)
def test_the_sql_of_the_views_is_up_to_date(dialect):
    file = ROOT / "python" / "lakeflow_teams" / "views" / "sql" / f"{dialect}.json"
    assert json.loads(file.read_text(encoding="utf-8")) == view_sql.render(dialect), "run `make reference`"


def test_every_page_is_made_by_something():
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def test_the_pages_hold_every_table_column_option_and_number():
    tables, options, errors = (PAGES[name]() for name in ("tables.md", "options.md", "errors.md"))
    sections = dict(zip(tables.split("\n## ")[1:], _core.tables(), strict=True))
    for section, info in sections.items():
        assert section.startswith(info["name"] + "\n")
        assert all(f"\n| `{column}` | `" in section for column in _core.schema(info["name"], {}).names)
        assert all(f"`{permission}`" in section for permission in info["permissions"])
    assert all(field["metadata"]["comment"] in tables for info in _core.tables() for field in _fields(info["name"]))
    for option in _core.options():
        assert f"| `{option['name']}` |" in options
    for numbers, remedy in _core.login_errors():
        assert all(f"AADSTS{number}" in errors for number in numbers)
        assert remedy in errors


def test_everything_public_is_on_the_page_of_the_python_interface():
    page = PAGES["python.md"]()
    listed = set(re.findall(r"^\.\. auto(?:api)?(?:class|function):: ([\w.]+)$", page, re.MULTILINE))
    for name in set(lakeflow_teams.__all__) - {"__version__"}:
        assert listed & {f"lakeflow_teams.{name}", f"lakeflow_teams._core.{name}"}, name
    emulator = (SITE / "lakeflow_teams" / "_core.pyi").read_text(encoding="utf-8")
    assert all(f"class {name.rpartition('.')[2]}" in emulator for name in listed if "._core." in name)


def test_the_connector_spec_is_up_to_date():
    assert SPEC.read_text(encoding="utf-8") == connector_spec.render(), "run `make connector-spec`"


def test_the_option_types_are_up_to_date():
    assert Path(typed.__file__).read_text(encoding="utf-8") == option_types.render(), "run `make connector-spec`"
    for door, types in (("connection", typed.ConnectionOptions), ("table", typed.TableOptions)):
        assert list(types.__annotations__) == [option["name"] for option in _core.options() if option["door"] == door]


def _fields(table):
    return _core.schema(table, {"timestamps": "timestamp"}).to_dict()["fields"]
