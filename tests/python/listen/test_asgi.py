"""The parts of the ASGI protocol that our apps share."""

from __future__ import annotations

import asyncio

import pytest

from lakeflow_teams.listen import asgi


def scope(path="/x", root="", headers=()):
    return {"type": "http", "method": "POST", "path": path, "root_path": root, "headers": list(headers)}


def feed(*messages):
    rest = list(messages)

    async def receive():
        return rest.pop(0)

    return receive


def part(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def body(receive, most, headers=()):
    return asyncio.run(asgi.read_body(scope(headers=headers), receive, most))


def test_a_body_is_read_in_parts_and_never_beyond_its_cap():
    assert body(feed(part(b"ab", more=True), part(b"c")), 3) == b"abc"
    assert body(feed(part(b"")), 3) == b""
    with pytest.raises(asgi.TooLargeError):
        body(feed(part(b"ab", more=True), part(b"cd", more=True)), 3)
    with pytest.raises(asgi.TooLargeError):
        body(feed(), 3, [(b"content-length", b"4")])

    async def never():
        await asyncio.sleep(60)

    with pytest.raises(asgi.TooSlowError):
        asyncio.run(asgi.read_body(scope(), never, 3, 0.01))
    with pytest.raises(asgi.DisconnectedError):
        body(feed(part(b"ab", more=True), {"type": "http.disconnect"}), 3)


def test_a_header_that_is_there_twice_is_none():
    one = (b"Authorization", b"Bearer a")
    assert asgi.header(scope(headers=[one]), "authorization") == "Bearer a"
    assert asgi.header(scope(headers=[one, one]), "authorization") is None
    assert asgi.header(scope(), "authorization") is None


def test_the_path_is_below_the_mount_in_either_form_of_it():
    assert asgi.path_of(scope("/bot/api/messages", "/bot")) == "/api/messages"
    assert asgi.path_of(scope("/api/messages", "/bot")) == "/api/messages"
    assert asgi.path_of(scope("/bot", "/bot")) == "/"


def test_a_start_that_fails_is_told_to_the_server():
    told = []

    async def send(message):
        told.append(message)

    async def good():
        pass

    async def bad():
        raise ValueError("no\nkey")

    life = feed({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    asyncio.run(asgi.lifespan(life, send, bad, good))
    assert told == [
        {"type": "lifespan.startup.failed", "message": "ValueError: no key"},
        {"type": "lifespan.shutdown.complete"},
    ]
