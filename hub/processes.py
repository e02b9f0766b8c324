"""The household of processes: starts children, restarts a fallen one, stops all together; their work is elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hub.clock import Clock
from hub.domain.errors import Misconfigured

PATIENCE = 5  # falls within a minute before the whole is given up
GRACE = 10.0  # seconds that a child has for ending by itself
LIFELINE = "HUB_LIFELINE"  # a child's environment: the end of a pipe that closes when its household is gone
WRONG_USE = 2  # a child that ends so will not do better on the next start


def hold_lifeline(environment: Mapping[str, str]) -> None:
    """In a child: end when whoever started it is gone, however it went; a child alone would hold ports and folders.

    The household holds the other end of a pipe and never writes; its death closes it.
    """
    wanted = environment.get(LIFELINE, "")
    if wanted.isdigit():
        threading.Thread(target=_end_with, args=(int(wanted),), daemon=True).start()


def _end_with(lifeline: int) -> None:
    with suppress(OSError):
        os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE)
    os._exit(1)


@dataclass
class Child:
    """One process: its role, its words after the interpreter, its whole environment; `once`: it ends by itself."""

    role: str
    words: Sequence[str]
    environment: Mapping[str, str]
    once: bool = False
    starts: list[float] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None

    async def start(self, now: float, lifeline: int) -> None:
        self.starts = [*(at for at in self.starts if now - at < 60), now]
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *self.words, env={**self.environment, LIFELINE: str(lifeline)}, pass_fds=(lifeline,)
        )

    @property
    def tired(self) -> bool:
        return len(self.starts) > PATIENCE

    async def stop(self) -> None:
        """Ask it to end, wait, and end it where it does not."""
        if self.process is None or self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), GRACE)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


def is_free(port: int) -> bool:
    """Whether nothing listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def refuse_taken(port: int, what: str, option: str) -> None:
    """Misconfigured where something listens on this port already; nothing is started then."""
    if not is_free(port):
        raise Misconfigured(f"{what}的端口 {port} 已被占用。请停掉占用它的程序，或用 {option} 换一个端口。")


async def listening(port: int, clock: Clock, patience: float) -> bool:
    """Whether something answers on this loopback port within this many seconds."""
    until = clock.monotonic() + patience
    while clock.monotonic() < until:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await clock.sleep(0.1)
            continue
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
    return False


async def _keep(child: Child, clock: Clock, stop: asyncio.Event, lifeline: int) -> int:
    """Run the child, again after a fall, until all stop; its exit code where it cannot be kept."""
    while not stop.is_set():
        await child.start(clock.monotonic(), lifeline)
        assert child.process is not None  # noqa: S101 - started in the line above
        if stop.is_set():  # all were told to end while this one was being born
            await child.stop()
        code = await child.process.wait()
        if stop.is_set() or child.once:
            return 0
        if code == WRONG_USE or child.tired:
            return code if code > 0 else 1  # killed by a signal counts as fallen, too
        print(f"{child.role} 意外停止，正在重新启动。", file=sys.stderr, flush=True)
        await clock.sleep(1)
    return 0


async def supervise(children: Sequence[Child], clock: Clock, announce: Callable[[], Awaitable[None]]) -> int:
    """Run them all until a signal or until one cannot be kept, `announce` beside them; 0 where people stopped it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    lifeline, held = os.pipe()
    keepers = [asyncio.create_task(_keep(child, clock, stop, lifeline)) for child in children]
    lasting = [keeper for keeper, child in zip(keepers, children, strict=True) if not child.once]
    ended = asyncio.create_task(stop.wait())
    announcing = asyncio.ensure_future(announce())
    await asyncio.wait([ended, *lasting], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.gather(*(child.stop() for child in children))
    codes = await asyncio.gather(*keepers)
    announcing.cancel()
    with suppress(asyncio.CancelledError):
        await announcing
    await ended
    os.close(lifeline)
    os.close(held)
    return max(codes)
