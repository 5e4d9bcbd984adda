"""What the Spark at hand can do."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from lakeflow_teams.pipelines.targets import Target
from lakeflow_teams.spark.connection import is_plain_secret, plain_secret_warning

_INJECTION = "spark.databricks.unityCatalog.connectionDfOptionInjection.enabled"


@dataclass(frozen=True)
class Engine:
    """A session, what it can do, and how a table of the source is read in it."""

    spark: Any
    databricks: bool
    connection_name: str
    connection: dict[str, str]
    #: The module that declares pipelines, inside of one.
    pipelines: ModuleType | None

    @classmethod
    def of(cls, spark: Any, connection_name: str, connection: Mapping[str, str]) -> Engine:
        """Looks at the session and registers the source with it."""
        from lakeflow_teams.spark import MicrosoftTeamsDataSource

        databricks = "DATABRICKS_RUNTIME_VERSION" in os.environ
        if databricks:
            # Open-source pipelines refuse to have their session changed.
            spark.conf.set(_INJECTION, "true")
        if type(spark).__module__.startswith("pyspark.sql.connect") and is_plain_secret(connection) and not databricks:
            warnings.warn(plain_secret_warning(connection), stacklevel=4)
        spark.dataSource.register(MicrosoftTeamsDataSource)
        return cls(spark, databricks, connection_name, dict(connection), _active_pipelines(databricks=databricks))

    @property
    def has_delta(self) -> bool:
        """Whether tables can be merged into: always on Databricks, else where Delta's catalogue is configured."""
        return self.databricks or "delta" in str(self.spark.conf.get("spark.sql.catalog.spark_catalog", "")).lower()

    @property
    def default_format(self) -> str:
        """The format of tables that name none."""
        return str(self.spark.conf.get("spark.sql.sources.default", "parquet"))

    def read(self, target: Target) -> Any:
        """The whole table, as a DataFrame."""
        return self._with_options(self.spark.read, target).load()

    def stream(self, target: Target, *, deletes: bool = False) -> Any:
        """The table's changes, or its deleted keys."""
        reader = self._with_options(self.spark.readStream, target)
        return (reader.option("isDeleteFlow", "true") if deletes else reader).load()

    def changes(self, target: Target) -> Any:
        """The table's changes, with ``_deleted`` where the table reports deletes."""
        from pyspark.sql.functions import lit

        rows = self.stream(target)
        if not target.deletes:
            return rows
        gone = self.stream(target, deletes=True).withColumn("_deleted", lit(True))
        return rows.withColumn("_deleted", lit(False)).unionByName(gone)

    def _with_options(self, reader: Any, target: Target) -> Any:
        reader = reader.format("lakeflow_connect").option("tableName", target.source)
        if self.databricks:
            reader = reader.option("databricks.connection", self.connection_name)
        return reader.options(**self.connection).options(**self._division()).options(**target.options)

    def _division(self) -> dict[str, str]:
        """How reads are divided, where the session says how many tasks run at once."""
        if type(self.spark).__module__.startswith("pyspark.sql.connect") or self.databricks:
            return {}
        tasks = int(self.spark.sparkContext.defaultParallelism)
        return {"num_partitions": str(3 * tasks), "tasks_at_once": str(tasks)}


def _active_pipelines(*, databricks: bool) -> ModuleType | None:
    """The declaring module, when the code runs as part of a pipeline's definition."""
    try:
        from pyspark import pipelines
    except ImportError:
        # Runtimes on Spark 4.0 know the declarations under their older name.
        return import_module("dlt") if databricks else None
    if databricks:
        return pipelines
    from pyspark.errors import PySparkException
    from pyspark.pipelines.graph_element_registry import get_active_graph_element_registry

    try:
        get_active_graph_element_registry()
    except PySparkException:
        return None
    return pipelines
