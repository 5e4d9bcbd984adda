"""``Receiver`` in an app of one's own, and the functions that it calls."""

from __future__ import annotations

import asyncio
import threading

import pytest
import uvicorn

from lakeflow_teams import ConfigurationError, GraphEmulator
from lakeflow_teams.listen import Receiver
from lakeflow_teams.listen.status import status
from lakeflow_teams.local.write.delta import read
from support.lakehouse import entry, pipeline
from support.listening import MESSAGES, equal, free_port, wait_for


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=2, messages_per_channel=8, users=6, chats=1, big_threads=0) as emulator:
        yield emulator


@pytest.fixture
def serve():
    """Runs an app on a thread of its own, until the test ends."""
    running = []

    def start(app, port):
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        wait_for(lambda: server.started)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def test_handlers_get_rows_that_are_stored(graph, tmp_path, serve):
    port = free_port()
    receiver = Receiver(
        pipeline(*(entry(table) for table in MESSAGES)),
        tmp_path,
        url=f"http://127.0.0.1:{port}/in",
        connection=graph.options,
    )
    created, deleted, stored_first = [], [], []

    @receiver.on("messages", "created")
    async def note(change):
        await asyncio.sleep(0)
        created.append(change)
        stored_first.append(equal(graph, tmp_path, ("messages",)))

    @receiver.on("messages", "deleted")
    def drop(change):
        deleted.append(change)
        raise ValueError("a mistake with a secret text")

    serve(receiver, port)
    wait_for(lambda: equal(graph, tmp_path))
    new = graph.mutate(new_messages=1)["new_messages"][0]
    wait_for(lambda: stored_first)
    assert (created[0].kind, created[0].row["id"], created[0].row["channel_id"]) == ("created", new["id"], new["channel_id"])
    assert created[0].row["body"]["content"]
    assert stored_first[0]
    gone = graph.mutate(deletes=1)["deletes"][0]
    wait_for(lambda: deleted)
    assert (deleted[0].row["id"], deleted[0].row["deletedDateTime"] is not None) == (gone["id"], True)
    wait_for(lambda: status(tmp_path)["handler_failures"] == 1)
    assert "secret" not in str(status(tmp_path))


def test_an_app_that_mounts_it_starts_it_by_its_own_lifespan(graph, tmp_path, serve):
    port = free_port()
    receiver = Receiver(
        pipeline(entry("messages")), tmp_path, url=f"http://127.0.0.1:{port}/mounted", connection=graph.options
    )

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receiver(scope, receive, send)
        elif scope["path"].startswith("/mounted"):
            await receiver({**scope, "root_path": "/mounted"}, receive, send)

    serve(app, port)
    wait_for(lambda: equal(graph, tmp_path, ("messages",)))
    graph.mutate(new_messages=1)
    wait_for(lambda: equal(graph, tmp_path, ("messages",)))
    assert len(graph.subscriptions()) == 1


def test_notifications_are_kept_as_they_came_where_that_is_asked_for(graph, tmp_path, serve):
    port = free_port()
    spec = {**pipeline(entry("messages")), "listen": {"keep_notifications": True}}
    receiver = Receiver(spec, tmp_path, url=f"http://127.0.0.1:{port}/in", connection=graph.options)
    serve(receiver, port)
    wait_for(lambda: equal(graph, tmp_path, ("messages",)))
    graph.set(push={"wrongly_signed": 1.0})
    graph.mutate(edits=1)
    graph.set(push={})
    graph.mutate(edits=1)
    place = tmp_path / "main" / "default" / "notifications"
    # The folder is there before the table is.
    wait_for(lambda: (place / "_delta_log" / f"{0:020}.json").exists() and read(place).num_rows == 2)
    rows = read(place).to_pylist()
    assert sorted(row["outcome"] for row in rows) == ["rows", "signature"]
    state = graph.subscriptions()[0]["clientState"]
    assert not any(state in row["notification"] or "edited near" in row["notification"] for row in rows)
    with pytest.raises(ConfigurationError, match="keep_notifications"):
        Receiver({**spec, "listen": {"keep": True}}, tmp_path, url="https://in.example.org/x")


def test_mistakes_are_told_before_anything_is_sent(graph, tmp_path):
    spec = pipeline(entry("messages"))
    for url in ("http://in.example.org/x", "https://user:secret@in.example.org/x", "nonsense"):
        with pytest.raises(ConfigurationError, match="url") as refused:
            Receiver(spec, tmp_path, url=url)
        assert "secret" not in str(refused.value)
    receiver = Receiver(spec, tmp_path, url="https://in.example.org/x", connection=graph.options)
    with pytest.raises(ConfigurationError, match="did you mean created"):
        receiver.on("messages", "create")
    receiver.on("message", "created")(print)
    with pytest.raises(ConfigurationError, match="it has messages"):
        asyncio.run(receiver.start())
    assert graph.request_counts() == {}
