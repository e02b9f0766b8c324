"""`bench detect`: how fast the detector is beside two simple ways to watch, and what it holds of a long stream."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from hub.clock import SetClock
from hub.commands.bench_replay import by_total, by_words
from hub.identifiers import SeededIdentifiers
from nlp.contract import Voice
from nlp.detectors.clusters import Detector
from nlp.training import own_corpus

TEXTS = 100_000
BATCH = 500
_SHORT = 5_000  # texts of the speed's measure
_START = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = 14.0  # all of a made-up stream lies within the longest window: the most that can be live at once
_CHANNELS = ("weibo", "wechat", "site", "app")
_DISTRICTS = ("临江区", "云山区", "东湖区", "")
_NAMES = "青文建和中南北东西湖山江云石桥林"
_COMMENTS = "sentiment/civic_comments.jsonl.gz"
_LETTERS = "letters/2019-01_to_2019-06.jsonl.gz"


@dataclass(frozen=True)
class Result:
    """One method on one stream; its speed counts the time of this process alone."""

    stream: str
    method: str
    texts: int
    texts_per_second: float


@dataclass(frozen=True)
class Held:
    """After so many texts: the most memory so far, clusters alive, and the size of what would be saved (megabytes)."""

    texts: int
    peak: float
    clusters: int
    saved: float


def add(parser: argparse.ArgumentParser) -> None:
    data = os.environ.get("HUB_BENCH_DATA", "")
    parser.add_argument("--data", metavar="DIR", default=data, help="真实留言的数据文件夹（默认 HUB_BENCH_DATA）")
    parser.add_argument("--texts", type=int, default=TEXTS, metavar="N", help=f"长流有多少条（默认 {TEXTS}）")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.data) if arguments.data else None
    streams = {"自带语料拼成的短留言": list(islice(made_up(TEXTS), _SHORT))} | _real(folder)
    results = [
        _measure(stream, name, voices, method) for stream, voices in streams.items() for name, method in METHODS.items()
    ]
    held = _hold(max(BATCH, arguments.texts))
    _print(results, held, as_json=arguments.json)
    return 0


def made_up(count: int) -> Iterator[Voice]:
    """So many different short texts: clauses of the own corpus, joined by chance, half of them at a made-up place."""
    clauses = [part for row in own_corpus() for part in re.split("[，。！？；]", row.text) if 4 <= len(part) <= 24]
    chance = SeededIdentifiers(SetClock(_START), 1).chance

    def one_of(things: Sequence[str]) -> str:
        return things[int(chance() * len(things))]

    for number in range(count):
        text = "，".join(one_of(clauses) for _ in range(int(one_of("11223"))))
        if chance() < 0.5:
            text = f"{one_of(_NAMES)}{one_of(_NAMES)}{one_of('路街村里')}{text}"
        at = _START + timedelta(days=_DAYS * number / count)
        author = f"a{int(chance() * count / 3)}"
        yield Voice(f"r{number}", author, text, at, one_of(_CHANNELS), one_of(_DISTRICTS), "", chance())


def _real(folder: Path | None) -> dict[str, list[Voice]]:
    """Comments (ten seconds apart) and letters (at their own times), where the folder has them."""
    found = {}
    if folder and (folder / _COMMENTS).exists():
        rows = _lines(folder / _COMMENTS, _SHORT)
        found["真实短评论"] = [
            Voice(f"c{n}", f"a{n}", str(row["text"]), _START + n * timedelta(seconds=10), _CHANNELS[n % 4])
            for n, row in enumerate(rows)
        ]
    if folder and (folder / _LETTERS).exists():
        rows = _lines(folder / _LETTERS, _SHORT)
        letters = [(datetime.fromisoformat(str(row["created_at"])), row) for row in rows]
        timed = sorted(((at.astimezone(UTC), row) for at, row in letters), key=lambda one: one[0])
        found["真实来信"] = [
            Voice(str(row["id"]), str(row["author"]), f"{row['title']}\n{row['text']}", at, "site") for at, row in timed
        ]
    return found


def _lines(path: Path, count: int) -> list[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in islice(stream, count)]


def _measure(stream: str, name: str, voices: list[Voice], method: Callable[[Iterable[Voice]], object]) -> Result:
    began = time.process_time()
    method(tqdm(voices, desc=f"{stream} · {name}", unit="条", file=sys.stderr))
    return Result(stream, name, len(voices), round(len(voices) / (time.process_time() - began), 1))


def by_clusters(voices: Iterable[Voice]) -> None:
    """本系统, fed in batches as the office does."""
    _feed(Detector(), iter(voices))


METHODS: dict[str, Callable[[Iterable[Voice]], object]] = {
    "每日总量，三个标准差": by_total,
    "单个词，五个标准差": by_words,
    "本系统": by_clusters,
}


def _feed(detector: Detector, voices: Iterator[Voice]) -> None:
    while batch := list(islice(voices, BATCH)):
        detector.take(batch)


def _hold(count: int) -> list[Held]:
    """What is held after each fifth of a long stream: flat from the second on, or it grows with the archive."""
    detector, found = Detector(), []
    voices = iter(tqdm(made_up(count), total=count, desc="长流", unit="条", file=sys.stderr))
    for part in range(1, 6):
        _feed(detector, islice(voices, count * part // 5 - count * (part - 1) // 5))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        saved = len(detector.save()) / 1_048_576
        found.append(Held(count * part // 5, round(peak), detector.live, round(saved, 1)))
    return found


def _print(results: list[Result], held: list[Held], *, as_json: bool) -> None:
    if as_json:
        shown = {"speed": [asdict(row) for row in results], "held": [asdict(row) for row in held]}
        print(json.dumps(shown, ensure_ascii=False))
        return
    print("留言\t方法\t条数\t条/秒")
    for row in results:
        print(f"{row.stream}\t{row.method}\t{row.texts}\t{row.texts_per_second:,.0f}")
    print("\n长流里第几条\t内存峰值（兆字节）\t活着的簇\t存下的状态（兆字节）")
    for one in held:
        print(f"{one.texts:,}\t{one.peak:,.0f}\t{one.clusters:,}\t{one.saved}")
