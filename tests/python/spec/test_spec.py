"""The pipeline spec: its defaults, and one clear line for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lakeflow_teams import ConfigurationError
from lakeflow_teams.spec.pipeline import load, parse
from support.lakehouse import entry, pipeline
from support.paths import ROOT


def refused(document):
    with pytest.raises(ConfigurationError) as caught:
        parse(document, Path())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_table(**changes):
    table = {**entry("messages")["table"], **changes}
    return {
        "connection_name": "x",
        "objects": [{"table": {key: value for key, value in table.items() if value is not None}}],
    }


def test_destinations_have_defaults():
    (table,) = parse({"connection_name": "x", "objects": [{"table": {"source_table": "teams"}}]}, Path()).tables
    assert table.name == "main.default.teams"
    assert (table.options, table.scd_type, table.primary_keys, table.sequence_by) == ({}, None, None, None)


def test_values_of_yaml_become_options():
    configuration = {"fetch_all_teams": True, "top": 20, "team_id": ["a", "b"], "Start_Date": "2025-01-01"}
    (table,) = parse(with_table(table_configuration=configuration), Path()).tables
    assert table.options == {"fetch_all_teams": "true", "top": "20", "team_id": "a,b", "start_date": "2025-01-01"}


@pytest.mark.parametrize("written", [["team_id", "id"], "team_id,id", '["team_id", "id"]'])
def test_keys_can_be_written_as_list_text_or_json(written):
    (table,) = parse(with_table(table_configuration={"primary_keys": written, "scd_type": "scd_type_2"}), Path()).tables
    assert table.primary_keys == ("team_id", "id")
    assert table.scd_type == "SCD_TYPE_2"


def test_several_objects_may_share_a_source():
    assert len(parse(pipeline(entry("messages", "a"), entry("messages", "b")), Path()).tables) == 2


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a mapping with connection_name"),
        ({"objects": []}, "objects: a list with at least one"),
        ({"object": [], "objects": [entry("teams")]}, "pipeline.object: there is no such key; did you mean objects?"),
        ({"objects": ["teams"]}, "objects[0]: a mapping with `table`"),
        ({"objects": [{"table": {}}]}, "objects[0].table: source_table is missing; it is one of teams"),
        (with_table(source_table="mesages"), "there is no table 'mesages'; did you mean messages?"),
        (with_table(sourcetable="x"), "objects[0].table.sourcetable: there is no such key; did you mean source_table?"),
        (with_table(destination_schema="../up"), "destination_schema: '../up' cannot be the name of a folder"),
        (with_table(destination_table=""), "destination_table: '' cannot be"),
        (with_table(table_configuration=["x"]), "table_configuration: a mapping"),
        (with_table(table_configuration={"scd_type": "SCD3"}), "scd_type: 'SCD3' is not one of SCD_TYPE_1"),
        (with_table(table_configuration={"primary_keys": []}), "primary_keys: [] is not a list of different column names"),
        (with_table(table_configuration={"sequence_by": "a,b"}), "names several columns; name one"),
        (with_table(table_configuration={"top": {"a": 1}}), "option top: a dict cannot be used"),
        (pipeline(entry("teams"), entry("teams")), "destination main.teams.teams: two objects write it"),
        ({**pipeline(), "connection": {"tennant_id": "x"}}, "did you mean tenant_id?"),
        ({**pipeline(), "connection": 7}, "connection: a mapping of options"),
    ],
)
def test_mistakes_are_one_line(document, said):
    assert said in refused(document)


def test_files(tmp_path):
    (tmp_path / "connection.yaml").write_text("tenant_id: t\nmanaged_identity: true\n")
    spec = tmp_path / "pipeline.yaml"
    spec.write_text(yaml.safe_dump({**pipeline(), "connection": "connection.yaml"}))
    assert load(spec).connection == {"tenant_id": "t", "managed_identity": "true"}
    with pytest.raises(ConfigurationError, match=r"absent.yaml: cannot be read \(No such file"):
        load(tmp_path / "absent.yaml")
    spec.write_text("objects:\n  - table: [")
    with pytest.raises(ConfigurationError, match=r"pipeline.yaml, line \d"):
        load(spec)


def test_the_example_is_valid():
    spec = load(ROOT / "examples" / "pipeline.yaml")
    assert [table.source_table for table in spec.tables] == [
        "teams",
        "channels",
        "members",
        "messages",
        "message_replies",
        "chats",
    ]
