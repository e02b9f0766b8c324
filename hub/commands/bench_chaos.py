"""`bench chaos`: real processes are killed while they publish and their platforms go wrong; then all is counted."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub import wiring
from hub.clock import SystemClock, to_milliseconds
from hub.commands.chaos import looking
from hub.commands.chaos.comparing import DOUBLE, FALSE_STATES, LOST, MOVING, STRAY, UNPROVED, UNTOLD, Reckoning, compare
from hub.commands.chaos.dice import Dice
from hub.commands.chaos.filling import CONSOLE, Filled, fill
from hub.commands.chaos.fronting import Front
from hub.commands.chaos.reaping import STEPS, Reaper
from hub.commands.chaos.town import Plan, Town, free_row
from hub.commands.chaos.troubling import SHARE, Troubles
from hub.desk.auditing import verify
from hub.desk.desk import Desk
from hub.desk.staffing import add_user
from hub.domain.errors import HubError
from hub.domain.people import program
from hub.identifiers import SeededIdentifiers

PACE, LAST_PACE = 20.0, 120.0  # how much faster than life: while all goes wrong, and until nothing moves any more
STRIKING = 0.85  # of the publications: until then all kills are done
LEAST_GAP, LONGEST_GAP = 0.4, 12.0  # seconds between two kills
A_SECOND = 12.0  # publications that fall due in a second of the machine's
LOOK = 0.25
FIRST_REST = 8.0  # seconds; what moves even then waits for a verdict that never comes, and a day is let pass
A_DAY = timedelta(hours=25)
LIVELY = 0.75  # of the publications must come out: a day on which nothing happens proves nothing
AHEAD = timedelta(hours=2)  # how far the plan lies ahead of its writing
AUDITOR = program("console")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--publications", type=int, default=300, help="多少条发布")
    parser.add_argument("--kills", type=int, default=25, help="至少杀多少次进程（kill -9）")
    parser.add_argument("--seed", type=int, default=1, help="同一个数，同样的故障次序")
    parser.add_argument("--minutes", type=float, default=60.0, help="最多几分钟；到时没有静下来算没有通过")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    """0 where no invariant is broken."""
    groups = max(2, min(8, arguments.publications // 120))
    plan = Plan(arguments.publications, arguments.kills, arguments.seed, groups)
    with tempfile.TemporaryDirectory() as folder:
        town = Town(plan, Path(folder), free_row(20 + 10 * groups), SystemClock())
        town.build()
        storm = asyncio.run(_played(town, arguments.minutes * 60))
    figures = storm.figures()
    print(json.dumps(figures, ensure_ascii=False, default=str) if arguments.json else "\n".join(storm.lines()))
    return 0 if figures["good"] else 1


@dataclass
class Storm:
    """One run: the town, who kills, what goes wrong, and what came of it."""

    town: Town
    limit: float  # seconds in all
    reaper: Reaper
    troubles: Troubles
    filled: Filled | None = None
    reckoning: Reckoning | None = None
    audit: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    late: bool = False  # whether it did not come to rest in its time

    @property
    def began(self) -> float:
        return self.seconds["began"]

    def over(self) -> bool:
        return self.town.clock.monotonic() - self.began > self.limit

    def figures(self) -> dict[str, Any]:
        found = self.reckoning or Reckoning({}, 0, ())
        figures = {
            "seed": self.town.plan.seed,
            "publications": len(self.filled.publications) if self.filled else 0,
            "public": found.posts,
            "states": {channel: dict(states) for channel, states in sorted(found.states.items())},
            "kills": self.reaper.kills,
            "killed_at_random": dict(self.reaper.random),
            "killed_in_step": {step: self.reaper.struck[step] for step in STEPS},
            "troubles": dict(sorted(self.troubles.ordered.items())),
            "starts": dict(self.town.starts),
            "double": found.count(DOUBLE, STRAY),
            "lost": found.count(LOST, MOVING),
            "false_states": found.count(*FALSE_STATES),
            "without_evidence": found.count(UNPROVED),
            "untold": found.count(UNTOLD),
            "fell_by_themselves": len(self.town.fell),
            "steps_not_struck": self.reaper.missing,
            "audit": self.audit,
            "wrong": [line for one in found.wrong[:50] for line in one.lines()],
            "seconds": {name: round(value, 1) for name, value in self.seconds.items() if name != "began"},
        }
        return figures | {"good": self._good(found)}

    def _good(self, found: Reckoning) -> bool:
        enough = self.reaper.kills >= self.town.plan.kills and not self.reaper.missing
        whole = self.reckoning is not None and not found.wrong and self.audit == "完整"
        return bool(whole and enough and self.lively and not self.town.fell and not self.late)

    @property
    def lively(self) -> bool:
        out = sum(states.get("published", 0) for states in (self.reckoning.states.values() if self.reckoning else ()))
        return out >= LIVELY * self.town.plan.publications

    def lines(self) -> list[str]:
        """The table, and each broken invariant with what belongs to it."""
        figures = self.figures()
        said = [f"{'种子':<10}{figures['seed']:>10}", f"{'发布':<10}{figures['publications']:>10}"]
        said += ["", "故障步骤（在这一步 kill -9）"]
        said += [f"  {step:<26}{count:>6}" for step, count in figures["killed_in_step"].items()]
        said += [f"  随机：{role:<23}{count:>6}" for role, count in sorted(figures["killed_at_random"].items())]
        said += [f"  {'合计':<24}{figures['kills']:>6}", "", "平台和网络的故障"]
        said += [f"  {name:<16}{count:>6}" for name, count in figures["troubles"].items()]
        said += ["", "结局（渠道：状态）"]
        for channel, states in figures["states"].items():
            said.append(f"  {channel:<8}" + "  ".join(f"{state} {count}" for state, count in sorted(states.items())))
        said += ["", *(f"{word:<14}{figures[name]:>6}" for name, word in _WORDS.items())]
        said += [f"审计链 {self.audit}", "用时（秒） " + "  ".join(f"{n} {v}" for n, v in figures["seconds"].items())]
        said += [f"没有打到的步骤：{'、'.join(self.reaper.missing)}"] if self.reaper.missing else []
        said += ["到时没有静下来"] if self.late else []
        said += [] if self.lively else ["发出的太少，说明不了什么"]
        said += [line for one in (self.reckoning.wrong if self.reckoning else ())[:50] for line in one.lines()]
        said += [f"自己倒下：{words}" for words in self.town.fell[:5]]
        return [*said, "通过" if figures["good"] else "没有通过"]


_WORDS = {
    "double": "重复", "lost": "丢失", "false_states": "假状态", "without_evidence": "没有依据", "untold": "没人知道",
    "fell_by_themselves": "自己倒下",
}  # fmt: skip


async def _played(town: Town, limit: float) -> Storm:
    real = town.clock
    dice = Dice(SeededIdentifiers(real, town.plan.seed).chance)
    fronts = [Front(town.site_port(number), real) for number in range(town.plan.sites)]
    storm = Storm(town, limit, Reaper(town, dice, real), Troubles(town, fronts, dice))
    storm.seconds["began"] = real.monotonic()
    try:
        for number, front in enumerate(fronts):
            await front.start(town.front_port(number))
        await _timed(storm, "fill", lambda: _fill(storm))
        await _timed(storm, "storm", lambda: _rage(storm))
        await _timed(storm, "rest", lambda: _rest(storm))
    finally:
        for front in fronts:
            await front.stop()
        await town.end()
    return storm


async def _timed(storm: Storm, name: str, work: Callable[[], Awaitable[None]]) -> None:
    began = storm.town.clock.monotonic()
    await work()
    storm.seconds[name] = storm.town.clock.monotonic() - began
    print(f"{name} {storm.seconds[name]:.1f} s", file=sys.stderr, flush=True)


@asynccontextmanager
async def _desk(town: Town) -> AsyncIterator[Desk]:
    async with wiring.open_desk(town.settings(), role="console", readers=1) as desk:
        yield desk


def _paced(town: Town, rate: float, ahead: timedelta = timedelta(0)) -> None:
    """From now on this many times faster, beginning where the town's own time stands."""
    now = wiring.clock_of(town.settings()).now() + ahead
    town.pace = f"{rate}@{town.clock.now().timestamp()}={now.timestamp()}"


async def _fill(storm: Storm) -> None:
    """The plan is written in true time, with everything standing but the workers."""
    town = storm.town
    if not await town.all_up("rehearsal", "site"):
        raise HubError("演练平台或公众网没有起来：" + town.said("rehearsal") + town.said("site-1"))
    async with _desk(town) as desk:
        await add_user(
            CONSOLE, desk, login="editor", name="周敏", roles=["editor"], password="Yuxi-lake-2026", duty=True,  # noqa: S106 - a demonstration's
        )  # fmt: skip
        spread = timedelta(seconds=town.plan.publications / A_SECOND * PACE)
        due = to_milliseconds(desk.clock.now() + AHEAD)
        storm.filled = await fill(desk, town, due, spread)
    await town.halt()
    _paced(town, PACE, due - town.clock.now() - timedelta(seconds=4 * PACE))


async def _rage(storm: Storm) -> None:
    """Workers work, everything is killed and goes wrong, until nearly all publications have come to an end."""
    town, reaper = storm.town, storm.reaper
    await town.all_up("rehearsal", "site")
    for one in town.named("worker"):
        await reaper.begin(one)
    real, last, shown = town.clock, town.clock.monotonic(), 0.0
    async with _desk(town) as desk:
        while not storm.over():
            await reaper.tend()
            done = await _done(desk, town)
            if done >= 1 and reaper.kills >= town.plan.kills and (not reaper.missing or not reaper.armed):
                return
            await _trouble(storm, done)
            gap = real.monotonic() - last
            behind = reaper.kills < 1 + town.plan.kills * min(1.0, done / STRIKING)
            due = (behind and gap > LEAST_GAP) or gap > LONGEST_GAP
            if due and reaper.kills < town.plan.kills + len(reaper.missing) and await reaper.kill_one():
                last = real.monotonic()
            shown = _progress(storm, done, shown)
            await real.sleep(LOOK)


async def _done(desk: Desk, town: Town) -> float:
    """The share of publications that have been tried, and so come to whatever end."""
    before = {"state": {"$in": ["scheduled", "waiting"]}, "tries": 0}
    left = await desk.store.count("publications", before, ceiling=100_000)
    return 1 - left / max(1, town.plan.publications)


async def _trouble(storm: Storm, done: float) -> None:
    wanted = storm.town.plan.publications * SHARE * min(1.0, done + 0.05)
    while storm.troubles.ordered.total() < wanted:
        before = storm.troubles.ordered.total()
        await storm.troubles.one()
        if storm.troubles.ordered.total() == before:
            return


def _progress(storm: Storm, done: float, shown: float) -> float:
    now = storm.town.clock.monotonic()
    if now - shown < 5:
        return shown
    told = f"已试 {done:.0%}  已杀 {storm.reaper.kills}  故障 {storm.troubles.ordered.total()}"
    print(told, file=sys.stderr, flush=True)
    return now


async def _rest(storm: Storm) -> None:
    """No more troubles: all start anew, time passes quickly until nothing moves by itself, and all is counted."""
    town = storm.town
    await town.halt()
    await town.all_up("rehearsal")
    await asyncio.to_thread(storm.troubles.all_over)
    quiet = await _quiet(storm, timedelta(0), FIRST_REST) or await _quiet(storm, A_DAY, storm.limit)
    storm.late = not quiet
    async with _desk(town) as desk:
        await _reckoned(storm, desk)


async def _reckoned(storm: Storm, desk: Desk) -> None:
    town = storm.town
    for one in town.named("worker"):
        await town.kill(one)
    posts = await asyncio.to_thread(looking.everything_public, town)
    promised = storm.filled.publications if storm.filled else ()
    storm.reckoning = compare(promised, await looking.ledger_rows(desk), posts, await looking.told(desk))
    fault = (await verify(AUDITOR, desk)).fault
    storm.audit = "完整" if fault is None else str(fault)


async def _quiet(storm: Storm, ahead: timedelta, seconds: float) -> bool:
    """All start anew, so much later, and work until nothing moves by itself; whether that came about in this time."""
    town = storm.town
    await town.halt()
    _paced(town, LAST_PACE, ahead)
    await town.all_up("rehearsal", "site", "worker")
    still, until = 0, town.clock.monotonic() + seconds
    async with _desk(town) as desk:
        while still < 3 and town.clock.monotonic() < until and not storm.over():
            still = 0 if await looking.moving(desk) else still + 1
            await town.clock.sleep(1)
    return still == 3
