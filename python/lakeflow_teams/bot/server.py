"""``lakeflow-teams bot serve``: an app on a server of its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.listen import http_server

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


def serve(app: Any, listener: socket.socket, told: Callable[[str], None]) -> bool:
    """Serves until SIGTERM or Ctrl-C, and ends within seconds; false where the app did not start."""
    server = http_server.server(app, grace_seconds=_GRACE_SECONDS, lifespan="auto")
    host, port = listener.getsockname()[:2]

    async def run() -> bool:
        task = await http_server.started(server, listener)
        if started := server.started:
            told(f"listening on http://{host}:{port}")
        await task
        return bool(started)

    def stop() -> None:
        server.should_exit = True

    with http_server.stopped_by_signals(stop):
        return asyncio.run(run())
