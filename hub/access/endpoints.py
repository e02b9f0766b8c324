"""Signing in and out, second factor, own password: as API calls and as forms; the pages around them live in pages.

Each act has two addresses: `/api/v1/session…` takes and gives JSON, `/session…` takes a form and sends the browser on.
A form that fails goes back to its page with `problem=` one of the words of PROBLEMS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request
from sanic.response import empty, raw, redirect
from sanic.response import json as json_response

from hub.access.gate import CONFIRM, SIGN_IN, WAYS, Gate
from hub.access.pictures import qr_svg
from hub.access.proofs import enrolment_address
from hub.access.requests import own_path
from hub.desk import signing_in, staffing
from hub.desk.signing_in import SignedIn
from hub.domain.errors import FieldError, HubError, Invalid, NotAllowed, NotSignedIn, TooMany
from hub.domain.passwords import WeakPassword
from hub.domain.session import Wants

Act = Callable[[Gate, Request, Mapping[str, str]], Coroutine[Any, Any, HTTPResponse]]
OFFICE = "政声"
API, FORM = "/api/v1/session", "/session"
PROBLEMS: Mapping[str, str] = {
    "wrong": signing_in.WRONG,
    "code": signing_in.WRONG_CODE,
    "locked": "输错次数过多，请稍后再试，或请安全管理员重设口令。",
    "over": signing_in.OVER,
    "confirm": "请先重新输入现在的口令。",
    "short": "新口令太短。",
    "long": "新口令太长，最多 128 个字符。",
    "kinds": "新口令的字符种类太少。",
    "common": "新口令太常见，容易被猜中。可以用几个不相干的词连起来，再加数字和符号。",
    "own": "新口令里不要有自己的登录名、姓名或单位名称。",
    "same": "新口令不能与原口令相同。",
    "input": "填写的内容不对，请检查后再试。",
}


@dataclass(frozen=True)
class SessionRoute:
    """One address of this room, in the shape of the other route tables."""

    method: str
    path: str
    act: Act
    summary: str
    page: str = SIGN_IN
    open: bool = False
    body: type[Any] | None = None
    sensitive: bool = False

    @property
    def name(self) -> str:
        words = self.path.strip("/").replace(".", "_").replace("/", "_")
        return f"{self.method.lower()}_{words}"

    @property
    def form(self) -> str:
        return "api" if self.path.startswith("/api/") else "form"

    @property
    def right(self) -> str | None:
        return "open" if self.open else None

    @property
    def unsafe(self) -> bool:
        return self.method not in ("GET", "HEAD")


def given(request: Request, *fields: str) -> dict[str, str]:
    """These texts from a JSON body or a form; Invalid names what is missing, foreign, or no text."""
    if request.path.startswith("/api/"):
        said = _json_body(request)
        foreign = [name for name in said if name not in fields]
    else:
        said = {name: request.form.get(name) for name in fields} if request.form is not None else {}
        foreign = []
    wrong = [name for name in fields if not isinstance(said.get(name), str)] + foreign
    if wrong:
        errors = tuple(FieldError(name, "应为文字" if name in fields else "没有这个字段") for name in wrong)
        raise Invalid("请求里有字段不对。", errors)
    return {name: str(said[name]) for name in fields}


def _json_body(request: Request) -> dict[str, Any]:
    if request.content_type.split(";")[0].strip().lower() != "application/json":
        raise Invalid("请求应为 JSON（Content-Type: application/json）。")
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise Invalid("请求不是合格的 JSON（UTF-8）。") from None
    if not isinstance(body, dict):
        raise Invalid("请求应为一个 JSON 对象。")
    return body


def _told(signed: SignedIn) -> HTTPResponse:
    person = {"id": signed.actor.id, "name": signed.actor.name, "roles": sorted(signed.actor.roles)}
    return _kept_private(json_response({"person": person, "csrf": signed.csrf, "wants": signed.wants}))


def _kept_private(response: HTTPResponse) -> HTTPResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


def _onward(request: Request, wants: Wants | None) -> HTTPResponse:
    """A form's answer: to what is still wanting, else to where the person was going."""
    then = _next(request)
    to = then if wants is None else f"{WAYS[wants][0]}?{urlencode({'next': then})}"
    return _kept_private(redirect(to, status=303))


def _next(request: Request) -> str:
    """Where a form's page was going; the home page for anything else."""
    return own_path(request.form.get("next") if request.form is not None else None)


def _is_api(request: Request) -> bool:
    return request.path.startswith("/api/")


def _signed(request: Request) -> SignedIn:
    signed: SignedIn | None = request.ctx.signed
    if signed is None:
        raise NotSignedIn(signing_in.OVER)
    return signed


async def _again(gate: Gate, request: Request) -> SignedIn:
    """The session as it is after the act."""
    signed = await signing_in.resume(gate.desk_of(request), gate.token_of(request), request.ctx.address)
    if signed is None:
        raise NotSignedIn(signing_in.OVER)
    return signed


async def _answered(gate: Gate, request: Request) -> HTTPResponse:
    signed = await _again(gate, request)
    return _told(signed) if _is_api(request) else _onward(request, signed.wants)


async def sign_in(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """A new session; whatever session the browser had ends."""
    words = given(request, "login", "password")
    desk, before = gate.desk_of(request), gate.token_of(request)
    if len(words["login"]) > 64 or len(words["password"]) > 128:
        raise NotSignedIn(signing_in.WRONG)
    token, signed = await signing_in.sign_in(
        desk, words["login"], words["password"], request.ctx.address, before=before
    )
    response = _told(signed) if _is_api(request) else _onward(request, signed.wants)
    gate.set_cookie(response, token)
    return response


async def who(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """Who is signed in, the form token, and what the session still wants."""
    return _told(_signed(request))


async def second(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """The second factor's code."""
    await signing_in.second(gate.desk_of(request), _signed(request), given(request, "code")["code"])
    return await _answered(gate, request)


async def confirm(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """The password again, before a sensitive change."""
    await signing_in.confirm(gate.desk_of(request), _signed(request), given(request, "password")["password"])
    return await _answered(gate, request)


async def sign_out(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """End the session and take the cookie back."""
    await signing_in.sign_out(gate.desk_of(request), _signed(request))
    response = empty() if _is_api(request) else redirect(SIGN_IN, status=303)
    gate.drop_cookie(response)
    return _kept_private(response)


async def new_password(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """One's own new password: every session ends, so the browser signs in anew."""
    words = given(request, "old", "new")
    _refuse_half(_signed(request))
    await staffing.change_own_password(gate.desk_of(request), _signed(request), words["old"], words["new"])
    onward = redirect(f"{SIGN_IN}?{urlencode({'done': 'password', 'next': _next(request)})}", status=303)
    response = empty() if _is_api(request) else onward
    gate.drop_cookie(response)
    return _kept_private(response)


def _refuse_half(signed: SignedIn) -> None:
    """A session that has not passed its second factor changes nothing of the person's."""
    if signed.wants is Wants.SECOND:
        raise NotAllowed(WAYS[Wants.SECOND][1])


async def begin_factor(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """A new second factor: its secret, its address and a QR picture of it, shown this once."""
    signed = _signed(request)
    factor = await signing_in.begin_enrolment(gate.desk_of(request), signed)
    address = enrolment_address(factor, signed.actor.name, OFFICE)
    if not _is_api(request):  # the form's target is a frame or a new page that holds nothing but the picture
        return _kept_private(raw(qr_svg(address), content_type="image/svg+xml"))
    svg = qr_svg(address).decode()
    return _kept_private(json_response({"secret": factor, "address": address, "svg": svg}))


async def finish_factor(gate: Gate, request: Request, _: Mapping[str, str]) -> HTTPResponse:
    """The first code of the new factor."""
    await signing_in.finish_enrolment(gate.desk_of(request), _signed(request), given(request, "code")["code"])
    return await _answered(gate, request)


ROUTES: tuple[SessionRoute, ...] = (
    SessionRoute("POST", API, sign_in, "登录", open=True),
    SessionRoute("GET", API, who, "当前登录的人"),
    SessionRoute("DELETE", API, sign_out, "退出"),
    SessionRoute("POST", f"{API}/second", second, "动态口令"),
    SessionRoute("POST", f"{API}/confirm", confirm, "重新输入口令"),
    SessionRoute("PUT", f"{API}/password", new_password, "改自己的口令"),
    SessionRoute("POST", f"{API}/factor", begin_factor, "开始设置动态口令"),
    SessionRoute("PUT", f"{API}/factor", finish_factor, "完成设置动态口令"),
    SessionRoute("POST", FORM, sign_in, "登录（表单）", open=True),
    SessionRoute("POST", f"{FORM}/code", second, "动态口令（表单）", page=WAYS[Wants.SECOND][0]),
    SessionRoute("POST", f"{FORM}/confirm", confirm, "重新输入口令（表单）", page=CONFIRM),
    SessionRoute("POST", f"{FORM}/end", sign_out, "退出（表单）"),
    SessionRoute("POST", f"{FORM}/password", new_password, "改口令（表单）", page=WAYS[Wants.PASSWORD][0]),
    SessionRoute("POST", f"{FORM}/factor", begin_factor, "开始设置动态口令（表单）", page=WAYS[Wants.ENROL][0]),
    SessionRoute("POST", f"{FORM}/factor/code", finish_factor, "完成设置动态口令（表单）", page=WAYS[Wants.ENROL][0]),
)


def handler(gate: Gate, route: SessionRoute) -> Callable[..., Coroutine[Any, Any, HTTPResponse]]:
    """The route's act as the application calls it; a form that fails goes back to its page."""

    async def handle(request: Request, **parts: str) -> HTTPResponse:
        try:
            return await route.act(gate, request, parts)
        except HubError as error:
            if route.form == "api" or error.status >= 500:
                raise
            query = urlencode({"problem": _problem(route, error), "next": _next(request)})
            return redirect(f"{route.page}?{query}", status=303)

    return handle


def _problem(route: SessionRoute, error: HubError) -> str:
    if isinstance(error, TooMany):
        return "locked"
    if isinstance(error, WeakPassword):
        return error.reason
    if isinstance(error, Invalid):
        return "input"
    if isinstance(error, NotSignedIn):
        return "wrong" if route.act is sign_in else "over"
    if route.act is begin_factor:
        return "confirm"
    return "code" if route.act in (second, finish_factor) else "wrong"
