"""Who is killed when: at random, and in each named step of publishing; whatever ends is started again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hub.clock import Clock
from hub.commands.chaos.dice import Dice
from hub.commands.chaos.town import One, Town

STEPS = (
    "publish.due",
    "publish.claimed",
    "stage.uploaded",
    "stage.drafted",
    "publish.intent_written",
    "publish.answered",
    "publish.outcome_written",
    "outbox.moved",
    "audit.chained",
)
NTH = 4  # a step is struck the first, later the first to fourth time that a process comes to it
ARMED = 0.75  # of the workers, once each step was struck
ARMED_SHARE = 0.5  # of the kills that a step strikes
SHARES = ((0.55, "worker"), (0.25, "rehearsal"), (0.2, "site"))
GROWN = 1.5  # seconds that a process lives at least: one that did nothing teaches nothing
STALE = 12.0  # seconds after which an armed worker is told off: its step is tried by another


@dataclass
class Reaper:
    """Kills as many as it is told to, and keeps the town standing."""

    town: Town
    dice: Dice
    clock: Clock
    random: Counter[str] = field(default_factory=Counter)  # role: killed at random
    struck: Counter[str] = field(default_factory=Counter)  # step: killed in it
    _agenda: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        wanted = max(1, round(self.town.plan.kills * ARMED_SHARE / len(STEPS)))
        for _ in range(wanted):
            self._agenda += self._shuffled()

    def _shuffled(self) -> list[str]:
        return sorted(STEPS, key=lambda _: self.dice.chance())

    @property
    def kills(self) -> int:
        return self.random.total() + self.struck.total()

    @property
    def armed(self) -> bool:
        """Whether a step may still be struck."""
        return any(one.armed for one in self.town.named("worker"))

    @property
    def missing(self) -> list[str]:
        return [step for step in STEPS if not self.struck[step]]

    async def tend(self) -> None:
        """Start again whatever has ended, with the next step armed; notice what was struck and what fell by itself."""
        for one in self.town.ones.values():
            if one.lives or one.process is None:
                continue
            step = one.armed.partition(":")[0]
            if step and one.process.returncode == -9:
                self.struck[step] += 1
            else:
                self._lost(step)
                self.town.fell.append(f"{one.name}（{one.process.returncode}）{self.town.said(one.name)[-600:]}")
            await self.begin(one)

    def _lost(self, step: str) -> None:
        """A step that was armed and not struck is tried again soon."""
        if step:
            self._agenda.insert(min(1, len(self._agenda)), step)

    async def begin(self, one: One) -> None:
        """Start it, a worker with a step armed more often than not."""
        step = ""
        if one.role == "worker" and self._agenda and (self.missing or self.dice.chance() < ARMED):
            step = self._agenda.pop(0)
            step += f":{1 + self.dice.below(NTH) if self.struck[step] else 1}"
        await self.town.start(one, step)

    async def kill_one(self) -> bool:
        """kill -9 on one at random, and its successor at once; False where all are too young."""
        one = self._victim()
        if one is None:
            return False
        await self.town.kill(one)
        self.random[one.role] += 1
        self._lost(one.armed.partition(":")[0])
        await self.begin(one)
        return True

    def _grown(self, one: One, now: float) -> bool:
        return now - one.since > GROWN and self.town.is_at_work(one)

    def _victim(self) -> One | None:
        now = self.clock.monotonic()
        able = [one for one in self.town.named(self.dice.weighed(SHARES)) if one.lives and self._grown(one, now)]
        free = [one for one in able if not one.armed or now - one.since > STALE]
        return self.dice.pick(free) if free else None
