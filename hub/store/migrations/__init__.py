"""Numbered, repeatable upgrade steps of the store; the stores themselves live beside this folder.

A step is a file `step_NNNN.py` with `async def upgrade(store) -> None`, listed here in order. It may be cut off and run
again at any place. The number of a store is the number of its last step; a new store is born with the newest. A step
is handed the store and imports nothing of the room above: an old step must not change with the code of today.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Step = Callable[[Any], Awaitable[None]]

FIRST = 1
STEPS: Mapping[int, Step] = {}  # number the store has afterwards → step; the first schema needs none
