"""Change notifications on Spark: values of Kafka or Event Hubs to rows, Arrow in and Arrow out.

::

    values = spark.readStream.format("kafka").options(**hub).load()
    decoded = decode_notifications(values, tables=["messages", "chat_messages"], certificate="/Volumes/ops/teams/keys")

    def merge(batch, _):
        batch.persist()
        rows = notification_rows(batch, "messages")
        ...                                            # newest row of each key, then MERGE: docs/spark-notifications.md
        notification_problems(batch).write.mode("append").saveAsTable("teams.push_problems")

    decoded.writeStream.foreachBatch(merge).option("checkpointLocation", place).start()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.functions import col
from pyspark.sql.types import StringType, StructField, StructType

from lakeflow_teams import _core
from lakeflow_teams.listen.decoding import Certificates, DecoderSpec, Tables

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from lakeflow_teams.options.typed import TableOptions

#: What is told of an item that became no row.
_PROBLEM = {
    "_problem": "outcome",
    "_lifecycle_event": "lifecycle_event",
    "_notification": "notification",
}
#: Columns that rows and problems share, by their names in the core's batch of items.
_SHARED = {
    "_change_type": "change_type",
    "_arrived_at": "arrived_at",
    "_subscription_id": "subscription_id",
    "_resource": "resource",
}


def decode_notifications(
    df: DataFrame,
    tables: Tables,
    *,
    certificate: Certificates,
    certificate_password: str | None = None,
    client_states: Sequence[str] | None = None,
    value: str = "value",
    timestamp: str = "timestamp",
    **options: Unpack[TableOptions],
) -> DataFrame:
    """Verifies, decrypts and decodes notifications; batch and stream alike.

    ``df`` has a column of values (binary or text: each what Graph sent to the hub) and, if it has it, one of timestamps;
    Kafka's source names them so. ``certificate``: paths are read on the executors, bytes travel there with the task.
    ``options`` are those of reading, and the rows have the schemas that reading gives with them.

    The result has a row per row of a table, and per item that became none: ``_table``, the columns of
    :meth:`lakeflow_teams._core.Notifications.changes`, and a struct for each table, of which :func:`notification_rows`
    takes one. Items that became no row have no ``_table`` but ``_problem`` (a name of ``Notifications.counts``, such as
    ``oversized``: its content lies in a storage account, and has to be polled), and ``_notification`` as it came:
    :func:`notification_problems`. The test item of Event Hubs, older versions within an Arrow batch, and what the
    options do not ask for, are left out. Raises :class:`ConfigurationError` for what can be known before anything runs.
    """
    spec = DecoderSpec.of(
        tables, certificate, password=certificate_password, client_states=client_states, options=dict(options)
    )
    keyless = DecoderSpec(spec.tables, ()).make()
    schema = _schema(spec, keyless)
    columns = [value, *([timestamp] if timestamp in df.columns else [])]
    return df.select(*columns).mapInArrow(_Decode(spec, value, timestamp), schema)


def notification_rows(decoded: DataFrame, table: str) -> DataFrame:
    """The rows of one table; behind its columns what is told of each (``_change_type``, ``_version``, ``_carried``, ...)."""
    told = _core.NotificationDecoder.changes_schema().names
    return decoded.where(col("_table") == table).select(f"`{table}`.*", *told)


def notification_problems(decoded: DataFrame) -> DataFrame:
    """The items that became no row, each with its ``_problem``."""
    return decoded.where(col("_table").isNull()).select(*_PROBLEM, *_SHARED)


def _schema(spec: DecoderSpec, decoder: _core.NotificationDecoder) -> StructType:
    told = StructType.fromJson(_core.NotificationDecoder.changes_schema().to_dict())
    problem = [StructField(name, StringType()) for name in _PROBLEM]
    rows = [StructField(name, StructType.fromJson(decoder.schema(name).to_dict())) for name in spec.names]
    return StructType([StructField("_table", StringType()), *told.fields, *problem, *rows])


@lru_cache(maxsize=8)
def _decoder(spec: DecoderSpec) -> _core.NotificationDecoder:
    """One decoder for all batches of a Python worker: reading a key takes longer than decoding many items."""
    return spec.make()


class _Decode:
    """What ``mapInArrow`` runs. It travels to the executors, and holds nothing that could not."""

    def __init__(self, spec: DecoderSpec, value: str, timestamp: str) -> None:
        self._spec = spec
        self._value = value
        self._timestamp = timestamp

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        decoder = _decoder(self._spec)
        shape = _Shape(self._spec.names, decoder)
        for batch in batches:
            if batch.num_rows:
                yield from shape.batches(decoder.decode_batch(batch, self._value, self._timestamp))


class _Shape:
    """Rows of any table as rows of the one schema that a DataFrame has."""

    def __init__(self, tables: list[str], decoder: _core.NotificationDecoder) -> None:
        self._told = pa.schema(decoder.changes_schema())
        self._structs = {name: pa.struct(list(pa.schema(decoder.schema(name)))) for name in tables}
        text = pa.string()
        fields = [pa.field("_table", text), *self._told, *(pa.field(name, text) for name in _PROBLEM)]
        self._schema = pa.schema([*fields, *(pa.field(name, kind) for name, kind in self._structs.items())])

    def batches(self, decoded: _core.Notifications) -> Iterator[pa.RecordBatch]:
        for table in decoded.tables:
            rows, told = pa.record_batch(decoded.rows(table)), pa.record_batch(decoded.changes(table))
            struct = pa.StructArray.from_arrays(rows.columns, fields=list(rows.schema))
            columns = {name: told.column(name) for name in self._told.names}
            yield self._batch(rows.num_rows, {"_table": pa.repeat(table, rows.num_rows), table: struct, **columns})
        items = pa.record_batch(decoded.received())
        if items.num_rows:
            yield self._batch(items.num_rows, {new: items[old] for new, old in (_PROBLEM | _SHARED).items()})

    def _batch(self, rows: int, columns: dict[str, Any]) -> pa.RecordBatch:
        arrays = [columns.get(field.name, pa.nulls(rows, field.type)) for field in self._schema]
        return pa.record_batch(arrays, schema=self._schema)
