"""What a platform posted to the website, at the desk: kept as a reply, or only a reason to look; and where keys go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from channels.contract import Accepted, Channel, Heard, Json, Outcome, Pending, Unknown
from channels.kinds import connect
from channels.performance import InProcess, Performance
from channels.wechat import callback
from channels.wechat.rehearsal import WechatPlatform
from hub.desk.callbacks import WOKEN, mirror_keys
from hub.desk.listening import listen, take
from hub.desk.reopening import AGAIN, reopen
from hub.desk.replies import list_replies
from hub.desk.settling import settle
from hub.domain.errors import NotAllowed
from hub.domain.people import program
from hub.domain.reply import HINT, UNOPENED
from hub.sealing import CITIZEN, PublicSealer, Sealer
from hub.store.base import Document
from tests.contracts.channel_rooms import pictures, variant
from tests.domain.listening_office import LISTENER, MONITOR, MORNING, Office, Source, make_office

MIRROR, SETTLER = program("mirror"), program("settler")
ACCOUNT = "wechat-main"
HEAD = {"ToUserName": "gh_1", "FromUserName": "o-1", "CreateTime": str(int(MORNING.timestamp()))}
PHONE = "13900008888"


def message(text: str = f"家里不热，请打 {PHONE}", **more: Any) -> dict[str, Any]:
    return {**HEAD, "MsgType": "text", "Content": text, "MsgId": "7", **more}


def hint(submission: str, status: int = 0, **more: Any) -> dict[str, Any]:
    detail = {"count": "1", "item": {"idx": "1", "article_url": "https://evil.example/s"}}
    told = {
        "publish_id": submission, "publish_status": str(status), "article_id": "FORGED", "article_detail": detail,
    }  # fmt: skip
    return {**HEAD, "MsgType": "event", "Event": "PUBLISHJOBFINISH", "PublishEventInfo": told, **more}


@dataclass
class Website(Source):
    """A website of ours: an inbox that is polled, and a shelf that takes what it is given."""

    shelf: list[tuple[str, str, int, Json]] = field(default_factory=list)
    deaf: int = 0

    async def put(self, kind: str, id: str, version: int, body: Json) -> Outcome:
        if self.deaf:
            self.deaf -= 1
            return Unknown("连不上")
        self.shelf.append((kind, id, version, dict(body)))
        return Accepted(id)

    async def beat(self, worker: str) -> bool:
        return True


@dataclass
class Hall:
    """An office with websites, and 微信 accounts over a platform in this process."""

    office: Office
    stage: Performance
    sites: dict[str, Website]

    @property
    def site(self) -> Website:
        return self.sites["site-main"]

    async def account(self, id: str = ACCOUNT, **secrets: str) -> None:
        known = self.stage.platform.accounts()[0]
        given = {"secret": known["secret"], "callback_token": "T-1", "aes_key": "", **secrets}
        settings = {"app_id": known["appid"], "base_url": "https://platform.example", "default_cover": "0" * 64}
        row = {"_id": id, "channel": "wechat", "name": "云川发布", "settings": settings, "profile": {}}
        await self.office.desk.store.insert("accounts", {**row, "secrets": given})

    async def change(self, id: str = ACCOUNT, **secrets: str) -> None:
        row = await self.office.desk.store.get("accounts", id)
        assert row is not None
        changed = {"$set": {"secrets": {**row["secrets"], **secrets}}}
        await self.office.desk.store.change("accounts", {"_id": id}, changed)

    async def replies(self, **where: Any) -> list[Document]:
        return await self.office.desk.store.find("replies", where, sort=[("received_at", 1)], limit=200)

    async def publication(self, id: str) -> Document:
        row = await self.office.desk.store.get("publications", id)
        assert row is not None
        return row

    def posted(
        self, fields: Mapping[str, Any], *, account: str = ACCOUNT, sealer: Sealer | None = None, first: Any = None
    ) -> Heard:
        """The website's row of what a platform posted, sealed for the hub."""
        id = f"{account}.{callback.identity(fields)}"
        pen = PublicSealer((sealer or self.office.desk.sealer).box_public())
        plain = json.dumps({"fields": fields, "first": first}, ensure_ascii=False)
        raw = {"id": id, "kind": "callback", "sealed": pen.seal(plain, table="inbox", id=id, field="sealed")}
        heard = Heard(id, "callback", "", "", "", MORNING, account, raw)
        self.site.said.append(heard)
        return heard

    async def listen(self) -> int:
        self.office.clock.move(60)
        return await listen(LISTENER, self.office.desk)

    async def pending(self, id: str, ticket: str, account: str = ACCOUNT) -> None:
        now = self.office.clock.now()
        row = {
            "_id": id, "account": account, "channel": "wechat", "content": f"content-{id}", "revision": 1,
            "title": "供暖", "state": "pending", "at": now, "ticket": ticket, "pending_for": "audit",
            "pending_since": now, "looks": 0, "look_at": now + timedelta(minutes=30), "key": f"key-{id}", "hash": "h",
            "by": "u-editor", "lease_number": 1, "attempts": [{"at": now, "outcome": "pending"}], "outbox": [],
            "outbox_open": False, "outbox_count": 0,
        }  # fmt: skip
        await self.office.desk.store.insert("publications", row)


async def hall(*accounts: str) -> Hall:
    office = await make_office()
    stage = Performance(WechatPlatform, office.clock.now)
    sites = {"site-main": Website()}
    kept: dict[str, tuple[Any, Channel]] = {}

    def opened(account: Document) -> Channel:
        if account["channel"] == "site":
            return sites[account["_id"]]  # type: ignore[return-value]
        if account["secrets"].get("broken"):
            raise ValueError("凭据打不开")
        if account["_id"] not in kept or kept[account["_id"]][0] != account["secrets"]:
            road = InProcess({"platform.example": stage})
            kept[account["_id"]] = (account["secrets"], connect(account, account["secrets"], road, office.clock.now))
        return kept[account["_id"]][1]

    desk = replace(office.desk, connect=opened)
    found = Hall(Office(desk, office.clock, sites["site-main"]), stage, sites)
    for account in accounts or (ACCOUNT,):
        await found.account(account)
    return found


def unsealed(found: Hall, row: Document, name: str) -> str:
    return found.office.desk.sealer.open(
        row["sealed"][name], table="replies", id=row["_id"], field=name, purpose=CITIZEN
    )


# Citizens' words


async def test_a_message_reaches_its_own_account_as_a_reply_with_its_authors_key() -> None:
    found = await hall()
    found.posted(message(), first={"text": "已收到。", "found": False})
    assert await found.listen() == 1
    (row,) = await found.replies()
    assert (row["account"], row["channel"], row["kind"], row["state"]) == (ACCOUNT, "wechat", "message", "new")
    assert row["external_id"] == callback.identity(message())
    assert row["author_key"] == found.office.desk.sealer.index("wechat:o-1", purpose="author")
    assert row["first_answer"] == {"text": "已收到。", "found": False}
    assert (row["at"], row["in_reply_to"]) == (MORNING, None)
    plain = {name: value for name, value in row.items() if name != "sealed"}
    shown = json.dumps(plain, default=str, ensure_ascii=False)
    assert PHONE not in shown
    assert '"o-1"' not in shown
    assert json.loads(unsealed(found, row, "raw"))["FromUserName"] == "o-1"


async def test_an_answer_goes_to_whoever_wrote_with_nothing_but_what_was_kept() -> None:
    found = await hall()
    found.stage.order("callback", {"url": "https://www.yunchuan.example/c", "mode": "plain"})
    found.stage.speak({"message": "家里不热", "author": "居民"})
    known = found.stage.platform.accounts()[0]
    delivery = found.stage.due()[-1]
    keys = callback.Keys(known["appid"], known["callback_token"])
    found.posted(dict(callback.take_in(keys, delivery.request().query, delivery.body, found.office.clock.now())))
    await found.listen()
    (row,) = await found.replies()
    account = await found.office.desk.store.get("accounts", ACCOUNT)
    assert account is not None
    channel = found.office.desk.connect(account)
    raw = json.loads(unsealed(found, row, "raw"))
    assert isinstance(await channel.answer(raw, "今晚八点前恢复。", "key-a"), Accepted)
    assert [each["text"] for each in found.stage.look("received")] == ["今晚八点前恢复。"]


async def test_a_repeated_callback_is_kept_once() -> None:
    found = await hall()
    for _ in range(3):
        found.posted(message())
    assert await found.listen() == 1
    account = await found.office.desk.store.get("accounts", "site-main")
    assert account is not None
    taken = await take(LISTENER, found.office.desk, account, [found.posted(message())])
    assert (taken.new, taken.known) == (0, 1)


async def test_two_citizens_whose_messages_carry_one_number_are_both_kept_apart() -> None:
    found = await hall()
    found.posted(message(FromUserName="o-1"))
    found.posted(message(FromUserName="o-2"))
    assert await found.listen() == 2
    assert len({row["author_key"] for row in await found.replies()}) == 2


async def test_one_citizen_on_two_accounts_is_kept_on_both() -> None:
    found = await hall(ACCOUNT, "wechat-other")
    found.posted(message())
    found.posted(message(), account="wechat-other")
    assert await found.listen() == 2
    assert {row["account"] for row in await found.replies()} == {ACCOUNT, "wechat-other"}


async def test_an_event_that_is_nobodys_words_makes_no_reply() -> None:
    found = await hall()
    found.posted({**HEAD, "MsgType": "event", "Event": "MASSSENDJOBFINISH", "MsgID": "1"})
    found.posted(hint("100000001"))
    found.posted(message())
    assert await found.listen() == 1


# Boxes that do not open


async def test_a_box_that_does_not_open_is_set_aside_and_comes_right_when_the_key_is_mended() -> None:
    found = await hall()
    lost = Sealer(b"l" * 32)
    found.posted(message(), sealer=lost, first={"text": "已收到。", "found": False})
    found.posted(message("别人的话", FromUserName="o-2"))
    assert await found.listen() == 2
    assert sorted(row["state"] for row in await found.replies()) == ["new", UNOPENED]
    assert await reopen(LISTENER, found.office.desk) == 0
    mended = Hall(Office(replace(found.office.desk, sealer=Both(lost)), found.office.clock, found.site), found.stage,
                  found.sites)  # fmt: skip
    assert await reopen(LISTENER, mended.office.desk) == 0, "not asked again at once"
    found.office.clock.move(AGAIN)
    assert await reopen(LISTENER, mended.office.desk) == 1
    (row,) = await mended.replies(external_id=callback.identity(message()))
    assert (row["account"], row["channel"], row["state"], row["kind"]) == (ACCOUNT, "wechat", "new", "message")
    assert unsealed(mended, row, "text") == message()["Content"]
    assert row["first_answer"]["text"] == "已收到。"
    assert await mended.listen() == 0


class Both(Sealer):
    """The office's sealer with a second box key, as after a key was found again."""

    def __init__(self, other: Sealer) -> None:
        super().__init__(bytes(range(32)))
        self._other = other

    def open_box(self, sealed: str, *, table: str, id: str, field: str) -> str:
        return self._other.open_box(sealed, table=table, id=id, field=field)


async def test_a_message_for_an_account_whose_credentials_do_not_open_waits_and_comes_right() -> None:
    found = await hall()
    await found.change(broken="yes")
    found.posted(message())
    assert await found.listen() == 1
    (row,) = await found.replies()
    assert row["state"] == UNOPENED
    await found.change(broken="")
    found.office.clock.move(AGAIN)
    assert await reopen(LISTENER, found.office.desk) == 1
    (row,) = await found.replies()
    assert (row["account"], row["state"]) == (ACCOUNT, "new")


async def test_a_hint_that_was_set_aside_wakes_its_publication_and_is_nobodys_words() -> None:
    found = await hall()
    await found.change(broken="yes")
    found.posted(hint("100000001"))
    await found.listen()
    await found.change(broken="")
    await found.pending("p1", "100000001:7")
    found.office.clock.move(AGAIN)
    assert await reopen(LISTENER, found.office.desk) == 1
    assert [row["state"] for row in await found.replies()] == [HINT]
    assert (await list_replies(MONITOR, found.office.desk, counted=True)).total == 0
    assert (await found.publication("p1"))["look_at"] == found.office.clock.now()
    assert await reopen(LISTENER, found.office.desk) == 0


async def test_a_message_set_aside_that_also_came_another_way_stops_nobody_elses() -> None:
    """The page came again after the key was mended and before the box was tried: both rows are the same words."""
    found = await hall()
    await found.change(broken="yes")
    one, two = found.posted(message()), found.posted(message("另一条", FromUserName="o-2"))
    await found.listen()
    await found.change(broken="")
    account = await found.office.desk.store.get("accounts", "site-main")
    assert account is not None
    assert (await take(LISTENER, found.office.desk, account, [one])).new == 1
    found.office.clock.move(AGAIN)
    await reopen(LISTENER, found.office.desk)
    rows = await found.replies(state="new")
    assert sorted(row["external_id"] for row in rows) == sorted(
        [callback.identity(message()), callback.identity(message("另一条", FromUserName="o-2"))]
    )
    assert two.external_id not in {row["external_id"] for row in rows}
    found.office.clock.move(AGAIN)
    assert await reopen(LISTENER, found.office.desk) == 0
    assert await found.replies(state=UNOPENED) == []


@pytest.mark.parametrize("plain", ["", "[]", "7", "{}", '{"fields": 7}', '{"fields": []}', "{"])
async def test_a_box_with_something_else_inside_is_kept_whole_and_set_aside(plain: str) -> None:
    found = await hall()
    pen = PublicSealer(found.office.desk.sealer.box_public())
    sealed = pen.seal(plain, table="inbox", id="x.1", field="sealed")
    found.site.said.append(Heard("x.1", "callback", "", "", "", MORNING, ACCOUNT, {"id": "x.1", "sealed": sealed}))
    assert await found.listen() == 1
    (row,) = await found.replies()
    assert row["state"] == UNOPENED
    assert json.loads(unsealed(found, row, "raw"))["sealed"] == sealed


@pytest.mark.parametrize("account", ["", "nobody", "site-main"])
async def test_a_post_for_an_account_that_cannot_receive_is_set_aside_and_told(account: str) -> None:
    found = await hall()
    found.posted(message(), account=account)
    assert await found.listen() == 1
    (row,) = await found.replies()
    assert row["state"] == UNOPENED
    assert row["outbox"][0]["rows"][0]["kind"] == "notice"


# Hints


async def test_a_forged_verdict_changes_nothing_and_only_makes_a_look_due() -> None:
    found = await hall()
    await found.pending("p1", "100000001:7")
    before = await found.publication("p1")
    found.posted(hint("100000001"))
    assert await found.listen() == 0
    after = await found.publication("p1")
    assert {name for name in after if after[name] != before.get(name)} == {"look_at", "woken"}
    assert after["look_at"] == found.office.clock.now()
    assert "evil.example" not in json.dumps(after, default=str)


async def test_the_platform_is_asked_and_its_word_counts_whatever_the_hint_said() -> None:
    found = await hall()
    account = await found.office.desk.store.get("accounts", ACCOUNT)
    assert account is not None
    channel = found.office.desk.connect(account)

    staged = await channel.stage(channel.prepare(variant(picture=True)), "key-p1", pictures)
    found.stage.order("verdict", {"status": 4})
    pending = await channel.publish(staged, "key-p1")  # type: ignore[arg-type]
    assert isinstance(pending, Pending)
    await found.pending("p1", pending.ticket)
    found.posted(hint(pending.ticket.partition(":")[0]))
    await found.listen()
    assert await settle(SETTLER, found.office.desk) == 1
    row = await found.publication("p1")
    assert row["state"] == "refused"
    assert row.get("external_id") is None
    found.posted(hint(pending.ticket.partition(":")[0], CreateTime="1764000000"))
    await found.listen()
    assert (await found.publication("p1"))["state"] == "refused"


async def test_hints_are_followed_a_few_times_and_then_the_day_is_spared() -> None:
    found = await hall()
    await found.pending("p1", "100000001:7")
    woken = []
    for number in range(WOKEN + 3):
        await found.office.desk.store.change(
            "publications", {"_id": "p1"}, {"$set": {"look_at": found.office.clock.now() + timedelta(hours=9)}}
        )
        found.posted(hint("100000001", CreateTime=str(number)))
        await found.listen()
        woken.append((await found.publication("p1"))["look_at"] == found.office.clock.now())
    assert woken == [True] * WOKEN + [False] * 3


@pytest.mark.parametrize("submission", ["10000000", "1000000011", "100000001:7", "", "%", "7"])
async def test_a_hint_about_another_submission_wakes_nothing(submission: str) -> None:
    found = await hall(ACCOUNT, "wechat-other")
    await found.pending("p1", "100000001:7")
    await found.pending("p2", "100000001:7", account="wechat-other")
    before = [await found.publication(id) for id in ("p1", "p2")]
    found.posted(hint(submission))
    await found.listen()
    assert [await found.publication(id) for id in ("p1", "p2")] == before


async def test_a_hint_wakes_only_its_own_accounts_publication_and_only_while_it_waits() -> None:
    found = await hall(ACCOUNT, "wechat-other")
    await found.pending("p1", "100000001:7")
    await found.pending("p2", "100000001:7", account="wechat-other")
    store = found.office.desk.store
    await store.change("publications", {"_id": "p1"}, {"$set": {"state": "published"}})
    before = [await found.publication(id) for id in ("p1", "p2")]
    found.posted(hint("100000001"))
    await found.listen()
    assert [await found.publication(id) for id in ("p1", "p2")] == before


# Keys


async def test_the_keys_go_to_every_website_once_and_never_the_secret() -> None:
    found = await hall()
    store = found.office.desk.store
    found.sites["site-two"] = Website()
    await store.insert("accounts", {"_id": "site-two", "channel": "site", "name": "二", "settings": {}, "profile": {}})
    assert await mirror_keys(MIRROR, found.office.desk) == 2
    known = found.stage.platform.accounts()[0]
    for site in found.sites.values():
        assert site.shelf == [
            ("callback", ACCOUNT, 1, {"channel": "wechat", "app_id": known["appid"], "token": "T-1", "aes_key": ""})
        ]
        assert known["secret"] not in repr(site.shelf)
    assert await mirror_keys(MIRROR, found.office.desk) == 0
    row = await store.get("accounts", ACCOUNT)
    assert row is not None
    assert "T-1" not in json.dumps(row["callback"])


async def test_changed_credentials_go_out_again_in_a_higher_version() -> None:
    found = await hall()
    await mirror_keys(MIRROR, found.office.desk)
    await found.change(callback_token="T-2", aes_key="K" * 43)
    assert await mirror_keys(MIRROR, found.office.desk) == 1
    (_, _, version, body) = found.site.shelf[-1]
    assert (version, body["token"], body["aes_key"]) == (2, "T-2", "K" * 43)
    await found.change(secret="another")
    assert await mirror_keys(MIRROR, found.office.desk) == 0


async def test_keys_that_were_taken_away_are_taken_from_the_websites_too() -> None:
    found = await hall()
    await mirror_keys(MIRROR, found.office.desk)
    await found.change(callback_token="")
    assert await mirror_keys(MIRROR, found.office.desk) == 1
    (_, _, version, body) = found.site.shelf[-1]
    assert (version, body["token"], body["aes_key"]) == (2, "", "")
    assert await mirror_keys(MIRROR, found.office.desk) == 0


async def test_an_account_without_keys_or_with_credentials_that_do_not_open_brings_nothing() -> None:
    found = await hall()
    await found.change(callback_token="")
    assert await mirror_keys(MIRROR, found.office.desk) == 0
    await found.change(callback_token="T-1")
    await mirror_keys(MIRROR, found.office.desk)
    await found.change(broken="yes")
    assert await mirror_keys(MIRROR, found.office.desk) == 0
    assert len(found.site.shelf) == 1


async def test_a_website_that_did_not_hear_is_told_again() -> None:
    found = await hall()
    found.site.deaf = 2
    assert [await mirror_keys(MIRROR, found.office.desk) for _ in range(4)] == [0, 0, 1, 0]


async def test_the_keys_of_every_account_go_out_however_many_there_are() -> None:
    found = await hall(*(f"wechat-{number:04}" for number in range(450)))
    assert await mirror_keys(MIRROR, found.office.desk) == 450
    assert len({id for _, id, _, _ in found.site.shelf}) == 450


async def test_only_the_program_for_it_may_carry_keys() -> None:
    found = await hall()
    with pytest.raises(NotAllowed):
        await mirror_keys(MONITOR, found.office.desk)
    with pytest.raises(NotAllowed):
        await reopen(MIRROR, found.office.desk)
