"""查询码的登记: which demand a code opens, what proves its writer, and half an hour's visit; the pages live beside.

Codes and proofs are kept as keyed hashes alone, under a key of the site's own. A code follows from the form's own
unguessable key and its words, so a form that is sent again because its answer was lost gives the same code.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.clock import Clock
from hub.domain.errors import Misconfigured
from hub.domain.query_code import BITS, compose
from hub.store.base import Document, Store

TABLE = "demands"
VISIT = timedelta(minutes=30)
LEAST_WORD, MOST_WORD = 4, 20
_LEAST_DIGITS = 7  # of what is left to call back: fewer is no telephone number


@dataclass(frozen=True)
class Visit:
    """Somebody who came with a code: to which demand, whether they proved to be its writer, and the form token."""

    demand: str
    proved: bool
    until: datetime
    token: str


def plain_proof(text: str) -> str:
    """However it is typed: wide signs as narrow ones, small letters, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def proofs_of(contact: str, word: str) -> list[str]:
    """What will prove the writer: the last four digits of the number left, and the word chosen, as far as given."""
    digits = "".join(sign for sign in unicodedata.normalize("NFKC", contact) if sign in "0123456789")
    last = [digits[-4:]] if len(digits) >= _LEAST_DIGITS else []
    return [*last, *([plain_proof(word)] if plain_proof(word) else [])]


class Codes:
    """The register over the site's store."""

    def __init__(self, store: Store, clock: Clock, key: bytes) -> None:
        if len(key) < 32:
            raise Misconfigured("公众网的查询码密钥缺失或太短。请删去数据文件夹里的空密钥文件后重新启动。")
        self._store, self._clock, self._key = store, clock, key

    def _mac(self, purpose: str, *words: str) -> bytes:
        return hmac.new(self._key, "\0".join((purpose, *words)).encode("utf-8", "replace"), hashlib.sha256).digest()

    def code_for(self, key: str, plain: str, word: str) -> str:
        """The code of this form with these words."""
        return compose(int.from_bytes(self._mac("code", key, plain, word)[:8], "big") >> (64 - BITS))

    async def keep(self, code: str, demand: str, proofs: list[str]) -> None:
        """Write down what opens this demand; the same form again changes nothing."""
        row = {"_id": self._mac("look", code).hex(), "demand": demand, "at": self._clock.now()}
        hashed = [self._mac("proof", demand, proof).hex() for proof in proofs]
        await self._store.insert_new(TABLE, [{**row, "proofs": hashed}])

    async def find(self, code: str) -> Document | None:
        """The demand's row that this code (in its one form) opens."""
        return await self._store.get(TABLE, self._mac("look", code).hex())

    async def row_of(self, demand: str) -> Document | None:
        found = await self._store.find(TABLE, {"demand": demand}, limit=1)
        return found[0] if found else None

    def proves(self, row: Document, proof: str) -> bool:
        """Whether this is what its writer left; compared in constant time."""
        given = self._mac("proof", row["demand"], plain_proof(proof)).hex()
        matches = [hmac.compare_digest(given, kept) for kept in row["proofs"]]
        return any(matches)

    # --- visits

    def admit(self, demand: str, *, proved: bool) -> str:
        """The cookie of a visit that begins now."""
        until = int((self._clock.now() + VISIT).timestamp())
        stated = f"{demand}.{until}.{int(proved)}"
        return f"{stated}.{self._mac('visit', stated).hex()[:40]}"

    def visit(self, cookie: str) -> Visit | None:
        """The visit this cookie stands for; None where it is over, or none of ours."""
        stated, _, seal = cookie.rpartition(".")
        if not hmac.compare_digest(self._mac("visit", stated).hex()[:40], seal):
            return None
        demand, until, proved = stated.split(".")
        end = datetime.fromtimestamp(int(until), UTC)
        if end <= self._clock.now():
            return None
        return Visit(demand, proved == "1", end, self._mac("form", cookie).hex()[:40])
