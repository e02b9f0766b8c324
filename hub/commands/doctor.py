"""`doctor`: looks at configuration, store, keys, disk, workers and models, and says what to do; it changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta

from hub import settings as settings_room
from hub import wiring
from hub.clock import Clock, SystemClock, local
from hub.domain.almanac import KNOWN_UNTIL
from hub.domain.errors import HubError
from hub.settings import Settings

AHEAD = timedelta(days=30)  # how far a clock that starts today may run


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is ok, warn or bad; `advice` says what to do where it is not ok."""

    what: str
    state: str
    said: str
    advice: str = ""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    parser.add_argument("--crypto", action="store_true", help="列出各类数据用哪套算法保护")
    parser.add_argument("--alive", action="store_true", help="只看存储能否读写，供容器探测")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_room.read(os.environ, "desk")
    findings = asyncio.run(examine(settings, alive_only=arguments.alive))
    if arguments.crypto:
        findings += [Finding(row[0], "ok", row[1]) for row in wiring.protection(settings)]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        _print(settings, findings)
    return 1 if any(finding.state == "bad" for finding in findings) else 0


async def examine(settings: Settings, *, alive_only: bool) -> list[Finding]:
    """Everything that can be looked at without changing anything."""
    store = await _look_at_store(settings)
    if alive_only:
        return store
    here = [_look_at_python(), _look_at_key(settings), _look_at_disk(settings), look_at_holidays(SystemClock())]
    return here + store


def _look_at_python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", "ok" if good else "warn", version, "" if good else "请用 3.11 至 3.13。")


def _look_at_key(settings: Settings) -> Finding:
    try:
        wiring.master_key(settings)
    except HubError as error:
        return Finding("主密钥", "bad", error.message, "按上句处理后再启动。")
    return Finding("主密钥", "ok", "可用")


def _look_at_disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    free = shutil.disk_usage(place).free / 2**30
    state = "ok" if free > 5 else "warn" if free > 1 else "bad"
    return Finding(
        "磁盘", state, f"剩余 {free:.1f} GiB", "" if state == "ok" else "请清理或扩容；写满以后收不下留言，也发不出稿。"
    )


def look_at_holidays(clock: Clock) -> Finding:
    """A clock that runs past the known holidays counts them as working days."""
    known = local(clock.now()).date() + AHEAD <= KNOWN_UNTIL
    advice = "" if known else "明年的放假安排公布后，请更新 chinesecalendar；在那以前，时限把法定节假日算作工作日。"
    return Finding("节假日", "ok" if known else "warn", f"到 {KNOWN_UNTIL.year} 年底", advice)


async def _look_at_store(settings: Settings) -> list[Finding]:
    kind = "MongoDB" if settings["HUB_MONGO_URL"] else f"内置存储 {settings.data / 'desk'}"
    try:
        rows = await wiring.look_at_store(settings)
    except HubError as error:
        return [Finding("存储", "bad", error.message, "按上句处理。")]
    return [Finding("存储", "ok", kind), *(Finding(*row) for row in rows)]


def _print(settings: Settings, findings: list[Finding]) -> None:
    marks = {"ok": "正常", "warn": "注意", "bad": "有误"}
    for finding in findings:
        print(f"{marks[finding.state]}  {finding.what}：{finding.said} {finding.advice}".rstrip())
    print("\n生效的设置（来源）")
    for name, value, source in settings.shown():
        print(f"  {name:<22}{value or '（空）'}  ← {source}")
