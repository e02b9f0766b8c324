"""The sealer: one secret key, a derived key per purpose, values bound to their place; key files live in keys.py.

A sealed value is `v1:suite:keyid:nonce:cipher`. It names suite and key, so both suites and older keys are read side by
side and a rotation is a re-sealing at leisure. Table, id, field and purpose are bound in: a value that is moved to
another row, field or purpose does not open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest

from hub.identifiers import unguessable
from hub.sealing.box import BOX, Box, open_box, public_of
from hub.sealing.form import decode, encode, place
from hub.sealing.suites import NONCE, SUITES, Broken

SESSION = "session"
CSRF = "csrf"
CREDENTIALS = "seal-credentials"  # accounts' passwords, secrets and tokens
CITIZEN = "seal-citizen"  # citizens' words, names and contacts
STAFF = "seal-staff"  # second factors and addresses of the office's people
AUDIT = "audit"
INDEX = "index"
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,40}\Z")
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}\Z")


class Unsealable(Exception):
    """A sealed value does not open: wrong key, wrong place, or altered. Names the place, never the value."""

    def __init__(self, table: str, field: str, why: str) -> None:
        super().__init__(f"{table}.{field}: {why}")
        self.table = table
        self.field = field
        self.why = why


def key_name(key: bytes) -> str:
    """The name of a key where its keeper gave none: tells keys apart and tells nothing else."""
    return sha256(b"govhub key name\0" + key).hexdigest()[:8]


class Sealer:
    """One installation's secret key and the older ones it still reads.

    `draw` gives nonces, and only tests that check a published vector pass one of their own.
    """

    def __init__(
        self,
        key: bytes,
        *,
        suite: str = "aesgcm",
        key_id: str | None = None,
        older: Mapping[str, bytes] | None = None,
        draw: Callable[[int], bytes] = unguessable,
    ) -> None:
        self.key_id = key_name(key) if key_id is None else key_id
        self._keys = {self.key_id: key, **{name: old for name, old in (older or {}).items() if name != self.key_id}}
        if suite not in SUITES or any(len(one) < 32 or not _KEY_ID.match(name) for name, one in self._keys.items()):
            raise ValueError("a sealer needs one of the known suites, keys of 32 bytes, and key names without a colon")
        self.suite = suite
        self._draw = draw
        self._derived: dict[tuple[str, str, str, str], bytes] = {}

    def seal(self, plain: str, *, table: str, id: str, field: str, purpose: str) -> str:
        """The text as it may be stored: `v1:suite:keyid:nonce:cipher`."""
        nonce = self._draw(NONCE)
        key = self._key(self.suite, self.key_id, "seal", purpose)
        bound = place(table, id, field, purpose)
        cipher = SUITES[self.suite].encrypt(key, nonce, plain.encode("utf-8", "surrogatepass"), bound)
        return f"v1:{self.suite}:{self.key_id}:{encode(nonce)}:{encode(cipher)}"

    def open(self, sealed: str, *, table: str, id: str, field: str, purpose: str) -> str:
        """The plain text; raises Unsealable."""
        suite, key_id, nonce, cipher = self._parts(sealed, table, field)
        try:
            key = self._key(suite, key_id, "seal", purpose)
            plain = SUITES[suite].decrypt(key, nonce, cipher, place(table, id, field, purpose))
        except Broken:
            raise Unsealable(table, field, "altered, moved, or sealed with another key") from None
        return plain.decode("utf-8", "surrogatepass")

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed with today's suite and key; if not, a rotation opens and seals it again."""
        return sealed.startswith(f"v1:{self.suite}:{self.key_id}:")

    def index(self, value: str, *, purpose: str) -> str:
        """A keyed fingerprint to look a value up by without storing it (64 hex digits)."""
        return self._index(self.suite, self.key_id, value, purpose)

    def indexes(self, value: str, *, purpose: str) -> tuple[str, ...]:
        """The fingerprint under every key and suite still read, today's first: for look-ups during a rotation."""
        names = [(self.suite, self.key_id)]
        names += [(suite, key_id) for key_id in self._keys for suite in SUITES if (suite, key_id) != names[0]]
        return tuple(self._index(suite, key_id, value, purpose) for suite, key_id in names)

    def mac(self, data: bytes, *, purpose: str) -> bytes:
        """A signature with today's key (32 bytes)."""
        return SUITES[self.suite].mac(self._key(self.suite, self.key_id, "mac", purpose), data)

    def verifies(self, data: bytes, mac: bytes, *, purpose: str) -> bool:
        """Whether this is our signature, by any key and suite still read."""
        pairs = [(suite, key_id) for key_id in self._keys for suite in SUITES]
        made = (SUITES[suite].mac(self._key(suite, key_id, "mac", purpose), data) for suite, key_id in pairs)
        return any(compare_digest(mac, one) for one in made)

    def box_public(self) -> bytes:
        """The public key to give to the site: it seals for us with it and cannot read what it sealed (32 bytes)."""
        return public_of(self._key("aesgcm", self.key_id, "box", "x25519"))

    def open_box(self, sealed: str, *, table: str, id: str, field: str) -> str:
        """What a PublicSealer sealed for us; raises Unsealable."""
        for key_id in self._keys:
            private = self._key("aesgcm", key_id, "box", "x25519")
            if Box.is_for(sealed, public_of(private)):
                return self._opened(private, sealed, table, id, field)
        raise Unsealable(table, field, "not a box for any key we hold")

    def _opened(self, private: bytes, sealed: str, table: str, id: str, field: str) -> str:
        try:
            plain = open_box(private, sealed, place(table, id, field, BOX))
        except (Broken, ValueError):
            raise Unsealable(table, field, "altered, moved, or sealed for another key") from None
        return plain.decode("utf-8", "surrogatepass")

    def _index(self, suite: str, key_id: str, value: str, purpose: str) -> str:
        data = value.encode("utf-8", "surrogatepass")
        return SUITES[suite].mac(self._key(suite, key_id, "index", purpose), data).hex()

    def _parts(self, sealed: str, table: str, field: str) -> tuple[str, str, bytes, bytes]:
        try:
            version, suite, key_id, nonce, cipher = sealed.split(":")
            known = version == "v1" and suite in SUITES
            parts = suite, key_id, decode(nonce), decode(cipher)
        except ValueError:
            raise Unsealable(table, field, "not a sealed value") from None
        if not known:
            raise Unsealable(table, field, "sealed by a suite this version does not know")
        if key_id not in self._keys:
            raise Unsealable(table, field, f"sealed with the key {key_id!r}, which is not here")
        return parts

    def _key(self, suite: str, key_id: str, use: str, purpose: str) -> bytes:
        wanted = (suite, key_id, use, purpose)
        if wanted not in self._derived:
            if not _PURPOSE.match(purpose):
                raise ValueError("a purpose is a word of small letters, digits and hyphens")
            self._derived[wanted] = self._derive(suite, key_id, use, purpose)
        return self._derived[wanted]

    def _derive(self, suite: str, key_id: str, use: str, purpose: str) -> bytes:
        length = None if use == "seal" else 32
        return SUITES[suite].derive(self._keys[key_id], f"govhub v1 {suite} {use} {purpose}", length=length)
