"""The schema's number and the mark demo or production of a store: born once, checked at every start, upgraded in steps.

Documents carry their own shape, so a number is only raised where old documents would be misread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from hub.domain.errors import Misconfigured
from hub.store.base import Document, Duplicate, Store
from hub.store.migrations import FIRST, STEPS, Step

SCHEMA = max(STEPS, default=FIRST)
TABLE, ID = "schema", "schema"
MARKS = ("demo", "production")


async def mark(store: Store, mark: str, at: datetime) -> None:
    """Give birth to an empty store as demo or production; the same mark again is no change, another is refused."""
    if mark not in MARKS:
        raise ValueError("a store is demo or production")
    born = {"_id": ID, "version": SCHEMA, "mark": mark, "at": at}
    try:
        await store.insert(TABLE, born)
    except Duplicate:
        found = await store.get(TABLE, ID)
        if found is not None and found["mark"] != mark:
            raise Misconfigured(_OTHER_MARK.format(_CHINESE[found["mark"]])) from None


async def mark_of(store: Store) -> str | None:
    """demo or production; None for a store that has not been born."""
    found = await store.get(TABLE, ID)
    return None if found is None else str(found["mark"])


async def check(store: Store) -> None:
    """Raise Misconfigured, with the command that helps, unless this program and this store fit."""
    found = await store.get(TABLE, ID)
    if found is None:
        raise Misconfigured(_UNMARKED)
    if found["version"] < SCHEMA:
        raise Misconfigured(_OLDER.format(found["version"], SCHEMA))
    if found["version"] > SCHEMA:
        raise Misconfigured(_NEWER.format(found["version"], SCHEMA))


async def waiting(store: Store) -> list[int]:
    """The numbers of the steps this store still needs; Misconfigured where it has no number or a newer one."""
    found = await _known(store)
    return [number for number in sorted(STEPS) if number > found["version"]]


async def migrate(
    store: Store, progress: Callable[[int], object] = lambda _number: None, *, steps: Mapping[int, Step] = STEPS
) -> list[int]:
    """Carry out the steps that are missing, each then noted by compare-and-set; the numbers carried out."""
    done: list[int] = []
    for number in sorted(steps):
        found = await _known(store, newest=max(steps))
        if number <= found["version"]:
            continue
        await steps[number](store)
        older = {"_id": ID, "version": found["version"]}
        if await store.change(TABLE, older, {"$set": {"version": number}}) is not None:
            done.append(number)
        progress(number)
    return done


async def _known(store: Store, newest: int = SCHEMA) -> Document:
    found = await store.get(TABLE, ID)
    if found is None:
        raise Misconfigured(_UNMARKED)
    if found["version"] > newest:
        raise Misconfigured(_NEWER.format(found["version"], newest))
    return found


_CHINESE = {"demo": "演练", "production": "正式"}
_UNMARKED = (
    "数据目录还没有初始化。正式使用请运行 python -m hub init --production，演练请运行 python -m hub demo。"
)
_OLDER = "数据的版本是 {0}，程序需要 {1}。请先备份数据，再运行 python -m hub migrate。"
_NEWER = "数据的版本是 {0}，比程序能读的 {1} 新。请改用新版程序启动，不要用旧程序打开这些数据。"
_OTHER_MARK = "这个数据目录已经用于{0}，不能改作他用。请换一个数据目录。"
