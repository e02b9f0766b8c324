"""The two suites of algorithms, as data: AES-256-GCM with SHA-256, SM4-GCM with SM3; what is sealed lives in sealer.py.

SM3 is GB/T 32905, SM4 is GB/T 32907, SM4-GCM is the mode of RFC 8998. An assessor (密评) looks for the second suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
TAG = 16


class Broken(Exception):
    """The text, its nonce, its tag or what it is bound to has been changed, or the key is another one."""


@dataclass(frozen=True)
class Suite:
    """One family: a block cipher in GCM and its hash. `key_bytes` is the length of the cipher's key."""

    name: str
    key_bytes: int
    cipher: type[AES] | type[SM4]
    hash: type[hashes.SHA256] | type[hashes.SM3]

    def derive(self, secret: bytes, label: str, *, length: int | None = None, salt: bytes | None = None) -> bytes:
        """A key of its own for this label (HKDF)."""
        size = self.key_bytes if length is None else length
        return HKDF(algorithm=self.hash(), length=size, salt=salt, info=label.encode()).derive(secret)

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """Cipher text and tag in one piece."""
        worker = Cipher(self._block(key), GCM(nonce)).encryptor()
        worker.authenticate_additional_data(bound)
        return worker.update(plain) + worker.finalize() + worker.tag

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """The plain bytes; raises Broken."""
        if len(sealed) < TAG or len(nonce) != NONCE:
            raise Broken
        worker = Cipher(self._block(key), GCM(nonce, sealed[-TAG:])).decryptor()
        worker.authenticate_additional_data(bound)
        try:
            return worker.update(sealed[:-TAG]) + worker.finalize()
        except InvalidTag:
            raise Broken from None

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC over this suite's hash, 32 bytes."""
        worker = hmac.HMAC(key, self.hash())
        worker.update(data)
        return worker.finalize()

    def digest(self, data: bytes) -> bytes:
        """The plain hash, 32 bytes."""
        worker = hashes.Hash(self.hash())
        worker.update(data)
        return worker.finalize()

    def _block(self, key: bytes) -> BlockCipherAlgorithm:
        return self.cipher(key)


SUITES: Mapping[str, Suite] = {
    "aesgcm": Suite("aesgcm", 32, AES, hashes.SHA256),
    "sm4gcm": Suite("sm4gcm", 16, SM4, hashes.SM3),
}
