"""``spark.readStream``: rounds, micro-batches, deletes, and what a kill leaves behind."""

from __future__ import annotations

import pytest

from support.spark import INFO, differences, happen, offsets, reader, rows, run_stream, run_stream_to_the_end, stored


@pytest.mark.parametrize(
    "table", ["messages", *(pytest.param(table, marks=pytest.mark.slow) for table in ("message_replies", "chats"))]
)
def test_three_runs_with_changes_between(spark, graph, options, tmp_path, table):
    for _ in range(3):
        run_stream(spark, options, table, tmp_path)
        assert differences(graph, table, stored(spark, table, tmp_path)) == []
        happen(graph)


def test_a_run_over_an_unchanged_tenant_adds_nothing(spark, graph, options, tmp_path):
    run_stream(spark, options, "messages", tmp_path, lookback_seconds="0")
    before = offsets(tmp_path)
    run_stream(spark, options, "messages", tmp_path, lookback_seconds="0")
    assert offsets(tmp_path) == before


@pytest.mark.slow
def test_micro_batches_are_stretches_of_teams(spark, graph, options, tmp_path):
    run_stream_to_the_end(spark, options, "messages", tmp_path, windows_per_batch="1")
    assert len(offsets(tmp_path)) >= 4
    assert differences(graph, "messages", stored(spark, "messages", tmp_path)) == []


def test_a_micro_batch_that_was_planned_but_not_written_is_read_again(spark, graph, options, tmp_path):
    run_stream(spark, options, "messages", tmp_path)
    happen(graph)
    run_stream(spark, options, "messages", tmp_path, windows_per_batch="2")
    last = max(offsets(tmp_path))
    # What a kill between the plan and the commit leaves: an offset without its rows.
    for folder in ("checkpoint/commits", "rows/_spark_metadata"):
        for name in (str(last), f".{last}.crc"):
            (tmp_path / folder / name).unlink(missing_ok=True)
    happen(graph)
    run_stream_to_the_end(spark, options, "messages", tmp_path, windows_per_batch="2")
    assert differences(graph, "messages", stored(spark, "messages", tmp_path)) == []


@pytest.mark.slow
def test_a_stopped_query_goes_on_from_its_checkpoint(spark, graph, options, tmp_path):
    query = (
        reader(spark.readStream, options, "messages", windows_per_batch="1")
        .load()
        .writeStream.format("parquet")
        .option("checkpointLocation", f"{tmp_path}/checkpoint")
        .option("path", f"{tmp_path}/rows")
        .start()
    )
    while not query.recentProgress and query.isActive:
        query.awaitTermination(0.2)
    query.stop()
    assert query.exception() is None
    happen(graph)
    run_stream_to_the_end(spark, options, "messages", tmp_path)
    assert differences(graph, "messages", stored(spark, "messages", tmp_path)) == []


@pytest.mark.parametrize(
    ("table", "event"),
    # Those of users are part of what a plain session ingests, see test_pipelines.py.
    [pytest.param("users", "deleted_users", marks=pytest.mark.slow), ("groups", "deleted_teams")],
)
def test_deletes_come_as_a_stream_of_their_own(spark, graph, options, tmp_path, table, event):
    form = "lakeflow_connect"
    for number in range(2):
        run_stream(spark, options, table, tmp_path / "rows", form)
        run_stream(spark, options, table, tmp_path / "deletes", form, isDeleteFlow="true")
        if number == 0:
            graph.mutate(**{event: 1})
            graph.advance(3600)
    found = stored(spark, table, tmp_path / "rows")
    frame = spark.read.parquet(f"{tmp_path}/deletes/rows")
    assert frame.columns == spark.read.parquet(f"{tmp_path}/rows/rows").columns
    gone = {row["id"]: row["observed_at"] for row in rows(frame)}
    assert gone
    left = [row for row in found if gone.get(row["id"], "") < row["observed_at"]]
    assert differences(graph, table, left) == []


def test_what_can_not_be_streamed_is_told(spark, options):
    for table, more, message in (
        ("teams", {}, "use spark.read"),
        ("messages", {"isDeleteFlow": "true"}, "reports no deletes"),
        ("_community_tables", {}, "use spark.read"),
    ):
        with pytest.raises(Exception, match=message):
            reader(spark.readStream, options, table, **more).load().writeStream.format("noop").trigger(
                availableNow=True
            ).start().awaitTermination(60)


def test_a_declared_part_of_the_columns_streams(spark, graph, options, tmp_path):
    frame = reader(spark.readStream.schema("id string, team_id string"), options, "messages").load()
    query = frame.writeStream.format("memory").queryName("part").trigger(availableNow=True).start()
    assert query.awaitTermination(120)
    assert {row["id"] for row in spark.table("part").collect()} == {row["id"] for row in graph.truth("messages")}
    assert INFO["messages"]["cursor_field"] not in spark.table("part").columns
