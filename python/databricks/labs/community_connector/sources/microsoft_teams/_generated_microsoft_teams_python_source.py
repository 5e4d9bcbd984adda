"""The framework's legacy door: ``register(spark, "microsoft_teams")`` imports this module by its name.

Other sources have all their code merged into this file. Ours is a wheel with a native extension, which has to be
installed where the pipeline runs, on the executors too; so there is nothing to merge.
"""

from __future__ import annotations

from typing import Any

from databricks.labs.community_connector.sources.microsoft_teams import MicrosoftTeamsDataSource


def register_lakeflow_source(spark: Any) -> None:
    """Registers ``format("lakeflow_connect")`` with a Spark session."""
    spark.dataSource.register(MicrosoftTeamsDataSource)
