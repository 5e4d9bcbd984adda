"""The connector interface of Databricks Lakeflow. Needs pyspark for :meth:`get_table_schema` only."""

from __future__ import annotations

from lakeflow_teams.lakeflow.connector import MicrosoftTeamsLakeflowConnect

__all__ = ["MicrosoftTeamsLakeflowConnect"]
