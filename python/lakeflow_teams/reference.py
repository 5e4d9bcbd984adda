"""The reference pages of the documentation, from the declarations that the code itself reads.

``python -m lakeflow_teams.reference FOLDER`` writes them; ``make reference`` does so where the documentation is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.html import type_name

_MADE = "<!-- Made by `make reference`; a test fails when it is out of date. -->"
_INGESTION = {
    "snapshot": "snapshot: the whole table at each read; what is missing has been deleted",
    "cdc": "cdc: new versions of rows, merged by key",
    "cdc_with_deletes": "cdc_with_deletes: new versions of rows, and the keys of deleted ones",
    "append": "append: rows that never change",
}
_DOORS = {"connection": "Connection options", "table": "Table options"}
_ERRORS = (
    "ConfigurationError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ThrottledError",
    "ServiceError",
    "ProtocolError",
)


def tables() -> str:
    """``tables.md``: every table, its columns and what it takes to read it."""
    infos = _core.tables()
    lines = ["# Tables", "", _MADE, ""]
    lines += [
        "Every column is nullable: Graph leaves out or nulls anything. Open objects are JSON in text, as Graph sent them.",
        "`include_raw=true` adds `_raw`, the whole item. `lakeflow-teams check` compares permissions with those granted.",
        "",
    ]
    lines += _grid(
        ("table", "what it holds", "how"),
        ((f"[{info['name']}](#{info['name']})", info["description"], info["ingestion_type"]) for info in infos),
    )
    for info in infos:
        together = [other["name"] for other in infos if other["reading"] == info["reading"] and other is not info]
        lines += ["", f"## {info['name']}", "", info["description"], ""]
        lines += _grid(("", ""), _facts(info, together))
        lines += ["", *_grid(("column", "type"), _columns(info))]
    return _page(lines)


def _facts(info: _core.TableInfo, together: list[str]) -> list[tuple[str, str]]:
    facts = [
        ("read from", " ".join(f"`{part.strip()}`" for part in info["endpoint"].split(";"))),
        ("key", _codes(info["primary_keys"])),
        ("cursor", _codes([info["cursor_field"]] if info["cursor_field"] else []) or "none"),
        ("ingestion type", _INGESTION[info["ingestion_type"]]),
        ("options", info["required_options"] or "none needed"),
        ("permissions", "<br>".join(_permission(name, info) for name in info["permissions"])),
        ("needs beside them", info["prerequisite"] or ""),
        ("read in one pass with", _codes(together)),
    ]
    return [(name, text) for name, text in facts if text]


def _permission(name: str, info: _core.TableInfo) -> str:
    wider = info["wider_permissions"][name]
    return f"`{name}`" + (f" (or {', '.join(wider)})" if wider else "")


def _columns(info: _core.TableInfo) -> Iterable[tuple[str, str]]:
    for field in _core.schema(info["name"], {}).to_dict()["fields"]:
        json = " (JSON)" if field["name"] in info["json_columns"] else ""
        yield f"`{field['name']}`", f"`{type_name(field['type'])}`{json}"


def options() -> str:
    """``options.md``: every option of the catalogue."""
    lines = ["# Options", "", _MADE, ""]
    lines += [
        "Values are text, names are case-insensitive, and a map may hold options of both doors. Where an option may come",
        "from is in [connections](../connections.md). `TeamsClient` and the command line refuse an unknown name; Spark and",
        "the Lakeflow interface warn.",
    ]
    for door, title in _DOORS.items():
        found = [option for option in _core.options() if option["door"] == door]
        rows = ((f"`{o['name']}`", o["kind"], _default(o), o["description"], _allowed(o)) for o in found)
        lines += ["", f"## {title}", "", *_grid(("option", "kind", "default", "what it does", "allowed"), rows)]
    return _page(lines)


def _default(option: _core.OptionInfo) -> str:
    return f"`{option['default']}`" if option["default"] else ""


def _allowed(option: _core.OptionInfo) -> str:
    return f"{option['allowed']}; a secret, never shown" if option["secret"] else option["allowed"]


def errors() -> str:
    """``errors.md``: the classes, and the numbers of Entra ID."""
    lines = ["# Error classes and numbers", "", _MADE, ""]
    lines += ["What each class means at length is in [errors](../errors.md).", ""]
    classes = ((f"[{name}](../errors.md#{name.lower()})", getattr(_core, name).__doc__ or "") for name in _ERRORS)
    lines += _grid(("class", "raised when"), classes)
    lines += ["", "## Numbers of Entra ID", "", "An `AuthenticationError` carries the number as `code`.", ""]
    numbers = ((", ".join(f"AADSTS{number}" for number in group), remedy) for group, remedy in _core.login_errors())
    return _page(lines + _grid(("number", "what to do"), numbers))


#: File name to what makes its text.
PAGES: dict[str, Callable[[], str]] = {"tables.md": tables, "options.md": options, "errors.md": errors}


def write(folder: Path) -> None:
    """Writes every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table; a bar inside a cell would end it."""
    grid = [headings, tuple("---" for _ in headings), *rows]
    return [f"|{'|'.join(_cell(text) for text in row)}|" for row in grid]


def _cell(text: str) -> str:
    return " {} ".format(text.replace("|", "\\|")) if text else " "


def _page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
