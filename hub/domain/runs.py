"""文字片段: a text's runs in canonical form, and what is clean text and a link; blocks are in blocks.py."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from hub.domain.errors import FieldError, Invalid

Run = dict[str, Any]

MARKS = ("bold", "italic", "underline", "sup", "sub")
LONGEST_LINK = 2_000

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINK = re.compile(
    r"https?://(?:[A-Za-z0-9\u4e00-\u9fff](?:[A-Za-z0-9\u4e00-\u9fff.-]{0,250}))(?::\d{1,5})?(?:[/?#][^\s<>\"'`\\{}|^]*)?"
)
_LINE_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# controls, lone surrogates, marks that turn the reading direction, invisible spaces, characters that are none
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]"
)
_BLANKS = re.compile("[ \t\xa0]+")


def is_link(value: object) -> bool:
    """Whether this is an http or https address with a host, without a user name or quotes."""
    return isinstance(value, str) and len(value) <= LONGEST_LINK and _LINK.fullmatch(value) is not None


def is_media(value: object) -> bool:
    """Whether this has the form of a stored file's address (sha256 in hexadecimal)."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def clean(text: str) -> str:
    """The text in NFC without unseen signs; every kind of line break as "\\n", blanks as single spaces."""
    text = _UNSEEN.sub("", _LINE_BREAKS.sub("\n", text))
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text))


def line(text: str) -> str:
    """A text of one line, trimmed: titles, captions, names."""
    return " ".join(clean(text).split())


def _format(run: Run) -> tuple[tuple[str, ...], str]:
    return tuple(run.get("marks", ())), run.get("link", "")


def _merged(runs: Iterable[Run]) -> list[Run]:
    """Neighbours of one format become one run."""
    result: list[Run] = []
    for _, group in groupby((run for run in runs if run["text"]), key=_format):
        first, *rest = group
        text = first["text"] + "".join(run["text"] for run in rest)
        result.append({**first, "text": unicodedata.normalize("NFC", text)})
    return result


def _trimmed(text: str, before: str) -> str:
    """The text as it stands behind the sign `before`: no blank after a break or a blank, no second break."""
    kept: list[str] = []
    for sign in text:
        if before == "\n" and (sign == "\n" or sign.isspace()):
            continue
        if before == " " and sign == " ":
            continue
        kept.append(sign)
        before = sign
    return "".join(kept)


def _cut_end(runs: list[Run]) -> list[Run]:
    while runs:
        text = runs[-1]["text"].rstrip()
        if text:
            return [*runs[:-1], {**runs[-1], "text": text}]
        runs = runs[:-1]
    return runs


def _tidy(runs: Iterable[Run]) -> list[Run]:
    """Canonical runs: blanks do not repeat or stand at the edges of a line, neighbours of one format are joined."""
    result: list[Run] = []
    before = "\n"
    for run in runs:
        *lines, last = _trimmed(run["text"], before).split("\n")
        text = "\n".join([*(each.rstrip() for each in lines), last])
        if text.startswith("\n"):
            result = _cut_end(result)
        if text:
            result.append({**run, "text": text})
            before = text[-1]
    return _merged(_cut_end(_merged(result)))


def _run(value: Any, where: str) -> Run:
    if not isinstance(value, Mapping) or not isinstance(value.get("text"), str):
        raise wrong(where, "文字片段的写法不对，应有 text")
    if unknown := set(value) - {"text", "marks", "link"}:
        raise wrong(where, f"文字片段不认识 {'、'.join(sorted(map(str, unknown)))[:40]}")
    run: Run = {"text": clean(value["text"])}
    marks = value.get("marks") or []
    if not isinstance(marks, list | tuple) or not set(map(str, marks)) <= set(MARKS):
        raise wrong(where, "文字格式只有加粗、斜体、下划线、上标、下标")
    if marks:
        run["marks"] = [mark for mark in MARKS if mark in marks]
    if value.get("link"):
        run["link"] = read_link(value["link"], where)
    return run


def read_runs(value: Any, where: str) -> list[Run]:
    if not isinstance(value, list | tuple):
        raise wrong(where, "文字应是片段的列表")
    runs = [_run(run, where) for run in value]
    result = _tidy(runs)
    while (again := _tidy(result)) != result:
        result = again
    return result


def wrong(where: str, message: str) -> Invalid:
    """The error for the place `where` in the blocks; the sentence says what to write instead."""
    return Invalid(message, (FieldError(where, message),))


def read_link(value: Any, where: str) -> str:
    if not is_link(value):
        raise wrong(where, "链接要以 http:// 或 https:// 开头，写完整的网址")
    return str(value)
