"""Source of the pipeline, made by `lakeflow-teams databricks`. What is read stands in pipeline.yaml: change that file."""

import json

from lakeflow_teams import ingest

setting = spark.conf.get

ingest(
    spark,
    setting("lakeflow_teams.pipeline"),
    connection_name=setting("lakeflow_teams.connection"),
    destinations=json.loads(setting("lakeflow_teams.destinations")),
)
