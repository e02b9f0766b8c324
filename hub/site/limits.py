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

    async def admit(self, purpose: str, address: str = "") -> None:
        """Count one more; TooMany beyond the limit, with the seconds until the window ends."""
        limit, now = LIMITS[purpose], self._clock.now()
        number = int(now.timestamp()) // limit.seconds
        until = datetime.fromtimestamp((number + 1) * limit.seconds, UTC)
        name = self._name(purpose, neighbourhood(address) if address else "", number)
        count = await self._count(name, until)
        await self._sweep(now)
        if count > limit.times:
            raise TooMany(limit.sentence, max(1, int((until - now).total_seconds())))

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
