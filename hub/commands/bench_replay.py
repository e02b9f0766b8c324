"""`bench replay`: the detector beside a daily total and single words, over the same letters; no tuning, no judging.

Each alert is held against the matters that somebody marked (`--marked FILE`: rows `{"matter", "ids"}`); one that is
about none of them is "other", which is not always false. Voices are counted when the alert is raised.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from tqdm import tqdm

from hub.clock import local
from hub.commands.replay import read_voices
from hub.commands.rows import Rows, read_rows
from hub.domain.errors import Misconfigured
from nlp.contract import Voice
from nlp.detectors.clusters import Detector
from nlp.normal import normalise
from nlp.reading import Reader
from nlp.terms import Terms
from nlp.words import Words, office_dictionary

DAYS = 28  # what is usual is counted over so many
_DAY = timedelta(days=1)
_LETTERS = "letters/2019-01_to_2019-06.jsonl.gz"
_UNMARKED = "每行要有 matter（名称）和 ids（留言编号的列表）"
_TOTAL_Z, _WORD_Z, _WORD_PEOPLE = 3.0, 5.0, 3


@dataclass(frozen=True)
class Alert:
    """What a method tells, after which voice of the stream (counted from one), and what it is made of."""

    after: int
    ids: frozenset[str]


@dataclass(frozen=True)
class Matter:
    """A real issue that was marked by hand."""

    name: str
    ids: frozenset[str]


@dataclass(frozen=True)
class Result:
    """One method on one stream; `voices`: how many people had spoken of each marked matter when it was told.

    `other_halves`: the other alerts of the first half of the time and of the second.
    """

    method: str
    texts: int
    texts_per_second: float
    alerts: int
    other: int
    other_a_week: float
    other_halves: tuple[int, int]
    voices: dict[str, int | None] = field(default_factory=dict)


Method = Callable[[Iterable[Voice]], list[Alert]]


def add(parser: argparse.ArgumentParser) -> None:
    data = os.environ.get("HUB_BENCH_DATA", "")
    default = "默认：数据文件夹里的半年来信，没有就用演练的话"
    parser.add_argument("file", nargs="?", metavar="FILE", help=f"留言（{default}）")
    parser.add_argument("--data", metavar="DIR", default=data, help="数据文件夹（默认 HUB_BENCH_DATA）")
    parser.add_argument("--marked", metavar="FILE", help="人工认定的事件：每行 matter、ids")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    file = arguments.file or (str(Path(arguments.data) / _LETTERS) if arguments.data else "")
    matters = _marked(arguments.marked)
    if file:
        found, voices = read_voices(file)
    else:
        print("没有留言文件，改用演练里的话：四周的平常日子，最后一起突发事件。", file=sys.stderr)
        voices, matters = _demonstration()
        found = Rows(used=len(voices))
    results = [_measure(name, method, voices, matters) for name, method in METHODS.items()]
    _print(results, as_json=arguments.json)
    return found.report()


def _demonstration() -> tuple[list[Voice], list[Matter]]:
    """Four weeks of the demo city's talk, its incident at the end, a text every four seconds."""
    reader, end = Reader(with_reasons=False), datetime(2026, 11, 24, 2, tzinfo=UTC)
    history, incident = (_rows_of(f"{name}.jsonl") for name in ("history", "incident"))
    apart = timedelta(days=DAYS + 7) / max(1, len(history))
    said = [(f"history-{n}", row, end - n * apart) for n, row in enumerate(history, 1)]
    said += [(f"incident-{n}", row, end + timedelta(seconds=4 * n)) for n, row in enumerate(incident, 1)]
    voices = [_voice(id, row, at, reader) for id, row, at in said]
    matter = Matter("突发事件", frozenset(f"incident-{n}" for n in range(1, len(incident) + 1)))
    return sorted(voices, key=lambda voice: (voice.at, voice.id)), [matter]


def _rows_of(name: str) -> list[dict[str, str]]:
    lines = (files("hub") / "demo" / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def _voice(id: str, row: dict[str, str], at: datetime, reader: Reader) -> Voice:
    text = f"{row['title']}\n{row['text']}" if row.get("title") else row["text"]
    read = reader.read(text, district=row.get("district"))
    return Voice(
        id, row["who"], text, at, row["channel"], read.district or "", read.topic or "", read.sentiment.negative
    )


def _marked(file: str | None) -> list[Matter]:
    if not file:
        return []
    found = read_rows(file, lambda row: None if row.get("matter") and isinstance(row.get("ids"), list) else _UNMARKED)
    if found.bad:
        raise Misconfigured(f"{file} 第 {found.bad[0].line} 行：{found.bad[0].reason}。请改好再量。")
    return [Matter(str(row["matter"]), frozenset(map(str, row["ids"]))) for row in found.rows]


def _measure(name: str, method: Method, voices: Sequence[Voice], matters: Sequence[Matter]) -> Result:
    start = time.process_time()
    alerts = method(tqdm(voices, desc=name, unit="条", file=sys.stderr))
    speed = len(voices) / max(1e-9, time.process_time() - start)
    other = [alert for alert in alerts if not any(_about(alert, matter) for matter in matters)]
    weeks = (voices[-1].at - voices[0].at) / timedelta(weeks=1) if len(voices) > 1 else 0.0
    told = {matter.name: _voices_when_told(matter, alerts, voices) for matter in matters}
    a_week = round(len(other) / max(1.0, weeks), 2)
    return Result(name, len(voices), round(speed, 1), len(alerts), len(other), a_week, _halves(other, voices), told)


def _halves(alerts: Sequence[Alert], voices: Sequence[Voice]) -> tuple[int, int]:
    """Alerts of each half of the time, not of the texts."""
    middle = voices[0].at + (voices[-1].at - voices[0].at) / 2 if voices else None
    early = sum(voices[alert.after - 1].at < middle for alert in alerts) if middle else 0
    return early, len(alerts) - early


def _about(alert: Alert, matter: Matter) -> bool:
    return 2 * len(alert.ids & matter.ids) > len(alert.ids)


def _voices_when_told(matter: Matter, alerts: Sequence[Alert], voices: Sequence[Voice]) -> int | None:
    first = next((alert for alert in alerts if _about(alert, matter)), None)
    if first is None:
        return None
    return len({voice.author for voice in voices[: first.after] if voice.id in matter.ids})


# the methods


def by_total(voices: Iterable[Voice]) -> list[Alert]:
    """What most dashboards do: the day's number of letters, three deviations over the mean of four weeks."""
    days = _Days()
    alerts: list[Alert] = []
    today: list[str] = []
    for after, voice in enumerate(voices, 1):
        if days.turn(voice, len(today)):
            today = []
        today.append(voice.id)
        if days.is_first_over(len(today), _TOTAL_Z):
            alerts.append(Alert(after, frozenset(today)))
    return alerts


class _Days:
    """Counts of whole days behind today, in the office's calendar; tells once a day."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._past: deque[int] = deque(maxlen=DAYS)
        self._told = False

    def turn(self, voice: Voice, count: int) -> bool:
        day = local(voice.at).date()
        if day == self._day:
            return False
        if self._day is not None:
            silent = (day - self._day).days - 1
            self._past.extend([count, *[0] * min(silent, DAYS)])
        self._day, self._told = day, False
        return True

    def is_first_over(self, count: int, limit: float) -> bool:
        if self._told or len(self._past) < DAYS:
            return False
        mean = sum(self._past) / DAYS
        spread = math.sqrt(sum((one - mean) ** 2 for one in self._past) / DAYS)
        self._told = count > mean + limit * max(spread, 1.0)
        return self._told


def by_words(voices: Iterable[Voice]) -> list[Alert]:
    """Each word's people of the last day against its four weeks: five deviations, three people; once a fortnight."""
    cutter = Words(office_dictionary(None))
    terms = Terms(cutter)
    window: deque[tuple[Voice, frozenset[str]]] = deque()
    past: deque[tuple[Voice, frozenset[str]]] = deque()
    counts: Counter[str] = Counter()
    recent: Counter[str] = Counter()  # of the window: only a word that several said is looked for in it
    told: dict[str, Voice] = {}
    alerts: list[Alert] = []
    for after, voice in enumerate(voices, 1):
        found = frozenset(terms.weigh(cutter.cut(normalise(voice.text))))
        window.append((voice, found))
        recent.update(found)
        recent.subtract(_age(voice, window, past, counts))
        for word in sorted(word for word in found if _stands_out(recent[word], counts[word])):
            held = {one.author: one.id for one, words in window if word in words}
            if len(held) >= _WORD_PEOPLE and _stands_out(len(held), counts[word]) and _is_new(told, word, voice):
                alerts.append(Alert(after, frozenset(held.values())))
    return alerts


def _age(
    voice: Voice,
    window: deque[tuple[Voice, frozenset[str]]],
    past: deque[tuple[Voice, frozenset[str]]],
    counts: Counter[str],
) -> list[str]:
    """What leaves the day joins the four weeks; the words that left the day."""
    gone: list[str] = []
    while window[0][0].at <= voice.at - _DAY:
        past.append(window.popleft())
        gone += past[-1][1]
    counts.update(gone)
    while past and past[0][0].at <= voice.at - DAYS * _DAY:
        counts.subtract(past.popleft()[1])
    return gone


def _stands_out(people: int, before: int) -> bool:
    mean = before / DAYS
    return people > mean + _WORD_Z * max(1.0, math.sqrt(mean))


def _is_new(told: dict[str, Voice], word: str, voice: Voice) -> bool:
    if word in told and voice.at - told[word].at < 14 * _DAY:
        return False
    told[word] = voice
    return True


def by_clusters(voices: Iterable[Voice]) -> list[Alert]:
    """本系统. A rise of level is no second alert here: one matter is told of once."""
    detector, told = Detector(), set()
    alerts: list[Alert] = []
    for after, voice in enumerate(voices, 1):
        for change in detector.take([voice]):
            if change.alert and change.issue not in told:
                told.add(change.issue)
                alerts.append(Alert(after, frozenset(change.reply_ids)))
    return alerts


METHODS: dict[str, Method] = {"每日总量，三个标准差": by_total, "单个词，五个标准差": by_words, "本系统": by_clusters}


def _print(results: Sequence[Result], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(result) for result in results], ensure_ascii=False))
        return
    print("方法\t条数\t条/秒\t预警\t其他\t其他每周\t其他：前半时段/后半\t认定的事件：第几人时说出")
    for row in results:
        figures = f"{row.texts}\t{row.texts_per_second:,.0f}\t{row.alerts}\t{row.other}\t{row.other_a_week}"
        early, late = row.other_halves
        print(f"{row.method}\t{figures}\t{early}/{late}\t{_told(row.voices)}")


def _told(voices: dict[str, int | None]) -> str:
    words = [f"{name} {'没有说出' if voice is None else voice}" for name, voice in voices.items()]
    return "、".join(words) or "没有给出"
