"""The files of a local lakehouse in Spark: the same rows and types, with nothing to be reconciled between files."""

from __future__ import annotations

from lakeflow_teams import ingest_local
from lakeflow_teams.local import incremental
from lakeflow_teams.local.write import delta
from support.lakehouse import entry, later, pipeline, place, stored


def test_files_of_appends_and_merges_are_one_table(spark, graph, options, tmp_path, monkeypatch):
    monkeypatch.setattr(incremental, "ROWS_PER_BATCH", 60)
    spec = pipeline(entry("messages"), entry("message_replies"))
    for _ in range(2):
        ingest_local(spec, tmp_path, options)
        later(graph)
    ingest_local(spec, tmp_path, options)
    for name in ("messages", "message_replies"):
        files = delta.opened(place(tmp_path, name)).file_uris()
        assert len(files) > 1
        frame = spark.read.option("mergeSchema", "false").parquet(*files)
        kinds = {field.name: field.dataType.simpleString() for field in frame.schema}
        assert {kinds[column] for column in ("createdDateTime", "lastModifiedDateTime")} == {"timestamp"}
        assert {kinds[column] for column in ("id", "team_id", "etag", "webUrl")} == {"string"}
        read = {tuple(row) for row in frame.select("team_id", "id", "lastModifiedDateTime", "body.content").collect()}
        rows = stored(tmp_path, name)
        wanted = zip(rows["team_id"], rows["id"], rows["lastModifiedDateTime"], rows["body"], strict=True)
        assert {(team, one, at.timestamp(), body) for team, one, at, body in read} == {
            (team.as_py(), one.as_py(), at.as_py().timestamp(), body.as_py()["content"]) for team, one, at, body in wanted
        }
        assert frame.count() == rows.num_rows
