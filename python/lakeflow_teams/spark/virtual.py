"""The community framework's virtual tables: what there is to read, as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from lakeflow_teams import _core

METADATA = "_community_table_metadata"
TABLES = "_community_tables"
NAMESPACES = "_community_namespaces"
#: What the framework called the first one before.
OLD_METADATA = "_lakeflow_metadata"

_NAMESPACE = StructField("namespace", ArrayType(StringType()), nullable=False)
_TABLE_NAME = StructField("tableName", StringType(), nullable=False)
_METADATA_SCHEMA = StructType(
    [
        _TABLE_NAME,
        StructField("primary_keys", ArrayType(StringType())),
        StructField("cursor_field", StringType()),
        StructField("ingestion_type", StringType()),
    ]
)
_SCHEMAS = {
    METADATA: _METADATA_SCHEMA,
    OLD_METADATA: _METADATA_SCHEMA,
    TABLES: StructType([_NAMESPACE, _TABLE_NAME]),
    NAMESPACES: StructType([_NAMESPACE]),
}


def is_virtual(table: str) -> bool:
    """Whether the framework owns this name. A mistyped one is refused here, and not taken for a table."""
    if table.startswith("_community_") and table not in _SCHEMAS:
        raise _core.ConfigurationError(f"there is no virtual table {table}; there are {METADATA}, {TABLES} and {NAMESPACES}")
    return table in _SCHEMAS


def virtual_schema(table: str) -> StructType:
    """The framework's columns."""
    return _SCHEMAS[table]


class VirtualReader(DataSourceReader):
    """Reads a virtual table. Sends no request."""

    def __init__(self, table: str, options: Mapping[str, str], schema: StructType) -> None:
        self._table = table
        self._options = dict(options)
        self._columns = [field.name for field in schema.fields]
        unknown = [name for name in self._columns if name not in _SCHEMAS[table].names]
        if unknown:
            raise _core.ConfigurationError(f"schema: virtual table {table} has no column {', '.join(unknown)}")

    def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:  # noqa: ARG002
        """The rows, as tuples."""
        for row in self._rows():
            yield tuple(row[name] for name in self._columns)

    def _rows(self) -> Iterator[dict[str, Any]]:
        if self._table == NAMESPACES:
            return
        if self._table == TABLES:
            if "namespace" in self._options:
                raise _core.ConfigurationError("option namespace: the tables of Teams lie in no namespace; leave it out")
            for name in sorted(info["name"] for info in _core.tables()):
                yield {"namespace": [], "tableName": name}
            return
        known = {info["name"]: info for info in _core.tables()}
        for name in self._names(list(known)):
            if name not in known:
                raise _core.ConfigurationError(
                    f"option tableNameList: there is no table {name}; there are {', '.join(known)}"
                )
            info = known[name]
            yield {
                "tableName": name,
                "primary_keys": list(info["primary_keys"]),
                "cursor_field": info["cursor_field"],
                "ingestion_type": info["ingestion_type"],
            }

    def _names(self, default: list[str]) -> list[str]:
        text = self._options.get("tablenamelist")
        _object(self._options.get("tableconfigs"))
        if text is None:
            return default
        if text.lstrip().startswith("["):
            names = _json("tableNameList", text)
            if not all(isinstance(name, str) for name in names):
                raise _core.ConfigurationError(f"option tableNameList: {text!r} is not a list of table names")
            return list(names)
        return [name.strip() for name in text.split(",") if name.strip()]


def _object(text: str | None) -> None:
    """Metadata does not depend on a table's options, but what is no JSON object is a mistake worth hearing of."""
    if text is not None and not isinstance(_json("tableConfigs", text), dict):
        raise _core.ConfigurationError("option tableConfigs: a JSON object of options by table is expected")


def _json(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _core.ConfigurationError(f"option {option}: it is not JSON") from None
