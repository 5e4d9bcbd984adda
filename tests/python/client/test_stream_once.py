"""A stream is consumed once: a second use raises, at every door, and never gives an empty or a shortened table."""

from __future__ import annotations

import asyncio

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from lakeflow_teams import LakeflowTeamsError, PermissionDeniedError, TeamsClient


async def _async_list(stream):
    return [batch async for batch in stream]


DOORS = {
    "to_arrow": lambda stream: stream.to_arrow(),
    "to_pandas": lambda stream: stream.to_pandas(),
    "to_polars": lambda stream: stream.to_polars(),
    "to_duckdb": lambda stream: stream.to_duckdb(),
    "for": list,
    "async for": lambda stream: asyncio.run(_async_list(stream)),
    "capsule": lambda stream: stream.__arrow_c_stream__(),
    "pyarrow": lambda stream: pa.RecordBatchReader.from_stream(stream).read_all(),
    "polars": pl.DataFrame,
    "duckdb": lambda stream: duckdb.from_arrow(pa.RecordBatchReader.from_stream(stream)).fetchall(),
}


@pytest.fixture
def client(options):
    return TeamsClient(options)


@pytest.mark.parametrize("second", DOORS)
@pytest.mark.parametrize("first", DOORS)
def test_a_second_use_raises(client, first, second):
    stream = client.read("teams")
    DOORS[first](stream)
    with pytest.raises(LakeflowTeamsError, match=r"the stream of teams .* call read\('teams', \.\.\.\) again"):
        DOORS[second](stream)


@pytest.mark.parametrize("door", [door for door in DOORS if "for" not in door])
def test_what_promises_the_whole_table_refuses_the_rest_of_it(client, door):
    stream = client.read("channels", fetch_all_teams=True)
    next(iter(stream))
    with pytest.raises(LakeflowTeamsError, match="1 batches were taken"):
        DOORS[door](stream)


def test_a_loop_may_go_on_where_another_stopped(client, graph):
    stream = client.read("messages", fetch_all_teams=True, fetch_all_channels=True)
    first = next(iter(stream))
    assert len(first) + sum(map(len, stream)) == len(graph.truth("messages"))
    assert next(stream, None) is None


def test_a_stream_that_failed_is_no_empty_table(client, graph):
    graph.set(roles=["Team.ReadBasic.All"])
    stream = client.read("members", fetch_all_teams=True)
    with pytest.raises(PermissionDeniedError):
        stream.to_arrow()
    with pytest.raises(LakeflowTeamsError, match="ended by an error"):
        stream.to_arrow()


def test_a_notebook_shows_that_it_was_read(client):
    stream = client.read("teams")
    assert "not read yet" in stream._repr_html_()
    stream.to_arrow()
    assert "read to its end" in stream._repr_html_()
