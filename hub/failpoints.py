"""Failpoints: named places where a test may kill, raise or hang the process; what is tested there lives in tests/crash.

`HUB_FAILPOINT=name:nth:kill|raise|hang` arms one of them, with rehearsal channels only. Unarmed, a point costs one
comparison.
"""

from __future__ import annotations

import asyncio
import os
import signal

NAMES = (
    "publish.due",
    "publish.claimed",
    "stage.uploaded",
    "stage.drafted",
    "publish.intent_written",
    "publish.answered",
    "publish.outcome_written",
    "deliver.asked",
    "deliver.spread",
    "deliver.claimed",
    "deliver.summed",
    "case.claimed",
    "case.opened",
    "case.joined",
    "outbox.moved",
    "ingest.received",
    "ingest.stored",
    "poll.page",
    "poll.stored",
    "poll.cursor",
    "analyse.claimed",
    "analyse.written",
    "copies.planned",
    "copies.opened",
    "copies.listed",
    "copies.marked",
    "copies.summed",
    "copies.grouped",
    "audit.chained",
    "decide.carried",
    "decide.saved",
    "model.filed",
    "model.written",
    "topics.filed",
    "topics.written",
)


class Stopped(BaseException):
    """Raised by an armed point in mode `raise`: passes every `except Exception`, as a kill would."""


class Failpoints:
    """Which point is armed, and how often each was reached."""

    def __init__(self, order: str = "") -> None:
        self.reached: dict[str, int] = dict.fromkeys(NAMES, 0)
        self._name, self._nth, self._mode = self._parse(order)

    @staticmethod
    def _parse(order: str) -> tuple[str, int, str]:
        if not order:
            return "", 0, ""
        name, nth, mode = order.split(":")
        if name not in NAMES or mode not in ("kill", "raise", "hang"):
            raise ValueError("HUB_FAILPOINT 的写法是 名称:第几次:kill|raise|hang，名称见 hub/failpoints.py")
        return name, int(nth), mode

    async def reach(self, name: str) -> None:
        """Pass this point, unless it is armed and this is the time."""
        self.reached[name] += 1
        if name == self._name and self.reached[name] == self._nth:
            await self._strike()

    async def _strike(self) -> None:
        if self._mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._mode == "hang":
            await asyncio.Event().wait()
        raise Stopped(self._name)
