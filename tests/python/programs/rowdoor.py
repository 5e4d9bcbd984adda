"""The other way into Spark, to measure against: dicts from ``read_partition``, made into rows one by one."""

from __future__ import annotations

import json

from pyspark.sql import Row
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import ArrayType, StructType

from lakeflow_teams import MicrosoftTeamsLakeflowConnect


class RowDoor(DataSource):
    """``format("row_door")``."""

    def __init__(self, options):
        super().__init__(dict(options))
        self.connector = MicrosoftTeamsLakeflowConnect(self.options)

    @classmethod
    def name(cls):
        return "row_door"

    def schema(self):
        return self.connector.get_table_schema(self.options["tablename"], self.options)

    def reader(self, schema):
        return RowReader(self.connector, self.options, schema)


class RowReader(DataSourceReader):
    def __init__(self, connector, options, schema):
        self.connector, self.options, self.schema = connector, options, schema

    def partitions(self):
        found = self.connector.get_partitions(self.options["tablename"], self.options)
        return [InputPartition(json.dumps(partition)) for partition in found]

    def read(self, partition):
        for record in self.connector.read_partition(self.options["tablename"], json.loads(partition.value), self.options):
            yield value(record, self.schema)


def value(given, kind):
    """A plain value as Spark's type wants it."""
    if given is None:
        return None
    if isinstance(kind, StructType):
        return Row(**{field.name: value(given.get(field.name), field.dataType) for field in kind.fields})
    if isinstance(kind, ArrayType):
        return [value(item, kind.elementType) for item in given]
    return given
