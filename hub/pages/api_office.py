"""/api/v1/audit, policies, users, tokens, columns, notices, events: the office itself; the deciding is the desk's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import auditing, columns, governing, noticing, staffing
from hub.domain.errors import FieldError, Invalid, NotFound
from hub.domain.policy import POLICIES
from hub.pages.api_answers import (
    API,
    answer,
    chosen,
    cursor_of,
    done,
    limit_of,
    listed,
    moment_in,
    within,
)
from hub.pages.api_contents import LIST, Key, Short
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of
from hub.pages.stream import stream_events

ROLE = Literal["editor", "reviewer", "monitor", "handler", "sysadmin", "secadmin", "auditor"]
Level = Annotated[int, msgspec.Meta(ge=1, le=3)]
Password = Annotated[str, msgspec.Meta(max_length=200)]
USERS = f"{API}/users"


class UserBody(Body):
    """A new person; the password is for handing over and must be changed at the first sign-in."""

    login: Key
    name: Key
    roles: Annotated[list[ROLE], msgspec.Meta(max_length=10)]
    password: Password
    levels: Annotated[list[Level], msgspec.Meta(max_length=10)] = msgspec.field(default_factory=list)
    department: Key | None = None
    email: Annotated[str, msgspec.Meta(max_length=200)] = ""
    duty: bool = False


class RolesBody(Body):
    roles: Annotated[list[ROLE], msgspec.Meta(max_length=10)]
    levels: Annotated[list[Level], msgspec.Meta(max_length=10)] = msgspec.field(default_factory=list)


class PasswordBody(Body):
    password: Password


class DutyBody(Body):
    duty: bool


class DisabledBody(Body):
    disabled: bool


class TokenBody(Body):
    """A token that speaks for this person within these acts."""

    name: Key
    user: Key
    scopes: Annotated[list[Key], msgspec.Meta(max_length=60)]
    days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 90


class PolicyBody(Body):
    value: int | float | str | bool


class ColumnBody(Body):
    """A column of the public website."""

    name: Short
    description: Short
    type: Key
    levels: Level
    keywords: Annotated[list[Key], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    order: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    public: bool = True


# ---- audit


async def list_audit(request: Request) -> HTTPResponse:
    given, before = chosen(request, "who", "act", "subject"), cursor_of(request)
    if before and not (before.isascii() and before.isdecimal() and len(before) < 16):
        raise Invalid("翻页位置不对，请从第一页看起。", (FieldError("cursor", "请从第一页看起。"),))
    rows, more = await auditing.list_entries(
        actor_of(request),
        desk_of(request),
        **given,
        since=moment_in(request, "from"),
        before=int(before) if before else None,
        limit=limit_of(request),
    )
    return listed(rows, more)


async def verify(request: Request) -> HTTPResponse:
    found = await auditing.verify(actor_of(request), desk_of(request))
    return answer({"entries": found.entries, "whole": found.fault is None, "sentence": found.sentence})


# ---- policies


async def list_policies(request: Request) -> HTTPResponse:
    found = await governing.list_policies(actor_of(request), desk_of(request))
    rows = [{**_policy(policy), "value": value, "change": document} for policy, value, document in found]
    return listed(rows, None)


def _policy(policy: Any) -> dict[str, Any]:
    names = ("name", "default", "unit", "meaning", "source", "floor", "ceiling", "guarded", "choices")
    return {"id": policy.name, **{name: getattr(policy, name) for name in names}}


def _known(name: str) -> str:
    if name not in POLICIES:
        raise NotFound("没有这条规则。")
    return name


async def set_policy(request: Request, id: str) -> HTTPResponse:
    body: PolicyBody = take(request, PolicyBody)
    return answer(await governing.set_policy(actor_of(request), desk_of(request), _known(id), body.value))


async def confirm_policy(request: Request, id: str) -> HTTPResponse:
    body: PolicyBody = take(request, PolicyBody)
    return answer(await governing.confirm_policy(actor_of(request), desk_of(request), _known(id), body.value))


async def drop_policy(request: Request, id: str) -> HTTPResponse:
    return answer(await governing.drop_proposal(actor_of(request), desk_of(request), _known(id)))


# ---- people and programs


async def list_users(request: Request) -> HTTPResponse:
    rows, more = await staffing.list_users(
        actor_of(request), desk_of(request), after=cursor_of(request), limit=limit_of(request)
    )
    return listed([_user(row) for row in rows], more)


def _user(row: dict[str, Any]) -> dict[str, Any]:
    """`second_factor` says whether there is one; the factor itself leaves under no name."""
    return {**{name: value for name, value in row.items() if name != "totp"}, "second_factor": bool(row.get("totp"))}


async def one_user(request: Request, login: str) -> HTTPResponse:
    return answer(_user(await staffing.user_named(actor_of(request), desk_of(request), login)))


async def add_user(request: Request) -> HTTPResponse:
    body: UserBody = take(request, UserBody)
    id = await staffing.add_user(
        actor_of(request),
        desk_of(request),
        login=body.login,
        name=body.name,
        roles=body.roles,
        password=body.password,
        levels=body.levels,
        department=body.department,
        email=body.email,
        duty=body.duty,
    )
    return answer({"id": id}, status=201)


async def _id_of(request: Request, login: str) -> str:
    return str((await staffing.user_named(actor_of(request), desk_of(request), login))["_id"])


async def set_roles(request: Request, login: str) -> HTTPResponse:
    body: RolesBody = take(request, RolesBody)
    id = await _id_of(request, login)
    await staffing.set_roles(actor_of(request), desk_of(request), id, body.roles, body.levels)
    return await one_user(request, login)


async def set_password(request: Request, login: str) -> HTTPResponse:
    body: PasswordBody = take(request, PasswordBody)
    id = await _id_of(request, login)
    await staffing.set_password(actor_of(request), desk_of(request), id, body.password)
    return await one_user(request, login)


async def set_duty(request: Request, login: str) -> HTTPResponse:
    body: DutyBody = take(request, DutyBody)
    await staffing.set_duty(actor_of(request), desk_of(request), await _id_of(request, login), body.duty)
    return await one_user(request, login)


async def set_disabled(request: Request, login: str) -> HTTPResponse:
    body: DisabledBody = take(request, DisabledBody)
    id = await _id_of(request, login)
    await staffing.set_disabled(actor_of(request), desk_of(request), id, body.disabled)
    return await one_user(request, login)


async def list_tokens(request: Request) -> HTTPResponse:
    size = limit_of(request)
    rows = await staffing.list_tokens(actor_of(request), desk_of(request), after=cursor_of(request), limit=size)
    return listed(rows, within(rows, size, lambda row: row["_id"]))


async def create_token(request: Request) -> HTTPResponse:
    """The token itself stands in this answer and nowhere else."""
    body: TokenBody = take(request, TokenBody)
    made = await staffing.create_token(
        actor_of(request), desk_of(request), name=body.name, user=body.user, scopes=body.scopes, days=body.days
    )
    return answer({"token": made}, status=201)


async def revoke_token(request: Request, id: str) -> HTTPResponse:
    await staffing.revoke_token(actor_of(request), desk_of(request), id)
    return done()


# ---- columns and notices


async def list_columns(request: Request) -> HTTPResponse:
    return listed(await columns.list_columns(actor_of(request), desk_of(request)), None)


async def save_column(request: Request, id: str) -> HTTPResponse:
    body: ColumnBody = take(request, ColumnBody)
    value = {"_id": id, **msgspec.structs.asdict(body)}
    return answer(await columns.save_column(actor_of(request), desk_of(request), value))


async def list_notices(request: Request) -> HTTPResponse:
    rows, more = await noticing.list_notices(
        actor_of(request),
        desk_of(request),
        unread=request.args.get("unread") == "true",
        before=cursor_of(request),
        limit=limit_of(request),
    )
    return listed(rows, more)


async def read_notice(request: Request, id: str) -> HTTPResponse:
    await noticing.read_notice(actor_of(request), desk_of(request), id)
    return done()


ROUTES = (
    Route(
        "GET", f"{API}/audit", list_audit, "audit.read", "api", None, "审计记录，新的在前",
        query=("who", "act", "subject", "from", *LIST),
    ),
    Route("POST", f"{API}/audit/verify", verify, "audit.read", "api", None, "核对整条审计链"),
    Route("GET", f"{API}/policies", list_policies, "policy.read", "api", None, "规则：现在的数字、默认、可调范围"),
    Route(
        "PUT", f"{API}/policies/<id:str>", set_policy, "policy.write", "api", PolicyBody, "改一条规则，双人的为提出",
        sensitive=True,
    ),
    Route(
        "POST", f"{API}/policies/<id:str>/confirm", confirm_policy, "policy.confirm", "api", PolicyBody,
        "确认他人的提议",
    ),
    Route("POST", f"{API}/policies/<id:str>/drop", drop_policy, "policy.confirm", "api", None, "撤回或不同意提议"),
    Route("GET", USERS, list_users, "user.read", "api", None, "用户列表", query=LIST),
    Route(
        "POST", USERS, add_user, "user.write", "api", UserBody, "新用户",
        sensitive=True,
    ),
    Route("GET", f"{USERS}/<login:str>", one_user, "user.read", "api", None, "一个用户"),
    Route(
        "PUT", f"{USERS}/<login:str>/roles", set_roles, "user.write", "api", RolesBody, "改角色",
        sensitive=True,
    ),
    Route(
        "PUT", f"{USERS}/<login:str>/password", set_password, "user.write", "api", PasswordBody, "重设口令",
        sensitive=True,
    ),
    Route(
        "PUT", f"{USERS}/<login:str>/duty", set_duty, "user.write", "api", DutyBody, "值班",
        sensitive=True,
    ),
    Route(
        "PUT", f"{USERS}/<login:str>/disabled", set_disabled, "user.write", "api", DisabledBody, "停用或启用",
        sensitive=True,
    ),
    Route("GET", f"{API}/tokens", list_tokens, "token.write", "api", None, "令牌列表", query=LIST),
    Route(
        "POST", f"{API}/tokens", create_token, "token.write", "api", TokenBody, "新令牌，只显示这一次",
        sensitive=True,
    ),
    Route("DELETE", f"{API}/tokens/<id:str>", revoke_token, "token.write", "api", None, "吊销令牌"),
    Route("GET", f"{API}/columns", list_columns, "notice.read", "api", None, "栏目"),
    Route("PUT", f"{API}/columns/<id:str>", save_column, "column.write", "api", ColumnBody, "新建或改一个栏目"),
    Route(
        "GET", f"{API}/notices", list_notices, "notice.read", "api", None, "自己的通知", query=("unread", *LIST)
    ),
    Route("POST", f"{API}/notices/<id:str>/read", read_notice, "notice.read", "api", None, "标为已读"),
    Route("GET", f"{API}/events", stream_events, "notice.read", "stream", None, "实时事件（server-sent events）"),
)  # fmt: skip
