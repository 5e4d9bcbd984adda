"""A pipeline of yours on a tenant of the test's own: everything arrives, and a second run reads only what changed."""

from deltalake import DeltaTable

from lakeflow_teams import ingest_local

EVERYTHING = {"fetch_all_teams": True, "fetch_all_channels": True}
PIPELINE = {
    "connection_name": "test",
    "objects": [
        {"table": {"source_table": "channels", "table_configuration": {"fetch_all_teams": True}}},
        {"table": {"source_table": "messages", "table_configuration": EVERYTHING}},
    ],
}


def test_everything_arrives(graph_emulator, tmp_path):
    ingest_local(PIPELINE, tmp_path, graph_emulator.options)

    for table in ("channels", "messages"):
        stored = DeltaTable(str(tmp_path / "main" / "default" / table))
        assert stored.count() == len(graph_emulator.truth(table))


def test_an_edit_is_an_update(graph_emulator, tmp_path):
    ingest_local(PIPELINE, tmp_path, graph_emulator.options)
    graph_emulator.mutate(edits=3, new_messages=2)
    graph_emulator.advance(3600)  # the next round reads what changed in this hour

    second = ingest_local(PIPELINE, tmp_path, graph_emulator.options)

    messages = next(line for line in second.destinations if line.source_table == "messages")
    assert (messages.inserts, messages.updates, messages.deletes) == (2, 3, 0)
