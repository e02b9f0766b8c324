"""The reading processes: a text that fells one is found at once and alone, its neighbours are read, nothing waits."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desk.listening import listen
from hub.desk.reading import read_new
from hub.desk.reading_pool import CHUNK, MOST, TOGETHER, InUse, NoReaders, ReadingPool, chunks
from nlp.contract import Analysis, Sentiment
from nlp.normal import LOOKED_AT
from nlp.reading import Asked
from tests.domain.listening_office import LISTENER, READER, make_office

KILLS, HOLDS, RAISES = "杀", "占", "错"


class Frail:
    """A reader that some texts kill, hold for ever, or make fail."""

    def read_many(self, asked: Sequence[Asked]) -> list[Analysis]:
        return [self._read(one.text) for one in asked]

    def _read(self, text: str) -> Analysis:
        if KILLS in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if HOLDS in text:
            threading.Event().wait()
        if RAISES in text:
            raise MemoryError
        return Analysis(Sentiment("neu", 0.2, True), (), (), None, None, text, os.getpid(), "comment", False)


def frail(_using: InUse) -> Frail:
    return Frail()


def stillborn(_using: InUse) -> Frail:
    os.kill(os.getpid(), signal.SIGKILL)
    return Frail()


@asynccontextmanager
async def pool(processes: int = 1, **more: Any) -> AsyncIterator[ReadingPool]:
    found = ReadingPool(processes, **{"make": frail, **more})
    try:
        yield found
    finally:
        found.close()


def rows(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text, "kind": "comment"} for text in texts]


def said(read: list[Analysis | None]) -> list[str | None]:
    """What each gave back (`copy_key` is the whole text here)."""
    return [None if one is None else one.copy_key for one in read]


async def test_a_text_that_kills_its_process_is_alone_unread_and_all_others_come_back_in_their_order() -> None:
    async with pool() as reading:
        found = await reading.read(rows("一", f"二{KILLS}", "三", f"四{RAISES}", f"五{KILLS}", "六"))
    assert said(found) == ["一", None, "三", None, None, "六"]
    pids = [one.simhash for one in found if one is not None]
    assert len(set(pids)) == 3, "each that fell alone cost one process and no more"


async def test_of_a_long_chunk_only_those_beside_the_poisoned_one_are_read_one_by_one() -> None:
    texts = [f"{number}" for number in range(3 * TOGETHER)]
    texts[TOGETHER + 7] += KILLS
    async with pool() as reading:
        found = await reading.read(rows(*texts))
    assert said(found) == [None if KILLS in text else text for text in texts]
    pids = [one.simhash for one in found if one is not None]
    assert len(set(pids[:TOGETHER])) == 1 and len(set(pids)) == 3


async def test_a_text_that_holds_its_process_costs_the_limit_once_and_is_alone_unread() -> None:
    async with pool(limit=1.0) as reading:
        found = await reading.read(rows("一", f"二{HOLDS}", "三"))
        assert said(found) == ["一", None, "三"]


async def test_a_process_that_was_killed_while_it_waited_is_replaced() -> None:
    async with pool() as reading:
        await reading.read(rows("一"))
        (pid,) = reading.processes
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(reading._free[0].process.join, 20)
        assert said(await reading.read(rows("二"))) == ["二"]


async def test_chunks_are_read_by_several_processes_at_once_and_come_back_in_order() -> None:
    texts = [f"{number}" * (CHUNK // 5) for number in range(1, 9)]
    async with pool(2) as reading:
        found = await reading.read(rows(*texts))
        assert len(reading.processes) == 2
    assert said(found) == [text[:LOOKED_AT] for text in texts]


async def test_who_is_told_to_stop_leaves_no_process_in_the_middle_of_a_chunk() -> None:
    async with pool() as reading:
        await reading.read(rows("一"))
        work = asyncio.ensure_future(reading.read(rows(f"二{HOLDS}")))
        await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert reading.processes == []
        assert said(await reading.read(rows("三"))) == ["三"]


async def test_where_no_process_comes_up_the_replies_stay_new_and_wait_for_whoever_can_read() -> None:
    office = await make_office()
    office.source.say("水不清")
    await listen(LISTENER, office.desk)
    async with pool(make=stillborn) as broken:
        with pytest.raises(NoReaders):
            await read_new(READER, replace(office.desk, read=broken.read))
    (row,) = await office.desk.store.find("replies", {})
    assert (row["state"], row["tries"], row["lease_until"]) == ("new", 0, None)
    assert await read_new(READER, office.desk) == 1


@given(st.lists(st.integers(0, LOOKED_AT * 2), max_size=60))
@settings(max_examples=40, deadline=None)
def test_chunks_hold_every_text_once_in_order_and_little_more_than_their_measure(sizes: list[int]) -> None:
    given_ = [{"text": "水" * size, "number": number} for number, size in enumerate(sizes)]
    found = chunks(given_)
    assert [row["number"] for chunk in found for row in chunk] == list(range(len(sizes)))
    assert [len(row["text"]) for chunk in found for row in chunk] == [min(size, LOOKED_AT) for size in sizes]
    assert all(len(chunk) == 1 or sum(len(row["text"]) for row in chunk) <= CHUNK for chunk in found)
    assert all(chunk for chunk in found)


def test_a_chunk_of_short_texts_holds_no_more_than_so_many() -> None:
    found = chunks([{"text": "谢"}] * (2 * MOST + 1))
    assert [len(chunk) for chunk in found] == [MOST, MOST, 1]
