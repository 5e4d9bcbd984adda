"""`decode_notifications`: values of a hub to rows of several tables, and what became no row."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from lakeflow_teams import ConfigurationError
from lakeflow_teams.listen import decode
from lakeflow_teams.spark import decode_notifications, notification_problems, notification_rows
from support.pushed import hub


def test_values_become_rows_of_their_tables(spark, tmp_path):
    came = hub(tmp_path / "_listen", "messages", "chat_messages", new_messages=3, edits=2, chat_messages=1, deletes=1)
    oversized = {"subscriptionId": "s", "changeType": "created", "additionalPayloadStorageId": "blob"}
    values = [*came.values, json.dumps({"value": [oversized]}).encode(), b"no JSON"]
    df = spark.createDataFrame([(value,) for value in values], "value binary").repartition(2)
    decoded = decode_notifications(df, ["messages", "chat_messages"], certificate=str(came.keys)).cache()

    expected = decode(came.values, ["messages", "chat_messages"], certificate=came.keys, timestamps="text")
    for table in expected.tables:
        rows = notification_rows(decoded, table)
        names = pa.schema(expected.rows(table).schema).names
        assert rows.columns[: len(names)] == names
        assert {row["id"] for row in rows.collect()} == {row["id"] for row in expected.rows(table).to_pylist()}
    versions = {row["_version"] for row in notification_rows(decoded, "messages").collect()}
    assert None not in versions
    problems = {row["_problem"]: row for row in notification_problems(decoded).collect()}
    assert set(problems) == {"oversized", "malformed"}, "the test item is none"
    assert "blob" in problems["oversized"]["_notification"]


def test_what_can_be_known_is_told_before_anything_runs(spark):
    df = spark.createDataFrame([("{}",)], "value string")
    with pytest.raises(ConfigurationError, match="'users'"):
        decode_notifications(df, ["users"], certificate=[])
    empty = decode_notifications(df.limit(0), "messages", certificate=[])
    assert empty.collect() == []
