"""用户与令牌: adding, changing and disabling the office's people and programs; how they sign in lives in signing_in.

Each change of role, password or state raises the user's `epoch`, which ends every session of theirs in the same write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.desk.signing_in import TOKEN_MARK, SignedIn, checked_again, hashed, proofs_of
from hub.domain import outbox, people
from hub.domain.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound
from hub.domain.passwords import WeakPassword, checked_password
from hub.domain.people import Actor, Role
from hub.domain.rights import checked_scopes, require
from hub.sealing import STAFF
from hub.sealing.form import encode
from hub.store.base import Document, Duplicate

SHOWN = ("login", "name", "roles", "levels", "department", "disabled", "duty", "created_at", "must_change", "totp")

AT_ONCE = 500  # users of one read


async def add_user(
    actor: Actor,
    desk: Desk,
    *,
    login: str,
    name: str,
    roles: Sequence[str],
    password: str,
    levels: Iterable[int] = (),
    department: str | None = None,
    email: str = "",
    duty: bool = False,
    must_change: bool = True,
) -> str:
    """A new person; the id. The first password is for handing over: it must be changed at the first sign-in."""
    require(actor, "user.write")
    login, name, checked = people.checked_login(login), people.checked_name(name), people.checked_roles(roles)
    document: Document = {
        "_id": desk.ids.new(),
        "login": login,
        "name": name,
        "roles": checked,
        "levels": people.checked_levels(levels, checked),
        "department": department,
        "password": await _digest(desk, password, login, name),
        "duty": duty,
        "disabled": False,
        "epoch": 0,
        "must_change": must_change,
        "last_step": None,
        "created_at": desk.clock.now(),
        "changed_at": desk.clock.now(),
        "password_at": desk.clock.now(),
    }
    document |= _sealed_email(desk, document["_id"], email)
    row = outbox.audit(
        desk.ids.new(), actor, "user.add", document["_id"], desk.clock.now(), detail={"login": login, "roles": checked}
    )
    try:
        await desk.store.insert("users", outbox.born(document, row))
    except Duplicate:
        raise Conflict("这个登录名已有人用，请换一个。") from None
    return str(document["_id"])


async def _digest(desk: Desk, password: str, login: str, name: str) -> str:
    shortest, least = await desk.policies.value("password_length"), await desk.policies.value("password_kinds")
    checked_password(password, own=(login, name), shortest=shortest, least_kinds=least)
    return await proofs_of(desk).digest(password)


def _sealed_email(desk: Desk, id: str, email: str) -> dict[str, str]:
    if not email:
        return {}
    plain = email.strip()
    if plain.count("@") != 1 or not plain.isascii() or not plain.isprintable() or " " in plain or len(plain) > 200:
        raise Invalid("邮箱地址不对，请检查。", (FieldError("email", "写法如 name@example.cn"),))
    return {"email": desk.sealer.seal(plain, table="users", id=id, field="email", purpose=STAFF)}


async def list_users(
    actor: Actor, desk: Desk, *, disabled: bool | None = None, after: str = "", limit: int = 50
) -> tuple[list[Document], str | None]:
    """Users by login, without secrets; and the login to go on from (None: the end)."""
    require(actor, "user.read")
    where: dict[str, Any] = {} if disabled is None else {"disabled": disabled}
    where |= {"login": {"$gt": after}} if after else {}
    size = max(1, min(limit, 200))
    rows = await desk.store.find("users", where, sort=[("login", 1)], limit=size + 1, fields=SHOWN)
    shown = [{**row, "totp": bool(row.get("totp"))} for row in rows[:size]]
    return shown, shown[-1]["login"] if len(rows) > size else None


async def user_named(actor: Actor, desk: Desk, login: str) -> Document:
    """The user with this login, without secrets; raises NotFound."""
    require(actor, "user.read")
    found = await desk.store.find("users", {"login": login.strip().lower()}, limit=1, fields=SHOWN)
    if not found:
        raise NotFound("没有这个登录名的用户。")
    return {**found[0], "totp": bool(found[0].get("totp"))}


async def set_roles(
    actor: Actor, desk: Desk, id: str, roles: Sequence[str], levels: Iterable[int] = ()
) -> None:
    """Change what somebody is; their sessions end. Nobody changes their own."""
    require(actor, "user.write")
    if id == actor.id:
        raise NotAllowed("不能改自己的角色。请由另一位安全管理员办理。")
    checked = people.checked_roles(roles)
    values = {"roles": checked, "levels": people.checked_levels(levels, checked)}
    await _change(actor, desk, id, "user.roles", values, detail={"roles": checked})


async def set_duty(actor: Actor, desk: Desk, id: str, duty: bool) -> None:
    """Put somebody on duty or take them off; their sessions go on."""
    require(actor, "user.write")
    await _change(actor, desk, id, "user.duty", {"duty": duty}, ends=False, detail={"duty": duty})


async def set_email(actor: Actor, desk: Desk, id: str, email: str) -> None:
    """Where somebody's notices go; an empty text: nowhere but the bell."""
    require(actor, "user.write")
    values: dict[str, str | None] = {"email": None, **_sealed_email(desk, id, email)}
    await _change(actor, desk, id, "user.email", values, ends=False)


async def set_disabled(actor: Actor, desk: Desk, id: str, disabled: bool) -> None:
    """Close or reopen somebody's way in. Never one's own, and never that of the last security administrator."""
    require(actor, "user.write")
    if disabled and id == actor.id:
        raise NotAllowed("不能停用自己。请由另一位安全管理员办理。")
    if disabled and not await _another_secadmin(desk, id):
        raise Conflict("这是最后一位安全管理员，停用后将无人能管理用户。请先另设一位。")
    await _change(actor, desk, id, "user.disable" if disabled else "user.enable", {"disabled": disabled})


async def everybody(desk: Desk, fields: Sequence[str]) -> list[Document]:
    """All users there are, by id: for who hears of something, where nobody may be left out."""
    rows: list[Document] = []
    while True:
        after = {"_id": {"$gt": rows[-1]["_id"]}} if rows else {}
        found = await desk.store.find("users", after, sort=[("_id", 1)], limit=AT_ONCE, fields=fields)
        rows += found
        if len(found) < AT_ONCE:
            return rows


async def _another_secadmin(desk: Desk, id: str) -> bool:
    users = await everybody(desk, fields=("roles", "disabled"))
    keepers = {user["_id"] for user in users if not user["disabled"] and Role.SECADMIN.value in user["roles"]}
    return keepers != {id}


async def set_password(actor: Actor, desk: Desk, id: str, password: str) -> None:
    """A new password for handing over: to be changed at the next sign-in; sessions end."""
    require(actor, "user.write")
    user = await _user(desk, id)
    digest = await _digest(desk, password, user["login"], user["name"])
    values = {"password": digest, "must_change": True, "password_at": desk.clock.now()}
    await _change(actor, desk, id, "user.password", values)


async def clear_factor(actor: Actor, desk: Desk, id: str) -> None:
    """A lost second factor: the first administrator asks, a second one grants; then it is gone and must be set anew."""
    require(actor, "user.write")
    user = await _user(desk, id)
    asked = user.get("factor_loss")
    if asked is None:
        loss = {"factor_loss": {"by": actor.id, "at": desk.clock.now()}}
        await _change(actor, desk, id, "user.factor_loss", loss, ends=False)
        return
    if actor.id in (asked["by"], id) or desk.clock.now() - asked["at"] > timedelta(days=1):
        await _change(actor, desk, id, "user.factor_loss", {"factor_loss": None}, ends=False)
        raise NotAllowed("须由另一位管理员在一天内确认。这次申请已作废，请重新发起。")
    values = {"totp": None, "last_step": None, "factor_loss": None, "must_change": True}
    await _change(actor, desk, id, "user.factor_clear", values, detail={"asked_by": asked["by"]})


async def change_own_password(desk: Desk, signed: SignedIn, old: str, new: str) -> None:
    """One's own new password; every session of the person ends, this one too. Nobody needs a right for it."""
    user = await checked_again(desk, signed, old)
    if old == new:
        raise WeakPassword("same", "新口令不能与原口令相同。")
    digest = await _digest(desk, new, user["login"], user["name"])
    values = {"password": digest, "must_change": False, "password_at": desk.clock.now()}
    await _change(signed.actor, desk, user["_id"], "user.password", values)


async def _user(desk: Desk, id: str) -> Document:
    user = await desk.store.get("users", id)
    if user is None:
        raise NotFound("没有这个用户。")
    return user


async def _change(
    actor: Actor,
    desk: Desk,
    id: str,
    act: str,
    values: Mapping[str, Any],
    *,
    ends: bool = True,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """One write: the values, the end of the person's sessions where it must be, and the audit row."""
    row = outbox.audit(desk.ids.new(), actor, act, id, desk.clock.now(), detail=detail)
    update: dict[str, dict[str, Any]] = {"$set": {**values, "changed_at": desk.clock.now()}}
    update |= {"$inc": {"epoch": 1}} if ends else {}
    if await desk.store.change("users", {"_id": id}, outbox.noted(update, row)) is None:
        raise NotFound("没有这个用户。")


# --- tokens


async def create_token(
    actor: Actor, desk: Desk, *, name: str, user: str, scopes: Iterable[str], days: int = 90
) -> str:
    """A token that speaks for this user within these scopes; shown this once, kept as a hash."""
    require(actor, "token.write")
    checked, most = checked_scopes(scopes), await desk.policies.value("token_days")
    if not 1 <= days <= most:
        raise Invalid(f"令牌有效期应为 1–{most} 天。", (FieldError("days", f"1–{most}"),))
    owner = await _user(desk, user)
    token = TOKEN_MARK + encode(desk.ids.secret(32))
    now = desk.clock.now()
    document: Document = {
        "_id": hashed(token),
        "name": people.checked_name(name),
        "user": owner["_id"],
        "scopes": checked,
        "by": actor.id,
        "created_at": now,
        "expires_at": now + timedelta(days=days),
        "revoked_at": None,
    }
    detail = {"user": owner["_id"], "scopes": checked, "days": days}
    row = outbox.audit(desk.ids.new(), actor, "token.create", document["_id"][:12], now, detail=detail)
    await desk.store.insert("tokens", outbox.born(document, row))
    return token


async def list_tokens(actor: Actor, desk: Desk, *, after: str = "", limit: int = 50) -> list[Document]:
    """Tokens without the outbox; the first twelve signs of an id name one."""
    require(actor, "token.write")
    where: dict[str, Any] = {"_id": {"$gt": after}} if after else {}
    fields = ("name", "user", "scopes", "by", "created_at", "expires_at", "revoked_at")
    return await desk.store.find("tokens", where, sort=[("_id", 1)], limit=max(1, min(limit, 200)), fields=fields)


async def revoke_token(actor: Actor, desk: Desk, mark: str) -> None:
    """End a token at once; `mark` is its id or at least the first twelve signs of it."""
    require(actor, "token.write")
    if len(mark) < 12:
        raise Invalid("请写出令牌编号的至少前 12 位（见 token list）。", (FieldError("id", "至少 12 位"),))
    where = {"_id": {"$gte": mark, "$lt": mark + "g"}}
    found = await desk.store.find("tokens", where, limit=2, fields=("revoked_at",))
    if len(found) != 1:
        raise NotFound("没有这个令牌。")
    row = outbox.audit(desk.ids.new(), actor, "token.revoke", found[0]["_id"][:12], desk.clock.now())
    update = outbox.noted({"$set": {"revoked_at": desk.clock.now()}}, row)
    await desk.store.change("tokens", {"_id": found[0]["_id"], "revoked_at": None}, update)
