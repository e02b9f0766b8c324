"""A limit against what would never end; how fast a thing is says `make bench`, a busy machine proves nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 30.0
"""Seconds; some hundred times what these things take, and still far less than one that grows with the square."""


@contextmanager
def must_end(seconds: float = PATIENCE) -> Iterator[None]:
    """Break off with an error what works longer."""

    def break_off(*_: Any) -> None:
        raise AssertionError(f"still working after {seconds:.0f} s")

    former = signal.signal(signal.SIGALRM, break_off)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
