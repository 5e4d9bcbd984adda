"""One Spark session for the whole run, and tenants that its workers can reach."""

from __future__ import annotations

import logging
import os
import sys

import pytest

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

#: Spark's own libraries are as they are.
pytestmark = pytest.mark.spark


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/python/spark/" in item.path.as_posix():
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def event_log(tmp_path_factory):
    """Where the session's event log is written."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="session")
def spark(tmp_path_factory, event_log):
    """A local session with both doors registered, an event log, and two tasks at a time."""
    from pyspark.sql import SparkSession

    from lakeflow_teams.spark import MicrosoftTeamsDataSource, TeamsDataSource

    logging.getLogger("py4j").setLevel(logging.ERROR)
    session = (
        SparkSession.builder.master("local[2]")
        .appName("lakeflow-teams tests")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.compress", "false")
        .config("spark.eventLog.dir", event_log.as_uri())
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    session.dataSource.register(TeamsDataSource)
    session.dataSource.register(MicrosoftTeamsDataSource)
    yield session
    session.stop()
