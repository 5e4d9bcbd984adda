"""The pipeline spec as Spark takes it: the framework's keys, checked before anything is declared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

from lakeflow_teams import _core
from lakeflow_teams.options import as_options

Kind = Literal["snapshot", "changes", "append"]

SCD_TYPES = ("SCD_TYPE_1", "SCD_TYPE_2", "APPEND_ONLY")
_TOP = ("connection_name", "connection", "objects")
_TABLE = ("source_table", "destination_catalog", "destination_schema", "destination_table", "table_configuration")
#: Keys of table_configuration that say how to write; the others are options of the source.
_WRITING = ("scd_type", "primary_keys", "sequence_by", "cluster_by", "track_history_column_list")


@dataclass(frozen=True)
class Target:
    """One object of the spec: what is read, how it is written, and where to."""

    source: str
    parts: tuple[str, ...]
    kind: Kind
    history: bool
    deletes: bool
    keys: tuple[str, ...]
    sequence_by: str | None
    cluster_by: tuple[str, ...]
    track_history: tuple[str, ...]
    options: dict[str, str]

    @property
    def name(self) -> str:
        """The destination as SQL names it."""
        return ".".join(f"`{part}`" for part in self.parts) if len(self.parts) > 1 else self.parts[0]

    @property
    def label(self) -> str:
        """The destination as part of the names of views and folders."""
        return re.sub(r"\W", "_", "_".join(self.parts))

    def beside(self, suffix: str) -> str:
        """The name of a table next to the destination."""
        parts = (*self.parts[:-1], f"{self.parts[-1]}__{suffix}")
        return ".".join(f"`{part}`" for part in parts) if len(parts) > 1 else parts[0]


@dataclass(frozen=True)
class Spec:
    """A whole pipeline. ``connection`` holds what stands in the spec; it is never shown."""

    connection_name: str
    targets: tuple[Target, ...]
    connection: dict[str, str] = field(default_factory=dict, repr=False)


def parse(document: Any) -> Spec:
    """Checks a spec. Raises :class:`ConfigurationError`: the key, the value, and what is allowed."""
    if not isinstance(document, Mapping):
        _refuse("pipeline spec: a mapping with connection_name and objects is expected")
    _known("pipeline spec", document, _TOP)
    name = document.get("connection_name", "")
    if not isinstance(name, str) or not name.strip():
        _refuse(f"connection_name: {name!r} is not a name")
    objects = document.get("objects")
    if not isinstance(objects, list) or not objects:
        _refuse("objects: a list with at least one `table` entry is expected")
    targets = tuple(_target(f"objects[{index}]", entry) for index, entry in enumerate(objects))
    seen: set[str] = set()
    for target in targets:
        if target.label.lower() in seen:
            _refuse(f"destination {target.name}: two objects write it; give one of them another destination_table")
        seen.add(target.label.lower())
    connection = document.get("connection") or {}
    if not isinstance(connection, Mapping):
        _refuse("connection: a mapping of connection options is expected")
    return Spec(name, targets, as_options(connection))


def _target(where: str, entry: Any) -> Target:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("table"), Mapping):
        _refuse(f"{where}: a mapping with `table` is expected")
    _known(where, entry, ("table",))
    where, table = f"{where}.table", entry["table"]
    _known(where, table, _TABLE)
    info = _info(where, table.get("source_table"))
    given = table.get("table_configuration") or {}
    where = f"{where}.table_configuration"
    if not isinstance(given, Mapping):
        _refuse(f"{where}: a mapping of options is expected")
    configuration = {str(key).lower(): value for key, value in given.items()}
    scd_type = _scd_type(where, configuration.get("scd_type"))
    kind = _kind(where, info, scd_type)
    keys = _columns(where, "primary_keys", configuration) or tuple(info["primary_keys"])
    sequence = _columns(where, "sequence_by", configuration)
    if len(sequence) > 1:
        _refuse(f"{where}.sequence_by: {', '.join(sequence)} are several columns; name one")
    sequence_by = sequence[0] if sequence else info["cursor_field"]
    if kind == "changes" and sequence_by is None:
        _refuse(f"{where}.sequence_by is missing: {info['name']} has no cursor of its own")
    return Target(
        source=info["name"],
        parts=_parts(table, info["name"]),
        kind=kind,
        history=scd_type == "SCD_TYPE_2",
        deletes=kind == "changes" and info["ingestion_type"] == "cdc_with_deletes",
        keys=keys,
        sequence_by=sequence_by,
        cluster_by=_columns(where, "cluster_by", configuration),
        track_history=_columns(where, "track_history_column_list", configuration),
        options=as_options({key: value for key, value in configuration.items() if key not in _WRITING}),
    )


def _kind(where: str, info: _core.TableInfo, scd_type: str | None) -> Kind:
    own = info["ingestion_type"]
    if scd_type == "APPEND_ONLY":
        if own == "snapshot":
            _refuse(
                f"{where}.scd_type: APPEND_ONLY needs a table with changes, and {info['name']} is a snapshot; use "
                "SCD_TYPE_1, or SCD_TYPE_2 to keep its history"
            )
        return "append"
    if own == "snapshot":
        return "snapshot"
    return "append" if own == "append" and scd_type is None else "changes"


def _info(where: str, name: Any) -> _core.TableInfo:
    tables = {info["name"]: info for info in _core.tables()}
    if name not in tables:
        _refuse(f"{where}.source_table: there is no table {name!r}{_nearest(str(name), tables)}")
    return tables[name]


def _parts(table: Mapping[str, Any], source: str) -> tuple[str, ...]:
    catalog, schema = table.get("destination_catalog"), table.get("destination_schema")
    name = str(table.get("destination_table") or source)
    parts = tuple(str(part) for part in ((catalog, schema, name) if schema else (name,)) if part)
    for part in parts:
        if "`" in part or not part.strip():
            _refuse(f"destination {part!r}: it cannot be the name of a table")
    return parts


def _scd_type(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if str(value).upper() not in SCD_TYPES:
        _refuse(f"{where}.scd_type: {value!r} is not one of {', '.join(SCD_TYPES)}")
    return str(value).upper()


def _columns(where: str, key: str, configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """Column names, as a list, a JSON list or separated by commas: configurations hold text."""
    value = configuration.get(key)
    if value is None:
        return ()
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            _refuse(f"{where}.{key}: {value!r} is not a list of column names")
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    columns = tuple(str(part).strip() for part in parts)
    if not columns or not all(columns) or any("`" in column for column in columns):
        _refuse(f"{where}.{key}: {value!r} is not a list of column names")
    return columns


def _known(where: str, mapping: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for key in mapping:
        if key not in known:
            _refuse(f"{where}.{key}: there is no such key{_nearest(str(key), known)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    choices = list(known)
    near = get_close_matches(word.lower(), choices, 1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(choices)}"


def _refuse(message: str) -> NoReturn:
    raise _core.ConfigurationError(message)
