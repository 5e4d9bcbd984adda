"""``spark.read``: a whole table, divided by team."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from lakeflow_teams import _core
from lakeflow_teams.spark.connection import client, warn, warn_of_secret
from lakeflow_teams.spark.options import ReadOptions
from lakeflow_teams.spark.partition import Share, shares
from lakeflow_teams.spark.projection import arrow_batches, columns_of, served


class TeamsBatchReader(DataSourceReader):
    """Reads a table once: each key once, in its newest version. Tables that are one list are one task."""

    def __init__(self, options: ReadOptions, schema: StructType) -> None:
        if options.deletes:
            raise _core.ConfigurationError(
                f"option isDeleteFlow: the deletes of {options.table} come with spark.readStream, after the rows they delete"
            )
        self._options = options = served(options, schema)
        self._columns = columns_of(options, schema)
        warn(options.values)

    def partitions(self) -> Sequence[InputPartition]:
        """Groups of scopes; one task for what can't be divided."""
        options = self._options
        scopes = client(options.values).scopes(options.table, options.values)
        return shares(scopes, options) or [Share(None, 1)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """One task's rows, decoded straight into Arrow."""
        assert isinstance(partition, Share)  # noqa: S101
        options = self._options
        warn_of_secret(options.values)
        source = client(options.values, partition.readers)
        scopes = None if partition.texts is None else list(partition.texts)
        yield from arrow_batches(source.read(options.table, options.values, self._columns, scopes))
