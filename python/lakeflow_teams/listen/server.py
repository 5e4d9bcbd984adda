"""``lakeflow-teams listen``: the receiver on a server of its own, or the reader of a hub, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from time import monotonic

from lakeflow_teams import _core
from lakeflow_teams.listen import asgi, http_server, kafka
from lakeflow_teams.listen.files import replace_json
from lakeflow_teams.listen.receiver import answer
from lakeflow_teams.listen.service import Service
from lakeflow_teams.listen.settings import LOOPBACK

_log = logging.getLogger(__name__)

PROCESS = "process.json"
#: Open answers get so long to end.
_GRACE_SECONDS = 2
_LOOK_SECONDS = 0.25


def require_loopback(host: str) -> None:
    """Raises :class:`ConfigurationError` for an address that others reach: TLS is a proxy's business."""
    if host not in LOOPBACK:
        raise _core.ConfigurationError(
            f"host {host}: plain HTTP is taken on this machine only, such as 127.0.0.1; put a proxy that ends TLS in front"
        )


def serve(service: Service, host: str, port: int, told: Callable[[str], None]) -> bool:
    """Serves HTTP until it is stopped. Whether everything ended in time."""
    listener = http_server.bound(host, port)
    _note_process(service, host, listener.getsockname()[1])
    return asyncio.run(_serve(service, listener, told))


def read(service: Service, source: kafka.Source, told: Callable[[str], None]) -> bool:
    """Reads a hub until it is stopped."""
    reader = kafka.Reader(service, source)
    _note_process(service, None, None)
    with http_server.stopped_by_signals(service.end):
        service.start()
        told(f"reading {source.topic} at {source.servers}")
        reader.run()
    return service.stop()


async def _serve(service: Service, listener: socket.socket, told: Callable[[str], None]) -> bool:
    async def app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] == "http":
            await answer(service, service.settings.path, scope, receive, send)

    server = http_server.server(app, grace_seconds=_GRACE_SECONDS, lifespan="off", timeout_keep_alive=120)
    host, port = listener.getsockname()[:2]
    loop = asyncio.get_running_loop()
    with http_server.stopped_by_signals(service.end):
        task = await http_server.started(server, listener)
        # The handshake happens inside the calls that subscribe: whoever answers it has to be there first.
        service.start(loop)
        told(f"listening on http://{host}:{port}{service.settings.path or '/'} for {service.settings.url}")
        while not service.stopping and not task.done():  # noqa: ASYNC110  (a file and a signal ask for it too)
            await asyncio.sleep(_LOOK_SECONDS)
        server.should_exit = True
        ended = await asyncio.to_thread(service.stop)
        await task
    return ended


def _note_process(service: Service, host: str | None, port: int | None) -> None:
    replace_json(service.folder / PROCESS, {"pid": os.getpid(), "host": host, "port": port, "url": service.settings.url})


def wait_until_stopped(is_running: Callable[[], bool], seconds: float) -> bool:
    """Whether a listener that was asked to stop did."""
    from time import sleep

    end = monotonic() + seconds
    while is_running():
        if monotonic() > end:
            return False
        sleep(0.1)
    return True
