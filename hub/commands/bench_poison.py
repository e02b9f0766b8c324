"""`bench poison`: what a poisoned text costs to take in, to read and to watch, in milliseconds of processor time."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from channels.contract import Heard
from hub.commands.bench_ingest import office
from hub.commands.poisons import POISONS
from hub.desk.desk import Desk
from hub.desk.recording import record
from nlp.contract import Voice
from nlp.detectors.clusters import Detector
from nlp.reading import Reader

PLAIN = "滨河花园从昨晚开始停水，到现在没有人通知，老人孩子都等着用水，请尽快派人来看一看。"
ROUNDS = 3  # the best of so many: what else the machine does is nobody's fault here


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    rows = asyncio.run(_measured())
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    print(f"{'文字':<30}{'字数':>12}{'收下':>10}{'分析':>10}{'监测':>10}   （毫秒，处理器时间）")
    for row in rows:
        print(f"{row['text']:<30}{row['signs']:>12,}{row['taken']:>10.1f}{row['read']:>10.1f}{row['watched']:>10.1f}")
    return 0


async def _measured() -> list[dict[str, Any]]:
    reader = Reader()
    reader.read(PLAIN)
    async with office() as desk:
        return [await _one(desk, reader, name, text) for name, text in {"an ordinary text": PLAIN, **POISONS}.items()]


async def _one(desk: Desk, reader: Reader, name: str, text: str) -> dict[str, Any]:
    now = desk.clock.now()
    heard = Heard("n1", "comment", "u1", "王芳", text, now, None, {"id": "n1", "text": text})
    account = {"_id": "bench", "channel": "weibo"}
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        document = await record(desk, account, heard, "live")
        taken.append(time.process_time() - began)
    kept = str(document["text"])
    return {
        "text": name,
        "signs": len(text),
        "taken": min(taken) * 1000,
        "read": _best(lambda: reader.read(kept)),
        "watched": _best(lambda: Detector(words=reader.words).take([Voice("r1", "a1", kept, now, "weibo")])),
    }


def _best(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent) * 1000
