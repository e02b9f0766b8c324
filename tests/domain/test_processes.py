"""The household: a fallen child starts again, a hopeless one ends all, and none outlives the one who started it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.domain.errors import Misconfigured
from hub.processes import LIFELINE, Child, listening, refuse_taken, supervise

CLOCK = SystemClock()
BASE = {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd()}
WAITS = (
    "import os, threading; from hub.processes import hold_lifeline; hold_lifeline(os.environ); "
    "print('up', flush=True); threading.Event().wait()"
)


async def quiet() -> None:
    """An announcement that nobody waits for."""


def test_a_child_ends_when_its_household_is_gone() -> None:
    lifeline, held = os.pipe()
    words = [sys.executable, "-c", WAITS]
    with subprocess.Popen(
        words, env={**BASE, LIFELINE: str(lifeline)}, pass_fds=(lifeline,), stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        assert child.poll() is None
        os.close(lifeline)
        os.close(held)
        assert child.wait(10) == -signal.SIGTERM


async def test_a_fallen_child_is_started_again_and_all_stop_together(tmp_path: Path) -> None:
    log = tmp_path / "starts"
    falls = f"import os; os.write(os.open({str(log)!r}, os.O_CREAT | os.O_APPEND | os.O_WRONLY), b'x'); os._exit(1)"
    lasting = Child("lasting", ["-c", WAITS], BASE)
    falling = Child("falling", ["-c", falls], BASE)
    code = await asyncio.wait_for(supervise([lasting, falling], CLOCK, quiet), 30)
    assert code == 1
    assert len(log.read_bytes()) == 6
    assert lasting.process is not None
    assert lasting.process.returncode == -signal.SIGTERM


async def test_children_killed_again_and_again_are_no_good_end() -> None:
    child = Child("killed", ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], BASE)
    assert await asyncio.wait_for(supervise([child], CLOCK, quiet), 30) == 1


async def test_a_child_that_was_started_wrongly_is_not_tried_again() -> None:
    child = Child("wrong", ["-c", "import sys; sys.exit(2)"], BASE)
    assert await asyncio.wait_for(supervise([child], CLOCK, quiet), 20) == 2
    assert len(child.starts) == 1


async def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert await listening(port, CLOCK, 2)
        with pytest.raises(Misconfigured, match="--port"):
            refuse_taken(port, "采编端", "--port")


POOLS = {
    "reading": ("hub.desk.reading_pool import ReadingPool", "read([{'text': '停水'}])", "processes"),
    "drawing": ("hub.desk.picturing import Drawing", "draw(b'no picture', 'image/png')", "_pool._processes"),
}
STARTS = """
import asyncio, contextlib, threading
from {room} as Pool
if __name__ == "__main__":
    pool = Pool()
    with contextlib.suppress(Exception):
        asyncio.run(pool.{work})
    print(*pool.{where}, flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize("name", POOLS)
def test_a_pools_processes_end_when_their_starter_was_killed(tmp_path: Path, name: str) -> None:
    script = tmp_path / "starts.py"
    room, work, where = POOLS[name]
    script.write_text(STARTS.format(room=room, work=work, where=where), "utf-8")
    with subprocess.Popen([sys.executable, str(script)], env=BASE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pids = [int(word) for word in starter.stdout.readline().split()]
        assert pids and all(lives(pid) for pid in pids)
        starter.kill()
    end = time.monotonic() + 10
    while any(lives(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in pids if lives(pid)]


def lives(pid: int) -> bool:
    """Not gone, and no zombie that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
