"""The pipeline's source: every team with its channels, members, messages and replies."""

from lakeflow_teams import ingest

CATALOG = spark.conf.get("lakeflow_teams.catalog", "main")
SCHEMA = spark.conf.get("lakeflow_teams.schema", "teams")
EVERYTHING = {"fetch_all_teams": "true", "fetch_all_channels": "true", "fetch_all_messages": "true"}


def table(source, **configuration):
    return {
        "table": {
            "source_table": source,
            "destination_catalog": CATALOG,
            "destination_schema": SCHEMA,
            "table_configuration": configuration,
        }
    }


pipeline_spec = {
    "connection_name": spark.conf.get("lakeflow_teams.connection", "microsoft_teams"),
    "objects": [
        table("teams"),
        table("channels", fetch_all_teams="true"),
        table("members", fetch_all_teams="true"),
        table("messages", **EVERYTHING),
        table("message_replies", **EVERYTHING),
    ],
}

ingest(spark, pipeline_spec)
