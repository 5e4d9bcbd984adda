"""A bot in a real server in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import uvicorn
from deltalake import DeltaTable


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
            thread.join(10)
            assert not thread.is_alive(), "the app did not stop"


def table(target, name="bot_activities"):
    """The rows of a table of the bot."""
    place = Path(target) / "main" / "default" / name
    return DeltaTable(place).to_pyarrow_table().to_pylist() if DeltaTable.is_deltatable(str(place)) else []


def until(what, seconds=10):
    """Waits for something to become true, and returns it."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found
