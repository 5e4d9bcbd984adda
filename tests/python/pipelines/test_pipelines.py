"""``ingest``: the spec, what a pipeline declares, and a plain session that runs at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml

from lakeflow_teams import ConfigurationError, ingest
from lakeflow_teams.pipelines import declare
from lakeflow_teams.pipelines.engine import Engine
from lakeflow_teams.pipelines.replay import current, merge
from lakeflow_teams.pipelines.targets import parse
from support.paths import ROOT
from support.spark import EVERYTHING, differences, happen, rows

EXAMPLES = ROOT / "examples"


def entry(source, destination=None, **configuration):
    return {
        "table": {
            "source_table": source,
            "destination_schema": "teams",
            "destination_table": destination or source,
            "table_configuration": configuration,
        }
    }


def pipeline(*entries):
    return {"connection_name": "teams", "objects": list(entries)}


@pytest.fixture
def clean(spark):
    """An empty schema."""
    spark.sql("DROP SCHEMA IF EXISTS teams CASCADE")
    yield
    spark.sql("DROP SCHEMA IF EXISTS teams CASCADE")


def test_a_plain_session_keeps_tables_equal_to_the_tenant(spark, graph, options, tmp_path, clean):
    spec = pipeline(
        entry("teams"),
        entry("messages", **EVERYTHING),
        entry("messages", "log_of_messages", scd_type="append_only", **EVERYTHING),
        entry("users"),
    )
    for number in range(2):
        ingest(spark, spec, connection=options, location=str(tmp_path))
        for table in ("teams", "messages", "users"):
            found = rows(spark.table(f"teams.{table}"))
            assert differences(graph, table, found) == []
        assert spark.table("teams.log_of_messages").count() >= len(graph.truth("messages"))
        if number == 0:
            happen(graph, 60)
            graph.mutate(deleted_users=1, new_users=1)
            graph.advance(3600)


def test_what_is_taken_back_is_not_counted(spark, graph, options, tmp_path, clean):
    spec = pipeline(entry("message_reactions", **EVERYTHING))
    for number in range(2):
        ingest(spark, spec, connection=options, location=str(tmp_path))
        truth = sum(len(row["reactions"]) for table in ("messages", "message_replies") for row in graph.truth(table))
        assert spark.table("teams.message_reactions").count() == truth > 0
        if number == 0:
            assert graph.mutate(reactions=4, reaction_removals=5)["reaction_removals"]
            graph.advance(3600)


@pytest.mark.slow
def test_history_and_overrides(spark, graph, options, tmp_path, clean):
    spec = pipeline(
        entry("messages", "history", scd_type="SCD_TYPE_2", **EVERYTHING),
        entry("messages", "by_channel", primary_keys='["team_id", "channel_id"]', sequence_by="id", **EVERYTHING),
    )
    ingest(spark, spec, connection=options, location=str(tmp_path))
    happen(graph)
    ingest(spark, spec, connection=options, location=str(tmp_path))
    history = spark.table("teams.history")
    now = rows(history.where("__END_AT IS NULL").drop("__START_AT", "__END_AT"))
    assert differences(graph, "messages", now) == []
    assert history.where("__END_AT <= __START_AT").count() == 0
    assert history.count() > len(now)
    last = {}
    for row in graph.truth("messages"):
        key = (row["team_id"], row["channel_id"])
        last[key] = max(last.get(key, ""), row["id"])
    found = {(row["team_id"], row["channel_id"]): row["id"] for row in spark.table("teams.by_channel").collect()}
    assert found == last


@pytest.mark.parametrize("file", sorted((EXAMPLES / "configurations").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_documented_configurations_run(spark, graph, options, tmp_path, clean, file):
    channel = graph.truth("channels")[0]
    text = file.read_text().replace("<team id>", channel["team_id"]).replace("<channel id>", channel["id"])
    spec = yaml.safe_load(text.replace("destination_catalog: main", "destination_catalog: spark_catalog"))
    for each in spec["objects"]:
        each["table"]["destination_schema"] = "teams"
    ingest(spark, spec, connection=options, location=str(tmp_path))
    for each in spec["objects"]:
        table = each["table"]["source_table"]
        truth = graph.truth(table)
        configuration = each["table"].get("table_configuration", {})
        for option, column in (("team_id", "id" if table == "teams" else "team_id"), ("channel_id", "channel_id")):
            if option in configuration:
                truth = [row for row in truth if row[column] == configuration[option]]
        assert spark.table(f"spark_catalog.teams.{table}").count() == len(truth) > 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([], "a mapping with connection_name"),
        ({"connection_name": "x", "objects": []}, "at least one"),
        ({"connection_name": " ", "objects": [entry("teams")]}, "connection_name"),
        (pipeline({"tabel": {}}), "with `table`"),
        (pipeline(entry("mesages")), "did you mean messages"),
        (pipeline(entry("teams", scd_type="2")), "SCD_TYPE_1, SCD_TYPE_2, APPEND_ONLY"),
        (pipeline(entry("teams", scd_type="APPEND_ONLY")), "is a snapshot"),
        (pipeline(entry("users", sequence_by="a,b")), "several columns"),
        (pipeline(entry("teams"), entry("channels", "Teams")), "two objects write it"),
        ({**pipeline(entry("teams")), "object": 1}, "did you mean objects"),
    ],
)
def test_a_wrong_spec_is_told(spec, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(spec)


def test_names_and_columns():
    table = {"source_table": "users", "destination_catalog": "main", "destination_schema": "my teams"}
    table["table_configuration"] = {"cluster_by": "id, mail", "primary_keys": ["id"], "top": 5}
    target = parse(pipeline({"table": table})).targets[0]
    assert target.name == "`main`.`my teams`.`users`"
    assert target.beside("log") == "`main`.`my teams`.`users__log`"
    assert (target.cluster_by, target.keys, target.options) == (("id", "mail"), ("id",), {"top": "5"})
    assert parse(pipeline({"table": {"source_table": "users"}})).targets[0].name == "users"


class Recorder(SimpleNamespace):
    """A pipelines module that writes down what is declared. What it lacks, this engine lacks."""

    def __init__(self, *lacks):
        self.calls = []
        names = (
            "temporary_view",
            "materialized_view",
            "append_flow",
            "create_streaming_table",
            "create_auto_cdc_flow",
            "create_auto_cdc_from_snapshot_flow",
        )
        for name in names:
            if name not in lacks:
                setattr(self, name, self._record(name))

    def _record(self, name):
        def call(**arguments):
            self.calls.append((name, arguments))
            return lambda function: function

        return call


def declared(module, *entries, databricks=True, settings=()):
    conf = SimpleNamespace(get=dict(settings).get)
    engine = Engine(SimpleNamespace(conf=conf, sql=None), databricks, "teams", {}, module)
    declare.declare(engine, parse(pipeline(*entries)).targets)
    return list(module.calls)


def test_what_databricks_is_told(spark):
    calls = declared(
        Recorder(),
        entry("users", cluster_by="id"),
        entry("messages", scd_type="SCD_TYPE_2", track_history_column_list="body"),
        entry("messages", "again"),
        entry("teams", scd_type="SCD_TYPE_2"),
        entry("messages", "raw", scd_type="APPEND_ONLY"),
    )
    flows = {arguments["target"]: arguments for name, arguments in calls if "flow" in name}
    assert len(flows) == 5
    users = flows["`teams`.`users`"]
    assert (users["keys"], users["stored_as_scd_type"], users["except_column_list"]) == (["id"], "1", ["_deleted"])
    messages = flows["`teams`.`messages`"]
    assert (messages["stored_as_scd_type"], messages["track_history_column_list"]) == ("2", ["body"])
    assert "apply_as_deletes" not in messages
    assert flows["`teams`.`teams`"]["stored_as_scd_type"] == "2"
    tables = [arguments for name, arguments in calls if name == "create_streaming_table"]
    assert tables[0].pop("comment").endswith(" Key: id.")
    assert tables[0] == {"name": "`teams`.`users`", "cluster_by": ["id"]}
    assert [table["comment"].rpartition(", ")[2] for table in tables[1:]] == [
        "__START_AT.",
        "id.",
        "__START_AT.",
        "lastModifiedDateTime.",
    ]
    views = [arguments["name"] for name, arguments in calls if name == "temporary_view"]
    assert len(views) == len(set(views)) == 4


def test_items_of_messages_are_what_holds_on_databricks_too(spark):
    """AUTO CDC merges by key: what was taken back would stay, and a row that says "none any more" would count."""
    calls = declared(Recorder(), entry("message_reactions"), entry("message_mentions", scd_type="SCD_TYPE_2"))
    assert [(name, arguments.get("name"), arguments.get("target")) for name, arguments in calls] == [
        ("create_streaming_table", "`teams`.`message_reactions__log`", None),
        ("append_flow", "teams_message_reactions_log", "`teams`.`message_reactions__log`"),
        ("materialized_view", "`teams`.`message_reactions`", None),
        ("temporary_view", "message_mentions_changes_to_teams_message_mentions", None),
        ("create_streaming_table", "`teams`.`message_mentions`", None),
        ("create_auto_cdc_flow", None, "`teams`.`message_mentions`"),
    ]
    assert "set_size = 0" in str(calls[-1][1]["apply_as_deletes"])


def test_what_an_engine_without_auto_cdc_is_told(spark):
    lacking = Recorder("create_auto_cdc_flow", "create_auto_cdc_from_snapshot_flow")
    calls = declared(lacking, entry("users"), entry("teams"), databricks=False)
    assert [(name, arguments.get("name"), arguments.get("target")) for name, arguments in calls] == [
        ("create_streaming_table", "`teams`.`users__log`", None),
        ("append_flow", "teams_users_log", "`teams`.`users__log`"),
        ("materialized_view", "`teams`.`users`", None),
        ("materialized_view", "`teams`.`teams`", None),
    ]
    with pytest.raises(ConfigurationError, match="SCD_TYPE_1"):
        declared(lacking, entry("teams", scd_type="SCD_TYPE_2"), databricks=False)


@pytest.mark.parametrize(("default", "told"), [("delta", False), ("parquet", True)])
def test_open_source_pipelines_leave_the_format_to_the_session(caplog, default, told):
    """Delta refuses the format and the clustering that such a pipeline declares, see test_delta.py for what comes of it."""
    settings = {
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.sources.default": default,
    }
    lacking = Recorder("create_auto_cdc_flow", "create_auto_cdc_from_snapshot_flow")
    tables = (entry("users", cluster_by="id"), entry("teams"), entry("messages", "raw", scd_type="APPEND_ONLY"))
    for name, arguments in declared(lacking, *tables, databricks=False, settings=settings):
        if name != "append_flow":
            assert arguments.keys() == {"name"}
    assert ("spark.sql.sources.default=delta" in caplog.text) is told
    assert "cluster_by of `teams`.`users` is left out" in caplog.text


@pytest.mark.parametrize("table", ["users", "messages"])
def test_the_sql_is_sparks(spark, table):
    parser = spark._jsparkSession.sessionState().sqlParser()
    for scd in ("SCD_TYPE_1", "SCD_TYPE_2"):
        target = parse(pipeline(entry(table, scd_type=scd))).targets[0]
        parser.parsePlan(current(target, "log"))
        parser.parsePlan(merge(target, "changes", ["id", "displayName"]))


def test_the_newest_row_of_each_key_is_what_a_log_amounts_to(spark):
    spark.createDataFrame(
        [("a", "1", "old", False), ("a", "2", "new", False), ("b", "1", "x", False), ("b", "1", "x", True), ("c", "1", "y", True), ("c", "2", "z", False)],
        "id string, observed_at string, displayName string, _deleted boolean",
    ).createOrReplaceTempView("log_of_users")  # fmt: skip
    target = parse(pipeline(entry("users"))).targets[0]
    assert sorted(map(tuple, spark.sql(current(target, "log_of_users")).collect())) == [("a", "2", "new"), ("c", "2", "z")]
    target = parse(pipeline(entry("users", scd_type="SCD_TYPE_2"))).targets[0]
    assert sorted(map(tuple, spark.sql(current(target, "log_of_users")).collect()), key=str) == [
        ("a", "1", "old", "1", "2"),
        ("a", "2", "new", "2", None),
        ("c", "2", "z", "2", None),
    ]


def test_an_environment_writes_elsewhere(spark, graph, options, clean):
    spec = pipeline(entry("teams"))
    places = {"main.teams": "spark_catalog.elsewhere"}
    spark.sql("CREATE SCHEMA IF NOT EXISTS elsewhere")
    try:
        ingest(spark, spec, connection=options, destinations=places)
        assert differences(graph, "teams", rows(spark.table("elsewhere.teams"))) == []
        with pytest.raises(ConfigurationError, match=r"destination main\.teams: it is not among the destinations"):
            ingest(spark, spec, connection=options, destinations={"main.people": "spark_catalog.elsewhere"})
        with pytest.raises(
            ConfigurationError, match=r"main\.teams is to be written to 'elsewhere', which is not catalog\.schema"
        ):
            ingest(spark, spec, connection=options, destinations={"main.teams": "elsewhere"})
    finally:
        spark.sql("DROP SCHEMA elsewhere CASCADE")
