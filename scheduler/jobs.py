"""JOBS: every duty of the clockwork as data: how often, which desk function, as whom, under a lease or by claims."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.desk.accounts import look_after
from hub.desk.auditing import seal_heads
from hub.desk.beating import beat
from hub.desk.callbacks import mirror_keys
from hub.desk.carrying import carry
from hub.desk.columns import beat_sites
from hub.desk.confirming import settle_deliveries
from hub.desk.copying import group_copies
from hub.desk.delivering import deliver
from hub.desk.desk import Desk
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.following import follow
from hub.desk.keeping import throw_away
from hub.desk.listening import listen, listen_open
from hub.desk.mending import Smaller
from hub.desk.mirroring import mirror
from hub.desk.noticing import send_mail
from hub.desk.operating import operate, settle_operations
from hub.desk.preflighting import run_preflight
from hub.desk.reading import count_rest, read_new
from hub.desk.refiling import TopicTrainer
from hub.desk.reopening import reopen
from hub.desk.retraining import Trainer
from hub.desk.settling import settle
from hub.desk.telling import tell
from hub.desk.tidying import tidy
from hub.desk.watching import Watch
from hub.domain.people import Actor

Duty = Callable[[Actor, Desk], Awaitable[object]]


@dataclass(frozen=True)
class Job:
    """One duty. `lease`: one worker at a time does it; without, workers share it by claims on its rows.

    A duty under a lease holds it for `hold` seconds at most; one that takes longer must renew or be repeatable. `rung`:
    another duty of this process rings when there is work (hub.bell); the ticks are for what came otherwise.
    """

    name: str
    every: float  # seconds
    duty: Duty
    actor: str  # the program's name, whose rights are in hub.domain.rights
    lease: bool = False
    hold: float = 60.0
    rung: bool = False


JOBS: tuple[Job, ...] = (
    Job("beat", 5, beat, "worker"),
    Job("dispatch", 1, dispatch, "dispatcher"),
    Job("wake", 1, wake_waiting, "dispatcher"),
    Job("operate", 1, operate, "dispatcher"),
    Job("preflight", 15, run_preflight, "preflight"),
    Job("settle", 1, settle, "settler"),
    Job("settle_operations", 5, settle_operations, "settler"),
    Job("follow", 2, follow, "receiver", lease=True),
    Job("deliver", 1, deliver, "deliverer"),
    Job("settle_deliveries", 5, settle_deliveries, "deliverer"),
    Job("tell", 3, tell, "receiver", lease=True),
    Job("look_after", 30, look_after, "caretaker", lease=True),
    Job("carry", 1, carry, "carrier", rung=True),
    Job("seal_heads", 60, seal_heads, "carrier", lease=True),
    Job("mail", 5, send_mail, "carrier"),
    Job("mirror", 3, mirror, "mirror", lease=True),
    Job("mirror_keys", 10, mirror_keys, "mirror", lease=True),
    Job("beat_sites", 10, beat_sites, "mirror"),
    Job("listen", 2, listen, "listener"),
    Job("listen_open", 1, listen_open, "listener", rung=True),
    Job("read", 1, read_new, "reader", rung=True),
    Job("copies", 2, group_copies, "reader", lease=True),
    Job("reopen", 60, reopen, "listener", lease=True),
    Job("throw_away", 600, throw_away, "keeper", lease=True),
    Job("tidy", 300, tidy, "tidier", lease=True),
    Job("count_rest", 30, count_rest, "reader", lease=True),
)


def all_jobs(watch: Watch, smaller: Smaller, trainer: Trainer, topic_trainer: TopicTrainer) -> tuple[Job, ...]:
    """The list with this process's watch, which keeps the detector's state between its ticks (and its own lease), the
    process that draws pictures smaller, and those that train models (each under a claim of its own: it is long)."""
    own = (
        Job("watch", 1, watch.tick, "watcher", rung=True),
        Job("smaller", 2, smaller.tick, "renderer", lease=True),
        Job("train", 5, trainer.tick, "trainer"),
        Job("train_topics", 5, topic_trainer.tick, "trainer"),
    )
    return (*JOBS, *own)
