"""The columns of a read: the table's own schema, or the part of it that a user declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pyspark.sql.types import DataType, StructField, StructType

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.spark.connection import client
from lakeflow_teams.spark.options import ReadOptions

TIMESTAMPS = "timestamps"


def table_schema(options: ReadOptions) -> StructType:
    """The table's schema as Spark sees it. Sends no request."""
    schema = client(options.values).schema(options.table, options.values)
    struct: StructType = StructType.fromJson(schema.to_dict())
    return struct


def served(options: ReadOptions, asked: StructType) -> ReadOptions:
    """The options with which times come as the declared schema has them, where it is one that can be served."""
    if TIMESTAMPS in options.values:
        return options
    times = replace(options, values={**options.values, TIMESTAMPS: "timestamp"})
    known = {field.name: bare(field.dataType) for field in table_schema(times).fields}
    own = {field.name: bare(field.dataType) for field in table_schema(options).fields}
    as_times = [known.get(field.name) == bare(field.dataType) for field in asked.fields]
    differ = any(own.get(field.name) != bare(field.dataType) for field in asked.fields)
    return times if differ and all(as_times) else options


def columns_of(options: ReadOptions, asked: StructType) -> list[str] | None:
    """The columns to decode, or ``None`` for all. What a user declares must be columns of the table, of the same type."""
    whole = table_schema(options)
    if asked == whole:
        return None
    known = {field.name: field for field in whole.fields}
    for field in asked.fields:
        _check(options.table, field, known)
    return [field.name for field in asked.fields]


def bare(kind: DataType) -> Any:
    """A type without the comments of its fields, which those who declare a schema leave out."""
    return _bare(kind.jsonValue())


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if key != "metadata"}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _check(table: str, field: StructField, known: dict[str, StructField]) -> None:
    own = known.get(field.name)
    if own is None:
        hint = did_you_mean(field.name, known, otherwise=f"; its columns are {', '.join(known)}")
        raise _core.ConfigurationError(f"schema: table {table} has no column {field.name}{hint}")
    if bare(field.dataType) != bare(own.dataType):
        raise _core.ConfigurationError(
            f"schema: column {field.name} of {table} is {own.dataType.simpleString()}, not {field.dataType.simpleString()}; "
            "declare it as it is and cast afterwards; times are all strings, or all timestamps"
        )
    if not field.nullable:
        raise _core.ConfigurationError(f"schema: column {field.name} of {table} can be null; declare it without NOT NULL")


def arrow_batches(batches: Iterable[_core.Batch]) -> Iterator[pa.RecordBatch]:
    """The core's batches as pyarrow's, in the same memory: Spark takes no other class."""
    for batch in batches:
        yield pa.record_batch(batch)


def widened(batches: Iterable[_core.Batch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Deleted keys as rows of the whole table, where all other columns are null."""
    for batch in arrow_batches(batches):
        present = set(batch.schema.names)
        arrays = [
            batch.column(field.name) if field.name in present else pa.nulls(batch.num_rows, field.type) for field in schema
        ]
        yield pa.record_batch(arrays, schema=schema)
