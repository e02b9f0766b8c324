"""审计链: what an entry says, how each is bound to the one before, and what a broken chain looks like; no store here.

An entry's hash is a MAC, with a key that the store does not hold, over its number, the hash before it and all it says.
So whoever may write to the store can neither change, add, remove nor reorder entries without breaking a link. What no
chain can show is a tail cut off together with everything that names it: for that, heads are sealed and carried out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

Mac = Callable[[bytes], bytes]
Verifies = Callable[[bytes, bytes], bool]

FIELDS = ("actor", "act", "subject", "at", "result", "detail", "address")
START = "0" * 64  # what stands before the first entry
HEAD_EVERY = timedelta(hours=1)
HEAD_ENTRIES = 1_000


def _plain(value: Any) -> Any:
    """Moments in one form, so that every store gives the same text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def canonical(entry: Mapping[str, Any], number: int, previous: str) -> bytes:
    """All that an entry says and where it stands, as the bytes that are signed."""
    said = [entry["_id"], number, previous, [_plain(entry.get(name)) for name in FIELDS]]
    return json.dumps(said, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def link(row: Mapping[str, Any], number: int, previous: str, mac: Mac) -> dict[str, Any]:
    """An outbox row as the chain's next document."""
    entry: dict[str, Any] = {"_id": row["id"], **{name: _plain(row.get(name)) for name in FIELDS}, "at": row["at"]}
    digest = mac(canonical(entry, number, previous)).hex()
    return {**entry, "number": number, "previous": previous, "hash": digest}


@dataclass(frozen=True)
class Head:
    """链头: the chain's last link at one moment, sealed; kept outside, it shows a tail cut off later."""

    number: int
    hash: str
    at: datetime
    seal: str

    def line(self) -> str:
        """As one line of the append-only file."""
        said = {"number": self.number, "hash": self.hash, "at": _plain(self.at), "seal": self.seal}
        return json.dumps(said, separators=(",", ":"))


def _head_bytes(number: int, hash: str, at: datetime) -> bytes:
    return json.dumps(["head", number, hash, _plain(at)], separators=(",", ":")).encode()


def seal_head(number: int, hash: str, at: datetime, mac: Mac) -> Head:
    """The head with our signature."""
    return Head(number, hash, at, mac(_head_bytes(number, hash, at)).hex())


def head_from(document: Mapping[str, Any]) -> Head:
    """A head from the store's document or a line's JSON; raises ValueError or KeyError."""
    at = document["at"]
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return Head(int(document["number"]), str(document["hash"]), moment, str(document["seal"]))


def head_from_line(line: str) -> Head:
    """Raises ValueError where the line is no head."""
    try:
        return head_from(json.loads(line))
    except (KeyError, TypeError) as error:
        raise ValueError("not a head") from error


def head_is_due(last: Head | None, number: int, now: datetime) -> bool:
    """Every hour in which something happened, and every thousand entries."""
    if last is None:
        return number > 0
    return number - last.number >= HEAD_ENTRIES or (number > last.number and now - last.at >= HEAD_EVERY)


@dataclass(frozen=True)
class Fault:
    """Where the chain breaks: the number and a sentence for the auditor."""

    number: int
    kind: str  # altered, missing, unlinked, cut, head
    message: str


class Chain:
    """Reads entries in the order of their numbers, beside heads known from elsewhere; stops at the first fault."""

    def __init__(self, verifies: Verifies, heads: Iterable[Head] = ()) -> None:
        self._verifies = verifies
        self._heads: dict[int, list[Head]] = {}
        self.fault: Fault | None = None
        self.number = 0
        self.hash = START
        for head in heads:
            self._take_head(head)

    def take(self, entry: Mapping[str, Any]) -> Fault | None:
        """The next entry; the fault, if there is one now."""
        self.fault = self.fault or self._look(entry)
        if self.fault is None:
            self.number, self.hash = self.number + 1, entry["hash"]
            self._compare_heads()
        return self.fault

    def end(self) -> Fault | None:
        """There is no further entry: is a head beyond the last?"""
        beyond = [number for number in self._heads if number > self.number]
        if self.fault is None and beyond:
            cut = max(beyond) - self.number
            message = f"链头显示至少应有 {max(beyond)} 条，现在只有 {self.number} 条：末尾被截去了 {cut} 条。"
            self.fault = Fault(self.number + 1, "cut", message)
        return self.fault

    def _take_head(self, head: Head) -> None:
        if not self._verifies(_head_bytes(head.number, head.hash, head.at), _bytes(head.seal)):
            message = f"第 {head.number} 条处的链头签名不对：链头被改动，或不是本系统的。"
            self.fault = self.fault or Fault(head.number, "head", message)
        self._heads.setdefault(head.number, []).append(head)

    def _look(self, entry: Mapping[str, Any]) -> Fault | None:
        number, expected = entry.get("number"), self.number + 1
        if number != expected:
            return Fault(expected, "missing", f"第 {expected} 条缺失：下一条的编号是 {number}。")
        if not _same(str(entry.get("previous")), self.hash):
            return Fault(expected, "unlinked", f"第 {expected} 条与前一条接不上：有条目被插入、删去或调换。")
        if not self._verifies(canonical(entry, expected, self.hash), _bytes(str(entry.get("hash")))):
            return Fault(expected, "altered", f"第 {expected} 条的内容与签名不符：被改动、插入或调换过。")
        return None

    def _compare_heads(self) -> None:
        for head in self._heads.get(self.number, ()):
            if not _same(head.hash, self.hash) and self.fault is None:
                message = f"第 {self.number} 条与当时封存的链头不同：这一条或更早的条目被整段换过。"
                self.fault = Fault(self.number, "head", message)


def _bytes(hexadecimal: str) -> bytes:
    try:
        return bytes.fromhex(hexadecimal)
    except ValueError:
        return b""


def _same(left: str, right: str) -> bool:
    return compare_digest(left.encode(), right.encode())
