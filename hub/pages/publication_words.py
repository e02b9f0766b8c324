"""发布的短句: the second line of a cell, the banner of a refusal, the words of its one press; pure, asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub import wording
from hub.domain.quiet import Silence, silence_at
from hub.domain.renditions import may_be_mended
from hub.pages.board import CHANNELS
from hub.store.base import Document

PENDING = {"audit": "平台审核中", "by_hand": "待人工发布", "confirm": "等待群发确认"}
HELD = {"address": "等网站地址", "late": "过时，等您定", "approval": "到点未审签", "quota": "额度已用完"}
SHORT = 12  # signs of a reason that stand in a cell; the whole is beside it


def named(row: Document, accounts: Mapping[str, Document]) -> str:
    """The account's name."""
    return str((accounts.get(row["account"]) or {}).get("name") or row["account"])


def channel_word(channel: str) -> str:
    return CHANNELS.get(channel, ("", channel))[1]


def operation_words(operation: Mapping[str, Any]) -> str:
    """What is still to come of a published one: by the program, by a person, or stuck."""
    word = "撤回" if operation["kind"] == "withdraw" else "更正"
    if operation.get("code") == "by_hand":
        return f"待人工{word}"
    return f"{word}待处理" if operation["state"] in ("refused", "unknown", "held") else f"{word}中"


def second_line(row: Document, now: datetime) -> str:
    """Under the state's word: the time where all is well, else the reason, or how long nobody has known."""
    if row.get("operation") and row["seen"] in ("published", "corrected"):
        return operation_words(row["operation"])
    seen = row["seen"]
    if seen == "published":
        return wording.second(row["published_at"]) if row.get("published_at") else ""
    if seen == "corrected":
        return wording.hour(row["correction"]["at"])
    if seen in ("withdrawn", "removed"):
        return wording.hour(row["removed_at"]) if row.get("removed_at") else ""
    if seen == "unknown":
        return wording.span(now - row["lost_at"]) if row.get("lost_at") else ""
    if seen == "pending":
        return PENDING.get(str(row.get("pending_for")), "等平台结果")
    if seen in ("staging", "sending"):
        return "正在准备" if seen == "staging" else "请求已送出"
    return _planned(row, now) if seen in ("proposed", "scheduled", "waiting") else _stopped(row)


def silence_of(row: Document, periods: Sequence[Document], now: datetime) -> Silence | None:
    """The quiet period that a planned post falls into, or that keeps it in now."""
    planned = row.get("seen", row["state"]) in ("proposed", "scheduled", "waiting")
    return silence_at(periods, max(row["at"], now), row) if planned else None


def quiet_line(row: Document, periods: Sequence[Document], now: datetime) -> str:
    """“静默到 12-14 00:00”, under the state's word of a post that a quiet period keeps in."""
    silence = silence_of(row, periods, now)
    return f"静默到 {wording.brief(silence.until, now)}" if silence else ""


def _planned(row: Document, now: datetime) -> str:
    if row.get("concerns"):
        return "将发不出"
    if row["seen"] == "proposed":
        return "未审签"
    if row.get("tries"):
        return f"{wording.hour(row['not_before'])} 再试"
    return wording.brief(row["at"], now) if row["seen"] == "scheduled" else "等网站地址"


def _stopped(row: Document) -> str:
    """Refused or held, in as few signs as say what to look for."""
    reason = str(row.get("reason") or "")
    if row.get("picture"):
        return _picture_words(reason)
    if row["seen"] == "held" and row.get("held_for") in HELD:
        return HELD[row["held_for"]]
    return reason if len(reason) <= SHORT else f"{reason[: SHORT - 1]}…"


def _picture_words(reason: str) -> str:
    if "格式" in reason or "类型" in reason:
        return "图片格式不收"
    return "图片过大" if "超过" in reason or "大" in reason else "图片被拒绝"


# ---- the banner of a refusal


def banner(row: Document, accounts: Mapping[str, Document]) -> dict[str, Any]:
    """Who refused what; why, by the picture's name where it is one; what waits for it and what does not."""
    part = str(row.get("part") or "")
    before = f"{part}：" if part and not row.get("picture") and "[" not in part else ""
    reason = f"{before}{row.get('reason') or '平台没有说明原因'}".rstrip("。")
    sentences = [reason, _hanging(row), _unharmed(row), _unmendable(row)]
    return {
        "id": row["_id"],
        "title": f"{named(row, accounts)}拒绝了《{row['title']}》",
        "text": "".join(f"{sentence}。" for sentence in sentences if sentence),
    }


def _words(rows: Sequence[Document]) -> str:
    return "、".join(dict.fromkeys(channel_word(row["channel"]) for row in rows))


def _hanging(row: Document) -> str:
    """“微博在等网站地址，已一并暂停”."""
    hanging = [each for each in row["siblings"] if each["hangs"]]
    if not hanging:
        return ""
    stopped = "，已一并暂停" if all(each["state"] == "held" for each in hanging) else ""
    return f"{_words(hanging)}在等{channel_word(row['channel'])}地址{stopped}"


def _unharmed(row: Document) -> str:
    others = [each for each in row["siblings"] if not each["hangs"] and each["state"] not in ("refused", "removed")]
    words = _words(others)
    return f"{words}不受影响" if words and words != channel_word(row["channel"]) else ""


def _unmendable(row: Document) -> str:
    failed = str((row.get("offer") or {}).get("failed") or "").rstrip("。")
    return f"不能压缩后重发：{failed}" if failed else ""


def mend_words(row: Document) -> str:
    """“压缩到 1.1 MB 并重发”; without a figure while none is known; empty where it must not be offered."""
    offer = row.get("offer") or {}
    if not may_be_mended(row) or offer.get("failed"):
        return ""
    before = list(row.get("renditions") or ())
    made = [one for one in offer.get("renditions") or () if one not in before]
    if not made:
        return "压缩图片并重发"
    return f"压缩到 {wording.megabytes(max(one['size'] for one in made))} 并重发"
