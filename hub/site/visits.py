"""查进度: the pages of somebody who came with a query code; what they may see and say is demands.py's to decide.

The code arrives in a form's body and leaves as a cookie of half an hour, so no address ever holds it. Every form behind
the cookie carries the cookie's own token.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sanic import HTTPResponse, Request
from sanic.response import redirect

from hub.domain.case import RATINGS
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotSignedIn, TooMany
from hub.site import demands
from hub.site.codes import Visit
from hub.site.letters import prose, row_id
from hub.site.routes import FORM_BYTES, Route, Site, address_of
from hub.site.surroundings import show
from hub.wording import moment

COOKIE = "demand"
PAGE, LOOK = "/demands/mine", "/demands"
DONE = {
    "said": "已送达，工作人员会看到您补充的内容。",
    "rated": "谢谢，评价已送达。",
    "again": "已送达，这件事会重新办理。",
    "proved": "已核对。",
}
EMPTY = {"query_code": "", "proof": "", "text": "", "reason": "", "level": ""}


# ---- the cookie


def cookie_of(request: Request, site: Site) -> str:
    """The visit's cookie as the browser sent it."""
    return str(request.cookies.get(_name(site)) or "")


def _name(site: Site) -> str:
    return f"__Host-{COOKIE}" if _secure(site) else COOKIE


def _secure(site: Site) -> bool:
    return site.base_url.startswith("https://") and site.mark != "demo"


def set_visit(answer: HTTPResponse, site: Site, value: str, *, seconds: int = 1800) -> HTTPResponse:
    """Give the browser the visit's cookie, for this host and half an hour; an empty value takes it back."""
    answer.add_cookie(
        COOKIE, value, path="/", secure=_secure(site), httponly=True, samesite="Strict", host_prefix=_secure(site),
        max_age=seconds if value else 0,
    )  # fmt: skip
    return answer


def visit_of(request: Request, site: Site) -> Visit:
    """The visit that is open; NotSignedIn where none is."""
    visit = site.codes.visit(cookie_of(request, site))
    if visit is None:
        raise NotSignedIn("查询已过半小时，请重新输入查询码。")
    return visit


def require_token(visit: Visit, given: str) -> None:
    """A form or call behind the cookie comes from our own page."""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), visit.token.encode()):
        raise NotAllowed("页面已过期，请刷新后再试。")


# ---- pages


def _field(request: Request, name: str, most: int = 2_000) -> str:
    form: Any = request.form or {}
    return prose(str(form.get(name) or ""))[:most]


async def show_look(request: Request, site: Site) -> HTTPResponse:
    return await _look(request, site)


async def _look(
    request: Request, site: Site, *, error: Invalid | None = None, sentence: str = "", code: str = "", status: int = 200
) -> HTTPResponse:
    errors = error.errors if error else ()
    return await show(
        request, site, "lookup", here="letters", status=status, kept="no-store", errors=errors, sentence=sentence,
        code=code, problem={each.field: each.message for each in errors},
    )  # fmt: skip


async def look(request: Request, site: Site) -> HTTPResponse:
    """The code is exchanged for a visit; what was typed wrong comes back, the proof does not."""
    code = _field(request, "query_code", 60)
    try:
        visit = await demands.look_up(site, address_of(request, site), code, _field(request, "proof", 60))
    except Invalid as error:
        return await _look(request, site, error=error, code=code, status=422)
    except TooMany as error:
        answer = await _look(request, site, sentence=error.message, code=code, status=429)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return set_visit(redirect(PAGE, status=303), site, site.codes.admit(visit.demand, proved=visit.proved))


async def show_mine(request: Request, site: Site) -> HTTPResponse:
    if site.codes.visit(cookie_of(request, site)) is None:
        return redirect(LOOK, status=303)
    return await _mine(request, site, said=DONE.get(request.args.get("done") or "", ""))


async def _mine(
    request: Request, site: Site, *, error: Invalid | None = None, sentence: str = "", said: str = "", status: int = 200
) -> HTTPResponse:
    visit = visit_of(request, site)
    found = in_words(await demands.progress(site, visit))
    errors = error.errors if error else ()
    given = {name: _field(request, name) for name in ("text", "reason", "level")} if request.form else {}
    return await show(
        request, site, "progress", here="letters", status=status, kept="no-store", found=found, visit=visit,
        stages=demands.STAGES, ratings=RATINGS, errors=errors, sentence=sentence, said=said,
        problem={each.field: each.message for each in errors}, values={**EMPTY, **given}, key=site.ids.new(),
        most=demands.MOST_TEXT,
    )  # fmt: skip


def in_words(found: demands.Progress) -> demands.Progress:
    """The same with its moments as people read them."""

    def said(at: str) -> str:
        try:
            return moment(datetime.fromisoformat(at))
        except ValueError:
            return ""

    def rows(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "at": said(str(row.get("at") or ""))} for row in given]

    own = {**found.own, "messages": rows(list(found.own.get("messages") or ()))} if found.own else {}
    return replace(
        found, due=said(found.due), answers=rows(found.answers), steps=rows(found.steps), own=own
    )


def _form(work: Callable[..., Any]) -> Callable[..., Any]:
    """A form behind the visit: its token is asked for, and what is not taken comes back whole."""

    async def handle(request: Request, site: Site) -> HTTPResponse:
        if site.codes.visit(cookie_of(request, site)) is None:
            return redirect(LOOK, status=303)
        visit = visit_of(request, site)
        require_token(visit, _field(request, "token", 80))
        try:
            answer: HTTPResponse = await work(request, site, visit)
        except Invalid as error:
            return await _mine(request, site, error=error, status=422)
        except (Conflict, TooMany) as error:
            return await _mine(request, site, sentence=error.message, status=error.status)
        return answer

    return handle


async def _say(request: Request, site: Site, visit: Visit) -> HTTPResponse:
    text, key = _field(request, "text", demands.MOST_TEXT + 1), _field(request, "key", 80)
    unsolved = _field(request, "unsolved") == "on"
    row = row_id(f"{visit.demand}\0{key}", text)
    await demands.add_message(site, visit, text, row, unsolved=unsolved)
    return redirect(f"{PAGE}?done={'again' if unsolved else 'said'}", status=303)


async def _rate(request: Request, site: Site, visit: Visit) -> HTTPResponse:
    level = _field(request, "level", 2)
    number = int(level) if level.isascii() and level.isdecimal() else 0
    await demands.rate(site, visit, _field(request, "answer", 80), number, _field(request, "reason", 300))
    return redirect(f"{PAGE}?done=rated", status=303)


async def _prove(request: Request, site: Site, visit: Visit) -> HTTPResponse:
    cookie = await demands.prove(site, visit, _field(request, "proof", 60))
    return set_visit(redirect(f"{PAGE}?done=proved", status=303), site, cookie)


async def leave(request: Request, site: Site) -> HTTPResponse:
    """离开: the cookie is taken back, on a telephone that others use too."""
    visit = site.codes.visit(cookie_of(request, site))
    if visit is not None:
        require_token(visit, _field(request, "token", 80))
    return set_visit(redirect(LOOK, status=303), site, "")


ROUTES = (
    Route("GET", "/demands", show_look),
    Route("POST", "/demands", look, "form", "origin", FORM_BYTES),
    Route("GET", "/demands/mine", show_mine),
    Route("POST", "/demands/mine/messages", _form(_say), "form", "origin", FORM_BYTES),
    Route("POST", "/demands/mine/rating", _form(_rate), "form", "origin", FORM_BYTES),
    Route("POST", "/demands/mine/proof", _form(_prove), "form", "origin", FORM_BYTES),
    Route("POST", "/demands/leave", leave, "form", "origin", FORM_BYTES),
)
