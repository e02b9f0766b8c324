"""A picture of the invented city: hills behind a river at dusk, as bytes of a PNG; drawn here, taken from nowhere."""

from __future__ import annotations

import math
import struct
import zlib

WIDTH, HEIGHT = 900, 383  # the form of a 公众号 cover, 2.35 : 1
_SKY, _WATER = (233, 240, 248), (205, 219, 236)
# each hill: where its crest lies, how high it swings, how wide it is, its colour
_HILLS = (
    (0.46, 0.10, 210.0, (169, 189, 216)),
    (0.58, 0.09, 150.0, (95, 138, 196)),
    (0.70, 0.07, 260.0, (27, 69, 134)),
)


def draw_cover() -> bytes:
    """The whole picture; always the same bytes."""
    crests = [[_crest(hill, column) for column in range(WIDTH)] for hill in _HILLS]
    rows = b"".join(b"\0" + b"".join(_colour(crests, row, column) for column in range(WIDTH)) for row in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _crest(hill: tuple[float, float, float, tuple[int, int, int]], column: int) -> int:
    line, swing, width, _ = hill
    wave = math.sin(column / width * 2 + line * 9) + 0.4 * math.sin(column / width * 5 + line * 31)
    return int(HEIGHT * (line + swing * wave))


def _colour(crests: list[list[int]], row: int, column: int) -> bytes:
    """The nearest hill that reaches up to here, the river at the foot, else the sky."""
    shore = int(HEIGHT * 0.86 + 4 * math.sin(column / 60))
    if row > shore:
        return bytes(_WATER)
    found = _SKY
    for hill, crest in zip(_HILLS, crests, strict=True):
        found = hill[3] if row > crest[column] else found
    return bytes(found)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
