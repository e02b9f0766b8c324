"""What arrives on the site's socket and is no honest request: each must be one request for every server in a row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.pages.site_office import Office, article, opened_site

FORM = b"title=a&text=b"


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    async with opened_site() as found:
        yield found


async def status(office: Office, content: bytes) -> int:
    """The first answer's status to these bytes; 0 where the connection is closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    writer.write(content)
    try:
        line = await asyncio.wait_for(reader.readline(), 8)
    except ConnectionResetError:
        line = b""
    writer.close()
    return int(line.split()[1]) if line else 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("no host", b"GET / HTTP/1.1\r\n\r\n"),
        ("an empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("a space before the colon", b"GET / HTTP/1.1\r\nHost: a\r\nX-Odd : b\r\n\r\n"),
        ("a tab before the colon", b"GET / HTTP/1.1\r\nHost: a\r\nX-Odd\t: b\r\n\r\n"),
        ("a control sign in the path", b"GET /articles/a%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a break in the path", b"GET /articles/%0d%0aX:y HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a zero byte in a static name", b"GET /static/css/a.txt%00.png HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "a chunk size in C's own writing",
            b"POST /letters/new HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            "chunks before a page that needs no body",
            b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            "a length and chunks",
            b"POST /letters/new HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n" + FORM,
        ),
        (
            "two lengths",
            b"POST /letters/new HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\nContent-Length: 3\r\n\r\n" + FORM,
        ),
        ("a signed length", b"POST /letters/new HTTP/1.1\r\nHost: a\r\nContent-Length: +14\r\n\r\n" + FORM),
    ],
)
async def test_an_ambiguous_request_is_refused(office: Office, name: str, content: bytes) -> None:
    found = await status(office, content)
    assert found == 400, name


async def test_nothing_after_a_refused_body_is_read_as_a_request(office: Office) -> None:
    chunks = b"POST /letters/new HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    writer.write(chunks + b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    content = await asyncio.wait_for(reader.read(), 8)
    writer.close()
    assert content.count(b"HTTP/1.1 ") == 1
    assert content.startswith(b"HTTP/1.1 400")


async def test_trace_and_unknown_methods_are_not_answered_as_pages(office: Office) -> None:
    for method in (b"TRACE", b"CONNECT", b"PROPFIND", b"DELETE"):
        found = await status(office, method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert found in (400, 405, 501), method


async def test_a_path_that_climbs_stays_inside(office: Office) -> None:
    await office.put("article", "a1", article())
    for path in (b"/static/../site.json", b"/static/%2e%2e/settings.py", b"/static/..%2f..%2fapp.py",
                 b"/media/../site.json", b"/static//etc/passwd"):  # fmt: skip
        assert await status(office, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n") in (400, 404), path


async def test_a_head_that_never_ends_is_cut(office: Office) -> None:
    found = await status(office, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n")
    assert found in (0, 400, 413, 431)
