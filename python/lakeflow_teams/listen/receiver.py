"""``Receiver``: the ASGI app that takes what Graph sends, on a server of one's own or of ``lakeflow-teams listen``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from os import PathLike
from time import monotonic
from typing import Any

from lakeflow_teams._extras import need
from lakeflow_teams.listen import asgi
from lakeflow_teams.listen.handlers import F, Handlers
from lakeflow_teams.listen.service import Service
from lakeflow_teams.listen.settings import Settings
from lakeflow_teams.spec.pipeline import load
from lakeflow_teams.store.locate import Target

_log = logging.getLogger(__name__)

_LIFECYCLE = "/lifecycle"
#: Servers start an app before they listen.
_AFTER_SECONDS = 1.0


class Receiver:
    """Keeps the tables of a pipeline fresh by Graph's change notifications, as an ASGI 3 app.

    ``pipeline`` is that of ``ingest`` (a YAML file or a mapping), ``target`` the same folder, ``url`` the public address of
    this app; Graph's lifecycle events come to the same address with ``/lifecycle``. Options of the connection win over those
    of the pipeline. Making it sends nothing. Starting it takes the lock of the target: a second one, here or in another
    process, raises :class:`LakeflowTeamsError`.

    A server with lifespan starts and stops it. Where it is mounted in another app, that app's own lifespan has to::

        receiver = Receiver("pipeline.yaml", "lakehouse", url="https://in.example.org/teams")

        @asynccontextmanager
        async def lifespan(app):
            async with receiver.running():
                yield

        app = FastAPI(lifespan=lifespan)
        app.mount("/teams", receiver)

    Needs the extra ``local``.
    """

    def __init__(
        self,
        pipeline: str | PathLike[str] | Mapping[str, Any],
        target: Target,
        *,
        url: str,
        connection: Mapping[str, Any] | None = None,
        credential: object | None = None,
        keep_notifications: bool = False,
        certificate: str | PathLike[str] | None = None,
        certificate_label: str | None = None,
    ) -> None:
        for module in ("deltalake", "pyarrow", "yaml"):
            need(module, "local", "a receiver")
        self._handlers = Handlers()
        self._given = (load(pipeline), target, connection, credential)
        self._settings = Settings(
            url=url,
            keep_notifications=keep_notifications,
            certificate=None if certificate is None else str(certificate),
            certificate_label=certificate_label,
        )
        self._settings.for_core(None)
        self._service: Service | None = None

    def on(self, table: str, kind: str | None = None) -> Callable[[F], F]:
        """A decorator: the function is called with each change of a table, once its row is stored.

        It is given a :class:`~lakeflow_teams.listen.merging.Change`.

        ``kind`` is ``created``, ``updated`` or ``deleted``; without it all are given. The function may be a coroutine. It is
        called at least once for each change: after a restart the last ones come again. What it raises is logged without its
        text, counted in ``listen status``, and not tried again. Register before the receiver starts.
        """
        return self._handlers.on(table, kind)

    async def start(self) -> None:
        """Takes the lock, subscribes, and begins to merge. Call it once the server listens, or right before."""
        spec, target, connection, credential = self._given

        def make() -> Service:
            return Service(spec, target, self._settings, connection, credential=credential, handlers=self._handlers)

        self._service = await asyncio.to_thread(make)
        self._service.start(asyncio.get_running_loop(), after_seconds=_AFTER_SECONDS)

    async def stop(self) -> None:
        """Ends within a few seconds. Subscriptions stay, so that Graph keeps what comes meanwhile for up to four hours."""
        service, self._service = self._service, None
        if service is not None:
            await asyncio.to_thread(service.stop)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        """Starts, and stops at the end."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Takes one request, or follows a server's life."""
        if scope["type"] == "lifespan":
            await asgi.lifespan(receive, send, self.start, self.stop)
        elif scope["type"] == "http":
            await answer(self._service, self._settings.path, scope, receive, send)


async def answer(service: Service | None, path: str, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    """Answers one request: the core decides, and what it takes is on disk by then."""
    kind = _kind(scope, path)
    if kind is None:
        return await asgi.answer(send, 404)
    if scope["method"] != "POST":
        return await asgi.answer(send, 405, headers=[(b"allow", b"POST")])
    if service is None:
        return await asgi.answer(send, 503, headers=[(b"retry-after", b"10")])
    begin = monotonic()
    try:
        body = await asgi.read_body(scope, receive, service.core.max_body_bytes)
    except asgi.TooSlowError:
        return await asgi.answer(send, 408)
    except asgi.TooLargeError:
        return await asgi.answer(send, 413)
    except asgi.DisconnectedError:
        return None
    read = monotonic()
    status, headers, content = await service.core.receive(kind, scope.get("query_string", b""), scope["headers"], body)
    if kind == "lifecycle":
        service.wake()
    # How long a sender takes to send is none of ours.
    service.answered(monotonic() - (read if read - begin > 1.0 else begin))
    return await asgi.answer(send, status, content, headers)


def _kind(scope: asgi.Scope, path: str) -> Any:
    """What a path is for. Mounted apps see the path below their mount, and some proxies cut theirs off."""
    for own in (str(scope["path"]).rstrip("/"), asgi.path_of(scope).rstrip("/")):
        for base in {path, ""} if scope.get("root_path") else {path}:
            if own == base:
                return "notifications"
            if own == base + _LIFECYCLE:
                return "lifecycle"
    return None
