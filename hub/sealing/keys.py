"""The secret key's file: where it may lie and who may read it; what the key is used for lives in sealer.py."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from hub.domain.errors import Misconfigured
from hub.identifiers import unguessable

_ADVICE = "可用 openssl rand -hex 32 生成一个。"


def parse_key(text: str) -> bytes:
    """Key text to bytes: 64 hex digits or more (32 bytes at least); raises Misconfigured."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        raise Misconfigured(f"密钥应为 64 位十六进制字符。{_ADVICE}") from None
    if len(key) < 32:
        raise Misconfigured(f"密钥太短，应为 64 位十六进制字符。{_ADVICE}")
    return key


def key_from_file(path: Path, *, outside: Path) -> bytes:
    """The key in this file; refused where others can read it or where it lies within the data it protects."""
    try:
        with open(path, encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4096)
    except (OSError, UnicodeDecodeError):
        raise Misconfigured("读不到密钥文件。请检查 HUB_SECRET_KEY_FILE 的路径和读取权限。") from None
    if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
        raise Misconfigured("密钥文件的权限过宽，只应由运行本系统的账户读取。请执行 chmod 600 后再启动。")
    if path.resolve().is_relative_to(outside.resolve()):
        raise Misconfigured("密钥文件不能放在数据目录里，否则备份会带走密钥。请把它移到数据目录之外。")
    return parse_key(text)


def make_key_file(path: Path, *, draw: Callable[[int], bytes] = unguessable) -> bytes:
    """A new key in a new file with mode 0600; an existing file is never replaced (FileExistsError)."""
    key = draw(32)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
