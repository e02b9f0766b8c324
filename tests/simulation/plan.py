"""What happens in one simulated hour, drawn from one number: texts, crashes, people's acts, faults; nothing runs here.

A plan is data, so that a failing one can be made smaller and be read.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

ACCOUNTS = ("site-main", "weibo-main", "wechat-main", "app-main", "push-main")
FAULTS = (
    "unreachable", "late", "delay", "drop_before", "drop_after", "close", "status", "status_after", "code", "garbage",
    "drip",
)  # fmt: skip
STORE_FAULTS = ("refused", "lost", "silent")
CRASHES = ("kill", "kill_after", "power", "freeze", "clock")
ACTS = (
    "hold", "release", "cancel", "move", "edit", "approve", "withdraw", "hold_all", "lift", "hold_account",
    "release_account", "verdict", "foreign_token", "event",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """One content, when it is scheduled for, on which accounts, and when it is approved (None: beforehand)."""

    number: int
    at: float
    accounts: tuple[str, ...]
    late: str
    picture: bool
    approved_at: float | None


@dataclass(frozen=True)
class Event:
    """What happens to a worker, a text, an account: at a moment (seconds), or so long after the `nth` claim."""

    at: float
    kind: str
    target: int
    value: float = 0.0
    account: str = ""
    nth: int = 0  # 0: `at` counts from the beginning


@dataclass(frozen=True)
class Plan:
    """One hour of an office; after `calm_at` nothing goes wrong any more."""

    seed: str
    workers: int
    every: float  # seconds between two ticks of a duty
    texts: tuple[Text, ...]
    events: tuple[Event, ...]
    faults: tuple[tuple[str, float], ...]  # kind, chance for each request
    store_faults: float  # chance for each write
    calm_at: float

    @property
    def power_cuts(self) -> bool:
        return any(event.kind == "power" for event in self.events)


def draw(seed: str) -> Plan:
    """The plan of this seed: some kinds of trouble only, but those often, so that rare meetings of two happen."""
    chance = random.Random(f"plan/{seed}")  # noqa: S311 - repeatable on purpose
    calm_at, every = chance.choice((240.0, 600.0, 1500.0)), chance.choice((3.0, 10.0, 30.0))
    texts = tuple(_text(chance, number, calm_at) for number in range(1, chance.randint(4, 22)))
    moments = _Moments(chance, texts, calm_at)
    events = moments.draw(CRASHES, chance.choice((0, 8, 16, 32))) + moments.draw(ACTS, chance.choice((0, 10, 20, 40)))
    rate = chance.choice((0.0, 0.02, 0.08, 0.25))
    kinds = FAULTS if chance.random() < 0.6 else tuple(chance.sample(FAULTS, 3))
    events += _silences(seed, texts, calm_at) + _corrections(seed, texts, calm_at)
    return Plan(
        seed=seed,
        workers=chance.choice((1, 2, 3)),
        every=every,
        texts=texts,
        events=tuple(sorted(events, key=lambda event: event.at)),
        faults=tuple((kind, rate / len(kinds)) for kind in kinds) if rate else (),
        store_faults=chance.choice((0.0, 0.0, 0.003, 0.02)),
        calm_at=calm_at,
    )


def _silences(seed: str, texts: tuple[Text, ...], calm_at: float) -> list[Event]:
    """In every third plan quiet periods while a text goes out, ended by a person; drawn beside the rest, so that the
    other events of a seed stay what they are."""
    chance = random.Random(f"quiet/{seed}")  # noqa: S311 - repeatable on purpose
    found: list[Event] = []
    for _ in range(chance.choice((0, 0, 0, 0, 1, 3))):
        text = chance.choice(texts)
        at = chance.choice((text.at + chance.uniform(0.5, 12.0), chance.uniform(0, calm_at)))
        found.append(Event(at, "quiet", text.number, 0.0, chance.choice(text.accounts)))
        found.append(Event(at + chance.uniform(1, 900), "wake", text.number, 0.0, chance.choice(text.accounts)))
    return found


def _corrections(seed: str, texts: tuple[Text, ...], calm_at: float) -> list[Event]:
    """In every third plan corrections, some of them of the same text; drawn beside the rest, as the quiet periods."""
    chance = random.Random(f"correct/{seed}")  # noqa: S311 - repeatable on purpose
    found: list[Event] = []
    for _ in range(chance.choice((0, 0, 0, 0, 2, 6))):
        text = chance.choice(texts)
        at = chance.choice((text.at + chance.uniform(1.0, 90.0), chance.uniform(0, calm_at)))
        found.append(Event(at, "correct", text.number))
        found.append(Event(at + chance.choice((0.0, chance.uniform(0, 120))), "approve", text.number))
    return found


def _text(chance: random.Random, number: int, calm_at: float) -> Text:
    accounts = ACCOUNTS if chance.random() < 0.6 else tuple(chance.sample(ACCOUNTS, chance.randint(1, 4)))
    if "site-main" not in accounts:
        accounts = ("site-main", *accounts)
    at = chance.choice((0.0, 0.0, chance.uniform(0, calm_at)))
    approved = None if chance.random() < 0.8 else chance.uniform(0, calm_at)
    return Text(number, at, accounts, chance.choice(("publish", "hold", "ask")), chance.random() < 0.3, approved)


@dataclass(frozen=True)
class _Moments:
    """Draws what happens: at any time, but often when it hurts, in the moments after something was taken up."""

    chance: random.Random
    texts: tuple[Text, ...]
    calm_at: float

    def draw(self, kinds: tuple[str, ...], count: int) -> list[Event]:
        some = self.chance.sample(kinds, min(len(kinds), self.chance.choice((1, 2, 4, len(kinds)))))
        return [self._one(some) for _ in range(count)]

    def _one(self, kinds: list[str]) -> Event:
        chance = self.chance
        kind, text = chance.choice(kinds), chance.choice(self.texts)
        nth = chance.randint(1, 4 * len(self.texts)) if chance.random() < 0.6 else 0
        at = chance.choice((0.06, 0.06, 0.8)) * chance.random() if nth else chance.uniform(0, self.calm_at)
        value = {
            "kill_after": float(chance.randint(1, 60)),
            "freeze": chance.choice((5.0, 40.0, 130.0, 400.0)),
            "clock": chance.choice((-90.0, 90.0, -3600.0, 3600.0, 30.0)),
            "move": chance.uniform(0, 600),
            "verdict": float(chance.choice((0, 2, 3, 4))),
        }.get(kind, 0.0)
        return Event(at, kind, text.number, value, chance.choice(text.accounts), nth)


def smaller(plan: Plan) -> list[Plan]:
    """Plans that are one step simpler, the boldest first."""
    found = [replace(plan, **{name: half}) for name, half in _halves(plan)]
    found += [replace(plan, events=_without(plan.events, place)) for place in range(len(plan.events))]
    if len(plan.texts) > 1:
        found += [replace(plan, texts=_without(plan.texts, place)) for place in range(len(plan.texts))]
    found += [replace(plan, faults=_without(plan.faults, place)) for place in range(len(plan.faults))]
    found += [replace(plan, store_faults=0.0)] if plan.store_faults else []
    found += [replace(plan, workers=plan.workers - 1)] if plan.workers > 1 else []
    return found


def _halves(plan: Plan) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in ("events", "texts"):
        rows = getattr(plan, name)
        middle = len(rows) // 2
        found += [(name, rows[:middle]), (name, rows[middle:])] if middle else []
    return found


def _without(rows: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return rows[:place] + rows[place + 1 :]


def describe(plan: Plan) -> str:
    """The plan in lines."""
    lines = [f"seed {plan.seed}: {plan.workers} workers, a tick every {plan.every:g} s, calm after {plan.calm_at:g} s"]
    lines += [f"  faults: {', '.join(f'{kind} {rate:.3f}' for kind, rate in plan.faults) or 'none'}"]
    lines += [f"  faults of the store: {plan.store_faults:g}"]
    for text in plan.texts:
        approved = "approved before" if text.approved_at is None else f"approved at {text.approved_at:.1f}"
        where = ", ".join(text.accounts)
        lines.append(f"  text {text.number} at {text.at:.1f} on {where}, late: {text.late}, {approved}")
    for each in plan.events:
        moment = f"{f'claim {each.nth} +' if each.nth else ''}{each.at:8.3f}"
        lines.append(f"  {moment}  {each.kind} target {each.target} value {each.value:g} {each.account}")
    return "\n".join(lines)
