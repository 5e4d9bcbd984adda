"""The two doors for Spark: one source, two format names."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceStreamReader
from pyspark.sql.types import StructType

from lakeflow_teams import _core
from lakeflow_teams.operations import OPERATION, Operation, connection_options, find, is_operation
from lakeflow_teams.options import as_options, show
from lakeflow_teams.spark.batch import TeamsBatchReader
from lakeflow_teams.spark.operations import OperationReader, operation_schema
from lakeflow_teams.spark.options import ReadOptions
from lakeflow_teams.spark.projection import table_schema
from lakeflow_teams.spark.stream import TeamsStreamReader
from lakeflow_teams.spark.virtual import VirtualReader, is_virtual, virtual_schema


class TeamsDataSource(DataSource):
    """``format("microsoft_teams")``: the table named by ``tableName``, in batch and as a stream.

    With ``operation`` it answers one of the community framework's agent operations instead
    (:mod:`lakeflow_teams.operations`); ``read_table`` is what happens without.

    Connection and table options share one map, in any case; unknown names are a warning in the log. Holds text
    only, so that it travels to executors; connections are made there when they are first needed.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(as_options(options))

    @classmethod
    def name(cls) -> str:
        """The format name."""
        return "microsoft_teams"

    def schema(self) -> StructType:
        """The table's schema: the one its Arrow batches have, to the letter. Sends no request."""
        question = self._question()
        if question is not None:
            return operation_schema(question)
        options = self._read_options()
        return virtual_schema(options.table) if is_virtual(options.table) else table_schema(options)

    def reader(self, schema: StructType) -> DataSourceReader:
        """A whole table; only the columns of ``schema`` are decoded."""
        question = self._question()
        if question is not None:
            return OperationReader(question, self.options, schema)
        options = self._read_options()
        if is_virtual(options.table):
            return VirtualReader(options.table, options.values, schema)
        return TeamsBatchReader(options, schema)

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802
        """A table's changes; with ``isDeleteFlow`` its deleted keys."""
        question = self._question()
        if question is not None:
            raise _core.ConfigurationError(f"operation {question.name} can't be streamed; use spark.read")
        options = self._read_options()
        if is_virtual(options.table):
            raise _core.ConfigurationError(f"virtual table {options.table} can't be streamed; use spark.read")
        return TeamsStreamReader(options, schema)

    def _question(self) -> Operation | None:
        """The operation that was asked for, where its answer is not a table."""
        name = self.options.get(OPERATION, "").strip()
        operation = find(name) if name else None
        return operation if operation is not None and operation.kind == "metadata" else None

    def _read_options(self) -> ReadOptions:
        return ReadOptions.parse(connection_options(self.options) if is_operation(self.options) else self.options)

    def __repr__(self) -> str:
        return show(type(self).__name__, self.options)


class MicrosoftTeamsDataSource(TeamsDataSource):
    """The same under ``lakeflow_connect``, the format that Unity Catalog adds a connection's options to."""

    @classmethod
    def name(cls) -> str:
        """The format name."""
        return "lakeflow_connect"
