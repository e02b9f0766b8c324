"""The one HTTP caller: where a request may go, limits of time and size, "not sent" or "maybe sent"; no platform.

Nothing here retries. Reasons are our own sentences, never an exception's text, because that may hold an address with a
token in it.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from channels.exchange import Answer, MaybeSent, NotSent, Request, Result

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]  # name, port -> addresses as texts

LINK_SECONDS = 10.0
LINK_BYTES = 10 << 20
LINK_REDIRECTS = 3
CONNECT_SECONDS = 8.0
_CHUNK = 64 << 10
_LARGE = 1 << 20  # bytes; a longer body is sent piece by piece, so that other sends go on meanwhile
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Kept for special ends (IANA registries), which older tables of the language count as global.
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "::/96", "100::/64", "2001::/23")
)


class Forbidden(ValueError):
    """The policy does not let a request go there; the text is Chinese."""


def plain(address: str) -> IpAddress:
    """The address meant by any of its written forms: IPv4 inside IPv6 (mapped, 6to4, NAT64) is taken out."""
    parsed = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    inner = parsed.ipv4_mapped or parsed.sixtofour
    if inner is None and parsed in _NAT64:
        inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return inner or parsed


def is_public(address: str) -> bool:
    """Whether this address lies on the open internet: not loopback, private, link-local, multicast, metadata."""
    parsed = plain(address)
    if any(parsed in network for network in _SPECIAL):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


class Policy(Protocol):
    """Where requests of one purpose may go, and how far redirects are followed."""

    @property
    def redirects(self) -> int: ...

    def permit(self, url: str) -> None:
        """Forbidden unless a request may go to this address, as written."""
        ...

    def permit_address(self, address: str) -> bool:
        """Whether a name may stand for this address."""
        ...


def _parts(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; Forbidden when it is none, or carries a name and password."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Forbidden("网址写法有误，请检查") from None
    if scheme not in ("http", "https") or not host:
        raise Forbidden("只支持 http 或 https 网址")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("网址里不能带用户名和密码")
    return scheme, host, port or (443 if scheme == "https" else 80)


def origin(url: str) -> str:
    """`scheme://host:port`, the port always written."""
    scheme, host, port = _parts(url)
    return f"{scheme}://{host}:{port}"


@dataclass(frozen=True)
class PlatformPolicy:
    """Only the origins of one account's settings; no redirects. What stands behind them the administrator chose."""

    origins: frozenset[str]
    redirects: int = 0

    @classmethod
    def of(cls, *urls: str) -> PlatformPolicy:
        return cls(frozenset(origin(url) for url in urls))

    def permit(self, url: str) -> None:
        if origin(url) not in self.origins:
            raise Forbidden("这个地址不在账号设置的平台地址之内")

    def permit_address(self, address: str) -> bool:
        return True


class OfficePolicy(PlatformPolicy):
    """Addresses that an administrator listed (webhooks, sinks, sign-in servers): the inner network is allowed."""


@dataclass(frozen=True)
class LinkPolicy:
    """Addresses that somebody's text chose: the open internet only. `also` lets a test open one local address."""

    redirects: int = LINK_REDIRECTS
    ports: frozenset[int] = frozenset({80, 443})
    also: frozenset[str] = frozenset()

    def permit(self, url: str) -> None:
        _, host, port = _parts(url)
        if port not in self.ports:
            raise Forbidden("只检查 80 和 443 端口的网址")
        try:
            literal = str(ipaddress.ip_address(host))
        except ValueError:
            return  # a name: its addresses are looked at when it is resolved
        if not self.permit_address(literal):
            raise Forbidden("这个网址指向内部网络，不予访问")

    def permit_address(self, address: str) -> bool:
        return address in self.also or is_public(address)


async def system_resolve(name: str, port: int) -> Sequence[str]:
    """The machine's own name service."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in found]


class _PinningResolver(AbstractResolver):
    """Asked once per connection, which then goes to exactly the addresses that were looked at."""

    def __init__(self, resolve: Resolve, policy: Policy) -> None:
        self._resolve, self._policy = resolve, policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolve(host, port)
        if not all(self._policy.permit_address(address) for address in addresses):
            # One bad address spoils the name: which of them a connection takes is not ours to choose.
            raise Forbidden("这个网址指向内部网络，不予访问")
        return [self._row(host, port, address) for address in addresses]

    @staticmethod
    def _row(host: str, port: int, address: str) -> ResolveResult:
        version = socket.AF_INET6 if ":" in address else socket.AF_INET
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return ResolveResult(hostname=host, host=address, port=port, family=version, proto=0, flags=flags)

    async def close(self) -> None:
        return None


def _context(trace_request_ctx: Any = None) -> Any:
    """The request's own context instead of a fresh one."""
    return trace_request_ctx


def _tracing() -> aiohttp.TraceConfig:
    """Notes in the request's own context when it had a connection: from then on it may have been sent."""
    config = aiohttp.TraceConfig(trace_config_ctx_factory=_context)  # type: ignore[arg-type]

    async def connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        context.connected = True

    config.on_connection_create_end.append(connected)
    config.on_connection_reuseconn.append(connected)
    return config


def _given(body: bytes) -> bytes | io.BytesIO | None:
    return (io.BytesIO(body) if len(body) >= _LARGE else body) or None


class _Cut(Exception):
    """The connection broke after it stood."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending an idempotent request a second time by itself, as it does when a connection breaks."""
    try:
        return await handler(request)
    except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _Cut from None


@dataclass
class HttpTransport:
    """Transport over aiohttp under one policy. Use `open_transport`; the session belongs to the running loop."""

    session: aiohttp.ClientSession
    policy: Policy

    async def send(self, request: Request) -> Result:
        """One exchange, redirects of the policy included; all of them within the request's seconds.

        Where redirects were followed, NotSent speaks of the last step alone.
        """
        began = SimpleNamespace(connected=False)
        try:
            async with asyncio.timeout(request.seconds):
                return await self._follow(request, began)
        except TimeoutError:
            return MaybeSent("等待对方答复超时") if began.connected else NotSent("连接超时，请求没有发出")

    async def _follow(self, request: Request, began: SimpleNamespace) -> Result:
        for _ in range(self.policy.redirects + 1):
            result = await self._exchange(request, began)
            if not self.policy.redirects or not isinstance(result, Answer) or not self._moves(result):
                return result
            request = replace(request, url=urljoin(request.url, result.headers["location"]))
        return NotSent("网址转向次数过多")

    @staticmethod
    def _moves(answer: Answer) -> bool:
        return answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers

    async def _exchange(self, request: Request, began: SimpleNamespace) -> Result:
        began.connected = False
        try:
            self.policy.permit(request.url)
            return await self._call(request, began)
        except Forbidden as refusal:
            return NotSent(str(refusal))
        except aiohttp.ClientConnectorDNSError:
            return NotSent("找不到对方的域名")
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError):
            return MaybeSent("加密连接中断") if began.connected else NotSent("对方的证书或加密连接不可信")
        except aiohttp.ConnectionTimeoutError:
            return NotSent("连接超时，请求没有发出")
        except aiohttp.ClientConnectorError:
            return NotSent("连接不上对方服务器")
        except (_Cut, aiohttp.ClientError, OSError, ValueError):
            return MaybeSent("连接中断，没有收到完整的答复") if began.connected else NotSent("请求没有发出")

    async def _call(self, request: Request, began: SimpleNamespace) -> Result:
        sent = self.session.request(
            request.method,
            URL(request.url, encoded=True),
            headers={"Accept-Encoding": "identity", **request.headers},
            data=_given(request.body),
            allow_redirects=False,
            trace_request_ctx=began,
        )
        async with sent as response:
            body = await self._read(response, request.limit)
            if body is None:
                return MaybeSent("对方的答复超过大小限制")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, body)

    @staticmethod
    async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
        """The body, or None as soon as it is longer than allowed."""
        if (response.content_length or 0) > limit:
            return None
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > limit:
                return None
        return bytes(body)


@dataclass
class Caller:
    """Sessions by purpose, made once by the wiring inside the running loop."""

    resolve: Resolve = system_resolve
    _open: list[aiohttp.ClientSession] = field(default_factory=list)

    def transport(self, policy: Policy) -> HttpTransport:
        """A Transport that goes only where this policy lets it."""
        # A kept connection may turn out dead in the middle of a request, which would then be "maybe sent" for nothing.
        connector = aiohttp.TCPConnector(
            resolver=_PinningResolver(self.resolve, policy), use_dns_cache=False, force_close=True, limit=100
        )
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            trace_configs=[_tracing()],
            middlewares=(_once,),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": "govhub"},
        )
        self._open.append(session)
        return HttpTransport(session, policy)

    async def close(self) -> None:
        while self._open:
            await self._open.pop().close()


@asynccontextmanager
async def open_caller(resolve: Resolve = system_resolve) -> AsyncIterator[Caller]:
    """A Caller that is closed at the end."""
    caller = Caller(resolve)
    try:
        yield caller
    finally:
        await caller.close()


async def fetch_link(caller_transport: HttpTransport, url: str, headers: dict[str, Any] | None = None) -> Result:
    """GET an address that somebody's text chose, within the limits for links; the transport has the link policy."""
    return await caller_transport.send(Request("GET", url, headers or {}, seconds=LINK_SECONDS, limit=LINK_BYTES))
