"""The pipeline spec: what to read and where to put it. Every mistake is one line with the key, the value and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import yaml

from lakeflow_teams import _core
from lakeflow_teams.options import as_options, as_text

SCD_TYPES = ("SCD_TYPE_1", "SCD_TYPE_2", "APPEND_ONLY")
DEFAULT_CATALOG = "main"
DEFAULT_SCHEMA = "default"

_TOP = ("connection_name", "connection", "objects")
_TABLE = ("source_table", "destination_catalog", "destination_schema", "destination_table", "table_configuration")
_OURS = ("scd_type", "primary_keys", "sequence_by", "reconcile_days")


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
    """A whole pipeline. ``connection`` holds the options that stand in the spec; it is never shown."""

    connection_name: str
    tables: tuple[TableSpec, ...]
    connection: dict[str, str] = field(default_factory=dict, repr=False)


def load(source: str | PathLike[str] | Mapping[str, Any]) -> PipelineSpec:
    """Reads a spec from a YAML file or a mapping. Raises :class:`ConfigurationError`."""
    if isinstance(source, Mapping):
        return parse(source, Path())
    path = Path(source)
    return parse(_read_yaml(path, "pipeline"), path.parent)


def parse(document: Any, folder: Path) -> PipelineSpec:
    """Checks a loaded document; ``folder`` is where relative paths in it start."""
    if not isinstance(document, Mapping):
        _refuse("pipeline: a mapping with connection_name and objects is expected")
    _known_keys("pipeline", document, _TOP)
    name = document.get("connection_name", "teams")
    if not isinstance(name, str) or not name:
        _refuse(f"connection_name: {name!r} is not a name")
    objects = document.get("objects")
    if not isinstance(objects, list) or not objects:
        _refuse("objects: a list with at least one `table:` entry is expected")
    tables = tuple(_table(f"objects[{index}]", entry) for index, entry in enumerate(objects))
    _one_each(tables)
    return PipelineSpec(name, tables, _connection(document.get("connection"), folder))


def _table(where: str, entry: Any) -> TableSpec:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("table"), Mapping):
        _refuse(f"{where}: a mapping with `table:` is expected")
    _known_keys(where, entry, ("table",))
    where, table = f"{where}.table", entry["table"]
    _known_keys(where, table, _TABLE)
    source = _source_table(where, table.get("source_table"))
    configuration = table.get("table_configuration") or {}
    if not isinstance(configuration, Mapping):
        _refuse(f"{where}.table_configuration: a mapping of options is expected")
    where = f"{where}.table_configuration"
    return TableSpec(
        source_table=source,
        catalog=_path_part(where, "destination_catalog", table.get("destination_catalog"), DEFAULT_CATALOG),
        schema=_path_part(where, "destination_schema", table.get("destination_schema"), DEFAULT_SCHEMA),
        table=_path_part(where, "destination_table", table.get("destination_table"), source),
        options=as_options({key: value for key, value in configuration.items() if str(key).lower() not in _OURS}),
        scd_type=_scd_type(where, configuration.get("scd_type")),
        primary_keys=_columns(where, "primary_keys", configuration.get("primary_keys")),
        sequence_by=_sequence_by(where, configuration.get("sequence_by")),
        reconcile_days=_days(where, configuration.get("reconcile_days")),
    )


def _source_table(where: str, value: Any) -> str:
    known = [info["name"] for info in _core.tables()]
    if not value:
        _refuse(f"{where}: source_table is missing; it is one of {', '.join(known)}")
    if value not in known:
        _refuse(f"{where}.source_table: there is no table {value!r}{_nearest(str(value), known)}")
    return str(value)


def _path_part(where: str, key: str, value: Any, default: str) -> str:
    if value is None:
        return default
    text = str(value)
    if not text.strip() or text in (".", "..") or any(sign in text for sign in "/\\:\0"):
        _refuse(f"{where.rsplit('.', 1)[0]}.{key}: {text!r} cannot be the name of a folder")
    return text


def _scd_type(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if str(value).upper() not in SCD_TYPES:
        _refuse(f"{where}.scd_type: {value!r} is not one of {', '.join(SCD_TYPES)}")
    return str(value).upper()


def _columns(where: str, key: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    parts = value if isinstance(value, list) else str(value).strip("[]").replace('"', "").split(",")
    columns = tuple(str(part).strip() for part in parts)
    if not columns or not all(columns) or len(set(columns)) != len(columns):
        _refuse(f"{where}.{key}: {value!r} is not a list of different column names")
    return columns


def _sequence_by(where: str, value: Any) -> str | None:
    columns = _columns(where, "sequence_by", value)
    if columns is not None and len(columns) > 1:
        _refuse(f"{where}.sequence_by: {value!r} names several columns; name one")
    return columns[0] if columns else None


def _days(where: str, value: Any) -> int | None:
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) < 1:
        _refuse(f"{where}.reconcile_days: {value!r} is not a whole number of days of at least 1")
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
        _refuse("connection: a mapping of options, or the path of a YAML file with one, is expected")
    known = {option["name"] for option in _core.options() if option["door"] == "connection"}
    for key in value:
        if str(key).lower() not in known:
            _refuse(f"connection.{key}: there is no such connection option{_nearest(str(key), known)}")
    return {str(key).lower(): as_text(str(key), item) for key, item in value.items() if item is not None}


def _read_yaml(path: Path, what: str) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        _refuse(f"{what} file {path}: cannot be read ({reason})")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not valid YAML"
        _refuse(f"{what} file {path}{place}: {problem}")


def _one_each(tables: tuple[TableSpec, ...]) -> None:
    seen: set[str] = set()
    for table in tables:
        if table.name.lower() in seen:
            _refuse(f"destination {table.name}: two objects write it; give one of them another destination_table")
        seen.add(table.name.lower())


def _known_keys(where: str, mapping: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for key in mapping:
        if key not in known:
            _refuse(f"{where}.{key}: there is no such key{_nearest(str(key), known)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    near = get_close_matches(word.lower(), choices, 1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(choices)}"


def _refuse(message: str) -> NoReturn:
    raise _core.ConfigurationError(message)
