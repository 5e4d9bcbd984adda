"""The agent operations as a Spark source: ``option("operation", NAME)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StringType, StructField, StructType

from lakeflow_teams.operations import Operation

_META = StructType(
    [
        StructField("status", StringType(), nullable=False),
        StructField("code", StringType()),
        StructField("message", StringType()),
    ]
)


def operation_schema(operation: Operation) -> StructType:
    """The operation's columns and ``_meta``, all nullable: the row of an error has nothing but the latter."""
    columns = [StructField(name, StringType()) for name in operation.columns]
    return StructType([*columns, StructField("_meta", _META)])


class OperationReader(DataSourceReader):
    """Asks one operation, in one task."""

    def __init__(self, operation: Operation, options: Mapping[str, str], schema: StructType) -> None:
        self._name = operation.name
        self._options = dict(options)
        self._columns = schema.names

    def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:  # noqa: ARG002
        """The rows, as tuples."""
        from lakeflow_teams.operations import find

        for row in find(self._name).rows(self._options):
            yield tuple(self._value(row.get(name)) for name in self._columns)

    @staticmethod
    def _value(value: Any) -> Any:
        return (value["status"], value["code"], value["message"]) if isinstance(value, dict) else value
