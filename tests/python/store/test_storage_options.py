"""Options of a store: from the pipeline file, the variable and the environment; none of them is ever shown."""

from __future__ import annotations

import json
import pickle

import pytest

from lakeflow_teams import ConfigurationError
from lakeflow_teams.options.storage import VARIABLE, complete, for_files, option, parse
from lakeflow_teams.spec.pipeline import load
from lakeflow_teams.store.locate import locate
from support.lakehouse import entry, pipeline
from support.stores import SECRET


def test_the_pipeline_file_wins_over_the_variable_and_refers_to_others():
    env = {VARIABLE: json.dumps({"AWS_REGION": "eu-west-1", "aws_access_key_id": "a"}), "ID": "b", "PART": "c"}
    given = parse({"aws_access_key_id": "${ID}-${PART}"}, "storage_options")
    assert complete(given, env) == {"aws_region": "eu-west-1", "aws_access_key_id": "b-c"}


@pytest.mark.parametrize("value", ["${}", "${NOT SET}", "a${NOT_SET}b"])
def test_a_reference_that_leads_nowhere_is_named(value):
    with pytest.raises(ConfigurationError, match=r"storage_options\.aws_region: the environment variable .* is not set"):
        complete({"aws_region": value}, {})


def test_values_of_yaml_are_text():
    assert parse({"allow_http": True, "max_retries": 3, "AWS_REGION": "x"}, "") == {
        "allow_http": "true",
        "max_retries": "3",
        "aws_region": "x",
    }


def test_what_only_deltalake_knows_is_kept_from_obstore():
    given = {
        "aws_region": "x",
        "aws_allow_http": "true",
        "timeout": "30s",
        "aws_s3_locking_provider": "dynamodb",
        "delta_dynamo_table_name": "log",
        "aws_endpoint_url_dynamodb": "http://127.0.0.1",
        "max_retries": "3",
    }
    assert for_files(given, {"AWS_CONNECT_TIMEOUT": "5s", "OTHER": "1"}) == (
        {"aws_region": "x"},
        {"allow_http": "true", "timeout": "30s", "connect_timeout": "5s"},
    )


def test_the_environment_is_asked_only_for_what_names_its_store():
    env = {"TOKEN": "not meant", "AZURE_STORAGE_TOKEN": "meant"}
    assert option({}, "token", "azure_storage_token", env=env) == "meant"
    assert option({"token": "given"}, "token", "azure_storage_token", env=env) == "given"


def test_no_repr_shows_a_value(monkeypatch):
    monkeypatch.setenv("LAKE_SECRET", SECRET)
    given = {"aws_secret_access_key": SECRET, "aws_access_key_id": "${LAKE_SECRET}"}
    spec = load({**pipeline(entry("members")), "storage_options": given})
    place = locate("s3://bucket/lake", given) / "a"
    shown = [repr(spec), repr(spec.storage_options), repr(place), str(place), repr(vars(place)), repr(complete(given))]
    shown += [repr(vars(each)) for each in vars(place).values() if hasattr(each, "__dict__")]
    assert SECRET not in "".join(shown)
    assert SECRET.encode() in pickle.dumps(dict(complete(given)))  # it is there, only not shown
