"""What an address of the public site is, as data, and the one site that a process serves; the pages live beside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sanic import HTTPResponse, Request
from sanic.exceptions import BadRequest, PayloadTooLarge

from hub.clock import Clock
from hub.domain.errors import NotAllowed
from hub.identifiers import Identifiers
from hub.rendering import Renderer, shared_renderer
from hub.sealing import PublicSealer
from hub.site.codes import Codes
from hub.site.facts import Facts
from hub.site.inbox import Inbox
from hub.site.limits import Windows, believed_address
from hub.site.shelf import Shelf
from hub.store.base import Store
from hub.store.files import Files

FORM_BYTES = 64_000  # a letter of a thousand characters, percent-encoded, several times over
CONTENT_BYTES = 16 * 1024 * 1024


@dataclass
class Site:
    """Everything that an answer of this site may touch. `mark` is demo or production, `keys` the content keys."""

    store: Store
    files: Files
    sealer: PublicSealer
    clock: Clock
    ids: Identifiers
    facts: Facts
    keys: tuple[str, ...]
    base_url: str
    proxies: int = 0
    mark: str = "production"
    code_key: bytes = b""  # of query codes; made with the data folder
    renderer: Renderer = field(default_factory=shared_renderer)
    kept: dict[str, tuple[int, float, bytes]] = field(default_factory=dict)  # see feeds.show_sitemap
    shelf: Shelf = field(init=False)
    inbox: Inbox = field(init=False)
    windows: Windows = field(init=False)
    codes: Codes = field(init=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self.shelf = Shelf(self.store, self.files, self.clock)
        self.inbox = Inbox(self.store, self.sealer, self.clock)
        self.windows = Windows(self.store, self.clock, self.keys)
        self.codes = Codes(self.store, self.clock, self.code_key)


Handle = Callable[..., Awaitable[HTTPResponse]]


@dataclass(frozen=True)
class Route:
    """One address. `form` is page, form, api or file; `unsigned`: what an unsafe route asks of its sender, `origin` or
    `signature`. The one cookie with authority, a visit to a demand, asks for its form token besides (visits.py)."""

    method: str
    path: str
    handle: Handle
    form: str = "page"
    unsigned: str = ""
    most_bytes: int = 0

    @property
    def name(self) -> str:
        """A unique word for this route, also its name in logs."""
        words = [self.method.lower(), *self.path.strip("/").replace("<", "").replace(">", "").split("/")]
        return "_".join(word.split(":")[0].replace("-", "_").replace(".", "_") for word in words if word)

    @property
    def unsafe(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


def address_of(request: Request, site: Site) -> str:
    """The sender's address, as far as it can be believed."""
    return believed_address(request.ip or "", ",".join(request.headers.getall("x-forwarded-for", [])), site.proxies)


def refuse_foreign(request: Request, site: Site) -> None:
    """A form that another website sends in a reader's name is not taken; browsers say where a form stood."""
    origin = request.headers.get("origin")
    ours = {site.base_url, f"{request.scheme}://{request.host}"}
    if (origin is not None and origin not in ours) or request.headers.get("sec-fetch-site") == "cross-site":
        raise NotAllowed("这份表单不是从本网站的页面送来的，没有收下。请打开本网站的页面重新填写。")


def refuse_chunks(request: Request) -> None:
    """No browser and no hub of ours sends in chunks, and servers in a row read odd chunk sizes differently."""
    if "transfer-encoding" in request.headers:
        if request.stream is not None:
            request.stream.keep_alive = False  # type: ignore[attr-defined]  # the rest is never read as a request
        raise BadRequest("chunked")


async def take_body(request: Request, most: int) -> None:
    """Read the body, unless it announces more than this, or turns out to be more."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > most:
        raise PayloadTooLarge("announced")
    if request.stream is not None:
        request.stream.request_max_size = most
        await request.receive_body()  # type: ignore[no-untyped-call]


def wrap(site: Site) -> Callable[[Route], Handle]:
    """How the application makes a handler of a route: forms and bodies are checked before the page sees them."""

    def wrapped(route: Route) -> Handle:
        async def handle(request: Request, **words: str) -> HTTPResponse:
            refuse_chunks(request)
            if route.unsigned == "origin":
                refuse_foreign(request, site)
            if route.most_bytes and route.unsigned != "signature":
                await take_body(request, route.most_bytes)
            return await route.handle(request, site, **words)

        if route.most_bytes:
            handle.is_stream = True  # type: ignore[attr-defined]  # Sanic leaves the body unread for such a handler
        return handle

    return wrapped
