"""The pipeline spec: what to read and where to put it. Every mistake is one line with the key, the value and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from lakeflow_teams.options import as_options, as_text, names
from lakeflow_teams.options.storage import parse as storage_options
from lakeflow_teams.spec.document import Entry, entries, nearest, one_each, refuse

DEFAULT_CATALOG = "main"
DEFAULT_SCHEMA = "default"

#: Keys of table_configuration that say how to write; the others are options of the source.
_WRITING = ("scd_type", "primary_keys", "sequence_by", "reconcile_days")


@dataclass(frozen=True)
class TableSpec:
    """One object of the spec: a source table, the options to read it with, and its destination."""

    source_table: str
    catalog: str
    schema: str
    table: str
    options: dict[str, str]
    scd_type: str | None = None
    primary_keys: tuple[str, ...] | None = None
    sequence_by: str | None = None
    reconcile_days: int | None = None

    @property
    def name(self) -> str:
        """``catalog.schema.table``."""
        return f"{self.catalog}.{self.schema}.{self.table}"


@dataclass(frozen=True)
class PipelineSpec:
    """A whole pipeline. ``connection`` and ``storage_options`` hold what stands in the spec; they are never shown."""

    connection_name: str
    tables: tuple[TableSpec, ...]
    connection: dict[str, str] = field(default_factory=dict, repr=False)
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)


def load(source: str | PathLike[str] | Mapping[str, Any]) -> PipelineSpec:
    """Reads a spec from a YAML file or a mapping. Raises :class:`ConfigurationError`."""
    if isinstance(source, Mapping):
        return parse(source, Path())
    path = Path(source)
    return parse(_read_yaml(path, "pipeline"), path.parent)


def parse(document: Any, folder: Path) -> PipelineSpec:
    """Checks a loaded document; ``folder`` is where relative paths in it start."""
    tables = tuple(map(_table, entries(document)))
    one_each((table.name, table.name) for table in tables)
    name = document.get("connection_name", "teams")
    if not isinstance(name, str) or not name:
        refuse(f"connection_name: {name!r} is not a name")
    connection = _connection(document.get("connection"), folder)
    return PipelineSpec(name, tables, connection, storage_options(document.get("storage_options") or {}, "storage_options"))


def _table(entry: Entry) -> TableSpec:
    source = entry.source["name"]
    return TableSpec(
        source_table=source,
        catalog=_path_part(entry, "destination_catalog", DEFAULT_CATALOG),
        schema=_path_part(entry, "destination_schema", DEFAULT_SCHEMA),
        table=_path_part(entry, "destination_table", source),
        options=as_options({key: value for key, value in entry.configuration.items() if key not in _WRITING}),
        scd_type=entry.scd_type(),
        primary_keys=entry.columns("primary_keys") or None,
        sequence_by=entry.sequence_by(),
        reconcile_days=_days(entry),
    )


def _path_part(entry: Entry, key: str, default: str) -> str:
    value = entry.table.get(key)
    if value is None:
        return default
    text = str(value)
    if not text.strip() or text in (".", "..") or any(sign in text for sign in "/\\:\0"):
        refuse(f"{entry.where}.{key}: {text!r} cannot be the name of a folder")
    return text


def _days(entry: Entry) -> int | None:
    value = entry.configuration.get("reconcile_days")
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) < 1:
        entry.refuse("reconcile_days", f"{value!r} is not a whole number of days of at least 1")
    return int(value)


def _connection(value: Any, folder: Path) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, str):
        return load_connection(folder / value)
    return _connection_options(value)


def load_connection(path: Path) -> dict[str, str]:
    """Connection options from a YAML file. Raises :class:`ConfigurationError`."""
    return _connection_options(_read_yaml(path, "connection"))


def _connection_options(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        refuse("connection: a mapping of options, or the path of a YAML file with one, is expected")
    known = names("connection")
    for key in value:
        if str(key).lower() not in known:
            refuse(f"connection.{key}: there is no such connection option{nearest(str(key), known)}")
    return {str(key).lower(): as_text(str(key), item) for key, item in value.items() if item is not None}


def _read_yaml(path: Path, what: str) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        refuse(f"{what} file {path}: cannot be read ({reason})")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not valid YAML"
        refuse(f"{what} file {path}{place}: {problem}")
