"""A pipeline spec on Spark: Databricks pipelines, Spark Declarative Pipelines, or plain Structured Streaming."""

from __future__ import annotations

from lakeflow_teams._extras import need

need("pyspark.sql.datasource", "spark", "lakeflow_teams.ingest")
need("pyarrow", "spark", "lakeflow_teams.ingest")

from lakeflow_teams.pipelines.entry import ingest  # noqa: E402

__all__ = ["ingest"]
