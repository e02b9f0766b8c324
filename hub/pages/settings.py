"""设置: the entry, people, programs' tokens; rules have their own file, and what may be done is the desk's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub.desk import naming, staffing
from hub.domain.errors import Conflict, FieldError, HubError, Invalid, NotAllowed
from hub.domain.people import NAMES, Role
from hub.domain.rights import PERSON_ONLY, RIGHTS, may
from hub.pages.act_words import RIGHT_WORDS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show

ROLE_CHOICES = [(role.value, NAMES[role]) for role in Role]
LEVEL_CHOICES = [(str(level), f"{level} 级") for level in (1, 2, 3)]
SECTIONS = (
    ("users", "用户", "/settings/users", "user.read", "people", "谁能进来、是什么角色、谁在值班"),
    ("policies", "规则", "/settings/policies", "policy.read", "list", "口令、审批、补发、预警的数字，谁改的、依据什么"),
    ("model", "情感模型", "/model", "model.read", "pulse", "哪一版在判留言，用本单位的标注重新训练，换回从前的"),
    ("topics", "主题分类", "/topics", "model.read", "list", "留言按哪张分类表分，用改正过的主题训练，换回从前的"),
    ("dictionary", "词典", "/settings/dictionary", "dictionary.read", "book",
     "本地的地名、机构、人名和它们的简称，读留言时认得"),
    ("tokens", "令牌", "/settings/tokens", "token.write", "key", "给程序用的钥匙：能做什么、到什么时候"),
    ("accounts", "账号", "/accounts", "account.read", "send", "网站和微博的连接、额度、授权"),
    ("services", "服务事项", "/services", "service.write", "globe", "群众问办事时先由它答，也是公众号的自动答复"),
    ("columns", "栏目", "/columns", "column.write", "globe", "网站的栏目和各自的审批级数"),
    ("audit", "审计", "/audit", "audit.read", "shield", "谁在什么时候做了什么，链条是否完整"),
)
TURNED = {"disable": True, "enable": False}
LISTED = 50


async def show_settings(request: Request) -> HTTPResponse:
    actor = actor_of(request)
    return await show(
        request,
        "desk/settings_home.html",
        "settings",
        sections=[(icon, words, href, text) for _, words, href, act, icon, text in SECTIONS if may(actor, act)],
    )


def sections_of(request: Request) -> list[tuple[str, str, str, None]]:
    """The tabs that this person may open."""
    actor = actor_of(request)
    return [
        (key, words, href, None)
        for key, words, href, act, _, _ in SECTIONS
        if (href.startswith("/settings/") or key in ("model", "topics")) and may(actor, act)
    ]


# ---- people


async def show_users(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    after = request.args.get("after") or ""
    rows, more = await staffing.list_users(actor, desk, after=after, limit=LISTED)
    return await show(
        request,
        "desk/users.html",
        "settings",
        tabs=sections_of(request),
        rows=rows,
        more=f"/settings/users?{urlencode({'after': more})}" if more else "",
        first="/settings/users" if after else "",
        names={role.value: name for role, name in NAMES.items()},
        may_write=may(actor, "user.write"),
    )


async def new_user(request: Request) -> HTTPResponse:
    return await _new(request, {}, ())


async def _new(
    request: Request, written: Mapping[str, Any], errors: Sequence[FieldError], status: int = 200
) -> HTTPResponse:
    return await show(
        request,
        "desk/settings_user_new.html",
        "settings",
        status=status,
        written=written,
        errors=errors,
        roles=ROLE_CHOICES,
        levels=LEVEL_CHOICES,
    )


async def add_user(request: Request) -> HTTPResponse:
    roles, levels = _many(request, "roles"), _many(request, "levels")
    login, name = field(request, "login", 64), field(request, "name", 80)
    try:
        await staffing.add_user(
            actor_of(request),
            desk_of(request),
            login=login,
            name=name,
            roles=roles,
            levels=_numbers(levels),
            password=_password(request),
            department=field(request, "department", 80) or None,
            email=field(request, "email", 200),
            duty=field(request, "duty", 3) == "on",
        )
    except (Invalid, Conflict) as error:
        written = {"login": login, "name": name, "roles": roles, "levels": levels}
        written |= {name: field(request, name, 200) for name in ("department", "email")}
        return await _new(request, written, _errors(error, "login"), 422)
    return go(f"/settings/users/{login.lower()}", "user_added")


def _password(request: Request) -> str:
    """A password as it was typed, blanks and all."""
    return str((request.form.get("password") if request.form else "") or "")[:200]


def _many(request: Request, name: str) -> list[str]:
    return [str(each) for each in (request.form.getlist(name) or [])][:20] if request.form else []


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text) if text.isdecimal() else 0 for text in texts]


def _errors(error: HubError, place: str) -> Sequence[FieldError]:
    found = error.errors if isinstance(error, Invalid) else ()
    return found or (FieldError(place, error.message),)


async def show_user(request: Request, login: str) -> HTTPResponse:
    return await _user(request, login)


async def _user(
    request: Request, login: str, *, errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    row = await staffing.user_named(actor, desk, login)
    return await show(
        request,
        "desk/settings_user.html",
        "settings",
        status=status,
        row=row,
        errors=errors,
        roles=ROLE_CHOICES,
        levels=LEVEL_CHOICES,
        own=row["_id"] == actor.id,
    )


async def change_user(request: Request, login: str, act: str) -> HTTPResponse:
    """One change of one person; what is wrong is said on the person's own page."""
    desk, actor = desk_of(request), actor_of(request)
    row = await staffing.user_named(actor, desk, login)
    try:
        await _change(request, str(row["_id"]), act)
    except (Invalid, Conflict, NotAllowed) as error:
        place = {"roles": "roles", "password": "password", "email": "email"}.get(act, "act")
        return await _user(request, login, errors=_errors(error, place), status=error.status)
    return go(f"/settings/users/{login}", "user_changed")


async def _change(request: Request, id: str, act: str) -> None:
    desk, actor = desk_of(request), actor_of(request)
    if act == "roles":
        await staffing.set_roles(actor, desk, id, _many(request, "roles"), _numbers(_many(request, "levels")))
    elif act in TURNED:
        await staffing.set_disabled(actor, desk, id, TURNED[act])
    elif act == "password":
        await staffing.set_password(actor, desk, id, _password(request))
    elif act == "email":
        await staffing.set_email(actor, desk, id, field(request, "email", 200))
    elif act == "factor":
        await staffing.clear_factor(actor, desk, id)
    else:
        await staffing.set_duty(actor, desk, id, act == "on-duty")


# ---- tokens


async def show_tokens(request: Request) -> HTTPResponse:
    return await _tokens(request)


async def _tokens(
    request: Request,
    *,
    made: str = "",
    errors: Sequence[FieldError] = (),
    written: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    after = request.args.get("after") or ""
    rows = await staffing.list_tokens(actor, desk, after=after, limit=LISTED)
    people, _ = await staffing.list_users(actor, desk, disabled=False, limit=200)
    names = await naming.names_of(actor, desk, [row["user"] for row in rows] + [row["by"] for row in rows])
    now = desk.clock.now()
    return await show(
        request,
        "desk/tokens.html",
        "settings",
        status=status,
        tabs=sections_of(request),
        rows=[{**row, "over": bool(row.get("revoked_at")) or row["expires_at"] <= now} for row in rows],
        more=f"/settings/tokens?{urlencode({'after': rows[-1]['_id']})}" if len(rows) == LISTED else "",
        first="/settings/tokens" if after else "",
        names=names,
        people=[(row["_id"], f"{row['name']}（{row['login']}）") for row in people],
        scopes=[(act, f"{RIGHT_WORDS.get(act, act)}（{act}）") for act in RIGHTS if act not in PERSON_ONLY],
        made=made,
        errors=errors,
        written=written or {},
    )


async def create_token(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    days, scopes = field(request, "days", 5), _many(request, "scopes") or field(request, "scopes").split()
    written = {"name": field(request, "name", 80), "user": field(request, "user", 64), "scopes": scopes, "days": days}
    try:
        made = await staffing.create_token(
            actor,
            desk,
            name=written["name"],  # type: ignore[arg-type]
            user=written["user"],  # type: ignore[arg-type]
            scopes=scopes,
            days=int(days) if days.isdecimal() else 0,
        )
    except HubError as error:
        if error.status not in (404, 422):
            raise
        return await _tokens(request, errors=_errors(error, "user"), written=written, status=422)
    return await _tokens(request, made=made)


async def revoke_token(request: Request, id: str) -> HTTPResponse:
    await staffing.revoke_token(actor_of(request), desk_of(request), id)
    return go("/settings/tokens", "token_revoked")


ROUTES = (
    Route("GET", "/settings", show_settings, "notice.read"),
    Route("GET", "/settings/users", show_users, "user.read"),
    Route("GET", "/settings/users/new", new_user, "user.write", sensitive=True),
    Route("POST", "/settings/users", add_user, "user.write", "form", sensitive=True),
    Route("GET", "/settings/users/<login:str>", show_user, "user.write", sensitive=True),
    Route(
        "POST",
        "/settings/users/<login:str>/<act:roles|disable|enable|password|email|factor|on-duty|off-duty>",
        change_user,
        "user.write",
        "form",
        sensitive=True,
    ),
    Route("GET", "/settings/tokens", show_tokens, "token.write", sensitive=True),
    Route("POST", "/settings/tokens", create_token, "token.write", "form", sensitive=True),
    Route("POST", "/settings/tokens/<id:str>/revoke", revoke_token, "token.write", "form"),
)
