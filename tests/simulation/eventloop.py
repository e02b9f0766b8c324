"""An event loop whose time passes only when everybody waits: hours take no longer than what is done in them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any


class Stuck(RuntimeError):
    """Everybody waits for something that will never come."""


class _Waiting:
    """Stands where a loop asks the machine for sockets: there are none, so waiting is letting time pass."""

    def __init__(self) -> None:
        self.time = 0.0

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stuck("everybody waits, and nothing is due")
        self.time += timeout
        return []

    def close(self) -> None:
        return None


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without a world outside. `strange` collects what nobody caught, but for the ways processes die."""

    def __init__(self, expected: tuple[type[BaseException], ...] = ()) -> None:
        super().__init__()
        self._selector = _Waiting()
        self._clock_resolution = 1e-9
        self._expected = expected
        self.strange: list[str] = []
        self.set_exception_handler(self._note)

    def time(self) -> float:
        return self._selector.time

    def _process_events(self, event_list: list[Any]) -> None:
        return None

    def _write_to_self(self) -> None:
        return None

    def _note(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, self._expected):
            self.strange.append(f"{context.get('message')}: {error!r}")
