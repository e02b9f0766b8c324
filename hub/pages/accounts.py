"""账号: how each account is, trying it, holding it, connecting one; publications have their own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import accounts, authorising, caring
from hub.desk.accounts import HEALTH_WORDS, NewAccount
from hub.desk.quotas import left_today
from hub.desk.tidying import drafts_left
from hub.domain.errors import FieldError, HubError, Invalid, NotFound
from hub.domain.quota import WORDS as QUOTA_WORDS
from hub.domain.quota import Left, headline, is_low, left_words
from hub.domain.rights import may
from hub.pages.board import CHANNELS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

LISTED = 100


@dataclass(frozen=True)
class Asked:
    """One thing that a platform wants to know of an account."""

    name: str
    label: str
    hint: str = ""
    needed: bool = True


# what is asked for each kind of channel; credentials are sealed at once and never shown again
SETTINGS: Mapping[str, Sequence[Asked]] = {
    "site": (Asked("base_url", "内容接口地址", "网站程序的地址，如 https://www.yunchuan.example"),),
    "weibo": (
        Asked("domain", "文中链接的网站域名", "微博里的链接必须指向它，如 www.yunchuan.example"),
        Asked("rip", "服务器的出口地址", "微博接口要求写明，如 203.0.113.8"),
        Asked("page_url", "账号主页", "核对时打开的地址", needed=False),
        Asked("base_url", "接口地址", "不填即为微博开放平台", needed=False),
    ),
    "wechat": (
        Asked("app_id", "开发者 ID（AppID）", "公众平台“设置与开发—基本配置”里的 AppID"),
        Asked("default_cover", "默认封面的媒体编号", "没有图片的稿件用它作封面；在媒体库上传后复制编号", needed=False),
        Asked("page_url", "文章所在的网址", "核对时用；不填即为 https://mp.weixin.qq.com", needed=False),
        Asked("base_url", "接口地址", "不填即为微信公众平台", needed=False),
    ),
    "app": (Asked("base_url", "内容接口地址", "App 所在网站程序的地址，如 https://www.yunchuan.example"),),
    "push": (
        Asked("page_url", "推送平台的管理页面", "核对时打开的地址", needed=False),
        Asked("base_url", "接口地址", "不填即为极光推送", needed=False),
    ),
}
CREDENTIALS: Mapping[str, Sequence[Asked]] = {
    "site": (Asked("keys", "内容接口密钥", "与网站程序的设置一致；更换期间可写两个，用空格隔开"),),
    "weibo": (
        Asked("access_token", "访问令牌（access_token）", "在微博开放平台授权后得到"),
        Asked("uid", "账号编号（uid）", needed=False),
    ),
    "wechat": (
        Asked("secret", "开发者密码（AppSecret）", "本机的出口地址须在公众平台的 IP 白名单里"),
        Asked("callback_token", "令牌（Token）", "服务器配置里自己填的那一个；不收来信可不填", needed=False),
        Asked("aes_key", "消息加解密密钥（EncodingAESKey）", "43 个字符，与安全模式一起用", needed=False),
    ),
    "app": (Asked("keys", "内容接口密钥", "与网站程序的设置一致；更换期间可写两个，用空格隔开"),),
    "push": (
        Asked("app_key", "AppKey", "在推送平台的应用设置里"),
        Asked("master_secret", "Master Secret", "在推送平台的应用设置里"),
    ),
}
TIERS = (("", "普通"), ("partner", "合作应用"))


async def show_accounts(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    after = request.args.get("after") or ""
    rows = await accounts.list_accounts(actor, desk, after=after or None, limit=LISTED)
    lefts = await left_today(actor, desk, [row["_id"] for row in rows])
    return await show(
        request,
        "desk/accounts.html",
        "publications" if may(actor, "publication.read") else "settings",
        rows=[_row(row, desk.clock.now(), lefts[row["_id"]]) for row in rows],
        more=f"/accounts?after={rows[-1]['_id']}" if len(rows) == LISTED else "",
        first="/accounts" if after else "",
        channels=CHANNELS,
        may_write=may(actor, "account.write"),
        may_hold=may(actor, "publication.hold"),
        tabs=may(actor, "publication.read"),
    )


def _row(row: Document, now: datetime, lefts: Sequence[Left]) -> dict[str, Any]:
    """One account as a person reads it: state, reason, what is left and until when."""
    health: Mapping[str, Any] = row.get("health") or {}
    state = str(health.get("state") or "not_connected")
    low = [one for one in lefts if is_low(one)] if state == "ok" else []
    state = "quota_low" if low else state
    until = health.get("token_until")
    return {
        **row,
        "state": "held" if row.get("held") else {"quota_low": "quota"}.get(state, state),
        "words": HEALTH_WORDS.get(state, "未连接"),
        "reason": row.get("held_reason") if row.get("held") else _ill_words(state, health, low),
        "days": max(0, (until - now).days) if until else 0,
        "until": wording.full_moment(until) if until else "—",
        "looked": wording.near(health["looked_at"], now) if health.get("looked_at") else "还没有检查过",
        "quota": [(f"{QUOTA_WORDS[one.per]}{one.name}", left_words(one)) for one in lefts],
        "headline": [(one.name, left_words(one)) for one in headline(lefts)],
        "probed": [(each["name"], _probe_words(each)) for each in row.get("probed") or ()],
        "probed_at": wording.near(row["probed_at"], now) if row.get("probed_at") else "",
        "ends": state in ("expiring", "expired"),
        "reauthorised": row.get("reauthorised", False),
        "listened": wording.near(row["listened_at"], now) if row.get("listened_at") else "",
    }


def _probe_words(probed: Mapping[str, Any]) -> str:
    sign = {True: "可以", False: "不行", None: "不清楚"}[probed["fits"]]
    return sign if probed["said"] in ("可以使用", "可以取得") else f"{sign}：{probed['said']}"


def _ill_words(state: str, health: Mapping[str, Any], low: Sequence[Left]) -> str:
    """Why an account is not simply well; empty where it is."""
    if low:
        return f"{QUOTA_WORDS[low[0].per]}“{low[0].name}”{left_words(low[0])}，用完后会等到额度恢复再发。"
    return "" if state == "ok" else str(health.get("reason") or "")


async def show_account(request: Request, id: str) -> HTTPResponse:
    return await _account(request, id)


async def _account(
    request: Request, id: str, *, errors: Sequence[FieldError] = (), reason: str = "", status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    lefts = await left_today(actor, desk, [id])
    row = _row(await accounts.account(actor, desk, id), desk.clock.now(), lefts.get(id, []))
    asked = SETTINGS.get(str(row["channel"]), ())
    facts = [(each.label, str((row.get("settings") or {}).get(each.name) or "—")) for each in asked]
    return await show(
        request,
        "desk/account_one.html",
        "publications" if may(actor, "publication.read") else "settings",
        status=status,
        row=row,
        facts=facts,
        standing=await caring.standing(actor, desk, id),
        errors=errors,
        reason=reason,
        drafts=await drafts_left(actor, desk, id),
        now=desk.clock.now(),
        channels=CHANNELS,
        may_write=may(actor, "account.write"),
        may_hold=may(actor, "publication.hold"),
        may_release=may(actor, "publication.release"),
        may_publications=may(actor, "publication.read"),
    )


async def test_account(request: Request, id: str) -> HTTPResponse:
    await accounts.test_account(actor_of(request), desk_of(request), id)
    return go(f"/accounts/{id}", "tested")


test_account.__test__ = False  # type: ignore[attr-defined]


async def show_authorise(request: Request, id: str) -> HTTPResponse:
    return await _authorise(request, id)


async def _authorise(
    request: Request, id: str, *, errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    row = _row(await accounts.account(actor, desk, id), desk.clock.now(), ())
    if not row["reauthorised"]:
        raise NotFound("这个账号没有会到期的授权。")
    return await show(request, "desk/account_authorise.html", "settings", status=status, row=row, errors=errors)


async def authorise(request: Request, id: str) -> HTTPResponse:
    """The new token: tried, sealed, and never shown again."""
    try:
        await authorising.authorise(actor_of(request), desk_of(request), id, field(request, "token", 2_000))
    except HubError as error:
        if error.status not in (409, 422):
            raise
        errors = error.errors if isinstance(error, Invalid) else ()
        return await _authorise(request, id, errors=errors or (FieldError("token", error.message),), status=422)
    return go(f"/accounts/{id}", "authorised")


async def hold_account(request: Request, id: str) -> HTTPResponse:
    reason = field(request, "reason", 200)
    try:
        await accounts.hold_account(actor_of(request), desk_of(request), id, reason)
    except Invalid as error:
        return await _account(request, id, errors=error.errors, reason=reason, status=422)
    return go(f"/accounts/{id}", "account_held")


async def release_account(request: Request, id: str) -> HTTPResponse:
    await accounts.release_account(actor_of(request), desk_of(request), id)
    return go(f"/accounts/{id}", "account_released")


# ---- connecting


async def new_account(request: Request) -> HTTPResponse:
    channel = request.args.get("channel") or ""
    if channel not in SETTINGS:
        return await show(
            request, "desk/account_kinds.html", "settings", kinds=[(key, CHANNELS[key][1]) for key in SETTINGS]
        )
    return await _form(request, channel, {}, {})


async def edit_account(request: Request, id: str) -> HTTPResponse:
    row = await accounts.account(actor_of(request), desk_of(request), id)
    written = {"key": row["_id"], "name": row["name"], "waits_for": row.get("waits_for") or ""}
    written |= {f"s_{name}": str(value) for name, value in (row.get("settings") or {}).items()}
    written |= {"tier": str((row.get("profile") or {}).get("tier") or "")}
    written |= {"fallback_minutes": str(row.get("fallback_minutes") or "")}
    return await _form(request, str(row["channel"]), written, row)


async def _form(
    request: Request,
    channel: str,
    written: Mapping[str, str],
    known: Mapping[str, Any],
    *,
    errors: Sequence[FieldError] = (),
    status: int = 200,
) -> HTTPResponse:
    rows = await accounts.list_accounts(actor_of(request), desk_of(request), limit=200)
    sites = [(row["_id"], row["name"]) for row in rows if row["channel"] == "site"]
    return await show(
        request,
        "desk/account_form.html",
        "settings",
        status=status,
        channel=channel,
        channel_name=CHANNELS[channel][1] if channel in CHANNELS else channel,
        written=written,
        known=bool(known),
        settings=SETTINGS.get(channel, ()),
        credentials=CREDENTIALS.get(channel, ()),
        sites=[("", "不用等"), *sites] if channel != "site" else [],
        tiers=TIERS if channel == "weibo" else (),
        errors=errors,
        demo=desk_of(request).demo,
    )


async def save_account(request: Request) -> HTTPResponse:
    """Connect a new account, or change one: its credentials are then typed in anew."""
    desk, actor = desk_of(request), actor_of(request)
    names = [name for name in request.form or {} if name != "csrf"]
    written = {name: field(request, name) for name in names if not name.startswith("c_")}
    channel, known = written.get("channel", ""), written.get("known") == "1"
    if channel not in SETTINGS:
        raise NotFound("没有这种渠道。")
    try:
        before = await _before(request, written.get("key", ""), known)
        await accounts.connect_account(actor, desk, _asked_account(request, channel, written, before, desk.demo))
    except HubError as error:
        if error.status not in (409, 422):
            raise
        errors = error.errors if isinstance(error, Invalid) else ()
        found = errors or (FieldError("key", error.message),)
        return await _form(request, channel, written, {"known": 1} if known else {}, errors=found, status=422)
    return go(f"/accounts/{written['key']}", "connected")


async def _before(request: Request, key: str, known: bool) -> Document:
    """The account as it stands; a new one under a key that is taken would silently replace the other."""
    try:
        row = await accounts.account(actor_of(request), desk_of(request), key)
    except NotFound:
        return {}
    if not known:
        raise Invalid("账号有几处要修改。", (FieldError("key", "这个代号已有账号，请换一个；要改它请从账号页进入。"),))
    return row


def _asked_account(
    request: Request, channel: str, written: Mapping[str, str], before: Mapping[str, Any], demo: bool
) -> NewAccount:
    """What was typed in over what stands; settings that this form does not ask for stay."""
    settings = {each.name: written.get(f"s_{each.name}", "") for each in SETTINGS[channel]}
    secrets: dict[str, Any] = {each.name: field(request, f"c_{each.name}") for each in CREDENTIALS[channel]}
    errors = [
        FieldError(f"{mark}_{each.name}", f"请填写{each.label}。")
        for mark, asked, given in (("s", SETTINGS, settings), ("c", CREDENTIALS, secrets))
        for each in asked[channel]
        if each.needed and not given[each.name]
    ]
    minutes = written.get("fallback_minutes", "")
    if minutes and not (minutes.isdecimal() and 1 <= int(minutes) <= 1440):
        errors.append(FieldError("fallback_minutes", "请写 1 到 1440 的分钟数。"))
    if errors:
        raise Invalid("账号有几处要修改。", tuple(errors))
    if "keys" in secrets:
        secrets["keys"] = secrets["keys"].split()
    return NewAccount(
        key=written.get("key", ""),
        channel=channel,
        name=written.get("name", ""),
        settings={**(before.get("settings") or {}), **{name: value for name, value in settings.items() if value}},
        credentials={name: value for name, value in secrets.items() if value},
        profile={**(before.get("profile") or {}), **({"tier": written["tier"]} if written.get("tier") else {})},
        waits_for=written.get("waits_for") or None,
        fallback_minutes=int(minutes) if minutes else None,
        rehearsal=demo,
    )


ROUTES = (
    Route("GET", "/accounts", show_accounts, "account.read"),
    Route("GET", "/accounts/new", new_account, "account.write", sensitive=True),
    Route("POST", "/accounts", save_account, "account.write", "form", sensitive=True),
    Route("GET", "/accounts/<id:str>", show_account, "account.read"),
    Route("GET", "/accounts/<id:str>/edit", edit_account, "account.write", sensitive=True),
    Route("GET", "/accounts/<id:str>/authorise", show_authorise, "account.write", sensitive=True),
    Route("POST", "/accounts/<id:str>/authorise", authorise, "account.write", "form", sensitive=True),
    Route("POST", "/accounts/<id:str>/test", test_account, "account.read", "form"),
    Route("POST", "/accounts/<id:str>/hold", hold_account, "publication.hold", "form"),
    Route("POST", "/accounts/<id:str>/release", release_account, "publication.release", "form"),
)
