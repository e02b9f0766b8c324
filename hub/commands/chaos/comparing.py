"""The reckoning: the ledger beside the platforms' own lists, as values; what disagrees is named; nothing is asked."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.wechat.wire import parts_of

Document = Mapping[str, Any]
MARK = re.compile(r"第(\d{5})号")
ENDED = frozenset({"published", "removed", "refused", "held", "unknown", "cancelled"})
MAY_BE_OUT = frozenset({"published", "removed", "unknown"})
OPEN = (None, "unknown", "pending")  # how an attempt ended that may have made something public


@dataclass(frozen=True)
class Post:
    """One thing that stands on a platform: the account's key, the platform's own id, the words, the row as it was."""

    account: str
    id: str
    words: str
    row: Document = field(default_factory=dict, compare=False)

    @property
    def mark(self) -> str:
        found = MARK.search(self.words)
        return found[1] if found else ""


@dataclass(frozen=True)
class Disagreement:
    """One broken invariant with everything that is needed to look into it."""

    kind: str
    publication: str
    account: str
    state: str
    detail: str
    attempts: Sequence[Document] = ()
    posts: Sequence[Document] = ()

    def lines(self) -> list[str]:
        said = [f"{self.kind}  {self.publication}  {self.account}  {self.state}  {self.detail}"]
        said += [f"    第 {each.get('number')} 次 {_told(each)}" for each in self.attempts]
        return said + [f"    平台：{dict(row)}" for row in self.posts]


def _told(attempt: Document) -> str:
    names = ("step", "at", "key", "outcome", "code", "reason", "ended_at", "settled")
    return " ".join(f"{name}={attempt[name]}" for name in names if name in attempt)


@dataclass(frozen=True)
class Reckoning:
    """How all ended: states by channel, and what disagrees."""

    states: Mapping[str, Mapping[str, int]]
    posts: int
    wrong: Sequence[Disagreement]

    def count(self, *kinds: str) -> int:
        return sum(one.kind in kinds for one in self.wrong)


DOUBLE, LOST, STRAY = "重复公开", "丢失", "无账可查"
NOT_PUBLIC, SILENT = "说已发布而没有公开", "已公开而账上不说"
MOVING, UNPROVED, UNTOLD = "没有到头", "没有依据", "没人知道"
FALSE_STATES = (NOT_PUBLIC, SILENT)


def compare(
    promised: Iterable[str], rows: Sequence[Document], posts: Sequence[Post], told: frozenset[str]
) -> Reckoning:
    """`promised`: ids whose schedule was acknowledged; `told`: ids about which a person has a notice."""
    here: dict[tuple[str, str], list[Post]] = defaultdict(list)
    for post in posts:
        here[post.account, post.mark].append(post)
    ids = {str(row["_id"]) for row in rows}
    wrong = [Disagreement(LOST, id, "", "", "排期已确认，账上没有") for id in promised if id not in ids]
    known: set[tuple[str, str]] = set()
    for row in rows:
        place = (str(row["account"]), _mark(row))
        known.add(place)
        wrong += _of_one(row, here[place], told)
    wrong += [
        Disagreement(STRAY, "", post.account, "", f"平台上的 {post.id} 没有对应的发布", posts=(post.row,))
        for post in posts
        if (post.account, post.mark) not in known
    ]
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        states[str(row["channel"])][str(row["state"])] += 1
    return Reckoning(states, len(posts), wrong)


def _mark(row: Document) -> str:
    found = MARK.search(str(row["title"]))
    return found[1] if found else str(row["_id"])


def _of_one(row: Document, out: Sequence[Post], told: frozenset[str]) -> list[Disagreement]:
    """What is wrong with one publication."""
    state = str(row["state"])
    found = [(DOUBLE, f"公开了 {len(out)} 次")] if len(out) > 1 else []
    if state not in ENDED:
        found.append((MOVING, f"没有到头：{row.get('reason') or '不知为何'}"))
    if state == "published" and parts_of(str(row.get("external_id") or ""))[0] not in _ids(out):
        found.append((NOT_PUBLIC, f"账上的编号 {row.get('external_id')} 不在平台上"))
    if out and state not in MAY_BE_OUT:
        found.append((SILENT, f"平台上有，账上是 {state}：{row.get('reason')}"))
    if problem := _unproved(row, state):
        found.append((UNPROVED, problem))
    if state in ("unknown", "held") and str(row["_id"]) not in told:
        found.append((UNTOLD, "没有人收到通知"))
    return [_disagreement(kind, row, detail, out) for kind, detail in found]


def _ids(out: Sequence[Post]) -> set[str]:
    return {post.id for post in out}


def _unproved(row: Document, state: str) -> str:
    """Unknown needs an attempt that may have gone out; held and refused need that each attempt certainly did not."""
    attempts = list(row.get("attempts", ()))
    open_ones = [one for one in attempts if (one.get("settled") or one).get("outcome") in OPEN]
    if state in ("unknown", "held", "refused") and not row.get("reason"):
        return "没有写明原因"
    if state == "unknown" and not any(one.get("reason") for one in open_ones):
        return "没有一次尝试是不明的"
    if state == "held" and row.get("pinned") is None and open_ones and not _looked_up(row):
        return "有一次尝试的结果不明，却算作没有发出"
    return ""


def _looked_up(row: Document) -> bool:
    """A platform whose "not there" is trusted was asked twice, or honours the key: the doubt was settled that way."""
    return int(row.get("seen_missing") or 0) >= 2 or row["channel"] in ("site", "app")


def _disagreement(kind: str, row: Document, detail: str, out: Sequence[Post]) -> Disagreement:
    return Disagreement(
        kind, str(row["_id"]), str(row["account"]), str(row["state"]), detail,
        tuple(row.get("attempts", ())), tuple(post.row for post in out),
    )  # fmt: skip
