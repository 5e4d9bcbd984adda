"""One Spark session for the whole run, and tenants that its workers can reach."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from support.paths import TESTS
from support.programs import SHORT_LIVED

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

#: The folders whose tests start a session.
FOLDERS = (TESTS / "spark", TESTS / "pipelines")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent in FOLDERS:
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.filterwarnings("default"))  # of Spark's own libraries


@pytest.fixture(scope="session", autouse=True)
def _workers_that_start_fast(request, tmp_path_factory):
    """Spark waits ten seconds for a stream's Python process, and starts it from a zip: pyspark is compiled every time.

    A home without that zip has it import the installed package, whose bytecode is kept.
    """
    if not any(item.get_closest_marker("spark") for item in request.session.items):
        yield
        return
    import pyspark

    installed, home = Path(pyspark.__file__).parent, tmp_path_factory.mktemp("spark")
    (home / "python" / "lib").mkdir(parents=True)
    for file in (installed / "python" / "lib").glob("py4j-*"):
        (home / "python" / "lib" / file.name).symlink_to(file)
    for name in ("bin", "jars", "sbin"):
        (home / name).symlink_to(installed / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(home))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


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
        .config("spark.driver.extraJavaOptions", SHORT_LIVED)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.adaptive.enabled", "false")
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
