"""证据 of one publication in rows: what can be shown for it, and nothing that was not written down; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hub import wording
from hub.desk.evidence import Beside
from hub.domain.quota import WORDS, Left, left_words
from hub.pages.course import NOTHING
from hub.store.base import Document

Pair = tuple[str, str]
NO_ANSWER = {"unknown": "无（没有收到答复）", "not_called": "没有调用", "pending": "已收下，等结果"}


def evidence_of(
    row: Document, lefts: Iterable[Left], now: datetime | None = None, known: Beside = NOTHING
) -> list[Pair]:
    """Hash, the platform's own answer, what stood on top of the account, what the account has left of its day."""
    attempts = row.get("attempts") or []
    last: Mapping[str, Any] = attempts[-1] if attempts else {}
    pairs = [("正文校验值", wording.fingerprint(str(row.get("hash") or ""))), ("平台返回", _answer(row, last))]
    pairs += _newest(row, now)
    if len(attempts) > 1:
        pairs.append(("尝试", f"{len(attempts)} 次"))
    if row.get("looks"):
        pairs.append(("已查询", f"{row['looks']} 次"))
    if row.get("look_at"):
        pairs.append(("下次查询", wording.second(row["look_at"])))
    if known.most is not None:
        pairs.append(("今日已发", f"{known.posted} / {known.most} 条"))
    told = [one for one in lefts if one.act in ("publish", "find", "check") and one.per != "minute"]
    return pairs + [(f"{WORDS[one.per]}{one.name}", left_words(one)) for one in told]


def _answer(row: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    if row.get("external_id"):
        return f"编号 {row['external_id']}"
    if last.get("code"):
        return str(last["code"])
    said = (last.get("evidence") or {}).get("code") or (last.get("evidence") or {}).get("status")
    if said:
        return str(said)
    if "超时" in str(last.get("reason") or ""):
        return "无（超时）"
    if not last:
        return _before_sending(row)
    return NO_ANSWER.get(str(last.get("outcome")), "无")


def _before_sending(row: Mapping[str, Any]) -> str:
    """A platform's number where it refused an upload; our own finding where nothing was asked of it."""
    code = str(row.get("code") or "")
    if row.get("state") != "refused":
        return "还没有发送"
    return f"{code}（上传时）" if code.lstrip("-").isdigit() else "没有发送，准备时被拒绝"


def _newest(row: Document, now: datetime | None) -> list[Pair]:
    """What stood on top of the account's timeline when it was looked at last, where the platform shows one."""
    seen = [one for one in row.get("looked") or () if one.get("newest_at")]
    if not seen:
        return []
    at = seen[-1]["newest_at"]
    when = wording.brief(at, now) if now else wording.short_moment(at)
    return [("时间线最近一条", f"{when} {seen[-1].get('newest') or ''}".strip())]
