"""Teams, and how many messages each has, in a Spark session. AZURE_* or LAKEFLOW_TEAMS_* variables say which tenant.

Run it with `.venv/bin/python examples/spark.py`, whether that environment is activated or not; `lakeflow-teams emulator`
prints variables of a tenant on this machine.
"""

import os
import sys

from pyspark.sql import SparkSession

from lakeflow_teams import TeamsDataSource
from lakeflow_teams.options import connection_from_environment

# Spark's workers are processes of their own: this Python, not whichever one the shell finds first.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
spark.dataSource.register(TeamsDataSource)
connection = {**connection_from_environment({}), "tasks_at_once": "2", "num_partitions": "2"}


def table(name, **options):
    return spark.read.format("microsoft_teams").options(**connection, tableName=name, **options).load()


teams = table("teams").select("id", "displayName")
messages = table("messages", fetch_all_teams="true", fetch_all_channels="true")
counts = messages.groupBy("team_id").count()
counts.join(teams, counts.team_id == teams.id).select("displayName", "count").orderBy("displayName").show(truncate=False)
