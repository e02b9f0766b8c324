"""`replay`: letters of the past through a detector in order of time, alerts out; detectors live in nlp.detectors."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from tqdm import tqdm

from hub.clock import SHANGHAI
from hub.commands.rows import Row, Rows, needs_text, read_rows, written_to
from hub.domain.errors import Invalid
from nlp.contract import Analysis, IssueChange, Voice
from nlp.detectors.expressions import Misspelt
from nlp.detectors.kinds import DETECTORS, AnyDetector
from nlp.detectors.watchwords import WatchWord, WatchWords
from nlp.reading import Asked, Reader

_BATCH = 200


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="留言：id、author、title、text、created_at，可有 channel、district"
    )
    parser.add_argument("--out", metavar="F", help="写到这个文件（默认标准输出）")
    parser.add_argument("--detector", choices=sorted(DETECTORS), default="clusters", help="用哪一种监测")
    parser.add_argument("--words", action="append", metavar="LINE", help="改听关注词，如 '桥 + 塌|裂'；可写几次")
    parser.add_argument("--json", action="store_true", help="结果本来就是 JSON Lines；此项只为各命令一致")


def run(arguments: argparse.Namespace) -> int:
    detector = _detector(arguments)
    found, voices = read_voices(arguments.file)
    count = 0
    with written_to(arguments.out) as stream, tqdm(total=len(voices), desc="监测", unit="条", file=sys.stderr) as bar:
        for start in range(0, len(voices), _BATCH):
            batch = voices[start : start + _BATCH]
            for change in detector.take(batch):
                if change.alert:
                    stream.write(json.dumps(_alert(change), ensure_ascii=False) + "\n")
                    count += 1
            bar.update(len(batch))
    print(f"{len(voices)} 条留言，{count} 次预警。", file=sys.stderr)
    return found.report()


def _detector(arguments: argparse.Namespace) -> AnyDetector:
    """The one named, or the watch words of the command line with their usual thresholds."""
    if not arguments.words:
        return DETECTORS[arguments.detector]()
    try:
        return WatchWords(WatchWord(line, line, line) for line in arguments.words)
    except Misspelt as error:
        raise Invalid(str(error)) from None


def read_voices(file: str) -> tuple[Rows, list[Voice]]:
    """The file's letters in the order of their times, and what was wrong with the rest."""
    found, reader = read_rows(file, _look), Reader(with_reasons=False)
    rows = sorted(found.rows, key=lambda row: (_moment(row), str(row["id"])))
    voices: list[Voice] = []
    with tqdm(total=len(rows), desc="读", unit="条", file=sys.stderr) as bar:
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            read = reader.read_many([Asked(_text(row), row.get("kind"), row.get("district")) for row in some])
            voices += map(_voice, some, read)
            bar.update(len(some))
    return found, voices


def _look(row: Row) -> str | None:
    missing = [name for name in ("id", "author", "created_at") if not row.get(name)]
    if missing:
        return "缺少 " + "、".join(missing)
    try:
        _moment(row)
    except ValueError:
        return f"created_at 不是时间：{str(row['created_at'])[:40]}"
    return needs_text(row)


def _moment(row: Row) -> datetime:
    """A time without an offset is the office's own."""
    moment = datetime.fromisoformat(str(row["created_at"]).strip().replace("/", "-"))
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _text(row: Row) -> str:
    title = str(row.get("title") or "")
    return f"{title}\n{row['text']}" if title else str(row["text"])


def _voice(row: Row, read: Analysis) -> Voice:
    """As the hub would hear it: its sentiment, and its district where the row names none."""
    return Voice(
        id=str(row["id"]),
        author=str(row["author"]),
        text=_text(row),
        at=_moment(row),
        channel=str(row.get("channel") or ""),
        district=read.district or "",
        topic=read.topic or "",
        negative=read.sentiment.negative,
    )


def _alert(change: IssueChange) -> dict[str, Any]:
    return {
        "at": change.at.astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
        "level": change.level,
        "issue": change.issue,
        "title": change.title,
        "voices": change.voices,
        "copies": change.copies,
        "negative": change.negative,
        "usual": change.usual,
        "chance": change.chance,
        "terms": list(change.terms),
        "reply_ids": list(change.reply_ids),
        "explanation": change.explanation,
    }
