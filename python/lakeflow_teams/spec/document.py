"""What pipeline specs have in common wherever they run: the framework's keys, and how a mistake is told.

Every mistake is one line with the key, the value and the remedy. Needs nothing but the core.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.spec.writing import SCD_TYPES

_TOP = ("connection_name", "connection", "storage_options", "listen", "objects")
_TABLE = ("source_table", "destination_catalog", "destination_schema", "destination_table", "table_configuration")

#: Where tables go whose entry does not say.
DEFAULT_CATALOG = "main"
DEFAULT_SCHEMA = "default"

#: Keys of table_configuration that only the local lakehouse has.
LOCAL = ("reconcile_days", "max_delete_percent")


class Lined(dict[Any, Any]):
    """A mapping that was read from a file: ``lines`` are those of its keys."""

    lines: Mapping[str, int] = {}


@dataclass(frozen=True)
class Entry:
    """One object of a spec. ``where`` is its place in the document; keys of ``configuration`` are in lower case."""

    where: str
    table: Mapping[str, Any]
    source: _core.TableInfo
    configuration: dict[str, Any]

    def scd_type(self) -> str | None:
        """One of ``SCD_TYPES``, in any case; ``None`` where the kind of table decides."""
        value = self.configuration.get("scd_type")
        if value is None:
            return None
        if str(value).upper() not in SCD_TYPES:
            self.refuse("scd_type", f"{value!r} is not one of {', '.join(SCD_TYPES)}")
        return str(value).upper()

    def columns(self, key: str) -> tuple[str, ...]:
        """Column names, given as a list, a JSON list or separated by commas: configurations hold text."""
        value = self.configuration.get(key)
        if value is None:
            return ()
        columns = tuple(str(part).strip() for part in _parts(value))
        if not columns or not all(columns) or len(set(columns)) != len(columns) or "`" in "".join(columns):
            self.refuse(key, f"{value!r} is not a list of different column names")
        return columns

    def sequence_by(self) -> str | None:
        """The column that tells a newer row from an older one, where the spec names it."""
        columns = self.columns("sequence_by")
        if len(columns) > 1:
            self.refuse("sequence_by", f"{self.configuration['sequence_by']!r} names several columns; name one")
        return columns[0] if columns else None

    def refuse(self, key: str, message: str) -> NoReturn:
        """Raises :class:`ConfigurationError` about a key of ``table_configuration``."""
        given = self.table["table_configuration"]
        written = next((name for name in given if str(name).lower() == key), key)
        refuse(f"{self.where}.table_configuration.{key}: {message}", given, written)


def entries(document: Any) -> list[Entry]:
    """The objects of a spec. Raises :class:`ConfigurationError`."""
    if not isinstance(document, Mapping):
        refuse("pipeline: a mapping with connection_name and objects is expected")
    _known("pipeline", document, _TOP)
    objects = document.get("objects")
    if not isinstance(objects, list) or not objects:
        refuse("objects: a list with at least one `table` entry is expected", document, "objects")
    return [_entry(f"objects[{index}]", given) for index, given in enumerate(objects)]


def one_each(destinations: Iterable[tuple[str, str]]) -> None:
    """No two objects write the same: pairs of a destination's name and of what stands for it, whose case does not count."""
    seen: set[str] = set()
    for name, key in destinations:
        if key.lower() in seen:
            refuse(f"destination {name}: two objects write it; give one of them another destination_table")
        seen.add(key.lower())


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name."""
    choices = sorted(known)
    return did_you_mean(word, choices, otherwise=f"; known are {', '.join(choices)}")


def refuse(message: str, mapping: Any = None, key: Any = None) -> NoReturn:
    """Raises :class:`ConfigurationError`, with the line of ``key`` where ``mapping`` was read from a file."""
    line = mapping.lines.get(str(key)) if isinstance(mapping, Lined) else None
    raise _core.ConfigurationError(f"line {line}: {message}" if line else message)


def _entry(where: str, given: Any) -> Entry:
    if not isinstance(given, Mapping) or not isinstance(given.get("table"), Mapping):
        refuse(f"{where}: a mapping with `table` is expected")
    _known(where, given, ("table",))
    where, table = f"{where}.table", given["table"]
    _known(where, table, _TABLE)
    configuration = table.get("table_configuration") or {}
    if not isinstance(configuration, Mapping):
        refuse(f"{where}.table_configuration: a mapping of options is expected", table, "table_configuration")
    source = _source(where, table)
    return Entry(where, table, source, {str(key).lower(): value for key, value in configuration.items()})


def _source(where: str, given: Mapping[Any, Any]) -> _core.TableInfo:
    name = given.get("source_table")
    tables = {info["name"]: info for info in _core.tables()}
    if not name:
        refuse(f"{where}: source_table is missing; it is one of {', '.join(tables)}", given, "source_table")
    if name not in tables:
        message = f"{where}.source_table: there is no table {name!r}{nearest(str(name), tables)}"
        refuse(message, given, "source_table")
    return tables[name]


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = value.strip("[] ")
    return value if isinstance(value, list | tuple) else str(value).split(",")


def _known(where: str, mapping: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for key in mapping:
        if key not in known:
            refuse(f"{where}.{key}: there is no such key{nearest(str(key), known)}", mapping, key)
