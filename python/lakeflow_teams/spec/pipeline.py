"""The pipeline spec: what to read and where to put it. Every mistake is one line with the key, the value and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.options import as_options, as_text, names
from lakeflow_teams.options.storage import parse as storage_options
from lakeflow_teams.spec.document import DEFAULT_CATALOG, DEFAULT_SCHEMA, LOCAL, Entry, entries, nearest, one_each, refuse
from lakeflow_teams.spec.reading import read_yaml, within

#: Keys of table_configuration that say how to write; the others are options of the source.
_WRITING = ("scd_type", "primary_keys", "sequence_by", *LOCAL)


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
    max_delete_percent: int | None = None

    @property
    def name(self) -> str:
        """``catalog.schema.table``."""
        return f"{self.catalog}.{self.schema}.{self.table}"


@dataclass(frozen=True)
class PipelineSpec:
    """A whole pipeline. ``connection`` and ``storage_options`` hold what stands in the spec; they are never shown.

    ``keep_notifications`` is that of ``listen``.
    """

    connection_name: str
    tables: tuple[TableSpec, ...]
    connection: dict[str, str] = field(default_factory=dict, repr=False)
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)
    keep_notifications: bool = False


def load(source: str | PathLike[str] | Mapping[str, Any]) -> PipelineSpec:
    """Reads a spec from a YAML file or a mapping. Raises :class:`ConfigurationError`."""
    if isinstance(source, Mapping):
        return parse(source, Path())
    path = Path(source)
    document = read_yaml(path, "pipeline")
    with within(f"pipeline file {path}"):
        return parse(document, path.parent)


def parse(document: Any, folder: Path) -> PipelineSpec:
    """Checks a loaded document; ``folder`` is where relative paths in it start."""
    tables = tuple(map(_table, entries(document)))
    one_each((table.name, table.name) for table in tables)
    name = document.get("connection_name", "teams")
    if not isinstance(name, str) or not name:
        refuse(f"connection_name: {name!r} is not a name")
    connection = _connection(document.get("connection"), folder)
    stores = storage_options(document.get("storage_options") or {}, "storage_options")
    return PipelineSpec(name, tables, connection, stores, _keeps_notifications(document.get("listen")))


def _keeps_notifications(value: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, Mapping):
        refuse("listen: a mapping is expected, such as {keep_notifications: true}")
    for key in value:
        if key != "keep_notifications":
            refuse(f"listen.{key}: there is no such key; did you mean keep_notifications?", value, key)
    keeps = value.get("keep_notifications", False)
    if not isinstance(keeps, bool):
        refuse(f"listen.keep_notifications: {keeps!r} is not true or false", value, "keep_notifications")
    return keeps


def _table(entry: Entry) -> TableSpec:
    source = entry.source["name"]
    for key, value in entry.configuration.items():
        if key not in _WRITING and value is not None:
            _check(entry, key, as_text(key, value))
    return TableSpec(
        source_table=source,
        catalog=_path_part(entry, "destination_catalog", DEFAULT_CATALOG),
        schema=_path_part(entry, "destination_schema", DEFAULT_SCHEMA),
        table=_path_part(entry, "destination_table", source),
        options=as_options({key: value for key, value in entry.configuration.items() if key not in _WRITING}),
        scd_type=entry.scd_type(),
        primary_keys=entry.columns("primary_keys") or None,
        sequence_by=entry.sequence_by(),
        reconcile_days=_whole(entry, "reconcile_days", "a whole number of days of at least 1", 1),
        max_delete_percent=_percent(entry),
    )


def _path_part(entry: Entry, key: str, default: str) -> str:
    value = entry.table.get(key)
    if value is None:
        return default
    text = str(value)
    if not text.strip() or text in (".", "..") or any(sign in text for sign in "/\\:\0"):
        refuse(f"{entry.where}.{key}: {text!r} cannot be the name of a folder", entry.table, key)
    return text


def _check(entry: Entry, key: str, text: str) -> None:
    """What the core says of one option, with the place where it is written."""
    try:
        _core.schema(entry.source["name"], {key: text})
    except _core.ConfigurationError as error:
        entry.refuse(key, str(error))


def _percent(entry: Entry) -> int | None:
    most = _whole(entry, "max_delete_percent", "a whole number from 0 to 100", 0)
    if most is not None and most > 100:
        entry.refuse("max_delete_percent", f"{most} is not a whole number from 0 to 100")
    return most


def _whole(entry: Entry, key: str, what: str, least: int) -> int | None:
    value = entry.configuration.get(key)
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) < least:
        entry.refuse(key, f"{value!r} is not {what}")
    return int(value)


def _connection(value: Any, folder: Path) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, str):
        return load_connection(folder / value)
    return _connection_options(value)


def load_connection(path: Path) -> dict[str, str]:
    """Connection options from a YAML file. Raises :class:`ConfigurationError`."""
    content = read_yaml(path, "connection")
    with within(f"connection file {path}"):
        return _connection_options(content)


def _connection_options(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        refuse("connection: a mapping of options, or the path of a YAML file with one, is expected")
    known = names("connection")
    for key in value:
        if str(key).lower() not in known:
            refuse(f"connection.{key}: there is no such connection option{nearest(str(key), known)}", value, key)
    return {str(key).lower(): as_text(str(key), item) for key, item in value.items() if item is not None}
