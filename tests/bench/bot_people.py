"""People who write to a bot: as many as it takes, or so many a second. They take little of the processor themselves."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any


def requests(said: dict[str, Any], count: int, start: int = 0) -> list[bytes]:
    """Activities like one that was signed, each with an id of its own. A token is good for an hour, whatever it comes with."""
    made = []
    for at in range(start, start + count):
        body = json.dumps({**said["activity"], "id": f"bench-{at}"}).encode()
        head = (
            "POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: {said['authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class _Line:
    """A connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> _Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bool:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        # The answers have no body.
        return head.startswith(b"HTTP/1.1 200")

    def close(self) -> None:
        self._writer.close()


async def _flood(port: int, waiting: list[bytes], lines: int) -> tuple[float, int]:
    opened = [await _Line.open(port) for _ in range(lines)]
    good = 0

    async def run(line: _Line) -> None:
        nonlocal good
        while waiting:
            good += await line.ask(waiting.pop())

    begin = time.perf_counter()
    await asyncio.gather(*(run(line) for line in opened))
    seconds = time.perf_counter() - begin
    for line in opened:
        line.close()
    return seconds, good


def flood(port: int, waiting: list[bytes], lines: int = 64) -> tuple[float, int]:
    """Sends all as fast as they are taken: seconds, and how many were answered with 200."""
    return asyncio.run(_flood(port, waiting, lines))


async def _steady(port: int, waiting: list[bytes], rate: float, lines: int) -> list[float]:
    free: asyncio.Queue[_Line] = asyncio.Queue()
    for _ in range(lines):
        free.put_nowait(await _Line.open(port))
    times: list[float] = []

    async def one(request: bytes, due: float) -> None:
        line = await free.get()
        await line.ask(request)
        # From when it was due: what waits for a connection counts too.
        times.append(time.perf_counter() - due)
        free.put_nowait(line)

    begin = time.perf_counter()
    tasks = []
    for at, request in enumerate(waiting):
        due = begin + at / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait().close()
    return times


def steady(port: int, waiting: list[bytes], rate: float, lines: int = 64) -> list[float]:
    """Sends so many a second; the seconds that each answer took."""
    return sorted(asyncio.run(_steady(port, waiting, rate, lines)))
