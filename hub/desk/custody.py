"""凭证的保管: one account's access token for every process, sealed, and fetched by one of them at a time under a lease.

What is kept belongs to the very secret it was given for: a changed account begins anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from channels.contract import Fault, Refused, Who
from channels.surroundings import FetchToken, Token
from hub.desk.desk import Desk
from hub.sealing import CREDENTIALS, Unsealable
from hub.store import leases
from hub.store.base import Document, Unreachable, Unsure

TABLE = "custody"
LEASE = 60.0  # seconds; longer than two calls for a token
PAUSE, PATIENCE = 0.25, 40  # while another process fetches: this long between looks, so many of them
BUSY = Refused("token_busy", "另一个程序正在换取访问凭证，马上再试", Who.NOBODY, timedelta(seconds=5))


@dataclass(frozen=True, repr=False)
class StoredCustody:
    """One account's token in the store. `of` says for which secret."""

    desk: Desk
    account: str
    of: str

    async def token(self, dead: str, fetch: FetchToken) -> Token | Fault:
        try:
            return await self._token(dead, fetch)
        except (Unreachable, Unsure):
            return Refused("not_kept", "现在存不了访问凭证，稍后自动再试", Who.NOBODY, timedelta(minutes=1))

    async def _token(self, dead: str, fetch: FetchToken) -> Token | Fault:
        name, holder = f"token:{self.account}", f"{self.desk.owner}/{self.desk.ids.new()}"
        for _ in range(PATIENCE):
            kept = await self._kept()
            if kept and self._lives(kept, dead):
                return kept
            number = await leases.take(self.desk.store, name, holder, self.desk.clock.now(), LEASE)
            if number is not None:
                try:
                    return await self._fetched(dead, fetch)
                finally:
                    await leases.release(self.desk.store, name, holder, number, self.desk.clock.now())
            await self.desk.clock.sleep(PAUSE)
        return BUSY

    async def _fetched(self, dead: str, fetch: FetchToken) -> Token | Fault:
        """Looked at once more under the lease: somebody may have fetched while we waited for it."""
        kept = await self._kept()
        if kept and self._lives(kept, dead):
            return kept
        found = await fetch(kept)
        if isinstance(found, Token):
            await self._keep(found)
        return found

    def _lives(self, kept: Token, dead: str) -> bool:
        return self.desk.clock.now() < kept.until and kept.text != dead

    async def _kept(self) -> Token | None:
        row = await self.desk.store.get(TABLE, self.account)
        if row is None or row.get("of") != self.of:
            return None
        try:
            text = self.desk.sealer.open(
                str(row["sealed"]), table=TABLE, id=self.account, field="sealed", purpose=CREDENTIALS
            )
        except Unsealable:
            return None
        return Token(text, row["until"], row.get("forced_at"))

    async def _keep(self, token: Token) -> None:
        sealed = self.desk.sealer.seal(token.text, table=TABLE, id=self.account, field="sealed", purpose=CREDENTIALS)
        fields = {"sealed": sealed, "of": self.of, "until": token.until, "forced_at": token.forced_at}
        await self.desk.store.change(TABLE, {"_id": self.account}, {"$set": fields}, upsert=True)


def custody_of(desk: Desk, account: Document) -> StoredCustody:
    """The custody of this account as it is set up now."""
    facts = f"{account.get('credentials')}\n{sorted((account.get('settings') or {}).items())}"
    return StoredCustody(desk, str(account["_id"]), hashlib.sha256(facts.encode()).hexdigest())
