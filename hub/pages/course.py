"""经过 of one publication in words: what was done when, in the order of time; pure, asks nobody; proofs are beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hub import wording
from hub.clock import local
from hub.desk.evidence import Beside
from hub.domain.moves import OUTCOME_WORDS, STATE_WORDS
from hub.store.base import Document

Step = tuple[datetime, str, str, str]  # when, title, text, tone
WARN, DONE, SEEN = "warn", "done", "seen"
KINDS = {"withdraw": "撤回", "correct": "更正"}
STEPS = {"publish": "发送", "withdraw": "撤回", "correct": "更正"}
ENDINGS = {"accepted": DONE, "unknown": WARN, "refused": "red", "pending": SEEN, "not_called": SEEN}
NOT_SENT = "not_sent"  # the code of a refusal by which nothing left the house
SILENT = ("超时", "没有收到回答")  # in a reason: nobody answered
TIMES = 2  # of several looks that are named one by one

NOTHING = Beside()


def course_of(
    row: Document, names: Mapping[str, str], now: datetime | None = None, known: Beside = NOTHING
) -> list[dict[str, str]]:
    """Every step in the order of time, from the plan to what became of it."""
    steps: list[Step] = []
    if row.get("created_at"):
        who = names.get(str(row.get("by")), "")
        text = "" if _sent_before(row) or row.get("released_at") else f"定于 {wording.full_moment(row['at'])}"
        steps.append((row["created_at"], f"{who} 排期" if who else "已排期", text, SEEN))
    for attempt in row.get("attempts", []):
        steps += _attempt(attempt)
    steps += [*_looks(row, names, known), *_word(row, names)]
    steps += [*_prepared(row), *_mended(row, names)]
    for operation in row.get("operations", []):
        steps += _operation(operation, names)
    if row.get("removed_at") and not _withdrawn(row):
        steps.append((row["removed_at"], "已撤下", "", DONE))
    steps.sort(key=lambda step: step[0])
    days = {local(step[0]).date() for step in steps}
    bare = now is not None and days <= {local(now).date()}
    lines = [{"at": _when(at, bare), "title": title, "text": text, "tone": tone} for at, title, text, tone in steps]
    return [_with_times(line, row, bare) for line in lines]


def _withdrawn(row: Document) -> bool:
    """Taken down by our own order, which is a step of its own."""
    return any(each["kind"] == "withdraw" and each["state"] == "published" for each in row.get("operations", []))


def _sent_before(row: Document) -> bool:
    """Sent again later: `at` is then the hour of that, no more the plan's."""
    attempts = row.get("attempts") or []
    return bool(attempts) and bool(attempts[0]["at"] < row["at"])


def _when(at: datetime, bare: bool) -> str:
    """The second alone where everything happened today."""
    return wording.second(at) if bare else f"{wording.short_day(at)} {wording.second(at)}"


# ---- one attempt


def _attempt(attempt: Mapping[str, Any]) -> list[Step]:
    step = STEPS.get(str(attempt.get("step")), "发送")
    number = f"第 {attempt['number']} 次尝试"
    began = attempt.get("began")
    steps: list[Step] = []
    if began is not None:
        steps.append((began, f"开始{step}", f"先记录、后调用，{number}", SEEN))
    title, text = _call(attempt, step, number, began is not None)
    steps.append((attempt["at"], title, text, SEEN))
    if attempt.get("ended_at"):
        steps.append(_ending(attempt))
    settled = attempt.get("settled") or {}
    if settled.get("ended_at") and not str(settled.get("reason") or "").startswith("人工认定"):  # its own step says so
        words, reason = OUTCOME_WORDS.get(str(settled.get("outcome")), "已处理"), str(settled.get("reason") or "")
        steps.append((settled["ended_at"], words, reason, ENDINGS.get(str(settled.get("outcome")), SEEN)))
    return steps


def _call(attempt: Mapping[str, Any], step: str, number: str, begun: bool) -> tuple[str, str]:
    """The moment at which the intent was durable and the call was made. What was handed over is said as it was
    written down; an older attempt, where nothing was, says only that it began."""
    if not begun:
        return f"开始{step}", f"{number}，先记录、后调用"
    if attempt.get("outcome") == "not_called":
        return "没有送出", "发送前见到暂停"
    if attempt.get("code") == NOT_SENT:
        return "没有连上平台", _handed(attempt)
    return ("请求已送出" if attempt.get("ended_at") else "正在送出请求"), _handed(attempt)


def _handed(attempt: Mapping[str, Any]) -> str:
    """“内容 1,204 字节，1 张图，含链接 yunchuan.example/5521”."""
    parts = [f"内容 {wording.number(attempt['bytes'])} 字节"] if attempt.get("bytes") else []
    parts += [f"{attempt['pictures']} 张图"] if attempt.get("pictures") else []
    parts += [f"含链接 {short_link(str(attempt['link']))}"] if attempt.get("link") else []
    return "，".join(parts)


def short_link(address: str) -> str:
    """An address as people read one: without scheme, query and the first www."""
    try:
        parts = urlsplit(address)
        return f"{parts.netloc.removeprefix('www.')}{parts.path}".rstrip("/") or address
    except ValueError:
        return address


def _ending(attempt: Mapping[str, Any]) -> Step:
    outcome, reason = str(attempt.get("outcome", "")), str(attempt.get("reason") or "")
    at, tone = attempt["ended_at"], ENDINGS.get(outcome, SEEN)
    if outcome == "unknown" and any(sign in reason for sign in SILENT):
        seconds = int((at - attempt["at"]).total_seconds())
        return at, f"{f'{seconds} 秒' if seconds else ''}无应答，连接断开", "平台可能已收下", tone
    if outcome == "unknown":
        return at, reason or OUTCOME_WORDS[outcome], "平台可能已收下", tone
    return at, OUTCOME_WORDS.get(outcome, "已结束"), reason, tone


def _prepared(row: Document) -> list[Step]:
    """A refusal before the public call leaves no attempt behind: nothing was sent."""
    attempts = row.get("attempts") or []
    tried = attempts and attempts[-1].get("ended_at") == row.get("changed_at")
    if row.get("state") != "refused" or tried or not row.get("changed_at"):
        return []
    return [(row["changed_at"], "准备时被拒绝，没有公开", str(row.get("reason") or ""), "red")]


def _mended(row: Document, names: Mapping[str, str]) -> list[Step]:
    """Each press that sent it again with smaller pictures, and the refusal that it answered."""
    steps: list[Step] = []
    for said in row.get("mended") or ():
        if said.get("refused_at") and said.get("prepared"):
            steps.append((said["refused_at"], "准备时被拒绝，没有公开", str(said.get("reason") or ""), "red"))
        who = names.get(str(said["by"]), "有人")
        steps.append((said["at"], f"{who} 压缩图片并重发", "，".join(map(_smaller, said["sizes"])), DONE))
    return steps


def _smaller(one: Mapping[str, Any]) -> str:
    return f"第 {one['place']} 张图 {wording.megabytes(one['was'])} → {wording.megabytes(one['size'])}"


# ---- while nobody knew


def _looks(row: Document, names: Mapping[str, str], known: Beside) -> list[Step]:
    """What the system looked up by itself, and who was told."""
    steps: list[Step] = []
    if row.get("lost_at"):
        people = "、".join(names[id] for id in known.told if id in names)
        told = f"已通知{people}" if people else "已通知作者和值班人员"
        steps.append((row["lost_at"], "转为“待核对”", f"{told}；不会自动重发", WARN))
    looked: Sequence[Mapping[str, Any]] = row.get("looked") or ()
    if looked:
        steps.append((looked[0]["at"], _looked_title(row, looked), _looked_text(looked, known), SEEN))
    elif row.get("first_missing_at"):
        text = f"共查 {row.get('looks', 0)} 次，没有见到相同内容"
        steps.append((row["first_missing_at"], "到平台查询", text, SEEN))
    return steps


def _looked_title(row: Document, looked: Sequence[Mapping[str, Any]]) -> str:
    count = max(len(looked), int(row.get("looks") or 0))
    return f"查了 {count} 次账号时间线" if row.get("channel") == "weibo" else f"到平台查了 {count} 次"


def _looked_text(looked: Sequence[Mapping[str, Any]], known: Beside) -> str:
    """What the looks are worth: how long a post may stay unseen, and whether “not there” proves anything."""
    missing = any(one.get("seen") == "missing" for one in looked)
    failed = [one for one in looked if one.get("seen") == "failed"]
    parts = ["未见相同内容"] if missing else []
    why = str(failed[-1].get("why") or "") if failed else ""
    parts += [f"{len(failed)} 次没有查成{f'（{why}）' if why else ''}"] if failed else []
    if missing and known.settling and known.lookup == "hint":
        parts.append(f"刚发出的 {wording.span(known.settling)}内可能还看不到，不能作准")
    elif missing and known.lookup == "hint":
        parts.append("不能作准")
    return "；".join(parts)


def _with_times(line: dict[str, str], row: Document, bare: bool) -> dict[str, str]:
    """Several looks are one step, which names their times, or the first and the last."""
    looked: Sequence[Mapping[str, Any]] = row.get("looked") or ()
    if "查了" not in line["title"] or len(looked) < 2:
        return line
    times = [wording.hour(one["at"]) for one in looked]
    shown = times if len(times) <= TIMES else [f"{times[0]}—{times[-1]}"]
    day = "" if bare else f"{wording.short_day(looked[0]['at'])} "
    return {**line, "at": day + " ".join(shown)}


# ---- what people said and ordered


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
