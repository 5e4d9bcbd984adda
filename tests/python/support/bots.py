"""A bot in a real server in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import uvicorn
from deltalake import DeltaTable

from lakeflow_teams.bot import Card

ASK = Card.of(
    "Disk is full",
    inputs=[Card.input("why", "Why")],
    actions=[Card.action("Resolve", "resolve", {"issue": 7, "host": "db-7"})],
)
DONE = Card.of("Resolved", actions=[Card.action("Reopen", "reopen", {"issue": 7})])
#: For clients that know no Action.Execute.
OLD = Card(
    {"type": "AdaptiveCard", "version": "1.3", "actions": [Card.action("Resolve", "resolve", {"issue": 7})["fallback"]]}
)


class Server(uvicorn.Server):
    def install_signal_handlers(self):
        pass


@contextlib.contextmanager
def serving(app):
    """The app's address on this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = Server(uvicorn.Config(app, log_level="warning", lifespan="on", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        assert server.started, "the app did not start"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the app did not stop"


def table(target, name="bot_activities"):
    """The rows of a table of the bot."""
    place = Path(target) / "main" / "default" / name
    return DeltaTable(place).to_pyarrow_table().to_pylist() if DeltaTable.is_deltatable(str(place)) else []


def until(what, seconds=120):
    """Waits for something to become true, and returns it."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found


def sent(graph, action="send"):
    """What the bot did."""
    return [one for one in graph.deliveries() if one["action"] == action]


def card_of(delivery):
    """The card of a message."""
    return delivery["activity"]["attachments"][0]["content"]


def title(delivery):
    """The first text of its card."""
    return card_of(delivery)["body"][0]["text"]


def tell(graph, url, **act):
    """Lets a person act; gives the status of the answer to each activity."""
    return [one["statuses"][-1] for one in graph.tell(f"{url}/api/messages", **act)]


def rows(target):
    """The rows of ``bot_activities``."""
    return table(target)
