"""The community framework's own code over ours: only where ``LAKEFLOW_COMMUNITY_CONNECTORS`` names a checkout of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from lakeflow_teams import GraphEmulator
from support.paths import PROGRAMS, SITE, TESTS
from support.programs import run_python
from support.spark import NEEDS

COMMUNITY = os.environ.get("LAKEFLOW_COMMUNITY_CONNECTORS", "")
SOURCE = Path("databricks/labs/community_connector/sources/microsoft_teams")
SUITE = Path("tests/unit/sources/test_suite.py")

pytestmark = pytest.mark.skipif(not COMMUNITY, reason="LAKEFLOW_COMMUNITY_CONNECTORS names no checkout of the framework")

#: What the framework's simulator of Graph can't do.
SIMULATOR = (
    {"path": "GET /teams", "kind": "status", "status": 404},
    {"path": "$batch", "kind": "status", "status": 404},
    {"path": "getAllMessages", "kind": "status", "status": 404},
    {"path": "getAllRetainedMessages", "kind": "status", "status": 404},
    {"path": "", "kind": "ignore_expand"},
    {"path": "/messages", "kind": "replytoid_on_roots"},
)
CASE = """
import json
from pathlib import Path
from databricks.labs.community_connector.sources.microsoft_teams.microsoft_teams import MicrosoftTeamsLakeflowConnect
from tests.unit.sources.test_suite import LakeflowConnectTests

class TestTeams(LakeflowConnectTests):
    connector_class = MicrosoftTeamsLakeflowConnect
    simulator_source = "microsoft_teams"
    config = json.loads(Path(__file__).with_name("config.json").read_text())
    table_configs = json.loads(Path(__file__).with_name("tables.json").read_text())

class TestEveryTableInOnePiece(TestTeams):
    def _is_partitioned(self, table):
        return False
"""
REGISTRY = """
from databricks.labs.community_connector.interface import LakeflowConnect, SupportsPartitionedStream
from databricks.labs.community_connector.sparkpds import LakeflowSource, register, registry
from lakeflow_teams import MicrosoftTeamsLakeflowConnect as Connector
print(issubclass(Connector, LakeflowConnect), issubclass(Connector, SupportsPartitionedStream))
for name in ("find_data_source", "_find_lakeflow_connect_class"):
    if hasattr(registry, name):
        print(name, getattr(registry, name)("microsoft_teams").__name__)
class Session:
    class dataSource:
        register = staticmethod(lambda found: print(found.__name__, found.name(), issubclass(found, LakeflowSource)))
register(Session, "microsoft_teams")
register(Session, Connector)
"""


@pytest.fixture
def site(tmp_path):
    """One folder that holds both, as site-packages does after both wheels were installed."""
    shutil.copytree(
        Path(COMMUNITY) / "src" / "databricks",
        tmp_path / "site" / "databricks",
        ignore=shutil.ignore_patterns("__pycache__", "sources", "specs"),
    )
    shutil.copytree(SITE / SOURCE, tmp_path / "site" / SOURCE, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "site"


def python(*arguments, paths, **more):
    """What an interpreter printed where ``paths`` come first."""
    run = run_python(*arguments, paths=paths, **more)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-6000:]
    return run.stdout


def test_its_registry_finds_our_classes(site):
    lines = python("-c", REGISTRY, paths=[site]).splitlines()
    assert lines[0] == "True True"
    found = {line.split()[0]: line.split()[1] for line in lines[1:-2]}
    assert (
        found.items()
        <= {
            "find_data_source": "MicrosoftTeamsDataSource",
            "_find_lakeflow_connect_class": "MicrosoftTeamsLakeflowConnect",
        }.items()
    )
    assert lines[-2:] == [
        "MicrosoftTeamsDataSource lakeflow_connect True",
        "RegisterableLakeflowSource_MicrosoftTeamsLakeflowConnect lakeflow_connect True",
    ]


@pytest.mark.parametrize("faults", [(), SIMULATOR], ids=["graph", "simulator"])
def test_its_conformance_suite_passes(site, tmp_path, faults):
    if not (Path(COMMUNITY) / SUITE).is_file():
        pytest.skip(f"the checkout has no {SUITE}")
    with GraphEmulator(teams=3, channels_per_team=2, messages_per_channel=8, users=6, chats=4, seed=7) as graph:
        for fault in faults:
            graph.fault(**fault)
        (tmp_path / "config.json").write_text(json.dumps(graph.options))
        (tmp_path / "tables.json").write_text(json.dumps(NEEDS))
        (tmp_path / "test_conformance.py").write_text(CASE)
        pytest_ = ("-m", "pytest", "-q", "-c", os.devnull, "--rootdir", tmp_path, "-p", "no:cacheprovider")
        answer = python(*pytest_, "test_conformance.py", paths=[site, COMMUNITY], cwd=tmp_path)
    assert " failed" not in answer
    assert " passed" in answer


@pytest.mark.slow
def test_its_row_door_reads_the_tenant(site, tmp_path):
    """Every table in batch, two rounds of its streams, and the Arrow door under the name that it registers."""
    printed = python(PROGRAMS / "community.py", tmp_path, paths=[site, TESTS])
    answer = json.loads(next(line for line in printed.splitlines() if line.startswith("ANSWER ")).removeprefix("ANSWER "))
    assert answer.pop("compared") > 10
    assert {place: found for place, found in answer.items() if found} == {}
