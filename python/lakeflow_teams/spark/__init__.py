"""Microsoft Teams as a Spark data source, in Arrow batches all the way.

Register one of the two classes, then read::

    spark.dataSource.register(TeamsDataSource)
    spark.read.format("microsoft_teams").options(**connection).option("tableName", "teams").load()
    spark.readStream.format("microsoft_teams").options(**connection).option("tableName", "messages")...

:class:`MicrosoftTeamsDataSource` is the same under ``lakeflow_connect``, the format for which Unity Catalog adds a
connection's options. :func:`decode_notifications` turns change notifications of an Event Hub into rows. All need
``pip install "lakeflow-teams[spark]"`` on the driver and the executors.
"""

from __future__ import annotations

from lakeflow_teams._extras import need

need("pyspark.sql.datasource", "spark", "lakeflow_teams.spark")
need("pyarrow", "spark", "lakeflow_teams.spark")

from lakeflow_teams.spark.datasource import MicrosoftTeamsDataSource, TeamsDataSource  # noqa: E402
from lakeflow_teams.spark.notifications import (  # noqa: E402
    decode_notifications,
    notification_problems,
    notification_rows,
)

__all__ = [
    "MicrosoftTeamsDataSource",
    "TeamsDataSource",
    "decode_notifications",
    "notification_problems",
    "notification_rows",
]
