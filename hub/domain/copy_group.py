"""同文组: what a group of copies adds up to, and when it is 疑似刷屏; pure. Which texts are copies says nlp.copies.

A copy is one reply of a group: `_id`, `author_key`, `at` (its own time), `channel`, `account`, `district`,
`known_since` (when we first heard anything of this author) and `near` (the words differ a little). Every figure is a
function of the set of copies: `added` brings further ones to it and comes to the same figures in whatever order and in
whatever batches they arrive.

疑似刷屏 looks at the stretch of so many minutes in which most accounts that were new to us said the text, each account
once; of two such stretches at that with more accounts, then at the earlier one. A stretch only ever gains by a further
copy, so that no more than the copies near the new ones need be looked at again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Document = dict[str, Any]
Copy = Mapping[str, Any]

NEW = timedelta(hours=24)  # an account is new to us so long after we first heard anything of it
STEPS = (1, 5, 30, 120, 720, 1_440, 10_080, 40_320, 524_160)  # minutes; each is a multiple of the one before
MOST_BARS = 240  # stretches that a group keeps counts of; with more it goes over to the next step
DRAWN, FEWEST = 48, 12  # bars of a drawing
NAMES = 100  # districts kept by name: the first of them in their order, whatever arrives when
_LOCAL = 480  # minutes that the office's day begins before that of UTC
CHANNEL, FLOOD = "channel", "flood"


@dataclass(frozen=True)
class FloodRule:
    """疑似刷屏: at least so many accounts within so many minutes, of them at least so many per cent new to us."""

    minutes: int
    accounts: int
    new_percent: int

    def holds(self, peak: Mapping[str, Any]) -> bool:
        """Whether this stretch is what the rule asks for."""
        accounts, new = int(peak["accounts"]), int(peak["new"])
        return accounts >= self.accounts and 100 * new >= self.new_percent * accounts

    def written(self) -> Document:
        return {"minutes": self.minutes, "accounts": self.accounts, "new_percent": self.new_percent}


def is_new(copy: Copy) -> bool:
    """Whether its author had been heard for less than a day."""
    age: timedelta = copy["at"] - copy["known_since"]
    return age < NEW


def summed(copies: Iterable[Copy], rule: FloodRule) -> Document:
    """The figures of these copies, all at once."""
    return added(None, list(copies), {}, (), rule)


def added(
    group: Mapping[str, Any] | None,
    new: Sequence[Copy],
    earlier: Mapping[str, Copy],
    nearby: Sequence[Copy],
    rule: FloodRule,
) -> Document:
    """The figures with the `new` copies, of which there is at least one.

    `earlier`: the earliest copy that the group already has of each of their authors. `nearby`: its copies within the
    rule's minutes of any new one; all of them where the group was judged over another number of minutes before.
    """
    group = group or {"count": 0, "near": 0, "accounts": 0, "new_accounts": 0}
    accounts, new_accounts = _authors(new, earlier)
    peak = busiest([*nearby, *new], rule.minutes)
    if same_stretch(group, rule):
        peak = max(peak, group["peak"], key=_weight)
    channels = _tallied(group.get("channels", ()), (copy["channel"] for copy in new))
    flood = rule.holds(peak)
    return {
        "count": group["count"] + len(new),
        "near": group["near"] + sum(bool(copy["near"]) for copy in new),
        "accounts": group["accounts"] + accounts,
        "new_accounts": group["new_accounts"] + new_accounts,
        "channels": channels,
        "districts": _tallied(group.get("districts", ()), (copy["district"] or "" for copy in new)),
        "first": _first(group.get("first"), new),
        "first_at": min([*([group["first_at"]] if "first_at" in group else []), *(copy["at"] for copy in new)]),
        "last_at": max([*([group["last_at"]] if "last_at" in group else []), *(copy["at"] for copy in new)]),
        "bars": _counted(group.get("bars"), new),
        "peak": peak,
        "rule": rule.written(),
        "flood": flood,
        "terms": [*(term(CHANNEL, name) for name, _ in channels), *([FLOOD] if flood else [])],
    }


def term(kind: str, name: str) -> str:
    """The term by which a list finds groups on a channel."""
    return f"{kind}:{name}"


def same_stretch(group: Mapping[str, Any], rule: FloodRule) -> bool:
    """Whether the group's busiest stretch was looked for over the rule's number of minutes."""
    return bool(group.get("peak")) and group["rule"]["minutes"] == rule.minutes


def _authors(new: Sequence[Copy], earlier: Mapping[str, Copy]) -> tuple[int, int]:
    """By how much these change the accounts, and the accounts that were new to us when they first said it."""
    said: dict[str, list[Copy]] = defaultdict(list)
    for copy in new:
        said[copy["author_key"]].append(copy)
    accounts = new_accounts = 0
    for author, mine in said.items():
        known = earlier.get(author)
        first = min([*([known] if known else []), *mine], key=_place)
        accounts += known is None
        new_accounts += is_new(first) - (known is not None and is_new(known))
    return accounts, new_accounts


def _place(copy: Copy) -> tuple[datetime, str]:
    return copy["at"], copy["_id"]


def _first(known: Mapping[str, Any] | None, new: Sequence[Copy]) -> Document:
    """首发: the earliest by its own time, whenever it arrived."""
    copy = min(new, key=_place)
    mine = {"reply": copy["_id"], "at": copy["at"], "channel": copy["channel"], "account": copy["account"]}
    return min(mine, dict(known), key=lambda first: (first["at"], first["reply"])) if known else mine


def _tallied(before: Iterable[tuple[str, int]], names: Iterable[str]) -> list[list[Any]]:
    """[name, count] in the order of the names, cut off behind the last that is kept; none that is kept was ever cut."""
    counts = Counter(dict(before))
    counts.update(names)
    return [[name, counts[name]] for name in sorted(counts)[:NAMES]]


# ---- the busiest stretch


def busiest(copies: Iterable[Copy], minutes: int) -> Document:
    """The stretch that begins with a copy and has most new accounts, then most accounts, and is the earliest."""
    rows = sorted(copies, key=_place)
    stretch, best, end = timedelta(minutes=minutes), Document(), 0
    said: Counter[str] = Counter()
    fresh: Counter[str] = Counter()
    for start, copy in enumerate(rows):
        while end < len(rows) and rows[end]["at"] < copy["at"] + stretch:
            said[rows[end]["author_key"]] += 1
            fresh[rows[end]["author_key"]] += is_new(rows[end])
            end += 1
        if not start or rows[start - 1]["at"] < copy["at"]:
            here = {"at": copy["at"], "accounts": len(said), "new": sum(count > 0 for count in fresh.values())}
            best = max(best, here, key=_weight) if best else here
        author = copy["author_key"]
        said[author] -= 1
        fresh[author] -= is_new(copy)
        if not said[author]:
            del said[author], fresh[author]
    return best


def _weight(peak: Mapping[str, Any]) -> tuple[int, int, float]:
    at: datetime = peak["at"]
    return peak["new"], peak["accounts"], -at.timestamp()


# ---- counts over time


def _counted(bars: Mapping[str, Any] | None, new: Sequence[Copy]) -> Document:
    """{"step": minutes, "counts": [[first minute, copies, of them by new accounts], …]}, at most MOST_BARS of them."""
    step = int(bars["step"]) if bars else STEPS[0]
    counts = {start: [count, fresh] for start, count, fresh in (bars["counts"] if bars else ())}
    for copy in new:
        _count(counts, _begin(_minute(copy["at"]), step), 1, int(is_new(copy)))
    while len(counts) > MOST_BARS and step < STEPS[-1]:
        step = STEPS[STEPS.index(step) + 1]
        counts = _coarser(counts, step)
    return {"step": step, "counts": [[start, *counts[start]] for start in sorted(counts)]}


def _coarser(counts: Mapping[int, Sequence[int]], step: int) -> dict[int, list[int]]:
    wider: dict[int, list[int]] = {}
    for start, (count, fresh) in counts.items():
        _count(wider, _begin(start, step), count, fresh)
    return wider


def _count(counts: dict[int, list[int]], start: int, count: int, fresh: int) -> None:
    row = counts.setdefault(start, [0, 0])
    row[0], row[1] = row[0] + count, row[1] + fresh


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)


def _begin(minute: int, step: int) -> int:
    """Stretches begin at whole steps of the office's own day."""
    return (minute + _LOCAL) // step * step - _LOCAL


@dataclass(frozen=True)
class Drawing:
    """Bars without gaps: where each begins, its copies by new accounts and by others; `step` in minutes."""

    step: int
    at: tuple[datetime, ...]
    new: tuple[int, ...]
    others: tuple[int, ...]


def drawn(bars: Mapping[str, Any]) -> Drawing:
    """The counts as the bars of a drawing: as fine as they are kept, but never more than can be told apart."""
    counts: dict[int, list[int]] = {start: [count, fresh] for start, count, fresh in bars["counts"]}
    first, last, step = min(counts), max(counts), int(bars["step"])
    while (_begin(last, step) - _begin(first, step)) // step >= DRAWN and step < STEPS[-1]:
        step = STEPS[STEPS.index(step) + 1]
    counts = _coarser(counts, step)
    end = max(_begin(last, step), _begin(first, step) + (FEWEST - 1) * step)
    starts = range(_begin(first, step), end + step, step)
    pairs = [counts.get(start, [0, 0]) for start in starts]
    at = tuple(datetime.fromtimestamp(start * 60, UTC) for start in starts)
    return Drawing(step, at, tuple(fresh for _, fresh in pairs), tuple(count - fresh for count, fresh in pairs))
