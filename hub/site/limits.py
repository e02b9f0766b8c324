"""限速: how often one address may do a thing, and which forwarded address is believed; addresses are never stored."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.clock import Clock
from hub.domain.errors import TooMany
from hub.store.base import Duplicate, Store

TABLE = "rates"
NOWHERE = "unknown"


@dataclass(frozen=True)
class Limit:
    """At most `times` within `seconds`, and what to say beyond."""

    times: int
    seconds: int
    sentence: str


LIMITS: Mapping[str, Limit] = {
    "letter": Limit(10, 600, "这个网络地址在十分钟里已送来 10 封信。内容还在下面，请过一会儿再送。"),
    "letters": Limit(600, 600, "此刻来信太多。内容还在下面，请过一会儿再送；急事请打网站下方的电话。"),
    "device": Limit(20, 600, "登记太频繁，请过一会儿再试。"),
    "devices": Limit(3_000, 600, "此刻登记的手机太多，请过一会儿再试。"),
    "lookup": Limit(20, 60, "查询太频繁，请过一分钟再试。"),
    "wrong": Limit(5, 600, "查询次数太多，请过几分钟再试。"),
    "wrongs": Limit(10, 60, "查询次数太多，请过几分钟再试。"),
    "proof": Limit(5, 600, "核对次数太多，请过十分钟再试。不核对也能看进度和答复。"),
    "message": Limit(10, 600, "十分钟里已补充 10 次。内容还在下面，请过一会儿再送。"),
    "search": Limit(60, 60, "搜索太频繁，请过一分钟再试。"),
}


def believed_address(peer: str, forwarded: str, proxies: int) -> str:
    """Who is really there: the address that the outermost trusted proxy wrote down, or the peer where there is none.

    Every proxy appends the address it saw. With n trusted proxies the n-th from the end is the last that one of ours
    wrote; all before it is the sender's own tale. A chain shorter than that did not come through our proxies.
    """
    if proxies <= 0:
        return peer
    chain = [part.strip() for part in forwarded.split(",") if part.strip()]
    return chain[-proxies] if len(chain) >= proxies else peer


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def neighbourhood(address: str) -> str:
    """What is counted as one sender: an IPv4 address, or the /64 that one household has in IPv6."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return NOWHERE
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Windows:
    """Counts in the site's store, so that they hold over every process; under a keyed hash of the address."""

    def __init__(self, store: Store, clock: Clock, keys: Sequence[str]) -> None:
        self._store, self._clock = store, clock
        self._key = hashlib.sha256(b"govhub rates\0" + (keys[0] if keys else "").encode()).digest()
        self._swept = clock.monotonic()

    async def admit(self, purpose: str, address: str = "", *, subject: str = "") -> None:
        """Count one more; TooMany beyond the limit, with the seconds until the window ends.

        `subject` counts over one thing (a demand) instead of one sender.
        """
        limit = LIMITS[purpose]
        name, until = self._window(purpose, address, subject)
        count = await self._count(name, until)
        await self._sweep(self._clock.now())
        if count > limit.times:
            raise TooMany(limit.sentence, max(1, int((until - self._clock.now()).total_seconds())))

    async def note(self, purpose: str, address: str = "", *, subject: str = "") -> None:
        """Count one more, whatever the limit; `seen` asks."""
        await self._count(*self._window(purpose, address, subject))

    async def seen(self, purpose: str, address: str = "", *, subject: str = "") -> int:
        """How many were counted in the window that is open now."""
        row = await self._store.get(TABLE, self._window(purpose, address, subject)[0])
        return int(row["count"]) if row else 0

    def _window(self, purpose: str, address: str, subject: str) -> tuple[str, datetime]:
        """The name of the window that is open now, and its end."""
        seconds = LIMITS[purpose].seconds
        number = int(self._clock.now().timestamp()) // seconds
        sender = subject or (neighbourhood(address) if address else "")
        return self._name(purpose, sender, number), datetime.fromtimestamp((number + 1) * seconds, UTC)

    def _name(self, purpose: str, sender: str, number: int) -> str:
        digest = hmac.new(self._key, f"{purpose}\0{sender}".encode(), hashlib.sha256).hexdigest()[:32]
        return f"{purpose}:{digest}:{number}"

    async def _count(self, name: str, until: datetime) -> int:
        update: dict[str, dict[str, Any]] = {"$inc": {"count": 1}, "$setOnInsert": {"until": until}}
        try:
            row = await self._store.change(TABLE, {"_id": name}, update, upsert=True)
        except Duplicate:  # two firsts at one instant: the second finds the first's row
            row = await self._store.change(TABLE, {"_id": name}, {"$inc": {"count": 1}})
        return int((row or {"count": 1})["count"])

    async def _sweep(self, now: datetime) -> None:
        if self._clock.monotonic() - self._swept < 60:
            return
        self._swept = self._clock.monotonic()
        await self._store.purge(TABLE, {"until": {"$lt": now - timedelta(minutes=1)}}, reason="window over")
