"""`lakeflow_teams.listen.decode`: values of a hub to rows, without a server or a connection."""

from __future__ import annotations

import json
import pickle

import pyarrow as pa
import pytest

from lakeflow_teams import ConfigurationError, TeamsClient, _core
from lakeflow_teams.listen import decode
from lakeflow_teams.listen.decoding import DecoderSpec
from support.pushed import ALL, hub


def test_rows_of_a_hub_are_those_that_reading_gives(tmp_path):
    came = hub(tmp_path / "_listen", "messages", "chat_messages", new_messages=3, edits=1, chat_messages=1)
    decoded = decode(came.values, ["messages", "chat_messages"], certificate=came.keys)
    assert decoded.counts["rows"] == 5
    assert decoded.counts["validation"] >= 1, "the test item of a hub"
    assert sum(decoded.counts.values()) == decoded.items
    client = TeamsClient(came.emulator.options)
    read = {row["id"]: row for row in client.read("messages", **ALL).to_arrow().to_pylist()}
    rows = pa.record_batch(decoded.rows("messages"))
    assert rows.schema.equals(pa.schema(client.schema("messages")))
    told = pa.record_batch(decoded.changes("messages")).to_pylist()
    assert len(told) == rows.num_rows == 4
    for row, change in zip(rows.to_pylist(), told, strict=True):
        carried = change["_carried"] or rows.schema.names
        assert {name: plain(row[name]) for name in carried} == {name: plain(read[row["id"]][name]) for name in carried}
    with pytest.raises(KeyError):
        decoded.rows("teams")


def plain(value):
    """A value; of JSON, whose members have no order, what it says."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def test_values_come_as_bytes_texts_and_arrow(tmp_path):
    came = hub(tmp_path / "_listen", "messages", new_messages=2)
    texts = [value.decode() for value in came.values]
    batch = pa.record_batch({"value": pa.array(came.values, pa.binary()), "offset": range(len(texts))})
    counts = [
        decode(values, "messages", certificate=came.keys).counts
        for values in (came.values, texts, batch, pa.record_batch({"value": texts}))
    ]
    assert counts[0]["rows"] == 2
    assert counts[1:] == counts[:1] * 3
    with pytest.raises(KeyError, match="no column 'value'"):
        decode(pa.record_batch({"body": texts}), "messages", certificate=came.keys)


def test_a_certificate_is_a_path_bytes_or_several_by_label(tmp_path):
    came = hub(tmp_path / "_listen", "messages", new_messages=1)
    (path,) = came.keys.glob("*.pem")
    for certificate in (path, str(path), path.read_bytes(), [path], {path.stem: path}, {"other": path}):
        assert decode(came.values, "messages", certificate=certificate).counts["rows"] == 1
    _core.rotate_listen_key(tmp_path / "_listen")
    newest = max(came.keys.glob("*.pem"), key=lambda found: found.name)
    counts = decode(came.values, "messages", certificate=newest).counts
    assert "rows" not in counts
    assert counts["unknown_key"] == 1
    with pytest.raises(ConfigurationError, match="Option certificate"):
        decode(came.values, "messages", certificate=tmp_path / "nowhere.pem")


def test_items_with_another_state_are_refused(tmp_path):
    came = hub(tmp_path / "_listen", "messages", new_messages=1)
    state = json.loads((tmp_path / "_listen" / "subscriptions.json").read_text())["subscriptions"][0]["client_state"]
    assert decode(came.values, "messages", certificate=came.keys, client_states=[state]).counts["rows"] == 1
    assert decode(came.values, "messages", certificate=came.keys, client_states=["guessed"]).counts["client_state"] == 1


def test_what_makes_a_decoder_travels_and_shows_no_key(tmp_path):
    came = hub(tmp_path / "_listen", "messages", new_messages=1)
    (path,) = came.keys.glob("*.pem")
    spec = DecoderSpec.of({"messages": {"body_text": True}}, path.read_bytes(), client_states=["hush"])
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec
    assert "PRIVATE" not in repr(spec)
    assert "hush" not in repr(spec)
    decoded = again.make().decode(came.values)
    assert decoded.counts["client_state"] == 1


def test_tables_that_nobody_pushes_are_named():
    with pytest.raises(ConfigurationError, match="no notifications of table 'users'"):
        decode([], "users", certificate=[])
    plan = json.loads(_core.plan_subscriptions([("messages", ALL, None), ("users", {}, None)]))
    assert [one["resource"] for one in plan["subscriptions"]] == ["/teams/getAllMessages"]
    assert plan["not_pushed"][0]["table"] == "users"
