"""The pipeline spec as Spark takes it: the framework's keys, checked before anything is declared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lakeflow_teams.options import as_options
from lakeflow_teams.spec.document import DEFAULT_CATALOG, DEFAULT_SCHEMA, LOCAL, Entry, entries, one_each, refuse
from lakeflow_teams.spec.writing import Way, keeps_history, needs_sequence, way_of

#: Keys of table_configuration that say how to write; the others are options of the source.
_WRITING = ("scd_type", "primary_keys", "sequence_by", "cluster_by", "track_history_column_list", *LOCAL)


@dataclass(frozen=True)
class Target:
    """One object of the spec: what is read, how it is written, and where to."""

    source: str
    parts: tuple[str, ...]
    way: Way
    deletes: bool
    keys: tuple[str, ...]
    sequence_by: str | None
    cluster_by: tuple[str, ...]
    track_history: tuple[str, ...]
    options: dict[str, str]
    #: The key of the message whose items the rows are, where a version of it replaces all of them.
    sets: tuple[str, ...] = ()

    @property
    def history(self) -> bool:
        """Whether every version of a row is kept."""
        return keeps_history(self.way)

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


def parse(document: Any, destinations: Mapping[str, str] | None = None) -> Spec:
    """Checks a spec. Raises :class:`ConfigurationError`: the key, the value, and what is allowed.

    ``destinations`` are the catalogs and schemas to write to instead of the spec's, ``catalog.schema`` each.
    """
    targets = tuple(_target(entry, destinations or {}) for entry in entries(document))
    # Views and folders are named by the label, and two destinations may differ in less than it keeps.
    one_each((target.name, target.label) for target in targets)
    name = document.get("connection_name", "")
    if not isinstance(name, str) or not name.strip():
        refuse(f"connection_name: {name!r} is not a name")
    connection = document.get("connection") or {}
    if not isinstance(connection, Mapping):
        refuse("connection: a mapping of connection options is expected")
    return Spec(name, targets, as_options(connection))


def _target(entry: Entry, destinations: Mapping[str, str]) -> Target:
    source, scd_type = entry.source, entry.scd_type()
    way = way_of(source["ingestion_type"], scd_type)
    if way is None:
        entry.refuse(
            "scd_type",
            f"APPEND_ONLY needs a table with changes, and {source['name']} is a snapshot; use SCD_TYPE_1, or SCD_TYPE_2 to "
            "keep its history",
        )
    sequence_by = entry.sequence_by() or source["cursor_field"]
    if needs_sequence(way) and sequence_by is None:
        entry.refuse("sequence_by", f"it is missing, and {source['name']} has no cursor of its own")
    is_own = "primary_keys" not in entry.configuration and "sequence_by" not in entry.configuration
    return Target(
        sets=tuple(source["set_keys"] or ()) if is_own else (),
        source=source["name"],
        parts=_parts(entry.table, source["name"], destinations),
        way=way,
        deletes=needs_sequence(way) and source["ingestion_type"] == "cdc_with_deletes",
        keys=entry.columns("primary_keys") or tuple(source["primary_keys"]),
        sequence_by=sequence_by,
        cluster_by=entry.columns("cluster_by"),
        track_history=entry.columns("track_history_column_list"),
        options=as_options({key: value for key, value in entry.configuration.items() if key not in _WRITING}),
    )


def _parts(table: Mapping[str, Any], source: str, destinations: Mapping[str, str]) -> tuple[str, ...]:
    catalog, schema = table.get("destination_catalog"), table.get("destination_schema")
    if destinations:
        catalog, schema = _elsewhere(table, destinations)
    name = str(table.get("destination_table") or source)
    parts = tuple(str(part) for part in ((catalog, schema, name) if schema else (name,)) if part)
    for part in parts:
        if "`" in part or not part.strip():
            refuse(f"destination {part!r}: it cannot be the name of a table")
    return parts


def _elsewhere(table: Mapping[str, Any], destinations: Mapping[str, str]) -> tuple[str, str]:
    key = f"{table.get('destination_catalog') or DEFAULT_CATALOG}.{table.get('destination_schema') or DEFAULT_SCHEMA}"
    catalog, dot, schema = destinations.get(key, "").partition(".")
    if key not in destinations:
        known = ", ".join(destinations)
        refuse(f"destination {key}: it is not among the destinations of this environment, which are {known}; add it there")
    if not (catalog and dot and schema):
        refuse(f"destinations: {key} is to be written to {destinations[key]!r}, which is not catalog.schema")
    return catalog, schema
