"""The box: sealing with a public key, so that the site cannot read what it keeps for the desk; no secret key here.

X25519 with a key pair for each box, HKDF-SHA256, AES-256-GCM. Each box has its own key, so its nonce is constant.
`v1:box:public key's first bytes:one-time public key:cipher`. There is no SM2 in a well-kept library, so the box knows
one suite; a site inside a 国密 gateway gets SM2 from the gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from hub.identifiers import unguessable
from hub.sealing.form import decode, encode, place
from hub.sealing.suites import NONCE, SUITES, Broken

BOX = "box"
_ZERO = bytes(NONCE)


def public_of(private: bytes) -> bytes:
    """The public half of a private key (32 bytes each)."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _name(public: bytes) -> str:
    return SUITES["aesgcm"].digest(b"govhub box" + public).hex()[:8]


def _box_key(private: bytes, public: bytes, once: bytes, receiver: bytes) -> bytes:
    shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    return SUITES["aesgcm"].derive(shared, "govhub v1 box", salt=once + receiver)


@dataclass(frozen=True)
class Box:
    """A box taken apart: for whom, the one-time public key, the cipher text."""

    receiver: str
    once: bytes
    cipher: bytes

    @classmethod
    def parse(cls, sealed: str) -> Box:
        """Raises ValueError where it is no box."""
        version, kind, receiver, once, cipher = sealed.split(":")
        if (version, kind) != ("v1", BOX):
            raise ValueError("not a box")
        return cls(receiver, decode(once), decode(cipher))

    @staticmethod
    def is_for(sealed: str, public: bytes) -> bool:
        """Whether this public key's owner can open it."""
        return sealed.startswith(f"v1:{BOX}:{_name(public)}:")


def open_box(private: bytes, sealed: str, bound: bytes) -> bytes:
    """The plain bytes; raises Broken, or ValueError where it is no box."""
    box = Box.parse(sealed)
    if len(box.once) != 32:
        raise Broken
    key = _box_key(private, box.once, box.once, public_of(private))
    return SUITES["aesgcm"].decrypt(key, _ZERO, box.cipher, bound)


class PublicSealer:
    """Seals for the holder of the private key; cannot open anything, not even its own."""

    def __init__(self, public_key: bytes, *, draw: Callable[[int], bytes] = unguessable) -> None:
        if len(public_key) != 32:
            raise ValueError("the hub's public key has 32 bytes")
        self._public = public_key
        self._draw = draw

    def seal(self, plain: str, *, table: str, id: str, field: str) -> str:
        """The text as only the hub can open it, bound to its place."""
        private = self._draw(32)
        once = public_of(private)
        bound = place(table, id, field, BOX)
        key = _box_key(private, self._public, once, self._public)
        cipher = SUITES["aesgcm"].encrypt(key, _ZERO, plain.encode("utf-8", "surrogatepass"), bound)
        return ":".join(("v1", BOX, _name(self._public), encode(once), encode(cipher)))
