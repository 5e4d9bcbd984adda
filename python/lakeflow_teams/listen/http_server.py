"""What our apps share of a server of their own (uvicorn): its socket, its start, and the signals that end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

from lakeflow_teams.listen import asgi


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there, or an :class:`OSError` that says what to do."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"{host}:{port} cannot be listened on: {error.strerror or error}; choose another --port") from None
    return listener


def server(app: asgi.App, *, grace_seconds: int, **settings: Any) -> Any:
    """A server that writes no log of its own, and gives open answers so long to end."""
    import uvicorn

    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=grace_seconds, **settings
    )
    made = uvicorn.Server(config)
    # Its own handlers would raise the signal again at the end, and the process would not end with 0.
    made.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    return made


async def started(server: Any, listener: socket.socket) -> asyncio.Task[None]:
    """Starts it, and waits until it answers or has failed to; the task ends with it."""
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    return task


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop it; a second one ends the process as ever."""
    kept: dict[signal.Signals, Any] = {}

    def handle(number: int, _frame: object) -> None:
        stop()
        signal.signal(number, kept[signal.Signals(number)])

    for number in (signal.SIGINT, signal.SIGTERM):
        kept[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
