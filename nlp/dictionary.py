"""Dictionary (词典): an office's own words read strictly, with what is wrong in each line; how they cut is words'.

Two shapes: jieba's lines `词 词频 词性`, and a table 词,类别,区县,正式名称 as an office keeps it, with its head or
without. 类别 is 地名, 机构, 人名 or 事项; 正式名称 is the name that a short one stands for (一中 is 云川市第一中学).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.words import OwnWord, read_dictionary

MOST = 20_000  # words
LONGEST = 30  # characters of one
LONGEST_LINE = 300
KINDS = {"地名": "ns", "机构": "nt", "人名": "nr", "事项": "n"}
NAMES = {tag: name for name, tag in KINDS.items()}
HEAD = ("词", "类别", "区县", "正式名称")
_MEANS_WORDS = re.compile(r"[0-9A-Za-z\u3400-\u9fff]")
_ENDS = re.compile(r"\r\n|\r|\n")  # of a line, as systems old and new write it
_BROKEN = re.compile(r"[\s,，=:：#\x00-\x1f]")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a line of the file, in a sentence that says what to do."""

    line: int
    reason: str


def read(text: str) -> tuple[list[OwnWord], list[Problem]]:
    """The words in their order, and the lines that give none."""
    words: dict[str, tuple[int, OwnWord]] = {}
    problems: list[Problem] = []
    for line, found in _rows(text):
        reason = found if isinstance(found, str) else _wrong(found, words)
        if reason:
            problems.append(Problem(line, reason))
        elif isinstance(found, OwnWord):
            words.setdefault(found.word, (line, found))
    kept = [word for _, word in words.values()]
    problems += _chains(words)
    wrong = {problem.line for problem in problems}
    return [word for word in kept if words[word.word][0] not in wrong], sorted(problems, key=lambda one: one.line)


def lines_of(words: Sequence[OwnWord]) -> str:
    """The words in jieba's shape; read again they are the same."""
    return "".join(f"{word.word} {word.frequency} {word.tag}\n" for word in words)


def table_of(words: Sequence[OwnWord]) -> list[tuple[str, str, str, str]]:
    """The words as the rows of an office's table, without its head."""
    return [(word.word, NAMES.get(word.kind, "事项"), word.district, word.same_as) for word in words]


def _rows(text: str) -> Iterator[tuple[int, OwnWord | str]]:
    lines = _ENDS.split(text.lstrip("\ufeff"))
    is_table = any("," in line or "，" in line for line in lines)
    columns: Sequence[str] = HEAD
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            yield number, f"这一行超过 {LONGEST_LINE} 个字，请每行写一个词"
        elif is_table:
            cells = _cells(line.replace("，", ","))
            if number == 1 and cells[0] == HEAD[0]:
                columns = cells
            elif any(cells):
                yield number, _of_cells(dict(zip(columns, cells, strict=False)))
        elif line.split() and not line.lstrip().startswith("#"):
            yield number, _of_line(line)


def _of_line(line: str) -> OwnWord | str:
    parts = line.split()
    if len(parts) > 3 or (len(parts) == 3 and not parts[1].isdecimal()):
        return "应为“词 词频 词性”三项，用空格隔开，词里不能有空格"
    return read_dictionary([line])[0]


def _cells(line: str) -> list[str]:
    """Each line is a row of its own: a quote that is left open must not swallow the lines behind it."""
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [""])] or [""]
    except csv.Error:
        return [line]


def _of_cells(row: dict[str, str]) -> OwnWord | str:
    word, kind, district, same = (row.get(name, "") for name in HEAD)
    tag = KINDS.get(kind or "事项")
    if tag is None:
        return f"类别“{kind[:10]}”不认识，请填{'、'.join(KINDS)}之一"
    return OwnWord(word, 0, tag + (f":{district}" if district else "") + (f"={same}" if same else ""))


def _wrong(word: OwnWord, known: dict[str, tuple[int, OwnWord]]) -> str:
    """Why this word cannot be taken; nothing where it can."""
    for name in (word.word, word.same_as or word.word):
        if len(name) < 2 or not _MEANS_WORDS.match(name):
            return "词至少两个字，并以文字或数字开头；一个字的词会把别的词切开，请写全称"
        if len(name) > LONGEST:
            return f"超过 {LONGEST} 个字，请写通用的叫法"
    if word.district and not _MEANS_WORDS.match(word.district):
        return "区县请写名称，如“临江区”"
    if any(_BROKEN.search(part) for part in (word.word, word.district, word.same_as)):
        return "词、区县、正式名称里不能有空格、逗号、冒号、等号和井号"
    if word.same_as == word.word:
        return "正式名称和词一样，不用填"
    if word.word in known and known[word.word][1] != word:
        return f"与第 {known[word.word][0]} 行是同一个词，写法不一，请留一行"
    return f"超过 {MOST} 个词，请分清主次" if len(known) >= MOST and word.word not in known else ""


def _chains(words: dict[str, tuple[int, OwnWord]]) -> list[Problem]:
    """Names that stand for a name that itself stands for another."""
    return [
        Problem(line, f"“{word.same_as}”自己也是别的名称的简称，请直接写最后的正式名称")
        for line, word in words.values()
        if word.same_as in words and words[word.same_as][1].same_as
    ]
