"""The generated pages of the documentation are those that the code would write now."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakeflow_teams import _core
from lakeflow_teams.reference import PAGES

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name):
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), f"docs/reference/{name} is out of date: run `make reference`"


def test_every_page_is_made_by_something():
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def test_the_pages_hold_every_table_column_option_and_number():
    tables, options, errors = (PAGES[name]() for name in ("tables.md", "options.md", "errors.md"))
    sections = dict(zip(tables.split("\n## ")[1:], _core.tables(), strict=True))
    for section, info in sections.items():
        assert section.startswith(info["name"] + "\n")
        assert all(f"\n| `{column}` | `" in section for column in _core.schema(info["name"], {}).names)
        assert all(f"`{permission}`" in section for permission in info["permissions"])
    for option in _core.options():
        assert f"| `{option['name']}` |" in options
    for numbers, remedy in _core.login_errors():
        assert all(f"AADSTS{number}" in errors for number in numbers)
        assert remedy in errors
