"""Times at the doors that give frames and rows: timestamps for notebooks, text for the Lakeflow interface."""

from __future__ import annotations

from datetime import datetime, timezone

import pyarrow as pa
import pytest

from lakeflow_teams import ConfigurationError, TeamsClient, _core
from lakeflow_teams.lakeflow import MicrosoftTeamsLakeflowConnect
from lakeflow_teams.testing.compare import compare

EVERYTHING = {"fetch_all_teams": True, "fetch_all_channels": True}


def test_a_client_gives_timestamps_unless_it_is_told_otherwise(graph, options):
    client = TeamsClient(options)
    rows = client.read("messages", **EVERYTHING).to_arrow()
    assert rows.schema.field("createdDateTime").type == pa.timestamp("us", "UTC")
    assert pa.schema(client.schema("messages")).field("createdDateTime").type == pa.timestamp("us", "UTC")
    assert compare("messages", rows.to_pylist(), graph.truth("messages"), ("team_id", "channel_id", "id")) == []
    text = client.read("messages", timestamps="text", **EVERYTHING).to_arrow()
    assert text.schema.field("createdDateTime").type == pa.string()
    assert compare("messages", text.to_pylist(), graph.truth("messages"), ("team_id", "channel_id", "id")) == []


def test_frames_sort_and_subtract_times(graph, options):
    client = TeamsClient(options)
    polars = client.read("teams").to_polars()
    assert str(polars.schema["createdDateTime"]) == "Datetime(time_unit='us', time_zone='UTC')"
    pandas = client.read("teams").to_pandas()
    assert pandas["createdDateTime"].max() - pandas["createdDateTime"].min() >= pandas["createdDateTime"].diff().min()
    newest = client.read("teams").to_duckdb().aggregate("max(createdDateTime)").fetchall()[0][0]
    assert newest == max(polars["createdDateTime"])


def test_rows_hold_aware_datetimes(graph, options):
    rows = [row for batch in TeamsClient(options).read("teams") for row in batch.to_pylist()]
    assert all(row["createdDateTime"].tzinfo is timezone.utc for row in rows)
    assert compare("teams", rows, graph.truth("teams"), ("id",)) == []


def test_deletes_have_the_times_of_their_rows(graph, options):
    client = _core.Client(options)
    batches, offset = [], None
    for _ in range(2):
        while True:
            step = client.micro_batch(["users"], {"timestamps": "timestamp", "min_poll_seconds": "0"}, offset)
            batches += map(pa.record_batch, step.deletes["users"])
            offset = step.offset
            if step.finished:
                break
        graph.mutate(deleted_users=2)
        graph.advance(3600)
    gone = pa.Table.from_batches(batches)
    assert gone.num_rows == 2
    assert gone.schema.field("observed_at").type == pa.timestamp("us", "UTC")
    assert gone["observed_at"].null_count == 0


def test_the_lakeflow_interface_gives_text_as_its_documentation_says(graph, options):
    source = MicrosoftTeamsLakeflowConnect(options)
    rows, _ = source.read_table("teams", None, {})
    assert {type(row["createdDateTime"]) for row in rows} == {str}
    rows, _ = source.read_table("teams", None, {"timestamps": "timestamp"})
    assert {type(row["createdDateTime"]) for row in rows} == {datetime}


def test_a_wrong_word_is_refused(options):
    with pytest.raises(ConfigurationError, match=r"Option timestamps.*one of text, timestamp"):
        TeamsClient(options).read("teams", timestamps="date")
