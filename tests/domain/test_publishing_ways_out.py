"""No state without a way out, no trouble of one account that stops another, and no post that belongs to two."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.contract import Accepted, Outcome, Staged
from hub.desk import claiming, pausing, publishing, settling
from hub.desk.dispatching import dispatch
from hub.desk.operating import operate, settle_operations
from hub.desk.publishing import Wish
from hub.desk.withdrawing import correct, withdraw
from hub.domain.errors import Conflict, Invalid
from hub.store.base import Document
from tests.domain.publishing_office import (
    DISPATCHER,
    EDITOR,
    REVIEWER,
    SETTLER,
    Office,
    PlainChannel,
    make_office,
)

LONG = timedelta(minutes=31)


async def one_on(kind: str, title: str = "供热开始", late: str = "publish") -> Office:
    office = make_office()
    await office.account("a-main", kind)
    await office.write("c1", title)
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", office.clock.now(), late)])
    return office


async def row_of(office: Office, id: str = "c1:a-main:1", table: str = "publications") -> Document:
    row = await office.store.get(table, id)
    assert row is not None
    return row


def notices(row: Document, matter: str) -> list[str]:
    rows = [one for parcel in row.get("outbox", ()) for one in parcel["rows"]]
    return [one["key"] for one in rows if one["kind"] == "notice" and one["matter"] == matter]


# ---- one post, one publication


class Repeating(PlainChannel):
    """A platform that answers a repeated text with the post that is there already."""

    async def publish(self, staged: Staged, key: str) -> Outcome:
        post = self.platform.posts[0] if self.platform.posts else self.platform.make(staged, key, False)
        return Accepted(post.id, f"{self.base}/{post.id}", post.at)


async def test_two_publications_of_the_same_words_never_share_one_post() -> None:
    office = make_office()
    await office.account("weibo-main", "weibo")
    desk = replace(office.desk, connect=lambda account: Repeating(**vars(office.desk.connect(account))))
    for content in ("c1", "c2"):
        await office.write(content, "供热开始")
        await publishing.schedule(EDITOR, desk, content, [Wish("weibo-main", office.clock.now())])
        office.clock.move(10)
        await dispatch(DISPATCHER, desk)
    assert (await row_of(office, "c1:weibo-main:1"))["external_id"] == "p1"
    second = await row_of(office, "c2:weibo-main:1")
    assert (second["state"], second.get("external_id")) == ("unknown", None)
    assert second["reason"] == claiming.ANOTHERS


async def test_a_verdict_that_points_at_anothers_post_is_unknown() -> None:
    office = await one_on("weibo")
    platform = office.platforms["a-main"]
    platform.faults = ["pending"]
    await dispatch(DISPATCHER, office.desk)
    key = (await row_of(office))["ticket"]
    platform.pending[key] = "p9"
    assert await claiming.is_own(office.desk, {"_id": "other", "account": "a-main"}, "p9")
    office.clock.move(11)
    await settling.settle(SETTLER, office.desk)
    assert (await row_of(office))["state"] == "unknown"


async def test_of_two_settlers_at_one_post_the_first_keeps_it_and_keeps_it_after_a_crash() -> None:
    office = make_office()
    first, second = {"_id": "p1", "account": "a"}, {"_id": "p2", "account": "a"}
    assert await claiming.is_own(office.desk, first, "x")
    assert not await claiming.is_own(office.desk, second, "x")
    assert await claiming.is_own(office.desk, first, "x")


# ---- ways out


async def test_what_is_held_again_after_a_release_is_told_again() -> None:
    office = await one_on("site", late="ask")
    await office.store.change("contents", {"_id": "c1"}, {"$set": {"state": "in_review"}})
    for _ in range(2):
        office.clock.move(LONG)
        await dispatch(DISPATCHER, office.desk)
        assert (await row_of(office))["state"] == "held"
        await publishing.release(REVIEWER, office.desk, "c1:a-main:1")
    keys = notices(await row_of(office), "publication.ask") + notices(await row_of(office), "publication.unapproved")
    assert len(set(keys)) == len(keys) == 2


async def test_a_person_who_looked_may_release_what_changed_while_its_result_was_unknown() -> None:
    office = await one_on("trusted")
    office.platforms["a-main"].faults = ["drop_before"]
    await dispatch(DISPATCHER, office.desk)
    await office.write("c1", "供热推迟", number=2)
    for _ in range(8):
        office.clock.move(60)
        await settling.settle(SETTLER, office.desk)
        await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "held"
    await publishing.release(REVIEWER, office.desk, "c1:a-main:1")
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "published"
    assert [post.text.split("\n")[0] for post in office.platforms["a-main"].posts] == ["供热推迟"]


async def public(kind: str = "site") -> Office:
    office = await one_on(kind)
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "published"
    return office


async def test_a_correction_overtaken_by_a_newer_text_gives_way_to_a_new_one() -> None:
    office = await public()
    await office.write("c1", "供热推迟", number=2, approved=False)
    [first] = await correct(EDITOR, office.desk, "c1", "改正时间")
    package = await office.write("c1", "供热再推迟", number=3, approved=False)
    [second] = await correct(EDITOR, office.desk, "c1", "再改时间")
    assert second["_id"] != first["_id"] and second["hash"] == package
    assert (await row_of(office, first["_id"], "operations"))["state"] == "cancelled"
    [again] = await correct(EDITOR, office.desk, "c1", "再改时间")
    assert again["_id"] == second["_id"]


async def test_a_correction_asked_while_an_older_one_is_going_out_is_refused_and_nothing_is_lost() -> None:
    office = await public()
    await office.write("c1", "供热推迟", number=2, approved=False)
    [first] = await correct(EDITOR, office.desk, "c1", "改正时间")
    await office.store.change("operations", {"_id": first["_id"]}, {"$set": {"state": "sending"}})
    await office.write("c1", "供热再推迟", number=3, approved=False)
    with pytest.raises(Conflict, match="再按一次"):
        await correct(EDITOR, office.desk, "c1", "再改时间")
    await office.store.change("operations", {"_id": first["_id"]}, {"$set": {"state": "published"}})
    [second] = await correct(EDITOR, office.desk, "c1", "再改时间")
    assert second["revision"] == 3


async def test_a_correction_of_what_was_refused_after_all_ends_and_does_not_wait_for_ever() -> None:
    office = await public()
    await office.write("c1", "供热推迟", number=2, approved=False)
    [operation] = await correct(EDITOR, office.desk, "c1", "改正时间")
    await office.store.change("publications", {"_id": "c1:a-main:1"}, {"$set": {"state": "refused"}})
    await operate(DISPATCHER, office.desk)
    row = await row_of(office, operation["_id"], "operations")
    assert (row["state"], row["reason"]) == ("cancelled", "没有发出或已撤下，无须更正")


async def test_a_correction_asked_after_a_withdrawal_is_refused_and_one_asked_before_it_ends() -> None:
    office = await public()
    package = await office.write("c1", "供热推迟", number=2, approved=False)
    [operation] = await correct(EDITOR, office.desk, "c1", "改正时间")
    review = {"_id": "r1", "content": "c1", "revision": 2, "hash": package, "kind": "approval", "verdict": "pass"}
    await office.store.insert("reviews", {**review, "level": 1, "by": REVIEWER.id, "at": office.clock.now()})
    await withdraw(EDITOR, office.desk, "c1", "数字有误")
    with pytest.raises(Conflict, match="正在撤稿"):
        await correct(EDITOR, office.desk, "c1", "改正时间")
    for _ in range(3):
        await operate(DISPATCHER, office.desk)
        office.clock.move(2)
    assert office.platforms["a-main"].posts[0].corrected == []
    assert (await row_of(office, operation["_id"], "operations"))["state"] == "cancelled"
    assert (await row_of(office))["state"] == "removed"


@pytest.mark.parametrize("kind", ["site", "trusted"])
async def test_two_looks_lie_further_apart_than_a_call_may_last_whatever_the_platform_honours(kind: str) -> None:
    office = await one_on(kind)
    office.platforms["a-main"].faults.append("drop_before")
    await dispatch(DISPATCHER, office.desk)
    seen = []
    for _ in range(40):
        office.clock.move(5)
        await settling.settle(SETTLER, office.desk)
        seen.append((await row_of(office))["state"])
    assert seen[:23] == ["unknown"] * 23 and "scheduled" in seen


@pytest.mark.parametrize("state", ["held", "refused"])
async def test_pressing_withdraw_again_sets_going_what_stood_still(state: str) -> None:
    office = await public()
    [operation] = await withdraw(EDITOR, office.desk, "c1", "数字有误")
    stopped = {"$set": {"state": state, "reason": "连不上"}, "$unset": {"to_follow": ""}}
    await office.store.change("operations", {"_id": operation["_id"]}, stopped)
    [again] = await withdraw(EDITOR, office.desk, "c1", "数字有误")
    assert (again["_id"], again["state"]) == (operation["_id"], "scheduled")
    await operate(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "removed"


async def test_hold_all_names_the_corrections_under_way_too() -> None:
    office = await public()
    await office.write("c1", "供热推迟", number=2, approved=False)
    [operation] = await correct(EDITOR, office.desk, "c1", "改正时间")
    await office.store.change("operations", {"_id": operation["_id"]}, {"$set": {"state": "sending"}})
    held = await pausing.hold_all(EDITOR, office.desk, "内容有误")
    assert [row["_id"] for row in held.under_way] == [operation["_id"]]


# ---- one account's trouble


def broken(office: Office, account: str) -> Any:
    def connect(row: Document) -> PlainChannel:
        if row["_id"] == account:
            raise ValueError("credentials that do not open")
        return office.desk.connect(row)  # type: ignore[return-value]

    return replace(office.desk, connect=connect)


async def two() -> Office:
    office = make_office()
    for number, account in enumerate(("a-main", "b-main"), 1):
        await office.account(account, "site")
        await office.write(f"c{number}", f"第 {number} 篇")
        at = office.clock.now() + timedelta(seconds=number)
        await publishing.schedule(EDITOR, office.desk, f"c{number}", [Wish(account, at, "publish")])
    office.clock.move(5)
    return office


async def test_an_account_that_cannot_be_connected_stops_no_other_and_a_person_hears_of_it() -> None:
    office = await two()
    desk = broken(office, "a-main")
    await dispatch(DISPATCHER, desk)
    assert (await office.states())["b-main"] == "published"
    for _ in range(10):
        office.clock.move(timedelta(minutes=11))
        await dispatch(DISPATCHER, desk)
    row = await row_of(office)
    assert row["state"] == "held"
    assert notices(row, "publication.held")


async def test_scheduling_to_an_account_that_cannot_be_connected_says_so() -> None:
    office = make_office()
    await office.account("a-main", "site")
    await office.write("c1", "供热开始")
    with pytest.raises(Invalid) as said:
        await publishing.schedule(EDITOR, broken(office, "a-main"), "c1", [Wish("a-main", office.clock.now())])
    assert "重新接入" in said.value.errors[0].message


async def test_a_withdrawal_at_a_broken_account_stops_no_other_withdrawal() -> None:
    office = await two()
    await dispatch(DISPATCHER, office.desk)
    desk = broken(office, "a-main")
    for content in ("c1", "c2"):
        await withdraw(EDITOR, desk, content, "数字有误")
    await operate(DISPATCHER, desk)
    assert await office.states() == {"a-main": "published", "b-main": "removed"}


async def test_a_lost_operation_of_a_broken_account_stops_no_other_from_being_settled() -> None:
    office = await two()
    await dispatch(DISPATCHER, office.desk)
    for content, account in (("c1", "a-main"), ("c2", "b-main")):
        await withdraw(EDITOR, office.desk, content, "数字有误")
        office.platforms[account].faults = ["drop_after"]
    await operate(DISPATCHER, office.desk)
    desk = broken(office, "a-main")
    for _ in range(5):
        office.clock.move(60)
        await settle_operations(SETTLER, desk)
    assert await office.states() == {"a-main": "published", "b-main": "removed"}
