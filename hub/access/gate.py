"""The gate before every page and call of the desk: who asks, does the session stand, is the request our own page's.

After it, `request.ctx` has `actor` (None on open routes only), `signed` (the session, None for tokens), `csrf` (for
forms) and `address`. A route is closed unless it is named open here or says so itself.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sanic import HTTPResponse, Request
from sanic.response import redirect

from hub.access.requests import bearer, client_address, own_origin
from hub.desk import signing_in
from hub.desk.desk import Desk
from hub.desk.signing_in import SignedIn
from hub.domain.errors import NotAllowed, NotSignedIn
from hub.domain.session import Wants

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = ("/login", "/health", "/favicon.ico")  # pages that need nobody; besides routes that call themselves open
OPEN_UNDER = ("/static/",)
ORIGIN_ONLY: Mapping[str, str] = {
    # unsafe routes without a session behind them -> why they need no form token
    "/api/v1/session": "signing in: there is no session yet",
    "/session": "signing in: there is no session yet",
}
SIGN_IN = "/login"
WAYS: Mapping[Wants, tuple[str, str]] = {
    # what is wanting -> the page for it, and the sentence for programs
    Wants.SECOND: ("/login/second", "请先输入动态口令。"),
    Wants.PASSWORD: ("/account/password", "请先设置新口令。"),
    Wants.ENROL: ("/account/factor", "请先设置动态口令。"),
}
CONFIRM = "/account/confirm"
UNFINISHED = ("/session", "/api/v1/session", "/login", "/account", "/static")  # open to a session that lacks something


@dataclass(frozen=True)
class Gate:
    """The settings of the gate. `desk` None: the application's own (`app.ctx.desk`), made when it starts.

    `secure`: cookies for TLS only; without it (demo on loopback) the cookie has a plain name. `origins`: the desk's own
    addresses; none: the address the browser asked for. `proxies`: how many trusted proxies stand before us.
    """

    desk: Desk | None = None
    secure: bool = False
    origins: Sequence[str] = ()
    proxies: int = 0

    @property
    def cookie(self) -> str:
        return "__Host-hub" if self.secure else "hub"

    def desk_of(self, request: Request) -> Desk:
        desk: Desk = self.desk or request.app.ctx.desk
        return desk

    def token_of(self, request: Request) -> str:
        """The session token that the browser sent; empty where there is none."""
        return str(request.cookies.get(self.cookie) or "")

    async def admit(self, request: Request) -> HTTPResponse | None:
        """Middleware: let the request through, send the browser elsewhere, or raise."""
        context = request.ctx
        forwarded = request.headers.getall("x-forwarded-for", [])
        context.address = client_address(request.ip or "", forwarded, self.proxies)
        context.actor, context.signed, context.csrf = None, None, ""
        if request.route is None:
            return None
        token = bearer(request)
        if token is not None:
            await self._program(request, token)
            return None
        return await self._person(request)

    async def _program(self, request: Request, token: str) -> None:
        actor = await signing_in.actor_of_token(self.desk_of(request), token, request.ctx.address)
        if actor is None:
            raise NotSignedIn("令牌无效、已过期或已吊销。")
        request.ctx.actor = actor

    async def _person(self, request: Request) -> HTTPResponse | None:
        signed = await self._resumed(request)
        if request.method not in SAFE:
            self._refuse_foreign(request, signed)
        if is_open(request):
            return None
        if signed is None:
            return _elsewhere(request, SIGN_IN, NotSignedIn(signing_in.OVER))
        if signed.wants is not None and not _is_under(request.path, UNFINISHED):
            page, sentence = WAYS[signed.wants]
            return _elsewhere(request, page, NotAllowed(sentence))
        if getattr(_route(request), "sensitive", False) and not signed.confirmed:
            return _elsewhere(request, CONFIRM, NotAllowed("这项改动需要重新输入口令。"))
        return None

    async def _resumed(self, request: Request) -> SignedIn | None:
        token = self.token_of(request)
        if not token:
            return None
        activity = getattr(_route(request), "form", "") != "stream"
        desk = self.desk_of(request)
        signed = await signing_in.resume(desk, token, request.ctx.address, activity=activity)
        if signed is not None:
            request.ctx.signed, request.ctx.csrf = signed, signed.csrf
            request.ctx.actor = signed.actor if signed.wants is None else None
        return signed

    def _refuse_foreign(self, request: Request, signed: SignedIn | None) -> None:
        """A request that changes something must come from our own page, and carry its session's form token."""
        if not own_origin(request, self.origins):
            raise NotAllowed("这个请求不是从本系统页面发出的，没有执行。")
        if request.path.rstrip("/") in ORIGIN_ONLY and request.method == "POST":
            return
        if signed is None:
            raise NotSignedIn(signing_in.OVER)
        if not signing_in.csrf_is_right(self.desk_of(request), signed.id, _form_token(request)):
            raise NotAllowed("页面已过期，请刷新后再试。写了一半的内容没有丢。")

    def set_cookie(self, response: HTTPResponse, token: str) -> None:
        """A session cookie for this host alone, gone with the browser."""
        response.add_cookie(
            "hub", token, path="/", secure=self.secure, httponly=True, samesite="Lax", host_prefix=self.secure
        )

    def drop_cookie(self, response: HTTPResponse) -> None:
        """Take the cookie back."""
        response.add_cookie(
            "hub", "", path="/", secure=self.secure, httponly=True, samesite="Lax", host_prefix=self.secure, max_age=0
        )


def still_stands(gate: Gate, request: Request) -> Callable[[], Coroutine[Any, Any, bool]]:
    """For an open event stream: a call that tells whether its session or token still stands; no activity by itself."""

    async def ask() -> bool:
        desk, token, program = gate.desk_of(request), gate.token_of(request), bearer(request)
        if program is not None:
            return await signing_in.actor_of_token(desk, program, request.ctx.address) is not None
        signed = await signing_in.resume(desk, token, request.ctx.address, activity=False)
        return signed is not None and signed.wants is None

    return ask


def is_open(request: Request) -> bool:
    """Whether this route needs nobody to be signed in."""
    path = request.path.rstrip("/") or "/"
    if path in OPEN or _is_under(path, OPEN_UNDER) or getattr(_route(request), "right", None) == "open":
        return True
    return path in ORIGIN_ONLY and request.method == "POST"


def _route(request: Request) -> Any:
    return getattr(request.route.ctx, "route", None) if request.route is not None else None


def _is_under(path: str, places: Sequence[str]) -> bool:
    return any(path == place.rstrip("/") or path.startswith(place.rstrip("/") + "/") for place in places)


def _form_token(request: Request) -> str:
    said = request.headers.get("x-csrf-token")
    if said is not None:
        return str(said)
    kind = request.content_type.split(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data") and request.form is not None:
        return str(request.form.get("csrf") or "")
    return ""


def _elsewhere(request: Request, page: str, error: Exception) -> HTTPResponse:
    """Browsers that ask for a page are sent to what is wanting; programs and forms get the sentence."""
    is_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if not is_page or request.path.startswith("/api/"):
        raise error
    here = request.path + (f"?{request.query_string}" if request.query_string else "")
    return redirect(f"{page}?next={quote(here, safe='/')}", status=303)
