"""``lakeflow-teams bot serve``: an app on a server of its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

from lakeflow_teams import _core

#: Open answers get so long to end; handlers and tables have some seconds more.
_GRACE_SECONDS = 1


def load(name: str) -> Any:
    """The app that ``module:attribute`` names; modules of the current folder are found first."""
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise _core.ConfigurationError(f"{name}: an app is named module:attribute, such as app:bot")
    folder = os.getcwd()  # noqa: PTH109
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise _core.ConfigurationError(
            f"{name}: there is no module {error.name} in {folder} or among what is installed"
        ) from None
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise _core.ConfigurationError(f"{name}: the module {module} has no {attribute}")
        found = getattr(found, part)
    if not callable(found):
        raise _core.ConfigurationError(f"{name}: it is a {type(found).__name__}, and no ASGI app")
    return found


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


def serve(app: Any, listener: socket.socket, told: Callable[[str], None]) -> bool:
    """Serves until SIGTERM or Ctrl-C, and ends within seconds; false where the app did not start."""
    import uvicorn

    config = uvicorn.Config(
        app,
        lifespan="auto",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    # Its own handlers would raise the signal again at the end, and the process would not end with 0.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    host, port = listener.getsockname()[:2]

    async def run() -> bool:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        if started := server.started:
            told(f"listening on http://{host}:{port}")
        await task
        return started

    def stop() -> None:
        server.should_exit = True

    with _signals(stop):
        return asyncio.run(run())


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
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
        for of, handler in kept.items():
            signal.signal(of, handler)
