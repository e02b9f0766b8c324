"""Processes of a pool end with the process that started them, even where that was killed; what they do is elsewhere."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """In a pool's process, once at its start. Without it a killed worker leaves its readers behind, waiting for ever:

    each holds the writing end of its own queue, so the queue never tells it that nobody is left.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
