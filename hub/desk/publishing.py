"""发布的人工操作: schedule, move, cancel, hold, release, lists; 全部暂停 lives in pausing.py, sending
in dispatching.py.

A person's act and the clockwork meet in the store: each change names the state it found, so one of them wins and the
other is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.contract import Channel, Problem
from hub.clock import LATEST
from hub.desk import ledger, variants
from hub.desk.desk import Desk, connected
from hub.desk.paging import Page, page
from hub.desk.preflighting import foresee
from hub.domain import holding, outbox, plan, quiet
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.moves import OPEN_STATES, STATE_WORDS, attempt_words, step_for
from hub.domain.people import Actor
from hub.domain.preflight import RECHECK_FAR
from hub.domain.publication import Decision
from hub.domain.rights import require
from hub.store.base import Document

TABLE = ledger.PUBLICATIONS
LATE_WORDS = {"publish": "迟了也发", "hold": "迟了就暂停", "ask": "迟了先问人"}


@dataclass(frozen=True)
class Wish:
    """One account and time out of a schedule order."""

    account: str
    at: datetime
    late: str = "ask"


@dataclass(frozen=True)
class Impossible:
    """Why one account cannot take this content, in Chinese sentences for the one who schedules."""

    account: str
    reasons: Sequence[str]


@dataclass(frozen=True)
class Scheduled:
    """What came of a schedule order: the new publications, and the accounts left out.

    A publication that was planned although something speaks against its time says so in its `concerns`.
    """

    publications: Sequence[Document]
    impossible: Sequence[Impossible]
    notes: Sequence[str] = ()  # what is to be known of their times: quiet periods they fall into

    @property
    def doubtful(self) -> bool:
        return any(row.get("concerns") for row in self.publications)


async def schedule(
    actor: Actor, desk: Desk, content_id: str, wishes: Sequence[Wish], *, if_some_impossible: str = "none"
) -> Scheduled:
    """排期, also before the approval (拟发). `none`: one impossible account stops all; `the_rest`: the others go.

    Raises Invalid with every reason where nothing was scheduled, NotFound where there is no such content.
    """
    require(actor, "content.schedule")
    _check_order(wishes, if_some_impossible)
    content = await desk.store.get("contents", content_id)
    revision = await variants.revision_of(desk, content_id, int(content["revision"])) if content else None
    if content is None or revision is None:
        raise NotFound("没有找到这篇稿件。")
    drafts: list[Document] = []
    impossible: list[Impossible] = []
    for wish in sorted(wishes, key=lambda one: one.account):
        account = await desk.store.get("accounts", wish.account)
        reasons = await _reasons(desk, content, revision, account, wish)
        if reasons or account is None:
            impossible.append(Impossible(wish.account, reasons))
        else:
            drafts.append(await _draft(desk, actor, content, revision, account, wish))
    drafts = await _linked(desk, drafts, impossible)
    if impossible and (if_some_impossible == "none" or not drafts):
        raise Invalid("有的账号发不了，一条也没有排。", _errors(impossible))
    born = [await _born(desk, actor, draft) for draft in drafts]
    return Scheduled(born, impossible, await quiet_notes(desk, born))


async def quiet_notes(desk: Desk, rows: Sequence[Document]) -> list[str]:
    """Into which quiet periods these fall, each said once."""
    periods = (await desk.store.get("switches", holding.HOLD_ALL) or {}).get("quiet") or ()
    found = [quiet.silence_at(periods, row["at"], row) for row in rows]
    words = [f"这个时间在{silence.words}，到时按各自的迟发规则处理。" for silence in found if silence]
    return list(dict.fromkeys(words))


def _check_order(wishes: Sequence[Wish], if_some_impossible: str) -> None:
    errors = [
        FieldError(f"publications[{number}].late", f"迟发规则请从中选一个：{'、'.join(LATE_WORDS)}。")
        for number, wish in enumerate(wishes)
        if wish.late not in LATE_WORDS
    ]
    errors += [
        FieldError(f"publications[{number}].at", "请写带时区的完整时间。")
        for number, wish in enumerate(wishes)
        if wish.at.tzinfo is None
    ]
    errors += [
        FieldError(f"publications[{number}].at", "这个时间太远了，请核对年份。")
        for number, wish in enumerate(wishes)
        if wish.at.tzinfo is not None and wish.at >= LATEST
    ]
    if not wishes or len(wishes) > 200 or len({wish.account for wish in wishes}) < len(wishes):
        errors.append(FieldError("publications", "请选 1 到 200 个账号，每个账号一次。"))
    if if_some_impossible not in ("none", "the_rest"):
        errors.append(FieldError("if_some_impossible", "只能是 none 或 the_rest。"))
    if errors:
        raise Invalid("排期有几处要修改。", tuple(errors))


def _errors(impossible: Sequence[Impossible]) -> tuple[FieldError, ...]:
    return tuple(FieldError(one.account, reason) for one in impossible for reason in one.reasons)


async def _reasons(
    desk: Desk, content: Document, revision: Document, account: Document | None, wish: Wish
) -> list[str]:
    if account is None:
        return ["没有这个账号，请刷新后重选。"]
    reasons: list[str] = []
    if wish.at < desk.clock.now() - plan.GRACE:
        reasons.append("发布时间已经过去，请另选时间。")
    open_one = {"content": content["_id"], "account": account["_id"], "state": {"$in": [*OPEN_STATES, "published"]}}
    if await desk.store.count(TABLE, open_one, ceiling=1):
        reasons.append("这篇稿件在这个账号上已经排期或发布；要改内容请用更正，要改时间请用改期。")
    return reasons + await _channel_reasons(desk, content, revision, account)


async def _channel_reasons(desk: Desk, content: Document, revision: Document, account: Document) -> list[str]:
    """What the channel would refuse, found without asking it, and whether the account is fit to publish at all."""
    channel = connected(desk, account)
    if isinstance(channel, str):
        return [channel]
    override = variants.override_of(content, str(account["_id"]))
    package = variants.package_of(content, revision)
    link = (
        account.get("settings", {}).get("fallback_url")
        or f"https://{account.get('settings', {}).get('domain', 'example.cn')}/"
    )
    variant = await variants.variant_of(desk, revision, override=override, package=package, link=link)
    reasons = [_problem_words(problem) for problem in channel.prepare(variant).problems if problem.severity == "block"]
    return reasons + await _health_reasons(channel)


def _problem_words(problem: Problem) -> str:
    return f"{problem.message}（{problem.field}）" if problem.field else problem.message


async def _health_reasons(channel: Channel) -> list[str]:
    """An account that is unreachable just now may be well at its time; one that is not connected will not be."""
    health = await channel.preflight()
    return [health.reason] if health.state in ("expired", "not_connected") else []


async def _draft(
    desk: Desk, actor: Actor, content: Document, revision: Document, account: Document, wish: Wish
) -> Document:
    """The publication's document. Its id counts this content's publications on this account: two clicks make one."""
    before = await desk.store.count(TABLE, {"content": content["_id"], "account": account["_id"]})
    now = desk.clock.now()
    at = max(wish.at, now)
    draft = {
        "_id": f"{content['_id']}:{account['_id']}:{before + 1}",
        "content": content["_id"],
        "revision": content["revision"],
        "hash": variants.package_of(content, revision),
        "account": account["_id"],
        "channel": account["channel"],
        "title": revision["title"],
        "content_kind": content.get("kind"),
        "at": at,
        "not_before": at,
        "late": wish.late,
        "state": "scheduled",
        "tries": 0,
        "key": desk.ids.new(),
        "lease_number": 0,
        "attempts": [],
        "seen_missing": 0,
        "by": actor.id,
        "created_at": now,
        "changed_at": now,
        "waits_for_account": account.get("waits_for"),
        "fallback_url": account.get("settings", {}).get("fallback_url"),
    }
    concerns = await foresee(desk, account, draft)
    again = {"preflight_at": now + RECHECK_FAR} if concerns else {}
    return {**draft, "concerns": [one.row() for one in concerns], **again}


async def _linked(desk: Desk, drafts: Sequence[Document], impossible: list[Impossible]) -> list[Document]:
    """Posts that need the website's address, tied to the website's publication; without one and without a fall-back
    address they are impossible."""
    here = {draft["account"]: draft["_id"] for draft in drafts}
    kept: list[Document] = []
    for draft in drafts:
        needs, fallback = draft.pop("waits_for_account"), draft.pop("fallback_url")
        if needs is None:
            kept.append(draft)
            continue
        awaited = here.get(needs) or await _open_on(desk, draft["content"], needs)
        if awaited:
            kept.append({**draft, "waits_for": awaited})
        elif fallback:
            kept.append({**draft, "link": fallback, "link_is_fallback": True})
        else:
            impossible.append(Impossible(draft["account"], ["这个账号要带网站上的地址，请把网站一并选上。"]))
    return kept


async def _open_on(desk: Desk, content: str, account: str) -> str | None:
    where = {"content": content, "account": account, "state": {"$in": [*OPEN_STATES, "published"]}}
    rows = await desk.store.find(TABLE, where, sort=[("at", -1)], limit=1, fields=("state",))
    return str(rows[0]["_id"]) if rows else None


async def _born(desk: Desk, actor: Actor, draft: Document) -> Document:
    now = desk.clock.now()
    rows = (
        outbox.audit(
            desk.ids.new(), actor, "publication.schedule", draft["_id"], now, detail={"at": draft["at"].isoformat()}
        ),
        outbox.event(desk.ids.new(), "publication.changed", draft["_id"], now),
    )
    done = await desk.store.insert_new(TABLE, [outbox.born(draft, *rows)])
    if done.known:
        raise Conflict("这篇稿件在这个账号上刚刚已被排期，请刷新后再看。")
    return draft


# ---- one publication


async def move(actor: Actor, desk: Desk, publication_id: str, at: datetime, *, late: str | None = None) -> Document:
    """改期: another time for what has not begun to go out."""
    require(actor, "content.schedule")
    _check_order([Wish("-", at, late or "ask")], "none")
    now = desk.clock.now()
    if at < now - plan.GRACE:
        raise Invalid("发布时间已经过去，请另选时间。", (FieldError("at", "请选以后的时间。"),))
    fields = {**plan.fresh(max(at, now)), **({"late": late} if late else {})}
    return await _by_person(actor, desk, publication_id, Decision("move", fields))


async def cancel(actor: Actor, desk: Desk, publication_id: str, *, reason: str = "") -> Document:
    """取消: it will not go out; Conflict where it is going out already."""
    require(actor, "content.schedule")
    return await _by_person(actor, desk, publication_id, Decision("cancel", {"reason": reason or None}))


async def hold(actor: Actor, desk: Desk, publication_id: str, *, reason: str = "") -> Document:
    """暂停: stays until a person releases it."""
    require(actor, "publication.hold")
    return await _by_person(actor, desk, publication_id, Decision("hold", {"reason": reason or "人工暂停"}))


async def release(actor: Actor, desk: Desk, publication_id: str, *, at: datetime | None = None) -> Document:
    """恢复: due at the given time, or now, under the same key as long as its content is the same."""
    require(actor, "publication.release")
    now = desk.clock.now()
    _check_order([Wish("-", at or now, "ask")], "none")
    again = released(max(at or now, now), now)
    fields = {**again, "pinned": None}  # a person has decided: the same content or a newer one
    return await _by_person(actor, desk, publication_id, Decision("release", fields))


def released(at: datetime, now: datetime) -> dict[str, Any]:
    """Due again by a person's act: its hour is no more the one that was planned."""
    return {**plan.fresh(at), "released_at": now}


async def _by_person(actor: Actor, desk: Desk, publication_id: str, decision: Decision) -> Document:
    for _ in range(5):  # the clockwork may move it between our read and our change; then it is read again
        found = await desk.store.get(TABLE, publication_id)
        if found is None:
            raise NotFound("没有找到这条发布。")
        if step_for(str(found["state"]), decision.event) is None:
            raise Conflict(f"这条发布现在是“{STATE_WORDS[found['state']]}”，不能这样操作。")
        after = await ledger.move(desk, actor, TABLE, found, decision)
        if after is not None:
            return after
    raise Conflict("这条发布正在变化，请稍后再试。")


# ---- reading


async def list_publications(
    actor: Actor,
    desk: Desk,
    *,
    state: str | None = None,
    account: str | None = None,
    content: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Newest first by their time."""
    require(actor, "publication.read")
    given = {"state": state, "account": account, "content": content}
    where: dict[str, Any] = {name: value for name, value in given.items() if value}
    between = {"$gte": since, "$lt": until}
    limits = {operator: moment for operator, moment in between.items() if moment is not None}
    if limits:
        where["at"] = limits
    return await page(desk, TABLE, where, by="at", cursor=cursor, limit=limit)


async def publication(actor: Actor, desk: Desk, publication_id: str) -> Document:
    """One publication with its operations, its state and each attempt in words."""
    require(actor, "publication.read")
    found = await desk.store.get(TABLE, publication_id)
    if found is None:
        raise NotFound("没有找到这条发布。")
    operations = await desk.store.find(ledger.OPERATIONS, {"publication": publication_id}, sort=[("at", -1)], limit=50)
    shown = {name: value for name, value in found.items() if not name.startswith(("outbox", "lease"))}
    attempts = [{**attempt, "words": attempt_words(attempt)} for attempt in found.get("attempts", [])]
    return {**shown, "state_words": STATE_WORDS[found["state"]], "attempts": attempts, "operations": operations}
