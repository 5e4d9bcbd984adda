"""The community framework and ours in one environment. Each check runs in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import framework
from support.paths import SITE

SOURCE = Path("databricks/labs/community_connector/sources/microsoft_teams")


@pytest.fixture
def site(tmp_path):
    """One folder that holds both, as site-packages does after both wheels were installed."""
    framework.install(tmp_path)
    shutil.copytree(SITE / SOURCE, tmp_path / SOURCE, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def python(code, *paths, **environment):
    """Runs code where ``paths`` come first."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*paths, SITE))), **environment},
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip().splitlines()


CLASSES = """
from databricks.labs.community_connector.interface import LakeflowConnect, SupportsPartitionedStream
from databricks.labs.community_connector.sparkpds import LakeflowSource, find_data_source, register
import lakeflow_teams, pickle
from lakeflow_teams import MicrosoftTeamsLakeflowConnect as Connector
print(issubclass(Connector, LakeflowConnect), issubclass(Connector, SupportsPartitionedStream))
connector = Connector({"tenant_id": "a.example", "client_id": "c", "client_secret": "s"})
print(isinstance(pickle.loads(pickle.dumps(connector)), LakeflowConnect))
source = find_data_source("microsoft_teams")
print(source.__name__, source.name(), issubclass(source, LakeflowSource))
class Session:
    class dataSource:
        register = staticmethod(lambda found: print(found is source))
register(Session, "microsoft_teams")
options = {"tenant_id": "a.example", "client_id": "c", "client_secret": "s", "tableName": "teams"}
made = source(options)
print(made.schema().names[0], type(made.reader(made.schema())).__name__)
print(source({**options, "operation": "describe_connection"}).schema())
print(source({**options, "operation": "list_objects"}).schema().names)
"""


def test_our_classes_are_the_frameworks(site):
    assert python(CLASSES, site) == [
        "True True",
        "True",
        "MicrosoftTeamsDataSource lakeflow_connect True",
        "True",
        "id TeamsBatchReader",
        "operation string",
        "['name', 'type', 'full_path', '_meta']",
    ]


AGENT = """
from databricks.labs.community_connector.interface import AgentError, AgentOperation, SupportsIngestionAgent
from lakeflow_teams import MicrosoftTeamsLakeflowConnect as Connector
connector = Connector({"tenant_id": "a.example", "client_id": "c", "client_secret": "s", "operation": "list_objects"})
operations = connector.agent_operations()
print(isinstance(connector, SupportsIngestionAgent), all(isinstance(each, AgentOperation) for each in operations.values()))
print(*operations)
print(*[row["name"] for row in operations["list_objects"].pull(connector, {"search": "^teams$"})])
print([parameter.name for parameter in operations["get_object_metadata"].parameters if parameter.required])
try:
    operations["get_object_metadata"].pull(connector, {"name": "taems"})
except AgentError as error:
    print(error.code, error)
"""


def test_the_framework_is_given_our_answers(site):
    assert python(AGENT, site) == [
        "True True",
        "list_objects get_object_metadata validate_connection",
        "teams",
        "['name']",
        "not_found there is no table taems; did you mean teams?",
    ]


def test_without_the_framework_the_package_stands_alone():
    code = """
from databricks.labs.community_connector.sources.microsoft_teams import MicrosoftTeamsDataSource as Source
from lakeflow_teams.lakeflow import MicrosoftTeamsLakeflowConnect as Connector
print(Source.name(), Connector.__mro__[1].__name__)
print(Source({"tenant_id": "a.example", "client_id": "c", "client_secret": "s", "tableName": "teams"}).schema().names[0])
"""
    assert python(code) == ["lakeflow_connect object", "id"]


def test_the_package_holds_nothing_of_the_parents():
    for parent in SOURCE.parents:
        assert not (SITE / parent / "__init__.py").exists() or parent == Path()
