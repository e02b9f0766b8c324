"""个人信息: personal data in a text that is to become public; their forms are known in domain/personal.py."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.checks.finding import ACKNOWLEDGE, BLOCK, HINT, Context, Finding
from hub.domain.personal import ADDRESS, EMAIL, LANDLINE, NAMES, Found, find_personal
from hub.masking import mask_text

RULE = "personal_data"

_OFFICE_MAIL = re.compile(r"@[a-z0-9.-]*\.?gov\.cn$", re.IGNORECASE)


def _severity(found: Found, text: str) -> str:
    """Only what a check digit proves stops a text; what may be an office's own is a hint."""
    if found.certain:
        return BLOCK
    if found.kind in (LANDLINE, ADDRESS) or (found.kind == EMAIL and _OFFICE_MAIL.search(text)):
        return HINT
    return ACKNOWLEDGE


def _message(found: Found, severity: str) -> str:
    name = NAMES[found.kind]
    if severity == BLOCK:
        return f"这里有{name}，校验位是对的，不能公开。请删去或遮盖。"
    if severity == ACKNOWLEDGE:
        return f"这里像是{name}。属于个人的请删去或遮盖；确需公开的，请写明理由。"
    return f"这里像是{name}。单位对外公布的可以保留，属于个人的请删去。"


def check(text: str, context: Context) -> Iterator[Finding]:
    """One finding per piece of personal data; the suggestion is the masked form."""
    for found in find_personal(text):
        piece = text[found.start : found.end]
        severity = _severity(found, piece)
        masked = "**" if found.kind == ADDRESS else mask_text(piece)
        suggestion = masked if masked != piece else ""
        yield Finding(RULE, severity, found.start, found.end, piece, _message(found, severity), suggestion)
