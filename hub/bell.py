"""铃: one duty's word to another of the same process that there is work for it; the ticks remain the promise."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings by the names of duties. Ringing again before anybody heard is one ring; a ring that nobody waits for is
    kept for the next who does. What it wakes must find its work in the store: a ring is lost with its process."""

    def __init__(self) -> None:
        self._rung: dict[str, asyncio.Event] = {}

    def ring(self, name: str) -> None:
        """There is work for this duty."""
        self._of(name).set()

    async def heard(self, name: str) -> None:
        """Wait for the next ring, or take the one that has rung."""
        event = self._of(name)
        await event.wait()
        event.clear()

    def _of(self, name: str) -> asyncio.Event:
        return self._rung.setdefault(name, asyncio.Event())
