"""The QR picture of a demand's link, as a path drawn in the page: a file of it would have the code in its address."""

from __future__ import annotations

from dataclasses import dataclass

import segno

BORDER = 2


@dataclass(frozen=True)
class Drawn:
    """A square of `size` units and the path of its dark modules."""

    size: int
    path: str


def drawn(text: str) -> Drawn:
    """The modules row by row, each dark one a square of one unit."""
    matrix = segno.make(text, error="m").matrix
    steps = [
        f"M{column + BORDER} {row + BORDER}h1v1h-1z"
        for row, line in enumerate(matrix)
        for column, dark in enumerate(line)
        if dark
    ]
    return Drawn(len(matrix) + 2 * BORDER, "".join(steps))
