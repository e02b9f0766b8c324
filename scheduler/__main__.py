"""`python -m scheduler`: one worker, from its settings until SIGTERM; its duties are listed in jobs.py."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from hub.desk.beating import beat, stop_beating
from hub.desk.desk import Desk
from hub.desk.fitting import new_watch
from hub.desk.mending import Smaller
from hub.desk.picturing import Drawing
from hub.desk.refiling import TopicTrainer
from hub.desk.retraining import Trainer
from hub.domain.errors import HubError
from hub.domain.people import program
from hub.journal import open_journal
from hub.processes import hold_lifeline
from hub.settings import read
from hub.wiring import open_desk
from scheduler.clockwork import Clockwork
from scheduler.jobs import all_jobs

PATIENCE = 100.0  # seconds; longer than the longest call of a send
WORKER = program("worker")

log = logging.getLogger(__name__)


async def work(desk: Desk) -> None:
    """Tick until told to stop, then end what is under way."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told.set)
    await beat(WORKER, desk)
    watch = await new_watch(desk)
    smaller = Smaller(Drawing())
    clockwork = Clockwork(desk, all_jobs(watch, smaller, Trainer(), TopicTrainer()))
    clockwork.start()
    log.info("worker %s at work", desk.owner)
    await told.wait()
    if not await clockwork.stop(PATIENCE):
        log.warning("worker %s left some duties unfinished; others settle them", desk.owner)
    await watch.close(desk)
    smaller.close()
    await stop_beating(WORKER, desk)


async def main() -> int:
    """0 after a good end; 2 with one sentence where the installation is not right."""
    open_journal("worker")
    hold_lifeline(os.environ)
    try:
        async with open_desk(read(os.environ, "desk"), role="worker") as desk:
            await work(desk)
    except HubError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
