"""Values of JSON that may be of any shape: what is not of the expected type counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeflow_teams.deliver.sources.html import clean

Json = Mapping[str, Any]
_NOTHING: Json = {}


def text(of: Json, name: str) -> str:
    """Text without characters that no message can hold; empty where there is none."""
    value = of.get(name)
    if type(value) is not str:
        return ""
    return value if value.isascii() and value.isprintable() else clean(value)


def mapping(of: Json, name: str) -> Json:
    """A JSON object; empty where there is none."""
    value = of.get(name)
    return value if type(value) is dict else _NOTHING


def mappings(of: Json, name: str) -> list[Json]:
    """The JSON objects of a list."""
    value = of.get(name)
    return [item for item in value if type(item) is dict] if type(value) is list else []


def texts(of: Json, name: str) -> list[str]:
    """The texts of a list."""
    value = of.get(name)
    return [clean(item) for item in value if type(item) is str] if type(value) is list else []


def number(of: Json, name: str) -> int | None:
    """A whole number, also where it is written as text or with a fraction."""
    value = of.get(name)
    if type(value) is int:
        return value if -(2**62) < value < 2**62 else None
    if type(value) is float and -1e18 < value < 1e18:
        return int(value)
    if type(value) is str and len(value) < 19 and value.strip().isdecimal():
        return int(value)
    return None
