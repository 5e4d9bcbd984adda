"""How things look in a notebook: small tables, every value escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from lakeflow_teams import _core

_CELL = 'style="text-align:left;vertical-align:top"'


def grid(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a head; ``None`` is an empty cell."""
    head = "".join(f"<th {_CELL}>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def facts(pairs: Mapping[str, str | Sequence[str]]) -> str:
    """A table of names and values; a list of values is one line each."""
    rows = (f"<tr><th {_CELL}>{escape(name)}</th><td {_CELL}>{_lines(value)}</td></tr>" for name, value in pairs.items())
    return f"<table>{''.join(rows)}</table>"


def schema(found: _core.Schema) -> str:
    """The columns of a table with their types, and what they hold."""
    fields = found.to_dict()["fields"]
    return grid(
        ("column", "type", "holds"),
        ((field["name"], type_name(field["type"]), field["metadata"].get("comment", "")) for field in fields),
    )


def type_name(kind: Any) -> str:
    """A type of Spark's JSON schema format in words."""
    if isinstance(kind, str):
        return kind
    if kind["type"] == "array":
        return f"array<{type_name(kind['elementType'])}>"
    inside = ", ".join(f"{field['name']}: {type_name(field['type'])}" for field in kind["fields"])
    return f"struct<{inside}>"


def _lines(value: str | Sequence[str]) -> str:
    return escape(value) if isinstance(value, str) else "<br>".join(escape(line) for line in value)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return f"<td {_CELL}>{escape(text)}</td>"
