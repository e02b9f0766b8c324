"""经过 and 证据 of one publication in words: what was done when, and what can be shown for it; pure, asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub import wording
from hub.domain.moves import OUTCOME_WORDS, STATE_WORDS
from hub.domain.quota import WORDS, Left, left_words
from hub.store.base import Document

Step = tuple[datetime, str, str, str]  # when, title, text, tone
WARN, DONE, SEEN = "warn", "done", "seen"
KINDS = {"withdraw": "撤回", "correct": "更正"}
STEPS = {"publish": "发出", "withdraw": "撤回", "correct": "更正"}
ENDINGS = {"accepted": DONE, "unknown": WARN, "refused": "red", "pending": SEEN, "not_called": SEEN}


def course_of(row: Document, names: Mapping[str, str]) -> list[dict[str, str]]:
    """Every step in the order of time, from the plan to what became of it."""
    steps: list[Step] = []
    if row.get("created_at"):
        who = names.get(str(row.get("by")), "")
        text = "" if _sent_before(row) else f"定于 {wording.full_moment(row['at'])}"
        steps.append((row["created_at"], f"{who} 排期" if who else "已排期", text, SEEN))
    for attempt in row.get("attempts", []):
        steps += _attempt(attempt)
    steps += [*_looks(row), *_word(row, names)]
    for operation in row.get("operations", []):
        steps += _operation(operation, names)
    if row.get("removed_at") and not _withdrawn(row):
        steps.append((row["removed_at"], "已撤下", "", DONE))
    steps.sort(key=lambda step: step[0])
    return [{"at": _when(at), "title": title, "text": text, "tone": tone} for at, title, text, tone in steps]


def _withdrawn(row: Document) -> bool:
    """Taken down by our own order, which is a step of its own."""
    return any(each["kind"] == "withdraw" and each["state"] == "published" for each in row.get("operations", []))


def _sent_before(row: Document) -> bool:
    """Sent again later: `at` is then the hour of that, no more the plan's."""
    attempts = row.get("attempts") or []
    return bool(attempts) and bool(attempts[0]["at"] < row["at"])


def _when(at: datetime) -> str:
    return f"{wording.short_day(at)} {wording.second(at)}"


def _attempt(attempt: Mapping[str, Any]) -> list[Step]:
    step = STEPS.get(str(attempt.get("step")), "发出")
    steps: list[Step] = [(attempt["at"], f"开始{step}", f"第 {attempt['number']} 次，先记录、后调用", SEEN)]
    outcome = str(attempt.get("outcome", ""))
    if attempt.get("ended_at"):
        reason = str(attempt.get("reason") or "")
        steps.append((attempt["ended_at"], OUTCOME_WORDS.get(outcome, "已结束"), reason, ENDINGS.get(outcome, SEEN)))
    settled = attempt.get("settled") or {}
    if settled.get("ended_at") and not str(settled.get("reason") or "").startswith("人工认定"):  # its own step says so
        words, reason = OUTCOME_WORDS.get(str(settled.get("outcome")), "已处理"), str(settled.get("reason") or "")
        steps.append((settled["ended_at"], words, reason, ENDINGS.get(str(settled.get("outcome")), SEEN)))
    return steps


def _looks(row: Document) -> list[Step]:
    """What the system looked up by itself while nobody knew."""
    steps: list[Step] = []
    if row.get("lost_at"):
        steps.append((row["lost_at"], "转为“待核对”", "已通知作者和值班人员；不会自动重发", WARN))
    if row.get("first_missing_at"):
        text = f"共查 {row.get('looks', 0)} 次，没有见到相同内容"
        steps.append((row["first_missing_at"], "到平台查询", text, SEEN))
    return steps


def _word(row: Document, names: Mapping[str, str]) -> list[Step]:
    said = row.get("resolve")
    if not said:
        return []
    who = names.get(str(said["by"]), "有人")
    what = "已发出" if said.get("outcome") == "published" else "没有发出"
    return [(said["at"], f"{who} 认定{what}", str(said.get("evidence") or ""), DONE)]


def _operation(operation: Document, names: Mapping[str, str]) -> list[Step]:
    kind = KINDS.get(str(operation["kind"]), "操作")
    words = str(operation.get("cause") or operation.get("note") or "")
    who = names.get(str(operation["by"]), "")
    steps: list[Step] = [(operation["at"], f"{who} 要求{kind}".strip(), words, SEEN)]
    state = str(operation["state"])
    if state == "published":
        said = operation.get("resolve") or {}
        who = names.get(str(said.get("by")), "")
        title = f"{who} 确认{kind}已手工完成" if said and who else f"{kind}已完成"
        steps.append((operation["changed_at"], title, str(said.get("evidence") or ""), DONE))
    elif state == "refused":
        steps.append((operation["changed_at"], f"{kind}须人工办理", str(operation.get("reason") or ""), WARN))
    else:
        words = str(operation.get("reason") or STATE_WORDS.get(state, ""))
        steps.append((operation["changed_at"], f"{kind}还没有完成", words, WARN))
    return steps


def evidence_of(row: Document, lefts: Sequence[Left]) -> list[tuple[str, str]]:
    """What can be shown: hash, key, the platform's own answer, how often it was looked up, what is left of quotas."""
    attempts = row.get("attempts") or []
    last: Mapping[str, Any] = attempts[-1] if attempts else {}
    pairs = [
        ("正文校验值", wording.fingerprint(str(row.get("hash") or ""))),
        ("平台返回", _answer(row, last)),
        ("尝试", f"{len(attempts)} 次"),
    ]
    if row.get("looks"):
        pairs.append(("已查询", f"{row['looks']} 次"))
    if row.get("look_at"):
        pairs.append(("下次查询", wording.second(row["look_at"])))
    told = [one for one in lefts if one.act in ("publish", "find", "check") and one.per != "minute"]
    return pairs + [(f"{WORDS[one.per]}{one.name}", left_words(one)) for one in told]


def _answer(row: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    if row.get("external_id"):
        return f"编号 {row['external_id']}"
    if last.get("code"):
        return str(last["code"])
    return "无" if last else "还没有发送"
