"""口令: what a new password must be, and the table of those tried first; keeping and comparing live in access.

The table is compared after folding: small letters, look-alikes undone (0 → o, @ → a …), digits and signs at both ends
cut. So `P@ssw0rd2026!` is found as `password`, without a line for each of its forms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from hub.domain.errors import FieldError, Invalid

LONGEST = 128
_TABLE = Path(__file__).with_name("passwords.txt")
_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb")


class WeakPassword(Invalid):
    """A password that is not good enough; `reason` is short, long, kinds, common, own or same."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, (FieldError("password", message),))
        self.reason = reason


def _bare(word: str) -> str:
    """Without digits and signs at its ends."""
    while word and not word[0].isalpha():
        word = word[1:]
    while word and not word[-1].isalpha():
        word = word[:-1]
    return word


def _folded(password: str) -> set[str]:
    small = unicodedata.normalize("NFKC", password).casefold()
    forms = {small, _bare(small), small.rstrip("!@#$%^&*.?~-_+= ")}
    return forms | {form.translate(_LOOK_ALIKE) for form in forms} | {_bare(small.translate(_LOOK_ALIKE))}


def read_table(text: str) -> frozenset[str]:
    """The lines that are no remarks."""
    lines = (line.strip().casefold() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("# "))


COMMON = read_table(_TABLE.read_text(encoding="utf-8"))


def kinds(password: str) -> int:
    """How many of the four kinds it holds: small letters, capitals, digits, anything else (Chinese too)."""
    tests = (str.islower, str.isupper, str.isdigit)
    found = {next((n for n, test in enumerate(tests) if sign.isascii() and test(sign)), 3) for sign in password}
    return len(found)


def is_common(password: str) -> bool:
    """Whether it is one of those tried first, or one of them with an ornament."""
    return bool(_folded(password) & COMMON) or _is_monotonous(password)


def _is_monotonous(password: str) -> bool:
    """Few different signs, or mostly one row of the keyboard or alphabet."""
    small = password.casefold()
    if len(set(small)) < 5:
        return True
    longest = max(_longest_run(small, run) for one in _RUNS for run in (one, one[::-1]))
    return longest * 4 >= len(small) * 3


def _longest_run(text: str, run: str) -> int:
    best = 0
    for start in range(len(text)):
        length = best + 1
        while start + length <= len(text) and text[start : start + length] in run:
            best, length = length, length + 1
    return best


def checked_password(
    password: str, *, own: Iterable[str] = (), shortest: int = 10, least_kinds: int = 3
) -> str:
    """The password as it was given, never cut or trimmed; raises WeakPassword with what to change.

    `own` are the words it must not hold: login, name, office.
    """
    small = password.casefold()
    if any(word.casefold() in small for word in own if len(word) >= 3):
        raise WeakPassword("own", "口令里不要有自己的登录名、姓名或单位名称。")
    if len(password) < shortest:
        raise WeakPassword("short", f"口令至少 {shortest} 个字符，现在只有 {len(password)} 个。")
    if len(password) > LONGEST:
        raise WeakPassword("long", f"口令最多 {LONGEST} 个字符。")
    if kinds(password) < least_kinds:
        raise WeakPassword("kinds", f"口令至少要有 {least_kinds} 类字符：小写字母、大写字母、数字、其他符号。")
    if is_common(password):
        raise WeakPassword("common", "这个口令太常见，容易被猜中。可以用几个不相干的词连起来，再加数字和符号。")
    return password
