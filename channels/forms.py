"""Forms with a file (multipart/form-data) as bytes; what is in them and where they go lives in each platform's wire."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

_ENDINGS = {"image/png": "png", "image/gif": "gif", "image/bmp": "bmp"}


@dataclass(frozen=True)
class Part:
    """The file of a form: its field, its content and its type."""

    name: str
    content: bytes
    type: str

    @property
    def filename(self) -> str:
        return f"{self.name}.{_ENDINGS.get(self.type, 'jpg')}"


def multipart(fields: Mapping[str, str], file: Part) -> tuple[str, bytes]:
    """Content type and body; the boundary is made from the file, so that the same form is the same bytes."""
    boundary = "govhub" + hashlib.sha256(file.content).hexdigest()[:32]
    lines = []
    for name, value in fields.items():
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{file.name}"; filename="{file.filename}"\r\n'
    lines += [head.encode(), f"Content-Type: {file.type}\r\n\r\n".encode(), file.content, b"\r\n"]
    return f"multipart/form-data; boundary={boundary}", b"".join(lines) + f"--{boundary}--\r\n".encode()
