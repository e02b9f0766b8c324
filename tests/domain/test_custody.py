"""凭证的保管: one fetch for all workers, warnings in time, a new authorisation as a task, and no secret anywhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Health, Refused, Who
from channels.surroundings import Token
from hub.desk import accounts, authorising, caring, custody, tasks, working
from hub.desk.accounts import NewAccount
from hub.desk.dispatching import dispatch
from hub.desk.settling import settle
from hub.domain.authorisation import WARNINGS, is_new, step_of
from hub.domain.errors import HubError, Invalid, NotAllowed
from hub.store.base import Document, Unreachable
from hub.store.tables import TABLES
from tests.domain.publishing_office import (
    CARETAKER,
    DISPATCHER,
    EDITOR,
    SETTLER,
    SYSADMIN,
    WrappedStore,
    make_office,
)
from tests.domain.real_office import RealOffice, push_office, wechat_office, weibo_office

TOKEN_PATH = "/cgi-bin/stable_token"
DAY = timedelta(days=1)


# ---- one token for all


async def test_three_workers_that_need_a_token_at_once_fetch_one() -> None:
    real = await wechat_office()
    workers = [real.worker(f"w{number}") for number in range(3)]
    await asyncio.gather(*(worker.connect(real.account).preflight() for worker in workers))
    assert real.room.asked(TOKEN_PATH) == 1
    real.office.clock.move(timedelta(hours=3))
    await asyncio.gather(*(worker.connect(real.account).preflight() for worker in workers))
    assert real.room.asked(TOKEN_PATH) == 2


async def test_a_worker_waits_while_another_fetches_and_takes_what_that_one_got() -> None:
    office = make_office()
    fetched: list[str] = []
    gate = asyncio.Event()

    async def slow(kept: Token | None) -> Token:
        fetched.append("once")
        await gate.wait()
        return Token("t-1", office.clock.now() + timedelta(hours=1))

    async def never(kept: Token | None) -> Token:
        raise AssertionError("two fetched")

    hands = [custody.custody_of(office.worker(f"w{number}"), {"_id": "a"}) for number in range(2)]
    first = asyncio.create_task(hands[0].token("", slow))
    await asyncio.sleep(0)
    second = asyncio.create_task(hands[1].token("", never))
    for _ in range(6):
        await asyncio.sleep(0)
        office.clock.move(custody.PAUSE)
    gate.set()
    for _ in range(20):
        await asyncio.sleep(0)
        office.clock.move(custody.PAUSE)
    found = await asyncio.gather(first, second)
    assert [one.text for one in found if isinstance(one, Token)] == ["t-1", "t-1"]
    assert fetched == ["once"]


async def test_who_died_while_fetching_keeps_nobody_waiting_for_ever() -> None:
    office = make_office()

    async def hangs(kept: Token | None) -> Token:
        await asyncio.Event().wait()
        raise AssertionError

    async def fetch(kept: Token | None) -> Token:
        return Token("t-2", office.clock.now() + timedelta(hours=1))

    dead = asyncio.create_task(custody.custody_of(office.worker("w0"), {"_id": "a"}).token("", hangs))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(custody.custody_of(office.worker("w1"), {"_id": "a"}).token("", fetch))
    while not waiting.done():
        await asyncio.sleep(0)
        office.clock.move(custody.PAUSE)
    assert waiting.result() == custody.BUSY
    office.clock.move(custody.LEASE)
    again = await custody.custody_of(office.worker("w1"), {"_id": "a"}).token("", fetch)
    assert isinstance(again, Token)
    dead.cancel()


async def test_a_token_belongs_to_the_secret_that_it_was_given_for() -> None:
    office = make_office()

    def giving(text: str) -> Any:
        async def fetch(kept: Token | None) -> Token:
            assert kept is None
            return Token(text, office.clock.now() + timedelta(hours=1))

        return fetch

    for secret in ("old", "new"):
        found = await custody.custody_of(office.desk, {"_id": "a", "credentials": secret}).token("", giving(secret))
        assert isinstance(found, Token) and found.text == secret


async def test_a_store_that_fails_gives_no_token_and_no_error() -> None:
    office = make_office()

    class Gone(WrappedStore):
        async def get(self, *given: Any, **more: Any) -> Any:
            raise Unreachable

    async def fetch(kept: Token | None) -> Token:
        raise AssertionError

    desk = replace(office.desk, store=Gone(office.store))
    found = await custody.custody_of(desk, {"_id": "a"}).token("", fetch)
    assert isinstance(found, Refused) and found.who is Who.NOBODY


async def test_after_a_refusal_for_the_token_the_call_is_made_once_more_and_never_a_third_time() -> None:
    real = await wechat_office()
    await real.planned(1)
    real.room.order("code", 42001, times=9)
    real.office.clock.move(timedelta(minutes=2))
    worker = real.worker("w1")
    await dispatch(DISPATCHER, worker)
    assert real.room.asked("freepublish/submit") == 1
    for _ in range(9):
        real.office.clock.move(timedelta(minutes=1))
        await dispatch(DISPATCHER, worker)
    assert real.room.asked("freepublish/submit") == 2
    [row] = await real.office.store.find("publications", {})
    assert (row["state"], row["who"], row["code"]) == ("refused", "administrator", "42001")
    forced = await real.office.store.find("quotas", {"quota": "forced_tokens_day"}, limit=5)
    assert sum(row["used"] for row in forced) <= 1


# ---- the end of an authorisation


@given(st.integers(-5 * 86_400, 40 * 86_400))
def test_each_warning_comes_in_its_days_and_in_no_others(seconds: int) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    step = step_of(now + timedelta(seconds=seconds), now)
    if step is None:
        assert seconds > max(WARNINGS) * 86_400
    elif step:
        assert 0 < seconds <= step * 86_400
        assert not any(seconds <= one * 86_400 for one in WARNINGS if one < step)
    else:
        assert seconds <= 0
    assert is_new(step, None) is (step is not None)
    assert not is_new(step, 0)


async def cared_for(real: RealOffice, times: int = 1) -> Document:
    """So many looks at the account, half an hour apart; the account."""
    for _ in range(times):
        await accounts.look_after(CARETAKER, real.worker("caretaker"))
        real.office.clock.move(accounts.LOOK_EVERY)
    row = await real.office.store.get("accounts", real.account["_id"])
    assert row is not None
    return row


def matters(row: Document, matter: str) -> list[Document]:
    rows = [one for parcel in row.get("outbox", ()) for one in parcel["rows"] if one["kind"] == "notice"]
    return [one for one in rows if one["matter"] == matter]


async def test_2_a_dying_token_is_told_seven_three_and_one_day_before_once_each() -> None:
    real = await weibo_office()
    until = (await real.worker("w").connect(real.account).preflight()).token_until
    assert until is not None
    told = []
    for days in (8, 6, 5, 2.5, 2, 0.5, 0.2):
        real.office.clock.jump(until - days * DAY)
        row = await cared_for(real, 3)
        told.append(len(matters(row, "account.expires")))
    assert told == [0, 1, 1, 2, 2, 3, 3]
    last = matters(row, "account.expires")[-1]
    assert last["people"] == ["duty", "role:sysadmin"]
    assert last["link"] == "/accounts/weibo-main/authorise"
    assert "还剩 12 小时" in last["text"] or "还剩 11 小时" in last["text"]


async def test_2_a_dying_token_is_somebodys_task_until_a_new_one_is_given() -> None:
    real = await weibo_office()
    until = (await real.worker("w").connect(real.account).preflight()).token_until
    assert until is not None
    real.office.clock.jump(until - 2 * DAY)
    await cared_for(real, 4)
    desk = real.worker("desk")
    open_ = await tasks.my_tasks(SYSADMIN, desk)
    assert [(row["kind"], row["due"]) for row in open_] == [("account.authorise", until)]
    work = [row for row in await working.my_work(SYSADMIN, desk) if row.kind == "task"]
    assert [row.href for row in work] == ["/accounts/weibo-main/authorise"]
    assert (await tasks.task(SYSADMIN, desk, open_[0]["_id"]))["title"] == real.account["name"]
    with pytest.raises(Invalid):
        await tasks.finish_task(SYSADMIN, desk, open_[0]["_id"], "已经办好了")
    new = fresh_token(real)
    after, _ = await authorising.authorise(SYSADMIN, await connected_once(real), "weibo-main", new)
    assert after["health"]["state"] == "ok"
    assert await tasks.my_tasks(SYSADMIN, desk) == []
    assert new not in repr(await real.office.store.get("accounts", "weibo-main"))


def fresh_token(real: RealOffice, *, uid: str = "") -> str:
    """A person has authorised once more, on the platform."""
    platform: Any = real.room.stage.platform
    old = platform._state.tokens[real.credentials["access_token"]]
    now = real.office.clock.now()
    fact = {**old, "token": f"fresh-{now.timestamp():.0f}-{uid}", "at": now.isoformat()}
    fact |= {"until": (now + 30 * DAY).isoformat(), **({"uid": uid} if uid else {})}
    real.room.stage.record([fact])
    return str(fact["token"])


async def connected_once(real: RealOffice) -> Any:
    """The account with credentials of its own, sealed as an administrator types them in."""
    desk = real.worker("desk")
    sealed = accounts._sealed(desk, typed(real))
    await real.office.store.change("accounts", {"_id": real.account["_id"]}, {"$set": {"credentials": sealed}})
    return desk


def typed(real: RealOffice, **more: Any) -> NewAccount:
    account = real.account
    return NewAccount(
        account["_id"], account["channel"], account["name"], account["settings"],
        {name: str(value) for name, value in {**real.credentials, **more}.items()}, account["profile"], rehearsal=True,
    )  # fmt: skip


@pytest.mark.parametrize("wrong", ["", "nobody-gave-this", "of-another"])
async def test_a_token_that_the_platform_does_not_take_for_this_account_leaves_the_old_one(wrong: str) -> None:
    real = await weibo_office()
    desk = await connected_once(real)
    await cared_for(real)
    token = fresh_token(real, uid="77001") if wrong == "of-another" else wrong
    before = await real.office.store.get("accounts", "weibo-main")
    with pytest.raises(Invalid) as caught:
        await authorising.authorise(SYSADMIN, desk, "weibo-main", token)
    after = await real.office.store.get("accounts", "weibo-main")
    assert before is not None and after is not None
    assert before["credentials"] == after["credentials"]
    assert not token or token not in repr(caught.value.errors) + caught.value.message
    with pytest.raises(NotAllowed):
        await authorising.authorise(EDITOR, desk, "weibo-main", "x")


async def test_what_authorises_itself_anew_on_the_platform_closes_its_task() -> None:
    real = await weibo_office()
    until = (await real.worker("w").connect(real.account).preflight()).token_until
    assert until is not None
    real.office.clock.jump(until - DAY)
    await cared_for(real)
    platform: Any = real.room.stage.platform
    old = platform._state.tokens[real.credentials["access_token"]]
    real.room.stage.record([{**old, "until": (until + 30 * DAY).isoformat()}])
    row = await cared_for(real)
    assert await tasks.my_tasks(SYSADMIN, real.worker("desk")) == []
    assert (row.get("warned"), row["authorised"]) == (None, 1)


async def test_an_account_that_needs_nobody_is_never_warned_of() -> None:
    real = await wechat_office()
    row = await cared_for(real, 3)
    assert row["health"]["token_until"] is None
    assert matters(row, "account.expires") == []


# ---- well again


async def test_a_repair_of_one_account_releases_what_was_put_off_and_names_what_waits_for_a_person() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.account("b-main", "trusted")
    now = office.clock.now()
    for number, (account, fields) in enumerate(
        (
            ("a-main", {"state": "scheduled", "tries": 2, "not_before": now + timedelta(minutes=9)}),
            ("a-main", {"state": "scheduled", "tries": 0, "spent": True, "not_before": now + timedelta(hours=9)}),
            ("a-main", {"state": "refused", "who": "administrator", "tries": 0, "not_before": now}),
            ("b-main", {"state": "scheduled", "tries": 2, "not_before": now + timedelta(minutes=9)}),
        )
    ):
        row = {"_id": f"p{number}", "key": f"k{number}", "account": account, "title": f"第 {number} 条", "at": now}
        await office.store.insert("publications", {**row, "lease_number": 0, "attempts": [], **fields})
    office.platforms["a-main"].health = Health("expired", "授权已失效")
    await accounts.look_after(CARETAKER, office.desk)
    office.clock.move(accounts.LOOK_AGAIN)
    office.platforms["a-main"].health = Health("ok", "")
    await accounts.look_after(CARETAKER, office.desk)
    rows = {row["_id"]: row["not_before"] for row in await office.store.find("publications", {}, limit=9)}
    later = office.clock.now()
    assert rows["p0"] == later and rows["p3"] == now + timedelta(minutes=9) and rows["p1"] == now + timedelta(hours=9)
    account = await office.store.get("accounts", "a-main")
    assert account is not None
    said = matters(account, "account.well")
    assert len(said) == 1 and "《第 2 条》" in said[0]["text"] and "逐条恢复" in said[0]["text"]
    assert [row["_id"] for row in await caring.standing(EDITOR, office.desk, "a-main")] == ["p2"]


# ---- what an account may do


async def probed(real: RealOffice) -> dict[str, tuple[Any, str]]:
    await real.office.store.change("accounts", {"_id": real.account["_id"]}, {"$set": {"credentials": ""}})
    row = await accounts.test_account(SYSADMIN, real.worker("desk"), real.account["_id"])
    return {one["name"]: (one["fits"], one["said"]) for one in row["probed"]}


async def test_a_certified_account_may_do_all_and_each_right_is_shown() -> None:
    assert {name: fits for name, (fits, _) in (await probed(await wechat_office())).items()} == {
        "访问凭证与 IP 白名单": True, "草稿": True, "发布": True, "留言": True,
    }  # fmt: skip
    found = await probed(await weibo_office())
    assert (found["授权"][0], found["链接域名"][0], found["读评论"][0]) == (True, None, True)
    assert "www.yunchuan.example" in found["链接域名"][1]


@pytest.mark.parametrize(
    ("path", "code", "name"),
    [("freepublish/batchget", 48001, "发布"), ("comment/list", 88000, "留言"), ("draft/count", 48001, "草稿")],
)
async def test_a_right_that_lacks_is_named_when_the_account_is_connected(path: str, code: int, name: str) -> None:
    real = await wechat_office()
    real.room.order("code", code, times=9, match=path)
    found = await probed(real)
    assert found[name][0] is False and found[name][1]


async def test_the_address_that_is_not_on_the_white_list_is_shown() -> None:
    real = await wechat_office()
    real.room.order("code", 40164, times=9, match=TOKEN_PATH)
    found = await probed(real)
    assert found["访问凭证与 IP 白名单"][0] is False
    assert "白名单" in found["访问凭证与 IP 白名单"][1]


# ---- no secret anywhere


FAULTS = ("drop_before", "drop_after", "garbage", "status", "status_after", "close", "delay", "drip")


async def everything(real: RealOffice) -> str:
    """Every document of the office as text."""
    rows = [row for table in TABLES for row in await real.office.store.find(table.name, {}, limit=1_000)]
    return repr(rows)


@pytest.mark.parametrize("make", [weibo_office, wechat_office, push_office])
@pytest.mark.parametrize("refused", [False, True])
async def test_no_secret_leaves_its_seal_on_any_road_of_failure(
    make: Any, refused: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    real: RealOffice = await make()
    desk = await connected_once(real)
    raised: list[str] = []
    await real.planned(len(FAULTS))
    real.office.clock.move(timedelta(minutes=2))
    for fault in FAULTS:
        match = "/" if refused else real.room.act
        real.room.order("code" if refused else fault, REFUSALS[real.account["channel"]] if refused else 0, 2, match)
        for work in (
            dispatch(DISPATCHER, desk), settle(SETTLER, desk), accounts.look_after(CARETAKER, desk),
            accounts.test_account(SYSADMIN, desk, real.account["_id"]),
            authorising.authorise(SYSADMIN, desk, real.account["_id"], "a-new-secret-token"),
            accounts.connect_account(SYSADMIN, desk, typed(real)),
        ):  # fmt: skip
            try:
                await work
            except HubError as error:
                raised.append(repr((error.message, getattr(error, "errors", ()), error.args)))
        real.office.clock.move(timedelta(minutes=4))
    said = await everything(real) + caplog.text + repr(raised) + repr(vars(desk.connect(real.account)).keys())
    for secret in secrets_of(real):
        assert secret not in said


REFUSALS: Mapping[str, int] = {"weibo": 21327, "wechat": 42001, "push": 1004}


def secrets_of(real: RealOffice) -> set[str]:
    """What was typed in, and every token that the platform has given since."""
    platform: Any = real.room.stage.platform
    state = getattr(platform, "_state", None) or getattr(platform, "state", None)
    given = set(getattr(state, "tokens", {}) or {})
    names = ("access_token", "secret", "client_secret", "master_secret", "encoding_aes_key")
    typed_in = {str(real.credentials[name]) for name in names if real.credentials.get(name)}
    return {secret for secret in given | typed_in | {"a-new-secret-token"} if secret}


async def test_the_canary_sees_a_secret_where_one_is_planted() -> None:
    real = await weibo_office()
    said = await everything(real)
    assert not any(secret in said for secret in secrets_of(real))
    secret = max(secrets_of(real))
    await real.office.store.insert("notices", {"_id": "n", "person": "p", "key": "k", "text": f"出错：{secret}"})
    assert secret in await everything(real)
