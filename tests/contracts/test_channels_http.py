"""The one HTTP caller over real sockets on loopback: what is certain, what is not, and where it does not go."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels.exchange import Answer, MaybeSent, NotSent, Request
from channels.http import Forbidden, LinkPolicy, OfficePolicy, PlatformPolicy, fetch_link, is_public, open_caller

SECRET = "2.00SECRETtoken"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    def __init__(self, port: int) -> None:
        self.port, self.requests = port, []  # type: ignore[var-annotated]

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def served(*chunks: bytes, pause: float = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that reads one request, says these chunks and closes."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(pause)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()


def answer(body: bytes = b"{}", status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


async def platform_send(server: Server, **more: object) -> object:
    async with open_caller() as caller:
        request = Request("GET", server.url(f"/2/x.json?access_token={SECRET}"), **more)  # type: ignore[arg-type]
        return await caller.transport(PlatformPolicy.of(server.url())).send(request)


async def test_a_whole_answer_comes_back_as_it_was() -> None:
    async with served(answer(b'{"a": 1}', "403 Forbidden", "X-One: yes\r\n")) as server:
        result = await platform_send(server)
    assert isinstance(result, Answer)
    assert (result.status, result.headers["x-one"], result.body) == (403, "yes", b'{"a": 1}')


async def test_the_target_goes_out_exactly_as_written() -> None:
    target = "/a%2Fb/%e4%ba%91?x=%7Ey%20z&note=%E6%92%A4+1"
    async with served(answer()) as server, open_caller() as caller:
        await caller.transport(PlatformPolicy.of(server.url())).send(Request("DELETE", server.url(target)))
    assert server.requests[0].startswith(f"DELETE {target} HTTP/1.1\r\n".encode())


async def test_a_refused_connection_was_certainly_not_sent() -> None:
    async with served() as server:
        pass
    assert isinstance(await platform_send(server), NotSent)


async def test_a_name_that_is_not_found_was_certainly_not_sent() -> None:
    async def nowhere(name: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    async with open_caller(nowhere) as caller:
        url = "http://api.weibo.example/"
        assert isinstance(await caller.transport(PlatformPolicy.of(url)).send(Request("GET", url)), NotSent)


async def test_a_server_that_speaks_no_tls_was_certainly_not_sent_to() -> None:
    async with hasty(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server, open_caller() as caller:
        url = server.url(scheme="https")
        result = await caller.transport(PlatformPolicy.of(url)).send(Request("POST", url, body=b"x"))
    assert isinstance(result, NotSent)


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "pair.pem").write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    return context


async def test_a_certificate_that_nobody_vouches_for_is_not_sent_to(tmp_path: Path) -> None:
    async with served(answer(), tls=self_signed(tmp_path)) as server, open_caller() as caller:
        url = server.url(scheme="https")
        assert isinstance(await caller.transport(PlatformPolicy.of(url)).send(Request("POST", url, body=b"x")), NotSent)
    assert server.requests == []


@pytest.mark.parametrize(
    "chunks",
    [(), (b"HTTP/1.1 200 OK\r\nContent-Le",), (answer(b"0123456789")[:-4],), (b"no http at all\r\n\r\n",)],
    ids=["nothing", "half a head", "half a body", "no http"],
)
async def test_an_answer_that_is_not_whole_is_maybe_sent_and_asked_once(chunks: tuple[bytes, ...]) -> None:
    async with served(*chunks) as server:
        assert isinstance(await platform_send(server), MaybeSent)
    assert len(server.requests) == 1


async def test_a_drip_is_cut_off_by_the_total_time() -> None:
    async with served(*(bytes((byte,)) for byte in answer(b"x" * 50)), pause=0.1) as server:
        began = time.monotonic()
        assert isinstance(await platform_send(server, seconds=0.5), MaybeSent)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_not_read_whole(announced: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" if announced else b"HTTP/1.1 200 OK\r\n\r\n"
    async with served(head, *([b"x" * 100_000] * 50)) as server:
        assert isinstance(await platform_send(server, limit=200_000), MaybeSent)


async def test_a_platform_is_not_followed_elsewhere() -> None:
    async with served(answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n")) as server:
        result = await platform_send(server)
    assert isinstance(result, Answer)
    assert result.status == 302


@pytest.mark.parametrize("url", ["http://127.0.0.2:{}/", "https://127.0.0.1:{}/", "http://127.0.0.1:1/", "file:///etc"])
async def test_a_platform_transport_goes_only_to_the_accounts_addresses(url: str) -> None:
    async with served(answer()) as server, open_caller() as caller:
        policy = PlatformPolicy.of(server.url())
        assert isinstance(await caller.transport(policy).send(Request("GET", url.format(server.port))), NotSent)
    assert server.requests == []


async def test_no_reason_and_no_repr_holds_a_secret() -> None:
    async with served() as server:
        lost = await platform_send(server)
    refused = await platform_send(server)
    request = Request("GET", server.url(f"/x?access_token={SECRET}"), {"Authorization": SECRET})
    assert isinstance(lost, MaybeSent)
    assert isinstance(refused, NotSent)
    assert SECRET not in repr((lost, refused, request))


INNER = [
    "http://127.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://0177.0.0.1/", "http://0/",
    "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fe80::1]/",
    "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[ff02::1]/",
    "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://localhost/", "http://localhost./",
    "http://127.0.0.1:80@169.254.169.254/", "http://user:word@example.org/", "ftp://example.org/", "http://",
    "http://example.org:8080/", "http://[::1/", "//127.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", INNER)
async def test_a_link_never_leads_inside(url: str) -> None:
    async with open_caller() as caller:
        began = time.monotonic()
        assert isinstance(await fetch_link(caller.transport(LinkPolicy()), url), NotSent)
        assert time.monotonic() - began < 5


def test_the_open_internet_is_told_from_the_inner_networks() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"):
        assert is_public(address)
    for address in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "240.0.0.1", "0.0.0.1", "::127.0.0.1"):
        assert not is_public(address)


async def test_a_name_that_turns_inward_the_second_time_is_not_followed() -> None:
    """Rebinding: the first look is answered with an allowed address, every later one with loopback."""
    looks: list[str] = []

    async def turning(name: str, port: int) -> Sequence[str]:
        looks.append(name)
        return ["127.0.0.2"] if len(looks) == 1 else ["127.0.0.1"]

    async with served_on("127.0.0.2", answer(b"", "302 Found", "Location: /again\r\n")) as server:
        policy = LinkPolicy(ports=frozenset({server.port}), also=frozenset({"127.0.0.2"}))
        async with open_caller(turning) as caller:
            result = await fetch_link(caller.transport(policy), server.url("/first", "turning.example"))
    assert isinstance(result, NotSent)
    assert looks == ["turning.example", "turning.example"]
    assert len(server.requests) == 1


async def test_the_address_that_was_looked_at_is_the_one_connected_to() -> None:
    looks: list[str] = []

    async def turning(name: str, port: int) -> Sequence[str]:
        looks.append(name)
        return ["127.0.0.2"] if len(looks) == 1 else ["127.0.0.1"]

    async with served_on("127.0.0.2", answer(b"seen")) as server:
        policy = LinkPolicy(ports=frozenset({server.port}), also=frozenset({"127.0.0.2"}))
        async with open_caller(turning) as caller:
            result = await fetch_link(caller.transport(policy), server.url("/", "turning.example"))
    assert isinstance(result, Answer)
    assert looks == ["turning.example"]


async def test_one_inner_address_among_several_spoils_the_name() -> None:
    async def mixed(name: str, port: int) -> Sequence[str]:
        return ["93.184.215.14", "127.0.0.1"]

    async with open_caller(mixed) as caller:
        assert isinstance(await fetch_link(caller.transport(LinkPolicy()), "http://mixed.example/"), NotSent)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd", "//0x7f.1/"]
)
async def test_a_redirect_inward_is_not_followed(target: str) -> None:
    async with served_on("127.0.0.2", answer(b"", "302 Found", f"Location: {target}\r\n")) as server:
        policy = LinkPolicy(ports=frozenset({server.port, 80}), also=frozenset({"127.0.0.2"}))
        async with open_caller() as caller:
            assert isinstance(await fetch_link(caller.transport(policy), server.url(host="127.0.0.2")), NotSent)


async def test_a_link_is_followed_three_times_and_no_further() -> None:
    async with served_on("127.0.0.2", answer(b"", "302 Found", "Location: /next\r\n")) as server:
        policy = LinkPolicy(ports=frozenset({server.port}), also=frozenset({"127.0.0.2"}))
        async with open_caller() as caller:
            assert isinstance(await fetch_link(caller.transport(policy), server.url(host="127.0.0.2")), NotSent)
    assert len(server.requests) == 4


async def test_an_office_address_may_be_inside_but_must_be_listed() -> None:
    async with served(answer()) as server, open_caller() as caller:
        transport = caller.transport(OfficePolicy.of(server.url("/hook")))
        assert isinstance(await transport.send(Request("POST", server.url("/hook"), body=b"{}")), Answer)
        assert isinstance(await transport.send(Request("POST", "http://127.0.0.1:1/hook")), NotSent)


def test_a_policy_of_an_odd_address_is_refused_with_a_sentence() -> None:
    with pytest.raises(Forbidden, match="网址"):
        PlatformPolicy.of("http://x:99999/")


@asynccontextmanager
async def hasty(reply: bytes) -> AsyncIterator[Server]:
    """A server that speaks first and hangs up."""

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        writer.close()

    listener = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        yield Server(listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
        await listener.wait_closed()


@asynccontextmanager
async def served_on(host: str, reply: bytes) -> AsyncIterator[Server]:
    """A server on another loopback address that gives every request the same reply."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(speak, host, 0)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
