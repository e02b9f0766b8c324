"""Identifiers, secrets and chance: the only source of randomness; what they are used for lives elsewhere."""

from __future__ import annotations

import random
import secrets
from typing import Protocol

from hub.clock import Clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Identifiers(Protocol):
    """What the project draws by chance."""

    def new(self) -> str:
        """A name for a new document: sortable by birth, 26 characters; a name, never a secret."""
        ...

    def secret(self, length: int = 32) -> bytes:
        """This many unguessable bytes."""
        ...

    def chance(self) -> float:
        """A number in [0, 1) for spreading retries; not for secrets."""
        ...


def _base32(number: int, length: int) -> str:
    signs = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        signs.append(_ALPHABET[rest])
    return "".join(reversed(signs))


def identifier(milliseconds: int, noise: int) -> str:
    """48 bits of time and 80 bits of noise in Crockford's base 32, as one sortable word."""
    return _base32((milliseconds << 80) | noise, 26)


def unguessable(length: int) -> bytes:
    """Bytes of the operating system's own chance, for nonces and keys: never seeded, not even in the simulation.

    A cipher that meets the same key and nonce twice gives its key stream away.
    """
    return secrets.token_bytes(length)


class RandomIdentifiers:
    """Identifiers from the operating system's own randomness."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self) -> str:
        return identifier(int(self._clock.now().timestamp() * 1000), secrets.randbits(80))

    def secret(self, length: int = 32) -> bytes:
        return secrets.token_bytes(length)

    def chance(self) -> float:
        return secrets.randbits(53) / (1 << 53)


class SeededIdentifiers:
    """The same identifiers for the same seed; for tests and the simulation, never for people's secrets."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def new(self) -> str:
        return identifier(int(self._clock.now().timestamp() * 1000), self._random.getrandbits(80))

    def secret(self, length: int = 32) -> bytes:
        return self._random.randbytes(length)

    def chance(self) -> float:
        return self._random.random()
