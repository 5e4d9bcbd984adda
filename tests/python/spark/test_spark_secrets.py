"""Secrets never show in plans, event logs, errors or reprs, and what travels is small."""

from __future__ import annotations

import os
import pickle

import pytest

from lakeflow_teams import AuthenticationError
from lakeflow_teams.spark import MicrosoftTeamsDataSource, connection
from support.spark import batch, differences, reader, rows

SECRET = "Zq8~never.shown-4711"


def everything(folder):
    """All text under a folder."""
    return "\n".join(file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file())


def test_a_secret_stays_out_of_plans_errors_and_the_event_log(spark, options, event_log, tmp_path, capfd):
    wrong = {**options, "client_secret": SECRET}
    frame = batch(spark, wrong, "teams")
    for mode in ("simple", "extended", "codegen", "cost", "formatted"):
        frame.explain(mode)
    with pytest.raises(Exception, match="Token acquisition failed") as caught:
        frame.collect()
    assert SECRET not in str(caught.value)
    query = (
        reader(spark.readStream, wrong, "messages")
        .load()
        .writeStream.format("noop")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    with pytest.raises(Exception, match="Token acquisition failed") as caught:
        query.awaitTermination(60)
    assert SECRET not in f"{caught.value}{query.exception()}"
    out = capfd.readouterr()
    for text in (out.out, out.err, everything(tmp_path), everything(event_log)):
        assert SECRET not in text


def test_the_error_class_is_named(spark, options):
    with pytest.raises(Exception, match=AuthenticationError.__name__):
        batch(spark, {**options, "client_secret": SECRET}, "teams").collect()


def test_reprs_and_pickles(options):
    source = MicrosoftTeamsDataSource({**options, "client_secret": SECRET, "tableName": "messages"})
    batch_reader = source.reader(source.schema())
    stream_reader = source.streamReader(source.schema())
    for thing in (source, batch_reader, stream_reader, batch_reader._options):
        assert SECRET not in f"{thing!r} {thing!s}"
        assert len(pickle.dumps(thing)) < 4_000
    copy = pickle.loads(pickle.dumps(stream_reader))
    assert copy.initialOffset() == {}


def test_secrets_by_reference(spark, graph, options, tmp_path):
    file = tmp_path / "secret"
    file.write_text(options.pop("client_secret"))
    assert differences(graph, "teams", rows(batch(spark, options, "teams", client_secret_file=str(file)))) == []


def test_a_plain_secret_over_connect_is_warned_of_once(options, monkeypatch, caplog):
    monkeypatch.setattr(connection, "_warned", set())
    connection.warn(options)
    assert not caplog.messages
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
    connection.warn({**options, "databricks.connection": "teams"})
    assert not caplog.messages
    connection.warn(options)
    connection.warn(options)
    assert len(caplog.messages) == 1
    assert "client_secret_file" in caplog.messages[0]
    assert options["client_secret"] not in caplog.text


def test_connections_are_shared_in_a_process_and_not_across_a_fork(options):
    one = connection.client({**options, "tablename": "teams", "team_id": "x"})
    assert connection.client({**options, "tablename": "messages"}) is one
    assert connection.client({**options, "requests_per_second": "9"}, 3) is not one
    list(one.read("teams", {}))
    child = os.fork()
    if child == 0:
        mine = connection.client(options)
        ended = mine is not one and sum(len(batch) for batch in mine.read("teams", {})) == 4
        os._exit(0 if ended else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_rate_budget_is_divided():
    assert connection._share({}, 1) == {}
    assert connection._share({}, 4) == {"rate_share": "0.25"}
    assert connection._share({"requests_per_second": "8"}, 4) == {"rate_share": "0.25"}
    assert connection._share({"rate_share": "0.5"}, 4) == {"rate_share": "0.125"}
    assert connection._share({}, 1_000_000) == {"rate_share": "0.0001"}
