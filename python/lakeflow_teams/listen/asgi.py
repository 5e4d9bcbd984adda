"""What each of our ASGI 3 apps needs of the protocol (https://asgi.readthedocs.io): bodies, headers, plain answers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

_log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

#: A sender that is slower than this holds a connection for nothing.
BODY_SECONDS = 30.0


class TooLargeError(Exception):
    """The body is longer than the cap. What was read of it is thrown away."""


class TooSlowError(Exception):
    """The body did not come within the time that a sender is given."""


class DisconnectedError(Exception):
    """The sender left before its body was there: nobody waits for an answer."""


def path_of(scope: Scope) -> str:
    """The path below where the app is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    # Servers and frameworks differ in whether the path holds the mount.
    return path[len(root) :] or "/" if f"{path}/".startswith(f"{root}/") else path


def header(scope: Scope, name: str) -> str | None:
    """A header's value; nothing where it is missing, or there twice, or no plain text."""
    wanted = name.lower().encode("latin-1")
    found = [value for key, value in scope["headers"] if key.lower() == wanted]
    return found[0].decode("latin-1") if len(found) == 1 else None


async def read_body(scope: Scope, receive: Receive, most_bytes: int, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body.

    Raises :class:`TooLargeError` before more than ``most_bytes`` are held, and :class:`TooSlowError` after so many seconds.
    """
    try:
        return await asyncio.wait_for(_read_body(scope, receive, most_bytes), seconds)
    except asyncio.TimeoutError:
        raise TooSlowError from None


async def _read_body(scope: Scope, receive: Receive, most_bytes: int) -> bytes:
    told = header(scope, "content-length")
    if told is not None and told.isdecimal() and int(told) > most_bytes:
        raise TooLargeError
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        part = message.get("body", b"")
        size += len(part)
        if size > most_bytes:
            raise TooLargeError
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def answer(send: Send, status: int, body: bytes = b"", headers: Headers = ()) -> None:
    """Sends a whole answer."""
    shown = [(b"content-length", str(len(body)).encode("ascii")), *headers]
    await send({"type": "http.response.start", "status": status, "headers": shown})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, content: Any, headers: Headers = ()) -> None:
    """Sends JSON."""
    # As ASCII: half of a surrogate pair, which people may send back, is no UTF-8.
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    await answer(send, status, body, [(b"content-type", b"application/json; charset=utf-8"), *headers])


async def lifespan(
    receive: Receive, send: Send, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]
) -> None:
    """Follows a server's life: ``start`` before the first request, ``stop`` after the last."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await _step(send, "startup", start)
        else:
            await _step(send, "shutdown", stop)
            return


async def _step(send: Send, name: str, run: Callable[[], Awaitable[None]]) -> None:
    try:
        await run()
    except Exception as error:
        # The server prints the message; a traceback may quote what people wrote.
        text = " ".join(str(error).split())
        _log.error("%s failed: %s: %s", name, type(error).__name__, text)
        await send({"type": f"lifespan.{name}.failed", "message": f"{type(error).__name__}: {text}"})
    else:
        await send({"type": f"lifespan.{name}.complete"})
