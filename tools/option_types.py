"""``options/typed.py``: the options and tables as types, so that an editor completes their names; from the catalogue.

``tools/option_types.py`` prints it; ``make connector-spec`` writes it.
"""

from __future__ import annotations

import json

from lakeflow_teams import _core

_TYPES = {
    "boolean": "bool | str",
    "integer": "int | str",
    "number": "float | str",
    "list": "str | Iterable[str]",
    "timestamp": "date | str",
}
_HEAD = '''"""Made by `make connector-spec` from the catalogue of options; a test fails when it is out of date."""

from collections.abc import Iterable
from datetime import date, timedelta
from os import PathLike
from typing import Literal, TypedDict
'''


def render() -> str:
    """The module's text, as ruff would format it."""
    names = "\n".join(f"    {json.dumps(info['name'])}," for info in _core.tables())
    return (
        "\n".join(
            (
                _HEAD,
                f"TableName = Literal[\n{names}\n]\n\n",
                _typed(
                    "ConnectionOptions", "connection", "What a connection can be told; ``docs/connections.md`` says how."
                ),
                _typed("TableOptions", "table", "What reading a table can be told; each table takes those that fit it."),
            )
        ).rstrip("\n")
        + "\n"
    )


def _typed(name: str, door: str, purpose: str) -> str:
    lines = [f"class {name}(TypedDict, total=False):", f'    """{purpose}"""', ""]
    for option in _core.options():
        if option["door"] == door:
            kind = "int | timedelta | str" if option["name"].endswith("_seconds") else _kind(option["kind"])
            text = (
                option["description"]
                if option["default"] is None
                else f"{option['description']} Default: {option['default']}."
            )
            lines += [f"    {option['name']}: {kind} | None", *_docstring(text)]
    return "\n".join(lines) + "\n\n"


def _kind(kind: str) -> str:
    return _TYPES.get(kind, "str | PathLike[str]")


def _docstring(text: str) -> list[str]:
    escaped = text.replace("\\", "\\\\").replace('"""', "'''")
    return [f'    """{escaped}"""']


if __name__ == "__main__":
    print(render(), end="")
