"""The pipeline's source, made by `lakeflow-teams databricks`: what is read, and where it goes."""

from lakeflow_teams import ingest

CATALOG = spark.conf.get("lakeflow_teams.catalog", "main")
SCHEMA = spark.conf.get("lakeflow_teams.schema", "teams")


def table(source, name, configuration, catalog=CATALOG, schema=SCHEMA):
    return {
        "table": {
            "source_table": source,
            "destination_catalog": catalog,
            "destination_schema": schema,
            "destination_table": name,
            "table_configuration": configuration,
        }
    }


pipeline_spec = {
    "connection_name": spark.conf.get("lakeflow_teams.connection", "microsoft_teams"),
    "objects": [
        table(
            "teams",
            "teams",
            {},
        ),
        table(
            "channels",
            "channels",
            {
                "fetch_all_teams": "true",
            },
        ),
        table(
            "members",
            "members",
            {
                "fetch_all_teams": "true",
            },
        ),
        table(
            "messages",
            "messages",
            {
                "fetch_all_teams": "true",
                "fetch_all_channels": "true",
            },
        ),
        table(
            "message_replies",
            "message_replies",
            {
                "fetch_all_teams": "true",
                "fetch_all_channels": "true",
            },
        ),
        table(
            "chats",
            "chats",
            {},
        ),
    ],
}

ingest(spark, pipeline_spec)
