"""`replay`: letters of the past through a detector in order of time, alerts out; detectors live in nlp.detectors."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from tqdm import tqdm

from hub.clock import SHANGHAI
from hub.commands import office_words
from hub.commands.files import written_to
from hub.commands.rows import Row, Rows, needs_text, needs_words, quoted, read_rows, say
from hub.domain.errors import Invalid
from hub.domain.rows import read_moment
from nlp.contract import Analysis, IssueChange, Voice
from nlp.detectors.expressions import Misspelt
from nlp.detectors.kinds import DETECTORS, AnyDetector
from nlp.detectors.watchwords import WatchWord, WatchWords
from nlp.reading import KINDS, Asked, Reader

_BATCH = 200
_NEEDED = ("id", "author", "created_at")
_WORDS = ("id", "author", "created_at", "title", "channel", "district")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="留言：id、author、title、text、created_at，可有 channel、district"
    )
    parser.add_argument("--out", metavar="F", help="写到这个文件（默认标准输出）")
    parser.add_argument("--detector", choices=sorted(DETECTORS), default="clusters", help="用哪一种监测")
    parser.add_argument("--words", action="append", metavar="LINE", help="改听关注词，如 '桥 + 塌|裂'；可写几次")
    parser.add_argument("--dictionary", metavar="F", help=office_words.WORDS_HELP)
    parser.add_argument("--json", action="store_true", help="结果本来就是 JSON Lines；此项只为各命令一致")


def run(arguments: argparse.Namespace) -> int:
    detector, tables = _detector(arguments), office_words.report(arguments.dictionary)
    count = 0
    with written_to(arguments.out) as stream:
        found, voices = read_voices(arguments.file, office_words.words_of(arguments.dictionary)[0])
        with tqdm(total=len(voices), desc="监测", unit="条", file=sys.stderr) as bar:
            for start in range(0, len(voices), _BATCH):
                batch = voices[start : start + _BATCH]
                for change in detector.take(batch):
                    if change.alert:
                        stream.write(json.dumps(_alert(change), ensure_ascii=False) + "\n")
                        count += 1
                bar.update(len(batch))
    say(f"{len(voices)} 条留言，{count} 次预警。")
    return max(found.report(), tables)


def _detector(arguments: argparse.Namespace) -> AnyDetector:
    """The one named, or the watch words of the command line with their usual thresholds."""
    if not arguments.words:
        return DETECTORS[arguments.detector]()
    try:
        return WatchWords(WatchWord(line, line, line) for line in arguments.words)
    except Misspelt as error:
        raise Invalid(str(error)) from None


def read_voices(file: str, words: str | None = None) -> tuple[Rows, list[Voice]]:
    """The file's letters in the order of their times, and what was wrong with the rest; `words`: the office's own."""
    reader, known = Reader(words, with_reasons=False), set[str]()
    found = read_rows(file, lambda row: _look(row) or _seen(row, known))
    rows = sorted(found.rows, key=lambda row: (_moment(row), str(row["id"])))
    voices: list[Voice] = []
    with tqdm(total=len(rows), desc="读", unit="条", file=sys.stderr) as bar:
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            read = reader.read_many([Asked(_text(row), row.get("kind"), row.get("district") or None) for row in some])
            voices += map(_voice, some, read)
            bar.update(len(some))
    return found, voices


def _look(row: Row) -> str | None:
    missing = [name for name in _NEEDED if row.get(name) in (None, "")]
    if missing:
        return "缺少 " + "、".join(missing)
    wrong = [name for name in _WORDS if not isinstance(row.get(name, ""), str | int | None)]
    if wrong:
        return "、".join(wrong) + " 应为文字"
    if row.get("kind") not in (None, "", *KINDS):
        return f"kind 应为 {'、'.join(KINDS)} 之一，不是{quoted(row['kind'])}"
    try:
        _moment(row)
    except ValueError:
        return f"created_at 不是时间：{quoted(row['created_at'], 40)}，请写成 2019-03-01 08:30:00"
    return needs_text(row) if row.get("title") else needs_words(row)


def _seen(row: Row, known: set[str]) -> str | None:
    """A letter that comes again is no second voice."""
    id = str(row["id"])
    if id in known:
        return f"id {quoted(id)}前面已经有了，只算第一次"
    known.add(id)
    return None


def _moment(row: Row) -> datetime:
    """A time without an offset is the office's own."""
    return read_moment(str(row["created_at"]))


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
