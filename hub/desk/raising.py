"""苗头与预警: what a detector says of an issue is written down, each step repeatable; hearing lives in watching.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.desk.alerting import reopen, unfinished
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.alert import LEVEL_NAMES
from hub.domain.reply import LIVE
from hub.store.base import Document, Duplicate
from nlp.contract import IssueChange, Voice

NEWEST = 200  # reply ids that an issue's document holds; the rest are found by the reply's own `issue`
OLD = timedelta(days=1)  # what was said longer ago than this wakes nobody
HITS = "word_hits"


def voice_of(reply: Document) -> Voice:
    """The reply as the detector hears it: masked words and a keyed mark instead of a person."""
    analysis: dict[str, Any] = reply.get("analysis") or {}
    title = reply.get("title") or ""
    return Voice(
        id=reply["_id"],
        author=reply["author_key"] or reply["_id"],
        text=f"{title}\n{reply['text']}" if title else str(reply["text"]),
        at=reply["at"],
        channel=reply["channel"],
        district=reply.get("district") or "",
        topic=reply.get("topic") or "",
        negative=float((analysis.get("sentiment") or {}).get("negative", 0.5)),
        confidential=bool(reply.get("confidential")),
    )


async def write(desk: Desk, change: IssueChange, stream: str) -> None:
    """The issue as it is now, its replies' mark, and an alert where people must be told; each step repeatable."""
    issue = issue_id(stream, change.issue)
    if not change.voices and not change.word:  # its words went into another issue, whose own change follows
        into = issue_id(stream, change.into) if change.into else None
        gone = {"$set": {"state": "merged", "level": "none", "explanation": change.explanation, "merged_into": into}}
        await desk.store.change("issues", {"_id": issue, "state": "open"}, gone)
        return
    await desk.store.change("issues", {"_id": issue}, _update(desk, change, stream), upsert=True)
    await (_mark if _source(change) == "cluster" else _keep_hits)(desk, change, issue)
    if change.alert and change.level:
        await _alert(desk, change, issue, change.level)


def _source(change: IssueChange) -> str:
    return "word" if change.word else "cell" if change.cell else "cluster"


async def _mark(desk: Desk, change: IssueChange, issue: str) -> None:
    marked = {"_id": {"$in": list(change.reply_ids)}, "issue": {"$ne": issue}}
    await desk.store.change_many("replies", marked, {"$set": {"issue": issue}})


async def _keep_hits(desk: Desk, change: IssueChange, issue: str) -> None:
    """Which replies a watch word hit, or a rising topic holds: a reply is of one issue, but may be in many of these."""
    rows: list[Document] = [
        {"_id": f"{issue}:{id}", "issue": issue, "reply": id, "at": change.at} for id in change.reply_ids
    ]
    if rows:
        await desk.store.insert_new(HITS, rows)


def issue_id(stream: str, issue: str) -> str:
    """The document's id of a detector's issue: each stream has issues of its own."""
    return issue if stream == LIVE else f"{stream}:{issue}"


def name_of(stream: str, id: str) -> str:
    """The detector's name of an issue's document."""
    return id if stream == LIVE else id.removeprefix(f"{stream}:")


def _update(desk: Desk, change: IssueChange, stream: str) -> Document:
    now = desk.clock.now()
    seen = {
        "stream": stream,
        "title": change.title,
        "level": change.level or "none",
        "voices": change.voices,
        "copies": change.copies,
        "negative": change.negative,
        "channels": list(change.channels),
        "districts": list(change.districts),
        "usual": change.usual,
        "chance": change.chance,
        "terms": list(change.terms),
        "reply_ids": list(change.reply_ids)[-NEWEST:],
        "explanation": change.explanation,
        "first_at": change.first_at,
        "last_at": change.at,
        "seen_at": now,
        "source": _source(change),
        "word": change.word or None,
        "doubt": change.doubt,
    }
    row = outbox.event(desk.ids.new(), "issue", issue_id(stream, change.issue), now, detail={"level": seen["level"]})
    update = {"$set": seen, "$setOnInsert": {"state": "open", "created_at": now}}
    return outbox.noted(update, row) if change.level else update


async def _alert(desk: Desk, change: IssueChange, issue: str, level: str) -> None:
    """One alert per issue, level and day of its cause, ever, and of a watch word one per telling; old causes (imports)
    wake nobody."""
    silent = desk.clock.now() - change.at > OLD
    id = f"{issue}:{level}:{change.telling if change.word else f'{change.at:%Y%m%d}'}"
    document = {
        "_id": id,
        "issue": issue,
        "level": level,
        "title": change.title,
        "at": change.at,
        "state": "new",
        "silent": silent,
        "explanation": change.explanation,
        "numbers": {
            "voices": change.voices,
            "usual": change.usual,
            "negative": change.negative,
            "copies": change.copies,
        },
        "history": [],
        "taken_by": None,
        "source": _source(change),
        "word": change.word or None,
        "pair": [] if change.word else list(change.terms[:2]),
        "doubt": change.doubt,
    }
    rows = await _rows(desk, change, issue, id, level, silent)
    try:
        await desk.store.insert("alerts", outbox.born(document, *rows))
    except Duplicate:  # known, or left by a killed process that had not come to the next line
        if not await unfinished(desk, issue):
            return
    await reopen(desk, issue)
    desk.bell.ring("carry")


def usual_words(usual: float) -> str:
    """How many people usually say this, in words that do not read as nobody."""
    return "不到 0.1 人" if usual < 0.1 else f" {usual:.1f} 人"


async def _rows(
    desk: Desk, change: IssueChange, issue: str, id: str, level: str, silent: bool
) -> list[outbox.Row]:
    now = desk.clock.now()
    rows = [outbox.event(desk.ids.new(), "alert", id, now, detail={"level": level})]
    if not silent:
        matter, text = await _told(desk, change, level)
        link, key = f"/issues/{issue}", f"alert:{id}"
        rows.append(outbox.notice(desk.ids.new(), matter, id, now, people=["duty"], text=text, link=link, key=key))
    return rows


async def _told(desk: Desk, change: IssueChange, level: str) -> tuple[str, str]:
    """The matter, which decides whether its e-mail waits for the morning, and the sentence."""
    if not change.word:
        usual = usual_words(change.usual)
        return "alert", f"{LEVEL_NAMES[level]}预警：{change.title}。{change.voices} 人反映，平时{usual}。请认领。"
    word = await desk.store.get("watchwords", change.word, fields=["night"]) or {}
    again = "，是上次提醒时的十倍以上" if change.telling > 1 else ""
    text = f"关注词提醒（{LEVEL_NAMES[level]}）：{change.title}。{change.voices} 人说到{again}。请认领。"
    return "alert" if word.get("night") else "watchword", text
