"""Faults on order for the rehearsal platforms as data: what goes wrong, where, how often; not how."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = (
    "delay",  # answers after `value` seconds
    "drop_before",  # the connection is cut before the work
    "drop_after",  # the work is done, the connection is cut before the answer
    "close",  # the work is done, the connection is cut in the middle of the answer
    "status",  # no work, HTTP status `value` with a page of HTML
    "status_after",  # the work is done, then HTTP status `value`
    "code",  # no work, the platform's own error `value` (for codes that mean success: the work too)
    "garbage",  # the work is done, the answer is half a JSON text
    "drip",  # the work is done, the answer comes one byte a second
)


@dataclass(frozen=True)
class Fault:
    """One order: for requests whose path holds `match`, the next `times` of them."""

    match: str
    kind: str
    times: int = 1
    value: int = 0


def parse(order: Mapping[str, Any]) -> Fault:
    """The order as a Fault; ValueError with a Chinese sentence when it is none."""
    fault = Fault(
        str(order.get("match", "/")), str(order.get("kind")), int(order.get("times", 1)), int(order.get("value") or 0)
    )
    if fault.kind not in KINDS:
        raise ValueError("kind 应为以下之一：" + "、".join(KINDS))
    lowest = -1 if fault.kind == "code" else 0  # a platform's own "system busy" may be -1
    if fault.times < 1 or fault.value < lowest:
        raise ValueError("times 至少为 1，value 不能为负")
    return fault


class Orders:
    """The orders not yet used up, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Fault, int]] = deque()

    def add(self, fault: Fault) -> None:
        self._waiting.append((fault, fault.times))

    def take(self, path: str) -> Fault | None:
        """The fault that strikes a request to this path now; it is used up by one."""
        for place, (fault, left) in enumerate(self._waiting):
            if fault.match in path:
                del self._waiting[place]
                if left > 1:
                    self._waiting.insert(place, (fault, left - 1))
                return fault
        return None

    def clear(self) -> None:
        self._waiting.clear()
