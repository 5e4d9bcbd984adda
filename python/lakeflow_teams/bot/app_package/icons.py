"""The two icons that every app has: a speech bubble on the app's colour, and its white outline."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

#: Pixels of a side (https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package).
COLOR_SIZE, OUTLINE_SIZE = 192, 32
SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Points across a pixel whose mean smooths an edge.
_SMOOTH = 2
_CLEAR = (0, 0, 0, 0)
_WHITE = (255, 255, 255, 255)

Colour = tuple[int, int, int, int]


def color_icon(hex_color: str) -> bytes:
    """192 by 192 pixels, as PNG. ``hex_color`` is such as ``#4464ee``."""
    red, green, blue = (int(hex_color[at : at + 2], 16) for at in (1, 3, 5))
    ground = (red, green, blue, 255)
    return _png(COLOR_SIZE, lambda x, y: _WHITE if _in_bubble(x, y, 0) else ground)


def outline_icon() -> bytes:
    """32 by 32 pixels, white on nothing, as PNG."""
    return _png(OUTLINE_SIZE, lambda x, y: _WHITE if _in_bubble(x, y, 0) and not _in_bubble(x, y, 0.07) else _CLEAR)


def _in_bubble(x: float, y: float, inset: float) -> bool:
    """Whether a point of the unit square is in the bubble: a rounded box with a tail."""
    left, top, right, bottom, round_ = 0.16 + inset, 0.2 + inset, 0.84 - inset, 0.68 - inset, 0.14 - inset
    if left <= x <= right and top <= y <= bottom:
        across = max(left + round_ - x, x - (right - round_), 0)
        down = max(top + round_ - y, y - (bottom - round_), 0)
        return across * across + down * down <= round_ * round_
    return bottom <= y <= 0.86 - 2 * inset and 0.3 + inset <= x <= 0.3 + inset + 0.86 - 2 * inset - y


def _png(size: int, colour: Callable[[float, float], Colour]) -> bytes:
    """An image of red, green, blue and alpha (https://www.w3.org/TR/png)."""
    steps = [(step + 0.5) / _SMOOTH for step in range(_SMOOTH)]

    def pixel(column: int, row: int) -> bytes:
        points = [colour((column + x) / size, (row + y) / size) for x in steps for y in steps]
        alpha = sum(point[3] for point in points)
        mean = [sum(point[at] * point[3] for point in points) // alpha if alpha else 0 for at in range(3)]
        return bytes([*mean, alpha // len(points)])

    lines = (b"\0" + b"".join(pixel(column, row) for column in range(size)) for row in range(size))
    header = struct.pack(">2I5B", size, size, 8, 6, 0, 0, 0)
    body = zlib.compress(b"".join(lines), 9)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
