"""Before the work: the sign-in pages, the look of pages, health; what signing in does lives in access and the desk."""

from __future__ import annotations

from collections.abc import Mapping

from sanic import HTTPResponse, Request
from sanic.response import json, redirect

from hub.access import PROBLEMS
from hub.access.requests import own_path
from hub.desk.beating import is_publishing
from hub.domain.errors import FieldError
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, show, show_bare
from hub.rendering import ELDER_COOKIE, THEME_COOKIE, THEMES

YEAR = 365 * 24 * 3600


def _errors(request: Request, name: str) -> list[FieldError]:
    said = PROBLEMS.get(request.args.get("problem") or "")
    return [FieldError(name, said)] if said else []


async def sign_in_page(request: Request) -> HTTPResponse:
    if request.ctx.actor is not None:
        return redirect(own_path(request.args.get("next")), status=303)
    then = own_path(request.args.get("next"))
    said = "口令已改好，请用新口令登录。" if request.args.get("done") == "password" else ""
    errors = _errors(request, "login")
    return show_bare(request, "login.html", errors=errors, said=said, login="", step="password", next=then)


async def second_page(request: Request) -> HTTPResponse:
    then = own_path(request.args.get("next"))
    return show_bare(request, "login.html", errors=_errors(request, "code"), login="", step="code", next=then)


async def password_page(request: Request) -> HTTPResponse:
    then = own_path(request.args.get("next"))
    return show_bare(request, "desk/password.html", errors=_errors(request, "new"), next=then)


async def factor_page(request: Request) -> HTTPResponse:
    then = own_path(request.args.get("next"))
    return show_bare(request, "desk/factor.html", errors=_errors(request, "code"), next=then)


async def confirm_page(request: Request) -> HTTPResponse:
    then = own_path(request.args.get("next"))
    return show_bare(request, "desk/confirm.html", errors=_errors(request, "password"), next=then)


async def me(request: Request) -> HTTPResponse:
    return await show(request, "desk/me.html", "home", me=actor_of(request))


async def change_look(request: Request) -> HTTPResponse:
    """Remember how this browser wants pages drawn; nothing of it is stored about the person."""
    response = redirect(own_path(field(request, "next")), status=303)
    wanted: Mapping[str, str] = {THEME_COOKIE: field(request, "theme"), ELDER_COOKIE: field(request, "elder")}
    for name, value in wanted.items():
        if value in (*THEMES, "device", "on", "off"):
            secure = request.app.ctx.gate.secure
            response.add_cookie(
                name, value, max_age=YEAR, secure=secure, httponly=False, samesite="Lax", host_prefix=False
            )
    return response


async def health(_request: Request) -> HTTPResponse:
    return json({"state": "ok"})


async def ready(request: Request) -> HTTPResponse:
    """Red while the store does not answer or no worker lives; for the office's own watch."""
    alive = await is_publishing(desk_of(request))
    said = {"store": "ok", "worker": "ok" if alive else "自动发布已停止"}
    return json(said, status=200 if alive else 503, ensure_ascii=False)


ROUTES = (
    Route("GET", "/login", sign_in_page, "open"),
    Route("GET", "/login/second", second_page, "open"),
    Route("GET", "/account/password", password_page, "open"),
    Route("GET", "/account/factor", factor_page, "open"),
    Route("GET", "/account/confirm", confirm_page, "open"),
    Route("GET", "/me", me, None),
    Route("POST", "/look", change_look, None, "form"),
    Route("GET", "/health", health, "open", "api"),
    Route("GET", "/ready", ready, "notice.read", "api"),
)
