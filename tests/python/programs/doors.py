"""Reads one table into Spark through each door, to nowhere, and prints what each took as a line of JSON.

A program of its own, because the community framework has to be on the search path before anything is imported.
Argument: the connection's options as JSON. With ``LAKEFLOW_COMMUNITY_CONNECTORS`` the row door is the framework's, and
its own source for Teams is a door too: over one team, because it sleeps a tenth of a second after each page of 50 rows.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import Observation, SparkSession
from pyspark.sql.functions import count, lit

from lakeflow_teams import MicrosoftTeamsLakeflowConnect, TeamsClient
from lakeflow_teams.spark import TeamsDataSource
from support.spark import NEEDS

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(name):
    """CPU seconds of the processes with that name, and of their children that ended: Spark's workers, or its JVM."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if name in (process / "cmdline").read_text() and _is_ours(process):
                total += sum(map(int, (process / "stat").read_text().rsplit(")", 1)[1].split()[11:15]))
    return total / TICKS


def _is_ours(process):
    """Whether it descends from this process."""
    number = int(process.name)
    while number > 1:
        if number == os.getpid():
            return True
        number = int(Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return False


def measure(spark, door, form, options, **more):
    """One read, as a line of JSON."""
    seen = Observation("read")
    given = {**NEEDS["messages"], "tasks_at_once": "2", **more}
    frame = spark.read.format(form).options(**options, **given).option("tableName", "messages").load()
    before, begin = (cpu_seconds("pyspark.daemon"), cpu_seconds("java")), time.perf_counter()
    frame.observe(seen, count(lit(1)).alias("rows")).write.format("noop").mode("overwrite").save()
    seconds, rows = time.perf_counter() - begin, seen.get["rows"]
    python, jvm = cpu_seconds("pyspark.daemon") - before[0], cpu_seconds("java") - before[1]
    figures = {
        "door": door,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "python_cpu_seconds": round(python, 2),
        "jvm_cpu_seconds": round(jvm, 2),
        "python_cpu_seconds_per_million": round(python / rows * 1e6, 1),
    }
    print(json.dumps(figures), flush=True)


def main(options):
    """All doors, one after the other."""
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.dataSource.register(TeamsDataSource)
    for door in ("arrow, cold", "arrow"):
        measure(spark, door, "microsoft_teams", options)
    if not os.environ.get("LAKEFLOW_COMMUNITY_CONNECTORS"):
        import rowdoor
        from pyspark.cloudpickle import register_pickle_by_value

        register_pickle_by_value(rowdoor)
        spark.dataSource.register(rowdoor.RowDoor)
        measure(spark, "rows", "row_door", options)
        return
    from databricks.labs.community_connector.sparkpds import register
    from incumbent import Incumbent

    register(spark, MicrosoftTeamsLakeflowConnect)
    measure(spark, "the framework's rows", "lakeflow_connect", options)
    register(spark, Incumbent)
    (team, *_) = (row["id"] for batch in TeamsClient(options).read("teams") for row in batch.to_pylist())
    part = {"team_id": team, "fetch_all_teams": "false", "use_delta_api": "false", "top": "50"}
    measure(spark, "the incumbent, one team", "lakeflow_connect", options, **part)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
