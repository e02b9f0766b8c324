"""服务事项: the service directory, and what a 公众号 answers by itself, as pages; deciding is the desk's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sanic import HTTPResponse, Request

from hub.desk import accounts, serving
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.first_answer import LONGEST, MENU, WELCOME
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show

LISTED = 100
Tab = tuple[str, str, str, int | None]
NAMES = {"_id": "slug"}  # field of the rule -> field of the form
NEW: Mapping[str, Any] = {"_id": "", "name": "", "aliases": [], "public": True, "icon": "list", "order": 100}
ICON_WORDS = (
    ("list", "清单"), ("card", "证卡"), ("house", "房屋"), ("child", "孩子"), ("heart", "健康"), ("bus", "出行"),
    ("book", "学习"), ("drop", "水"), ("user", "个人"), ("people", "人群"), ("pin", "地点"), ("clock", "时间"),
    ("globe", "网上"),
)  # fmt: skip
FIELDS = ("name", "needs", "where", "hours", "phone", "link", "department")


async def show_services(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    after = request.args.get("after") or ""
    rows = await serving.list_services(actor, desk, after=after, limit=LISTED)
    more = f"/services?after={rows[-1]['_id']}" if len(rows) == LISTED else ""
    first = "/services" if after else ""
    tabs = await _tabs(request)
    write = may(actor, "service.write")
    return await show(
        request, "desk/services.html", "columns", rows=rows, more=more, first=first, tabs=tabs, may_write=write
    )


async def _tabs(request: Request) -> list[Tab]:
    """公众网: columns, where this person keeps them, the directory, and each 公众号's own answers."""
    desk, actor = desk_of(request), actor_of(request)
    tabs: list[Tab] = [("/columns", "栏目", "/columns", None)] if may(actor, "column.write") else []
    tabs.append(("/services", "服务事项", "/services", None))
    rows = await accounts.list_accounts(actor, desk, limit=200) if may(actor, "account.read") else []
    talking = [row for row in rows if row["channel"] == "wechat"]
    places = [(f"/first-answers/{row['_id']}", f"自动答复：{row['name']}") for row in talking]
    return [*tabs, *((place, words, place, None) for place, words in places)]


async def new_service(request: Request) -> HTTPResponse:
    return await _form(request, NEW, known=False)


async def edit_service(request: Request, id: str) -> HTTPResponse:
    return await _form(request, await serving.service(actor_of(request), desk_of(request), id), known=True)


async def _form(
    request: Request, row: Mapping[str, Any], *, known: bool, errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    shown = [FieldError(NAMES.get(error.field, error.field), error.message) for error in errors]
    more: dict[str, Any] = {"row": row, "known": known, "errors": shown, "marks": ICON_WORDS}
    return await show(request, "desk/service_form.html", "columns", status=status, **more)


async def save_service(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    known, value = field(request, "known", 1) == "1", _written(request)
    try:
        if not known and await _taken(request, str(value["_id"])):
            raise Invalid("服务事项有几处要修改。", (FieldError("_id", "这个代号已有事项，请换一个。"),))
        await serving.save_service(actor, desk, value)
    except Invalid as error:
        return await _form(request, value, known=known, errors=error.errors, status=422)
    return go("/services", "saved")


async def _taken(request: Request, id: str) -> bool:
    try:
        await serving.service(actor_of(request), desk_of(request), id)
    except NotFound:
        return False
    return True


def _written(request: Request) -> dict[str, Any]:
    texts = {name: field(request, name, 600) for name in FIELDS}
    aliases = [line.strip() for line in field(request, "aliases", 1_000).splitlines() if line.strip()]
    order = field(request, "order", 9)
    return {
        **texts,
        "_id": field(request, "slug", 40),
        "aliases": aliases,
        "icon": field(request, "icon", 10),
        "order": int(order) if order.isdecimal() else -1,
        "public": field(request, "public", 3) == "on",
    }


# ---- what a 公众号 answers by itself


async def show_first_answers(request: Request, account: str) -> HTTPResponse:
    row = await serving.first_answers(actor_of(request), desk_of(request), account)
    rules = "\n".join(f"{'、'.join(rule['words'])}：{rule['text']}" for rule in row["rules"])
    return await _answers(request, account, str(row["welcome"]), rules)


async def _answers(
    request: Request, account: str, welcome: str, rules: str, errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    known = await accounts.account(actor_of(request), desk_of(request), account)
    return await show(
        request, "desk/first_answers.html", "columns", status=status, account=known, welcome=welcome, rules=rules,
        errors=errors, standard=WELCOME, longest=LONGEST, menu=MENU, tabs=await _tabs(request),
        may_write=may(actor_of(request), "service.write"), now=desk_of(request).clock.now(),
    )  # fmt: skip


async def save_first_answers(request: Request, account: str) -> HTTPResponse:
    welcome, rules = field(request, "welcome", 2_000), field(request, "rules", 60_000)
    value = {"welcome": welcome, "rules": [_rule(line) for line in rules.splitlines() if line.strip()]}
    try:
        await serving.save_first_answers(actor_of(request), desk_of(request), account, value)
    except Invalid as error:
        return await _answers(request, account, welcome, rules, error.errors, 422)
    return go(f"/first-answers/{account}", "saved")


def _rule(line: str) -> dict[str, Any]:
    """`停水、没水：请报小区名……`: the words before the first colon, the answer behind it."""
    words, _, text = line.replace("：", ":", 1).partition(":")
    return {"words": [word.strip() for word in words.replace(",", "、").split("、") if word.strip()], "text": text}


async def publish_menu(request: Request, account: str) -> HTTPResponse:
    done = await serving.publish_menu(actor_of(request), desk_of(request), account)
    if not (done.get("menu") or {}).get("done"):
        raise Conflict(f"菜单没有更新：{(done.get('menu') or {}).get('reason') or '平台没有说明原因'}")
    return go(f"/first-answers/{account}", "menu")


ROUTES = (
    Route("GET", "/services", show_services, "service.read"),
    Route("GET", "/services/new", new_service, "service.write"),
    Route("POST", "/services", save_service, "service.write", "form"),
    Route("GET", "/services/<id:str>", edit_service, "service.read"),
    Route("GET", "/first-answers/<account:str>", show_first_answers, "service.write"),
    Route("POST", "/first-answers/<account:str>/menu", publish_menu, "service.write", "form"),
    Route("POST", "/first-answers/<account:str>", save_first_answers, "service.write", "form"),
)
