"""Passwords by argon2 and codes by TOTP, each library in this one place; when they are asked for lives in the desk."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b32encode
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

STEP = 30  # seconds of one TOTP step (RFC 6238)
AT_ONCE = 2  # hashes at one time: each takes 64 MiB and a core
NOBODY = "nobody has this password"  # what an unknown login is measured against, for the same work


class Argon2Proofs:
    """What proves who somebody is. Hashing takes about a tenth of a second, so it runs in a thread, few at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(NOBODY)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def digest(self, password: str) -> str:
        """The password as it may be stored."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, digest: str | None, password: str) -> bool:
        """Whether it is this password; None: nobody's, after the same work."""
        async with self._slots:
            right = await asyncio.to_thread(self._verify, digest or self._nobody, password)
        return right and digest is not None

    def _verify(self, digest: str, password: str) -> bool:
        try:
            return self._hasher.verify(digest, password)
        except (VerificationError, InvalidHashError):
            return False

    def factor(self, chance: bytes) -> str:
        """A second factor's secret in base 32, from 20 unguessable bytes."""
        return b32encode(chance).decode().rstrip("=")

    def step(self, factor: str, code: str, now: datetime) -> int | None:
        """The time step this code belongs to, one to either side allowed; None: it is no code of now."""
        plain = "".join(code.split())
        if len(plain) != 6 or not plain.isascii() or not plain.isdigit():
            return None
        totp = pyotp.TOTP(factor)
        here = int(now.timestamp()) // STEP
        right = [step for step in (here - 1, here, here + 1) if hmac.compare_digest(totp.generate_otp(step), plain)]
        return right[-1] if right else None


def enrolment_address(factor: str, login: str, office: str) -> str:
    """The otpauth address that an authenticator reads, by hand or as a QR picture."""
    return pyotp.TOTP(factor).provisioning_uri(name=login, issuer_name=office)
