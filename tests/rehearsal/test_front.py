"""The line to a website, troubled on order: what the hub's one HTTP caller sees of each fault, and what was done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.exchange import Answer, MaybeSent, Request, Result
from channels.faults import Fault
from channels.http import PlatformPolicy, open_caller
from hub.clock import SystemClock
from hub.commands.chaos.fronting import KINDS, Front
from tests.browser.household import free_ports

BODY = b'{"id":"c1","url":"http://site.example/articles/c1"}'


class Website:
    """Answers every request with the same body, and counts them."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head + await reader.readexactly(4))
        length = b"content-length: %d" % len(BODY)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + length + b"\r\n\r\n" + BODY)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Website, Front, int]]:
    site, (behind, before) = Website(), free_ports(2)
    front = Front(behind, SystemClock())
    async with await asyncio.start_server(site.serve, "127.0.0.1", behind):
        await front.start(before)
        yield site, front, before
        await front.stop()


async def sent(port: int, seconds: float = 5.0) -> Result:
    url = f"http://127.0.0.1:{port}"
    async with open_caller() as caller:
        request = Request("PUT", url + "/content/v1/items/article/c1", {}, b"body", seconds=seconds)
        return await caller.transport(PlatformPolicy.of(url)).send(request)


async def test_without_an_order_a_request_and_its_answer_go_over_whole() -> None:
    async with line() as (site, _, port):
        result = await sent(port)
        assert isinstance(result, Answer) and (result.status, result.body) == (200, BODY)
        assert site.asked[0].endswith(b"body")


@pytest.mark.parametrize(("kind", "reached"), [("drop_before", 0), ("drop_after", 1), ("close", 1)])
async def test_a_cut_line_leaves_no_whole_answer(kind: str, reached: int) -> None:
    async with line() as (site, front, port):
        front.orders.add(Fault("/items/article", kind))
        assert isinstance(await sent(port), MaybeSent)
        assert len(site.asked) == reached
        assert front.played[kind] == 1


@pytest.mark.parametrize(("kind", "reached"), [("status", 0), ("status_after", 1)])
async def test_a_broken_gateway_answers_502_before_or_after_the_work(kind: str, reached: int) -> None:
    async with line() as (site, front, port):
        front.orders.add(Fault("/items/article", kind))
        result = await sent(port)
        assert isinstance(result, Answer) and result.status == 502
        assert len(site.asked) == reached


async def test_half_a_json_text_comes_with_its_own_length() -> None:
    async with line() as (_, front, port):
        front.orders.add(Fault("/items/article", "garbage"))
        result = await sent(port)
        assert isinstance(result, Answer) and BODY.startswith(result.body) and len(result.body) < len(BODY)


@pytest.mark.parametrize("fault", [Fault("/items", "drip"), Fault("/items", "delay", 1, 3)], ids=["drip", "delay"])
async def test_an_answer_that_takes_too_long_is_none(fault: Fault) -> None:
    async with line() as (site, front, port):
        front.orders.add(fault)
        assert isinstance(await sent(port, seconds=0.5), MaybeSent)
        assert len(site.asked) == 1


async def test_a_website_that_is_down_cuts_the_line_without_an_answer() -> None:
    behind, before = free_ports(2)
    front = Front(behind, SystemClock())
    await front.start(before)
    assert isinstance(await sent(before), MaybeSent)
    await front.stop()


def test_every_fault_of_a_line_has_its_test() -> None:
    assert set(KINDS) == {
        "delay", "drop_before", "drop_after", "close", "status", "status_after", "garbage", "drip"
    }  # fmt: skip
