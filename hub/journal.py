"""The log: one plain line an event, to standard error; who may read which figures of the office lives elsewhere.

Nothing that a person typed reaches a log: requests are named by their route, errors by their kind and the places in the
code they passed, never by their text.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

Trouble = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    """`time level name text`, with control characters struck out and errors reduced to kinds and places."""

    def __init__(self, role: str) -> None:
        super().__init__(f"%(asctime)s {role} %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(sign if sign.isprintable() else " " for sign in text)

    def formatException(self, ei: Trouble) -> str:
        kind, _, trace = ei
        if kind is None:
            return ""
        places = [
            f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
            for frame in traceback.extract_tb(trace)
        ]
        return f"[{kind.__name__} at {' < '.join(reversed(places[-8:]))}]"


def open_journal(role: str, level: int = logging.INFO) -> None:
    """Send this process's log lines to standard error; Sanic's own access log stays off (addresses can hold data)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in (("sanic", logging.WARNING), ("apscheduler", logging.ERROR), ("aiohttp", logging.WARNING)):
        logging.getLogger(name).setLevel(least)
