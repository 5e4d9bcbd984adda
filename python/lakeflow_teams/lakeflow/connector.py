"""The connector interface of Databricks Lakeflow (``LakeflowConnect``)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.lakeflow.framework import Interfaces, agent_operations
from lakeflow_teams.operations import connection_options, is_operation
from lakeflow_teams.options import Options, as_options, show, whole_number
from lakeflow_teams.planner import Offset, Planner, offset_text

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

Row = dict[str, Any]

#: Rows held at a time while a whole table is read.
ROWS_PER_STEP = 20_000
#: Options about micro-batches; reading everything at once has none.
BATCH_LIMITS = ("max_pages_per_batch", "max_records_per_batch")
#: Pages of one micro-batch of a stream where no option says otherwise.
PAGES_PER_BATCH = 100

_log = logging.getLogger(__name__)


class MicrosoftTeamsLakeflowConnect(Interfaces):
    """Microsoft Teams for Lakeflow: tables, their schemas, and their rows as dicts.

    Where Databricks' community framework is installed, this is a ``LakeflowConnect`` with ``SupportsPartitionedStream``;
    where it is not, the class stands alone. A framework that knows agent operations is given ours.

    ``options`` is the connection's map as Spark hands it over: names in any case, table options and the framework's
    own keys mixed in. An unknown name is a warning here, not an error. Everything but :meth:`get_table_schema` works
    without pyspark. Instances pickle as their options, because Spark sends them to its workers.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._options = Options(connection_options(options)) if is_operation(options) else as_options(options)
        self._client: _core.Client | None = None
        self._planners: dict[str, Planner] = {}
        for warning in self._connection().warnings:
            _log.warning("%s", warning)

    def list_tables(self) -> list[str]:
        """The names of all tables."""
        return [info["name"] for info in _core.tables()]

    def get_table_schema(self, table_name: str, table_options: Mapping[str, str]) -> StructType:
        """The table's schema as a Spark ``StructType``."""
        types = need("pyspark.sql.types", "spark", "get_table_schema")
        schema = self._connection().schema(table_name, self._merged(table_options))
        struct: StructType = types.StructType.fromJson(schema.to_dict())
        return struct

    def read_table_metadata(self, table_name: str, table_options: Mapping[str, str]) -> dict[str, Any]:
        """``primary_keys`` (list), ``ingestion_type`` and, but for snapshots, ``cursor_field``."""
        info = self._info(table_name, table_options)
        metadata: dict[str, Any] = {
            "primary_keys": list(info["primary_keys"]),
            "ingestion_type": info["ingestion_type"],
        }
        if info["cursor_field"] is not None:
            metadata["cursor_field"] = info["cursor_field"]
        return metadata

    def read_table(
        self, table_name: str, start_offset: Offset | None, table_options: Mapping[str, str]
    ) -> tuple[Iterator[Row], Offset]:
        """Rows as dicts, and the offset to go on from.

        With ``start_offset=None``, and for snapshots, the iterator reads the whole table while it is consumed. The
        offset is empty at first and is filled in place when the iterator is exhausted: kept early it means "from the
        beginning", kept afterwards it is exact. Snapshots always have an empty one. With a dict (``{}`` to begin)
        exactly one micro-batch is read, of at most ``max_pages_per_batch`` pages and ``max_records_per_batch`` rows;
        an equal offset with no rows means that there is nothing more for now.
        """
        info = self._info(table_name, table_options)
        options = self._merged(table_options)
        if info["ingestion_type"] == "snapshot":
            return _rows(self._connection().read(table_name, options)), {}
        if start_offset is None:
            return self._everything(table_name, options, deletes=False)
        return self._one_batch(table_name, start_offset, options, deletes=False)

    def read_table_deletes(
        self, table_name: str, start_offset: Offset | None, table_options: Mapping[str, str]
    ) -> tuple[Iterator[Row], Offset]:
        """Keys and cursor of deleted rows, for tables of type ``cdc_with_deletes``; offsets as in :meth:`read_table`."""
        info = self._info(table_name, table_options)
        if info["ingestion_type"] != "cdc_with_deletes":
            raise _core.ConfigurationError(
                f"table {table_name} is read as {info['ingestion_type']} and reports no deletes; use read_table"
            )
        options = self._merged(table_options)
        if start_offset is None:
            return self._everything(table_name, options, deletes=True)
        return self._one_batch(table_name, start_offset, options, deletes=True)

    def is_partitioned(self, table_name: str) -> bool:
        """Whether the framework streams a table in partitions.

        Tables with deletes say no, because the framework reads deletes in one piece only.
        """
        return self._info(table_name, {})["ingestion_type"] == "cdc"

    def latest_offset(self, table_name: str, table_options: Mapping[str, str], start_offset: Offset | None = None) -> Offset:
        """Where a micro-batch that begins at ``start_offset`` ends, fixed before any row is read.

        It is a stretch of ``windows_per_batch`` whole scopes (teams or users), or all that is left of the round. An equal
        offset means that there is nothing to do for now.
        """
        return self._planner(table_name, table_options).latest(start_offset)

    def get_partitions(
        self,
        table_name: str,
        table_options: Mapping[str, str],
        start_offset: Offset | None = None,
        end_offset: Offset | None = None,
    ) -> list[dict[str, str]]:
        """What can be read side by side: a whole table without ``end_offset``, else what changed between two offsets."""
        if end_offset is None:
            options = self._merged(table_options)
            scopes = self._connection().scopes(table_name, options)
            return [{"scope": scope} for scope in scopes] or [{}]
        return [
            {"partition": text} for text in self._planner(table_name, table_options).partitions(start_offset, end_offset)
        ]

    def read_partition(
        self, table_name: str, partition: Mapping[str, str], table_options: Mapping[str, str]
    ) -> Iterator[Row]:
        """The rows of one partition, as dicts. Can be read anywhere and again: the same rows, or later versions."""
        options = self._merged(table_options)
        if "partition" in partition:
            return _rows(self._connection().read_partition(table_name, options, partition["partition"]))
        scopes = [partition["scope"]] if "scope" in partition else None
        return _rows(self._connection().read(table_name, options, scopes=scopes))

    def agent_operations(self) -> Mapping[str, Any]:
        """The framework's agent operations by name, with our answers. Needs the framework."""
        return agent_operations()

    def _planner(self, table: str, table_options: Mapping[str, str]) -> Planner:
        options = self._merged(table_options)
        key = json.dumps([table, options], sort_keys=True)
        if key not in self._planners:
            self._planners[key] = Planner(table, options, self._connection, whole_number(options, "windows_per_batch"))
        return self._planners[key]

    def _everything(self, table: str, options: dict[str, str], *, deletes: bool) -> tuple[Iterator[Row], Offset]:
        final: Offset = {}
        whole = {name: value for name, value in options.items() if name not in BATCH_LIMITS}

        def rows() -> Iterator[Row]:
            text: str | None = None
            while True:
                step = self._connection().micro_batch([table], whole, text, max_rows=ROWS_PER_STEP)
                yield from _rows((step.deletes if deletes else step.tables).get(table, []))
                stuck, text = step.offset == text, step.offset
                if step.finished or stuck:
                    break
            final.update(json.loads(text))

        return rows(), final

    def _one_batch(
        self, table: str, start: Offset, options: dict[str, str], *, deletes: bool
    ) -> tuple[Iterator[Row], Offset]:
        step = self._connection().micro_batch([table], options, offset_text(start), max_pages=PAGES_PER_BATCH)
        found = list(_rows((step.deletes if deletes else step.tables).get(table, [])))
        return iter(found), json.loads(step.offset)

    def _connection(self) -> _core.Client:
        if self._client is None:
            self._client = _core.Client(self._options, strict=False)
        return self._client

    def _info(self, table: str, options: Mapping[str, str]) -> _core.TableInfo:
        for info in _core.tables():
            if info["name"] == table:
                return info
        self._connection().schema(table, self._merged(options))  # the core's error names the nearest table
        raise _core.ConfigurationError(f"unknown table {table!r}; there are {', '.join(self.list_tables())}")

    def _merged(self, table_options: Mapping[str, str]) -> dict[str, str]:
        return Options({**self._options, **as_options(table_options)})

    def __repr__(self) -> str:
        return show("MicrosoftTeamsLakeflowConnect", self._options)

    def __getstate__(self) -> dict[str, Any]:
        return {"_options": self._options, "_client": None, "_planners": {}}


def _rows(batches: Iterable[_core.Batch]) -> Iterator[Row]:
    for batch in batches:
        yield from batch.to_pylist()
