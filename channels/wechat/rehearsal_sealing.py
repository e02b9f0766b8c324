"""How 演练微信 signs and encrypts what it pushes and reads what comes back; nothing of when or to whom.

Its own reading of the documentation on purpose: the connector's is another one, and each proves the other.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_BLOCK = 32  # of the padding; the cipher's own is 16


def signature(*parts: str) -> str:
    """The platform's sha1 over the sorted parts: token, timestamp, nonce, and the cipher text where there is one."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Seal:
    """The account's key: `aes_key` has 43 characters of base64."""

    token: str
    aes_key: str
    appid: str

    def _cipher(self) -> Cipher[CBC]:
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(AES(key), CBC(key[:16]))

    def close(self, text: str, salt: bytes) -> str:
        """The cipher text of a message; `salt` has 16 bytes that nobody can guess, here made from the seed."""
        body = text.encode()
        plain = salt + len(body).to_bytes(4, "big") + body + self.appid.encode()
        left = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(plain + bytes((left,)) * left) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, timestamp: str, nonce: str, signed: str) -> str:
        """The message inside; ValueError when it is not signed by the account, not for it, or broken."""
        if not compare_digest(signature(self.token, timestamp, nonce, sealed).encode(), signed.encode()):
            raise ValueError("signature")
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
        left = plain[-1] if plain else 0
        if not 1 <= left <= _BLOCK or plain[-left:] != bytes((left,)) * left:
            raise ValueError("padding")
        rest = plain[16:-left]
        size = int.from_bytes(rest[:4], "big")
        body, appid = rest[4 : 4 + size], rest[4 + size :]
        if len(body) != size or appid != self.appid.encode():
            raise ValueError("appid")
        return body.decode()
