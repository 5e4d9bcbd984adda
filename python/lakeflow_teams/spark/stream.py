"""``spark.readStream``: rounds of changes, in micro-batches whose end is fixed before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.types import StructType

from lakeflow_teams import _core
from lakeflow_teams.options import whole_number
from lakeflow_teams.planner import SCOPES_PER_BATCH, Offset, Planner
from lakeflow_teams.spark.connection import client, warn, warn_of_secret
from lakeflow_teams.spark.options import ReadOptions
from lakeflow_teams.spark.partition import Share, shares
from lakeflow_teams.spark.projection import arrow_batches, columns_of, served, widened

if TYPE_CHECKING:
    from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow

    HAS_AVAILABLE_NOW = True
else:
    try:
        from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow

        HAS_AVAILABLE_NOW = True
    except ImportError:  # before Spark 4.2 an AvailableNow run is one micro-batch
        SupportsTriggerAvailableNow = object
        HAS_AVAILABLE_NOW = False


class TeamsStreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads changes. A micro-batch is a stretch of whole scopes and can be read again: same rows, or later versions."""

    def __init__(self, options: ReadOptions, schema: StructType) -> None:
        _must_stream(options)
        self._options = options = served(options, schema)
        self._columns = columns_of(options, schema)
        #: Before Spark 4.2 the engine does not say where a micro-batch starts, but it always names the last end.
        self._last: Offset = {}
        self._planner = self._new_planner()

    def initialOffset(self) -> Offset:  # noqa: N802
        """Nothing has been read."""
        return {}

    def latestOffset(self, start: Offset | None = None, limit: Any = None) -> Offset:  # noqa: ARG002, N802
        """Where the next micro-batch ends; equal to ``start`` when there is nothing to do for now.

        How much goes into one is the option ``windows_per_batch``, not the engine's limit.
        """
        warn(self._options.values)
        return self._planner.latest(self._last if start is None else start)

    def partitions(self, start: Offset, end: Offset) -> Sequence[InputPartition]:
        """The tasks of a micro-batch, also of one that another process planned before it died."""
        self._last = end
        return shares(self._planner.partitions(start, end), self._options)

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """One task's rows, or deleted keys where ``isDeleteFlow`` is set."""
        assert isinstance(partition, Share)  # noqa: S101
        options = self._options
        warn_of_secret(options.values)
        source = client(options.values, partition.readers)
        for text in partition.texts or ():
            if options.deletes:
                schema = pa.schema(source.schema(options.table, options.values, self._columns))
                yield from widened(source.read_partition(options.table, options.values, text, deletes=True), schema)
            else:
                yield from arrow_batches(source.read_partition(options.table, options.values, text, self._columns))

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802
        """The run ends with the round that it begins, however long that takes."""
        self._planner.pin()

    def _new_planner(self) -> Planner:
        options = self._options
        scopes = whole_number(options.values, "windows_per_batch")
        if scopes is None and HAS_AVAILABLE_NOW:
            scopes = SCOPES_PER_BATCH
        return Planner(options.table, options.values, lambda: client(options.values), scopes)

    def __getstate__(self) -> dict[str, Any]:
        return {"_options": self._options, "_columns": self._columns}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._last = {}
        self._planner = self._new_planner()


def _must_stream(options: ReadOptions) -> None:
    info = options.info()
    if info is None:
        return
    kind = info["ingestion_type"]
    if kind == "snapshot":
        raise _core.ConfigurationError(
            f"table {options.table} is a snapshot, which is read whole and has no changes to stream; use spark.read"
        )
    if options.deletes and kind != "cdc_with_deletes":
        raise _core.ConfigurationError(
            f"option isDeleteFlow: table {options.table} is read as {kind} and reports no deletes; leave it out"
        )
