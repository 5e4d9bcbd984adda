"""A spec without a pipeline: Structured Streaming runs it at once, as far as there is something to read."""

from __future__ import annotations

from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.pipelines.engine import Engine
from lakeflow_teams.pipelines.replay import current, merge, quoted
from lakeflow_teams.pipelines.targets import Target
from lakeflow_teams.spec.writing import is_snapshot


def run(engine: Engine, target: Target, location: str | None) -> None:
    """Brings one destination up to date. Where it was is kept in a checkpoint under ``location``."""
    root = f"{location or _warehouse(engine)}/{target.label}"
    if len(target.parts) > 1:
        engine.spark.sql("CREATE SCHEMA IF NOT EXISTS " + ".".join(f"`{part}`" for part in target.parts[:-1]))
    if is_snapshot(target.way):
        _replace(engine, target)
    elif target.way == "append":
        _append(engine, engine.stream(target), target.name, root)
    elif engine.has_delta and not target.history and (not target.sets or _is_table(engine, target)):
        _merge(engine, target, root)
    else:
        log = target.beside("log")
        _append(engine, engine.changes(target), log, root)
        engine.spark.sql(f"CREATE OR REPLACE VIEW {target.name} AS {current(target, log)}")


def _is_table(engine: Engine, target: Target) -> bool:
    """Whether the destination is a table that an earlier version has made; a view cannot take its place."""
    catalog = engine.spark.catalog
    return bool(catalog.tableExists(target.name) and catalog.getTable(target.name).tableType != "VIEW")


def _replace(engine: Engine, target: Target) -> None:
    if target.history:
        raise _core.ConfigurationError(
            f"destination {target.name}: the history of a snapshot can't be kept here; use SCD_TYPE_1, or SCD_TYPE_2 with "
            "ingest_local or in a Databricks pipeline"
        )
    frame = engine.read(target)
    if engine.has_delta:
        _delta_table(engine, target, frame, "CREATE OR REPLACE")
    else:
        frame.write.format("parquet").mode("overwrite").saveAsTable(target.name)


def _append(engine: Engine, frame: Any, table: str, root: str) -> None:
    """The folder is named, so that a session with a new catalogue finds the rows of the last one."""
    query = (
        frame.writeStream.format(_format(engine))
        .option("checkpointLocation", f"{root}/checkpoint")
        .option("path", f"{root}/rows")
        .trigger(availableNow=True)
        .toTable(table)
    )
    query.awaitTermination()


def _merge(engine: Engine, target: Target, root: str) -> None:
    frame = engine.changes(target)
    columns = [name for name in frame.columns if name != "_deleted"]
    _create(engine, target, frame.select(*columns).schema)

    def write(batch: Any, _number: int) -> None:
        view = f"changes_of_{target.label}"
        batch.createOrReplaceTempView(view)
        batch.sparkSession.sql(merge(target, view, columns))

    query = (
        frame.writeStream.foreachBatch(write)
        .option("checkpointLocation", f"{root}/checkpoint")
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()


def _create(engine: Engine, target: Target, schema: Any) -> None:
    if not engine.spark.catalog.tableExists(target.name):
        _delta_table(engine, target, engine.spark.createDataFrame([], schema), "CREATE")


def _delta_table(engine: Engine, target: Target, frame: Any, statement: str) -> None:
    """Makes a table in SQL: open-source Delta takes ``CLUSTER BY`` there, and refuses it from Spark's writers."""
    view = f"rows_of_{target.label}"
    frame.createOrReplaceTempView(view)
    cluster = f" CLUSTER BY ({', '.join(map(quoted, target.cluster_by))})" if target.cluster_by else ""
    engine.spark.sql(f"{statement} TABLE {target.name} USING delta{cluster} AS SELECT * FROM {view}")
    engine.spark.catalog.dropTempView(view)


def _format(engine: Engine) -> str:
    return "delta" if engine.has_delta else "parquet"


def _warehouse(engine: Engine) -> str:
    warehouse = str(engine.spark.conf.get("spark.sql.warehouse.dir")).rstrip("/")
    return f"{warehouse}/_lakeflow_teams"
