"""导入的行: reads rows of replies out of JSON objects by a map of field names; opening files lives in the commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.clock import SHANGHAI, in_utc, to_milliseconds
from hub.domain.errors import FieldError, Invalid

FIELDS = ("external_id", "author", "title", "text", "at", "in_reply_to", "district", "kind")
NEEDED = ("external_id", "text", "at")
MAPS: Mapping[str, Mapping[str, str]] = {
    "letters": {"id": "external_id", "author": "author", "title": "title", "text": "text", "created_at": "at"},
    "plain": {name: name for name in FIELDS},
}
_SPREADSHEET = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[ T]+([0-9]{1,2})[:：时]([0-9]{1,2})(?:[:：分](?:([0-9]{1,2})秒?)?)?)?"
)
LONGEST_ID, LONGEST_TEXT = 200, 100_000


@dataclass(frozen=True)
class Row:
    """One reply as a file gives it, checked."""

    external_id: str
    author: str
    title: str
    text: str
    at: datetime
    in_reply_to: str | None
    district: str
    kind: str
    raw: Mapping[str, Any]


def read_map(text: str) -> Mapping[str, str]:
    """`letters`, or `id=external_id,created_at=at,…`: the file's name on the left, ours on the right."""
    if not text:
        return MAPS["plain"]
    if text in MAPS:
        return MAPS[text]
    pairs = [part.partition("=") for part in text.split(",") if part]
    wrong = [ours for _, sign, ours in pairs if not sign or ours not in FIELDS]
    if wrong:
        raise Invalid(f"--map 里的“{wrong[0]}”不对。写法是 文件里的名称=本系统的名称，可用：{'、'.join(FIELDS)}。")
    return {theirs: ours for theirs, _, ours in pairs}


def read_moment(text: str) -> datetime:
    """RFC 3339, or local time of the office where no offset stands, also as its spreadsheets write it (2019/3/1 8:30,
    2019年3月1日); ValueError where it is no time or in no year."""
    text = text.strip()
    told = _SPREADSHEET.fullmatch(text)
    if told:
        year, month, day, hour, minute, second = (int(part or 0) for part in told.groups())
        moment = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
    else:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    return to_milliseconds(in_utc(moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)))


def read_row(values: Mapping[str, Any], names: Mapping[str, str]) -> Row:
    """One row; Invalid names every field that is missing or wrong."""
    found = {ours: values[theirs] for theirs, ours in names.items() if values.get(theirs) not in (None, "")}
    errors = [FieldError(name, f"缺少 {name}") for name in NEEDED if name not in found]
    words = {name: str(found.get(name, "")).strip() for name in FIELDS}
    errors += _too_long(words)
    at = _moment(words["at"], errors)
    if errors or at is None:
        raise Invalid("；".join(error.message for error in errors), tuple(errors))
    return Row(
        external_id=words["external_id"],
        author=words["author"],
        title=words["title"],
        text=words["text"],
        at=at,
        in_reply_to=words["in_reply_to"] or None,
        district=words["district"],
        kind=words["kind"] or "letter",
        raw=dict(values),
    )


def _too_long(words: Mapping[str, str]) -> list[FieldError]:
    limits = (("external_id", LONGEST_ID), ("text", LONGEST_TEXT))
    return [FieldError(name, f"{name} 超过 {most} 字") for name, most in limits if len(words[name]) > most]


def _moment(text: str, errors: list[FieldError]) -> datetime | None:
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError:
        errors.append(FieldError("at", f"时间“{text[:30]}”读不懂，请写成 2019-03-01 08:30:00"))
        return None


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Oldest first: a past is taken in as it happened."""
    return sorted(rows, key=lambda row: (row.at, row.external_id))
