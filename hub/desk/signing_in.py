"""登录: signing in and out, the second factor, sessions and tokens; cookies and requests live in access.

Whoever asks gets the same answer after the same work, whether the login exists or not. What a session may do is asked
of its user at every request, so a changed role or password holds at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from hub.desk import locking
from hub.desk.desk import Desk, Proofs
from hub.domain import outbox, session
from hub.domain.errors import Conflict, Invalid, Misconfigured, NotAllowed, NotSignedIn, TooMany
from hub.domain.people import Actor, actor_of
from hub.domain.session import SECOND_TRIES, Limits, Wants
from hub.sealing import CSRF, STAFF
from hub.sealing.form import encode, same
from hub.store.base import Document

WRONG = "登录名或口令不对。连续输错会被暂时锁定。"
WRONG_CODE = "动态口令不对或已用过。请等下一个再试。"
OVER = "登录已失效，请重新登录。写了一半的内容没有丢。"
TOKEN_MARK = "hub_"  # noqa: S105 - lets a scanner of leaked secrets recognise ours


@dataclass(frozen=True)
class SignedIn:
    """A session as a request sees it. `actor` is whole only where `wants` is None."""

    id: str
    actor: Actor
    csrf: str
    wants: Wants | None
    confirmed: bool


def proofs_of(desk: Desk) -> Proofs:
    """What proves passwords and codes here."""
    if desk.proofs is None:
        raise Misconfigured("这个进程不能处理登录。请从采编端登录。")
    return desk.proofs


def hashed(token: str) -> str:
    """What is stored in place of a token: 256 random bits need no slow hash."""
    return sha256(token.encode()).hexdigest()


def csrf_of(desk: Desk, session_id: str) -> str:
    """The form token of this session; made of the key and the session, so it is nowhere stored."""
    return encode(desk.sealer.mac(session_id.encode(), purpose=CSRF))


def csrf_is_right(desk: Desk, session_id: str, given: str) -> bool:
    """Compared in constant time."""
    return same(csrf_of(desk, session_id), given)


async def limits_of(desk: Desk) -> Limits:
    """The figures of the policy in force."""
    value = desk.policies.value
    return Limits(
        failures=await value("lock_failures"),
        lock=timedelta(minutes=await value("lock_minutes")),
        address_failures=await value("address_failures"),
        idle=timedelta(minutes=await value("session_idle_minutes")),
        whole=timedelta(hours=await value("session_hours")),
        confirmed=timedelta(minutes=await value("confirm_minutes")),
        password_days=await value("password_days"),
    )


async def sign_in(desk: Desk, login: str, password: str, address: str, *, before: str = "") -> tuple[str, SignedIn]:
    """A new session's token and what it still wants; `before` is the token the browser came with, which ends.

    Raises NotSignedIn (wrong), TooMany (locked). Nobody is an actor yet, so no right is asked.
    """
    login = login.strip().lower()
    limits = await limits_of(desk)
    await locking.admit(desk, login, address, limits)
    user = await _user_by(desk, login)
    right = await proofs_of(desk).matches(user["password"] if user else None, password)
    if user is None or not right or user.get("disabled"):
        await _log_failure(desk, login, address, user)
        raise NotSignedIn(WRONG)
    await locking.forgive(desk, login, address)
    if before:
        await end(desk, hashed(before))
    return await _begin(desk, user, address, limits)


async def _user_by(desk: Desk, login: str) -> Document | None:
    found = await desk.store.find("users", {"login": login}, limit=1)
    return found[0] if found else None


async def _log_failure(desk: Desk, login: str, address: str, user: Document | None) -> None:
    """As an audit row. A login that is nobody's may be a mistyped password: only its fingerprint is kept."""
    pair = locking.fingerprint(desk, session.Count.PAIR, login, address)
    subject = user["_id"] if user else f"login:{pair[:16]}"
    who = Actor(id="nobody", name="", roles=frozenset(), kind="program", address=address)
    row = outbox.audit(desk.ids.new(), who, "session.begin", subject, desk.clock.now(), result="refused")
    await desk.store.change(locking.TABLE, {"_id": pair}, outbox.noted({}, row))


async def _begin(desk: Desk, user: Document, address: str, limits: Limits) -> tuple[str, SignedIn]:
    token = encode(desk.ids.secret(32))
    now = desk.clock.now()
    document: Document = {
        "_id": hashed(token),
        "user": user["_id"],
        "epoch": user.get("epoch", 0),
        "created_at": now,
        "seen_at": now,
        "confirmed_at": now,
        "second": False,
        "tries": 0,
        "ended_at": None,
    }
    row = outbox.audit(desk.ids.new(), actor_of(user, address=address), "session.begin", user["_id"], now)
    await desk.store.insert("sessions", outbox.born(document, row))
    return token, await _seen(desk, document, user, limits, address)


async def _seen(desk: Desk, document: Document, user: Document, limits: Limits, address: str) -> SignedIn:
    now = desk.clock.now()
    asked = not desk.demo and await desk.policies.value("second_factor")
    wants = session.wants(document, user, now, limits, second=asked)
    return SignedIn(
        id=document["_id"],
        actor=actor_of(user, second=bool(document.get("second")), address=address),
        csrf=csrf_of(desk, document["_id"]),
        wants=wants,
        confirmed=session.is_confirmed(document, now, limits),
    )


async def resume(desk: Desk, token: str, address: str, *, activity: bool = True) -> SignedIn | None:
    """The session of this token, if it still stands; `activity` False (event streams) does not keep it alive."""
    document = await desk.store.get("sessions", hashed(token))
    if document is None:
        return None
    user = await desk.store.get("users", document["user"])
    limits = await limits_of(desk)
    now = desk.clock.now()
    if user is None or not session.holds(document, user, now, limits):
        return None
    if activity and session.to_be_seen(document, now):
        alive = {"_id": document["_id"], "ended_at": None}
        await desk.store.change("sessions", alive, {"$max": {"seen_at": now}})
    return await _seen(desk, document, user, limits, address)


async def second(desk: Desk, signed: SignedIn, code: str) -> None:
    """The second factor's code. Five tries a session; a code works once, whoever else offers it."""
    trying = {"_id": signed.id, "ended_at": None, "tries": {"$lt": SECOND_TRIES}}
    if await desk.store.change("sessions", trying, {"$inc": {"tries": 1}}) is None:
        await end(desk, signed.id)
        raise TooMany("动态口令输错次数过多，请重新登录。", 60)
    user = await desk.store.get("users", signed.actor.id)
    if user is None or not user.get("totp") or not await _use_code(desk, user, _factor(desk, user), code):
        await _note(desk, signed, "session.second", "refused")
        raise NotAllowed(WRONG_CODE)
    await _note(desk, signed, "session.second", "done", {"second": True, "tries": 0})


def _factor(desk: Desk, user: Document, field: str = "totp") -> str:
    return desk.sealer.open(user[field], table="users", id=user["_id"], field="totp", purpose=STAFF)


async def _use_code(desk: Desk, user: Document, factor: str, code: str) -> bool:
    step = proofs_of(desk).step(factor, code, desk.clock.now())
    if step is None:
        return False
    unused = {"_id": user["_id"], "$or": [{"last_step": None}, {"last_step": {"$lt": step}}]}
    return await desk.store.change("users", unused, {"$set": {"last_step": step}}) is not None


async def _note(
    desk: Desk, signed: SignedIn, act: str, result: str, values: Mapping[str, Any] | None = None
) -> Document | None:
    """Change the session, with its audit row in the same write."""
    row = outbox.audit(desk.ids.new(), signed.actor, act, signed.actor.id, desk.clock.now(), result=result)
    update = outbox.noted({"$set": dict(values)} if values else {}, row)
    return await desk.store.change("sessions", {"_id": signed.id, "ended_at": None}, update)


async def confirm(desk: Desk, signed: SignedIn, password: str) -> None:
    """The password again, before something sensitive; counts like a sign-in."""
    user = await checked_again(desk, signed, password)
    await _note(desk, signed, "session.confirm", "done", {"confirmed_at": desk.clock.now()})
    await locking.forgive(desk, user["login"], signed.actor.address)


async def checked_again(desk: Desk, signed: SignedIn, password: str) -> Document:
    user = await desk.store.get("users", signed.actor.id)
    if user is None:
        raise NotSignedIn(OVER)
    await locking.admit(desk, user["login"], signed.actor.address, await limits_of(desk))
    if not await proofs_of(desk).matches(user["password"], password):
        await _note(desk, signed, "session.confirm", "refused")
        raise NotAllowed("口令不对，请再输一次。")
    return user


async def sign_out(desk: Desk, signed: SignedIn) -> None:
    """End this session."""
    await _note(desk, signed, "session.end", "done", {"ended_at": desk.clock.now()})


async def end(desk: Desk, session_id: str) -> None:
    """End a session without a word, where another takes its place."""
    ended = {"$set": {"ended_at": desk.clock.now()}}
    await desk.store.change("sessions", {"_id": session_id, "ended_at": None}, ended)


async def begin_enrolment(desk: Desk, signed: SignedIn) -> str:
    """A new second factor's secret, kept sealed until a first code proves that it arrived."""
    user = await desk.store.get("users", signed.actor.id)
    if user is None or signed.wants is Wants.SECOND:
        raise NotAllowed("请先用现有的动态口令登录。")
    if not signed.confirmed:
        raise NotAllowed("请先重新输入口令，再设置动态口令。")
    factor = proofs_of(desk).factor(desk.ids.secret(20))
    sealed = desk.sealer.seal(factor, table="users", id=user["_id"], field="totp", purpose=STAFF)
    await desk.store.change("users", {"_id": user["_id"]}, {"$set": {"totp_new": sealed}})
    return factor


async def finish_enrolment(desk: Desk, signed: SignedIn, code: str) -> None:
    """The first code of the new factor: from now on it is asked for; this session has passed it."""
    user = await desk.store.get("users", signed.actor.id)
    if user is None or not user.get("totp_new"):
        raise Invalid("还没有开始设置动态口令。请先扫码。")
    trying = {"_id": signed.id, "ended_at": None, "tries": {"$lt": SECOND_TRIES}}
    if await desk.store.change("sessions", trying, {"$inc": {"tries": 1}}) is None:
        raise TooMany("输错次数过多，请重新登录后再设置。", 60)
    if not await _use_code(desk, user, _factor(desk, user, "totp_new"), code):
        raise NotAllowed(WRONG_CODE)
    row = outbox.audit(desk.ids.new(), signed.actor, "user.factor", user["_id"], desk.clock.now())
    update = {"$set": {"totp": user["totp_new"]}, "$unset": {"totp_new": ""}}
    offered = {"_id": user["_id"], "totp_new": user["totp_new"]}
    if await desk.store.change("users", offered, outbox.noted(update, row)) is None:
        raise Conflict("动态口令刚刚在别处重新设置过。请重新扫码。")
    await _note(desk, signed, "session.second", "done", {"second": True, "tries": 0})


async def actor_of_token(desk: Desk, token: str, address: str) -> Actor | None:
    """Whom a bearer token speaks for: the rights of its owner, cut to its scopes; never an approval."""
    if not token.startswith(TOKEN_MARK):
        return None
    document = await desk.store.get("tokens", hashed(token))
    if document is None or document.get("revoked_at") is not None or document["expires_at"] <= desk.clock.now():
        return None
    user = await desk.store.get("users", document["user"])
    if user is None or user.get("disabled"):
        return None
    return actor_of(user, kind="token", scopes=document["scopes"], address=address)

