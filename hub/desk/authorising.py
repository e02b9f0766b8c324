"""重新授权: a person gives an account its new authorisation; when that is due lives in caring.py."""

from __future__ import annotations

import json

from hub.desk import accounts, caring
from hub.desk.desk import Desk, connected
from hub.domain import outbox
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.sealing import CREDENTIALS, Unsealable
from hub.store.base import Document

UNHEARD = "现在连不上平台，新的授权没有换上，请稍后再试。"


async def authorise(actor: Actor, desk: Desk, account_id: str, token: str) -> tuple[Document, list[Document]]:
    """The account with its new authorisation, tried before it takes the old one's place, and the posts that waited.

    Raises Invalid where the platform does not take it for this account's; the old one then stays.
    """
    require(actor, "account.write")
    account = await desk.store.get(accounts.TABLE, account_id)
    if account is None:
        raise NotFound("没有这个账号。")
    if not account.get("reauthorised"):
        raise Invalid("这个账号没有会到期的授权。", (FieldError("token", "要换密钥，请用“更换授权和设置”。"),))
    if not token.strip():
        raise Invalid("请填新的访问令牌。", (FieldError("token", "请填新的访问令牌。"),))
    sealed = _sealed(desk, account, token.strip())
    await _tried(desk, {**account, "credentials": sealed})
    await _exchange(actor, desk, account, sealed)
    await caring.close_tasks(desk, account, actor.id)
    shown = await accounts.test_account(actor, desk, account_id)
    return shown, await caring.standing(actor, desk, account_id)


def _sealed(desk: Desk, account: Document, token: str) -> str:
    plain = json.dumps({**_known(desk, account), "access_token": token}, ensure_ascii=False, sort_keys=True)
    return desk.sealer.seal(
        plain, table=accounts.TABLE, id=str(account["_id"]), field="credentials", purpose=CREDENTIALS
    )


def _known(desk: Desk, account: Document) -> dict[str, str]:
    """What was typed in before; nothing of it where it does not open any more."""
    try:
        return accounts.credentials_of(desk, account)
    except (Unsealable, KeyError, ValueError):
        return {}


async def _tried(desk: Desk, candidate: Document) -> None:
    channel = connected(desk, candidate)
    if isinstance(channel, str):
        raise Invalid(channel, (FieldError("token", channel),))
    health = await channel.preflight()
    if health.state in ("expired", "not_connected"):
        raise Invalid("平台不认这个授权。", (FieldError("token", health.reason),))
    if health.state == "unreachable":
        raise Conflict(f"{UNHEARD}（{health.reason}）")


async def _exchange(actor: Actor, desk: Desk, account: Document, sealed: str) -> None:
    now, id = desk.clock.now(), str(account["_id"])
    fields = {"credentials": sealed, "warned": None, "authorised": int(account.get("authorised", 0)) + 1}
    row = outbox.audit(desk.ids.new(), actor, "account.authorise", id, now)
    old = {"_id": id, "credentials": account.get("credentials")}
    if await desk.store.change(accounts.TABLE, old, outbox.noted({"$set": fields}, row)) is None:
        raise Conflict("账号刚刚有了变化，请刷新后再试。")
