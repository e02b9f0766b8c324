"""账号: connect, try, hold and list the office's accounts, and look after their health; sending lives elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.contract import Health, Probed, Probing
from hub.desk import caring
from hub.desk.desk import Desk, connected
from hub.domain import outbox
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.sealing import CREDENTIALS
from hub.store.base import Document

TABLE = "accounts"
LOOK_EVERY = timedelta(minutes=30)
LOOK_AGAIN = timedelta(minutes=3)  # an ill account is asked sooner
HEALTH_WORDS = caring.WORDS
_KEY = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")  # stands in field names of variants: no dots


INBOX_WAIT = 3  # seconds that a website of ours may hold the question for new letters, where its settings do not say


@dataclass(frozen=True)
class NewAccount:
    """What an administrator types in to connect an account. Credentials are sealed at once and never shown again."""

    key: str
    channel: str
    name: str
    settings: Mapping[str, Any]
    credentials: Mapping[str, str]
    profile: Mapping[str, Any]
    waits_for: str | None = None
    fallback_minutes: int | None = None
    rehearsal: bool = False


async def connect_account(actor: Actor, desk: Desk, new: NewAccount) -> Document:
    """接入账号, or change one. It is kept although it is ill; its health says what is missing."""
    require(actor, "account.write")
    _check(new, demo=desk.demo)
    if new.waits_for is not None and await desk.store.get(TABLE, new.waits_for) is None:
        raise Invalid("没有它要等的那个账号。", (FieldError("waits_for", "请先接入网站账号。"),))
    sealed = _sealed(desk, new)
    fields = {
        "channel": new.channel,
        "name": new.name.strip(),
        "settings": ({"inbox_wait": INBOX_WAIT} if new.channel == "site" else {}) | dict(new.settings),
        "credentials": sealed,
        "profile": dict(new.profile),
        "rehearsal": new.rehearsal,
        "look_at": desk.clock.now(),
        "waits_for": new.waits_for or None,  # written each time, so that it can be taken back
        "fallback_minutes": new.fallback_minutes,
        "warned": None,
    }
    try:
        probe = desk.connect({"_id": new.key, "held": False, **fields})
    except ValueError as error:  # a channel's own sentence on what is missing
        raise Invalid(str(error), (FieldError("settings", str(error)),)) from None
    fields["listening"] = probe.capabilities.listens != "none"
    fields["reauthorised"] = probe.capabilities.reauthorised
    row = outbox.audit(
        desk.ids.new(), actor, "account.connect", new.key, desk.clock.now(), detail={"channel": new.channel}
    )
    update = {"$set": fields, "$setOnInsert": {"held": False, "created_at": desk.clock.now()}}
    account = await desk.store.change(TABLE, {"_id": new.key}, outbox.noted(update, row), upsert=True)
    if account is None:
        raise Conflict("账号刚刚有了变化，请再试一次。")
    return shown(await _probed(desk, await _look(desk, actor, account)))


def _check(new: NewAccount, *, demo: bool) -> None:
    errors: list[FieldError] = []
    if not _KEY.fullmatch(new.key):
        errors.append(FieldError("key", "账号代号用小写字母开头，只含小写字母、数字和短横线，3 到 40 个字符。"))
    if not new.name.strip() or len(new.name) > 40:
        errors.append(FieldError("name", "请写账号名称，40 字以内。"))
    if new.rehearsal and not demo:
        errors.append(FieldError("rehearsal", "正式环境不能接演练账号。"))
    if errors:
        raise Invalid("账号有几处要修改。", tuple(errors))


def _sealed(desk: Desk, new: NewAccount) -> str:
    plain = json.dumps(dict(new.credentials), ensure_ascii=False, sort_keys=True)
    return desk.sealer.seal(plain, table=TABLE, id=new.key, field="credentials", purpose=CREDENTIALS)


def credentials_of(desk: Desk, account: Mapping[str, Any]) -> dict[str, str]:
    """The credentials of an account, opened; for the wiring of channels only."""
    opened = desk.sealer.open(
        str(account["credentials"]), table=TABLE, id=str(account["_id"]), field="credentials", purpose=CREDENTIALS
    )
    return dict(json.loads(opened))


def shown(account: Mapping[str, Any]) -> Document:
    """The account as a page may show it: without credentials, in whatever form."""
    hidden = ("credentials", "outbox", "outbox_open", "outbox_count")
    return {name: value for name, value in account.items() if name not in hidden}


async def list_accounts(actor: Actor, desk: Desk, *, after: str | None = None, limit: int = 50) -> list[Document]:
    """The accounts in the order of their keys; `after` is the last key of the page before."""
    require(actor, "account.read")
    where = {"_id": {"$gt": after}} if after else {}
    rows = await desk.store.find(TABLE, where, sort=[("_id", 1)], limit=max(1, min(limit, 200)))
    return [shown(row) for row in rows]


async def account(actor: Actor, desk: Desk, account_id: str) -> Document:
    """One account as a page may show it; NotFound where there is none."""
    require(actor, "account.read")
    return shown(await _account(desk, account_id))


async def test_account(actor: Actor, desk: Desk, account_id: str) -> Document:
    """Ask the platform now how the account is; no effect outside."""
    require(actor, "account.read")
    return shown(await _probed(desk, await _look(desk, actor, await _account(desk, account_id))))


test_account.__test__ = False  # type: ignore[attr-defined]


async def hold_account(actor: Actor, desk: Desk, account_id: str, reason: str) -> Document:
    """暂停一个账号: nothing goes out to it until it is released."""
    require(actor, "publication.hold")
    if not reason.strip():
        raise Invalid("请写一句暂停的原因。", (FieldError("reason", "请写一句原因。"),))
    return await _held(actor, desk, account_id, {"held": True, "held_reason": reason.strip()}, "account.hold")


async def release_account(actor: Actor, desk: Desk, account_id: str) -> Document:
    """恢复一个账号."""
    require(actor, "publication.release")
    return await _held(actor, desk, account_id, {"held": False, "held_reason": ""}, "account.release")


async def _held(actor: Actor, desk: Desk, account_id: str, fields: Mapping[str, Any], act: str) -> Document:
    now = desk.clock.now()
    rows = (
        outbox.audit(desk.ids.new(), actor, act, account_id, now),
        outbox.event(desk.ids.new(), "account.changed", account_id, now),
    )
    after = await desk.store.change(TABLE, {"_id": account_id}, outbox.noted({"$set": dict(fields)}, *rows))
    if after is None:
        raise NotFound("没有这个账号。")
    return shown(after)


async def _account(desk: Desk, account_id: str) -> Document:
    account = await desk.store.get(TABLE, account_id)
    if account is None:
        raise NotFound("没有这个账号。")
    return account


# ---- health


async def look_after(actor: Actor, desk: Desk) -> int:
    """Ask each account that is due how it is, so that a dying token is known before anything is to go out."""
    require(actor, "account.look")
    now = desk.clock.now()
    due = {"$or": [{"look_at": {"$lte": now}}, {"look_at": {"$exists": False}}]}
    rows = await desk.store.find(TABLE, due, sort=[("look_at", 1)], limit=20)
    for account in rows:
        await _look(desk, actor, account)
    return len(rows)


async def _look(desk: Desk, actor: Actor, account: Document) -> Document:
    channel = connected(desk, account)
    account["reauthorised"] = not isinstance(channel, str) and channel.capabilities.reauthorised
    health = await _preflight(desk, account)
    now = desk.clock.now()
    ill = health.state not in ("ok", "expiring")
    fields = {
        "reauthorised": account["reauthorised"],
        "health": {
            "state": health.state,
            "reason": health.reason,
            "token_until": health.token_until,
            "quota_left": dict(health.quota_left),
            "looked_at": now,
        },
        "look_at": now + (LOOK_AGAIN if ill else LOOK_EVERY),
    }
    more, rows = await caring.follow(desk, account, health)
    update = outbox.noted({"$set": {**fields, **more}}, *rows)
    after = await desk.store.change(TABLE, {"_id": account["_id"]}, update)
    return after or account


async def _preflight(desk: Desk, account: Document) -> Health:
    try:
        return await desk.connect(account).preflight()
    except Exception as error:  # a channel that raises is a bug; the account is shown as ill, with the kind of error
        return Health("unreachable", f"检查账号时程序出错（{type(error).__name__}）")


async def _probed(desk: Desk, account: Document) -> Document:
    """能力检查: what the account may do, right by right, where its channel can look; kept for its page."""
    channel = connected(desk, account)
    if isinstance(channel, str) or not isinstance(channel, Probing):
        return account
    try:
        found = await channel.probe()
    except Exception as error:  # a channel that raises is a bug; what was known stays
        found = [Probed("检查", None, f"检查时程序出错（{type(error).__name__}）")]
    rows = [{"name": one.name, "fits": one.fits, "said": one.said} for one in found]
    fields = {"probed": rows, "probed_at": desk.clock.now()}
    return await desk.store.change(TABLE, {"_id": account["_id"]}, {"$set": fields}) or account
