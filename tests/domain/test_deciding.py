"""Merging and parting of issues by a person, and what an alert's end teaches; failures 11a and 11b of the field."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.desk import deciding
from hub.desk.alerting import handle_alert, list_alerts
from hub.desk.board import counted_rows
from hub.desk.desk import Desk
from hub.desk.issues import issue
from hub.desk.listening import listen
from hub.desk.reading import read_new
from hub.desk.watching import Watch
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.failpoints import Stopped
from hub.store.base import Document
from nlp.detectors.ensemble import Ensemble
from tests.domain.listening_office import EDITOR, LISTENER, MONITOR, MORNING, READER, WATCHER, Office, make_office

WATER = [
    "滨河花园从昨晚开始停水，到现在没有人通知",
    "滨河花园停水第二天了，物业电话打不通",
    "我家就在滨河花园，停水了一滴都没有",
    "滨河花园又停水，上班族连脸都洗不了",
    "滨河花园停水，孩子泡奶粉都得去超市买水",
]
LIFT = ["松苑小区电梯又坏了，老人下不了楼", "松苑小区的电梯困人，维保单位不接电话", "松苑小区电梯停运一周，物业不管"]


async def heard(office: Office, *texts: str, watch: Watch | None = None) -> Watch:
    """Said by people of their own, read and watched until nothing is left to do."""
    for text in texts:
        number = len(office.source.said)
        office.source.say(text, author=f"市民{number}", at=MORNING + timedelta(minutes=number))
    office.clock.move(60)
    await listen(LISTENER, office.desk)
    while await read_new(READER, office.desk):
        pass
    watch = watch or Watch(Ensemble)
    for _ in range(6):
        await watch.tick(WATCHER, office.desk)
    return watch


async def town(office: Office) -> tuple[Watch, str, str]:
    """A told issue of the water and one of the lift beside it."""
    watch = await heard(office, *WATER, *LIFT)
    return watch, await issue_of(office, WATER[0]), await issue_of(office, LIFT[0])


async def issue_of(office: Office, text: str) -> str:
    rows = await office.desk.store.find("replies", {}, limit=100)
    return str(next(row["issue"] for row in rows if row["text"] == text))


async def replies_of(office: Office, id: str) -> set[str]:
    return {row["text"] for row in await office.desk.store.find("replies", {"issue": id}, limit=100)}


async def state_of(office: Office, id: str) -> str:
    return str((await office.desk.store.get("issues", id) or {})["state"])


async def ids_of(office: Office, *texts: str) -> list[str]:
    return [row["_id"] for row in await office.desk.store.find("replies", {}, limit=100) if row["text"] in texts]


async def one_decision(office: Office) -> Document:
    return (await office.desk.store.find("decisions", {}, sort=[("number", -1)], limit=1))[0]


# ---- merging


async def test_a_merge_is_carried_out_by_the_watch_with_replies_alerts_and_later_voices() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    await deciding.merge_issue(MONITOR, office.desk, water, lift, "两处都是同一家物业")
    await heard(office, watch=watch)
    assert (await state_of(office, water), await state_of(office, lift)) == ("merged", "open")
    assert await replies_of(office, lift) == {*WATER, *LIFT}
    assert {row["issue"] for row in await list_alerts(MONITOR, office.desk)} == {lift}
    await heard(office, "滨河花园停水到今天还没好", watch=watch)
    assert "滨河花园停水到今天还没好" in await replies_of(office, lift)
    assert ((await one_decision(office))["state"], (await one_decision(office))["outcome"]) == ("done", "moved")


async def test_11a_a_merge_tells_nothing_again_and_the_pause_of_the_told_one_holds() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    before = await list_alerts(MONITOR, office.desk)
    await deciding.merge_issue(MONITOR, office.desk, water, lift, "同一件事")
    await heard(office, *[f"{text}，请快点" for text in WATER], watch=watch)
    assert [row["_id"] for row in await list_alerts(MONITOR, office.desk)] == [row["_id"] for row in before]


async def test_a_merged_page_says_where_its_words_went_and_the_target_who_brought_them() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    await deciding.merge_issue(MONITOR, office.desk, lift, water, "同一家物业，电话 13800138000")
    await heard(office, watch=watch)
    assert (await issue(MONITOR, office.desk, lift)).issue["merged_into"] == water
    row = (await issue(MONITOR, office.desk, water)).decisions[0]
    assert (row["by_name"], row["outcome"]) == ("何静", "moved")
    assert "13800138000" not in row["reason"]


@pytest.mark.parametrize("point", ["decide.carried", "decide.saved"])
async def test_a_crash_between_a_decision_and_its_obedience_loses_nothing(point: str) -> None:
    office = await make_office(f"{point}:1:raise")
    watch, water, lift = await town(office)
    await deciding.merge_issue(MONITOR, office.desk, lift, water, "同一家物业")
    with pytest.raises(Stopped):
        await heard(office, watch=watch)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    again = await heard(after, "松苑小区电梯还是没修")
    assert (await state_of(after, lift), (await one_decision(after))["state"]) == ("merged", "done")
    assert (await one_decision(after))["outcome"] == "moved"
    assert await replies_of(after, water) == {*WATER, *LIFT, "松苑小区电梯还是没修"}
    await heard(after, "松苑小区电梯，第二遍问了", watch=again)
    assert len(await list_alerts(MONITOR, after.desk)) == 1


async def test_a_decision_comes_after_what_was_read_before_it_though_the_watch_was_killed_unsaved() -> None:
    """The new holder hears the unsaved words first: the split finds them."""
    office = await make_office()
    await heard(office, *WATER[:2])
    dying = Watch(Ensemble)
    await heard(office, *WATER[2:], *LIFT, watch=dying)
    water = await issue_of(office, WATER[0])
    await deciding.split_issue(MONITOR, office.desk, water, await ids_of(office, WATER[4]), "泡奶粉是另一件")
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await heard(after)
    row = await one_decision(after)
    assert (row["state"], row["outcome"]) == ("done", "moved")
    assert await replies_of(after, row["into"]) == {WATER[4]}


async def test_two_watches_carry_a_decision_out_once() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    await deciding.merge_issue(MONITOR, office.desk, lift, water, "同一家物业")
    other, second = office.again(office.desk.store), Watch(Ensemble)
    assert await second.tick(WATCHER, other.desk) == 0
    assert (await one_decision(office))["state"] == "waiting"
    await watch.close(office.desk)
    await second.tick(WATCHER, other.desk)
    await watch.tick(WATCHER, office.desk)
    assert (await one_decision(office))["outcome"] == "moved"
    assert await replies_of(office, water) == {*WATER, *LIFT}


async def test_what_is_no_longer_there_is_left_alone_and_the_page_can_say_so() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    await deciding.merge_issue(MONITOR, office.desk, lift, water, "同一家物业")
    await deciding.merge_issue(MONITOR, office.desk, water, lift, "反过来也行")
    await heard(office, watch=watch)
    rows = await office.desk.store.find("decisions", {}, sort=[("number", 1)], limit=5)
    assert [row["outcome"] for row in rows] == ["moved", "void"]
    assert await state_of(office, water) == "open"


async def test_decisions_of_many_at_once_have_numbers_of_their_own() -> None:
    office = await make_office()
    _, water, lift = await town(office)
    rows: list[Document] = [
        {**(await office.desk.store.get("issues", water) or {}), "_id": f"issue-{n}"} for n in range(8)
    ]
    await office.desk.store.insert_new("issues", rows)
    await asyncio.gather(
        *(deciding.merge_issue(MONITOR, office.desk, f"issue-{n}", lift, "同一件事") for n in range(8))
    )
    found = await office.desk.store.find("decisions", {}, sort=[("number", 1)], limit=20)
    assert [row["number"] for row in found] == list(range(1, 9))


# ---- refusing


async def _merge(desk: Desk, id: str, into: str, reason: str = "同一件事") -> object:
    return await deciding.merge_issue(MONITOR, desk, id, into, reason)


async def test_a_merge_that_cannot_be_is_refused_with_what_to_do() -> None:
    office = await make_office()
    _, water, lift = await town(office)
    for id, into, reason, wrong in (
        (water, water, "同一件事", "自己"),
        (water, lift, " ", "为什么"),
        (water, "", "同一件事", "哪一个"),
    ):
        with pytest.raises(Invalid, match=wrong):
            await _merge(office.desk, id, into, reason)
    with pytest.raises(NotFound):
        await _merge(office.desk, "issue-none", lift)
    with pytest.raises(NotAllowed):
        await deciding.merge_issue(EDITOR, office.desk, water, lift, "同一件事")
    await _merge(office.desk, water, lift)
    with pytest.raises(Conflict, match="还在执行"):
        await _merge(office.desk, water, lift)


@pytest.mark.parametrize(
    ("change", "said"), [({"state": "closed"}, "已结束"), ({"source": "word"}, "关注词"), ({"stream": "old"}, "往日")]
)
async def test_ended_issues_words_and_other_streams_are_not_joined(change: dict[str, Any], said: str) -> None:
    office = await make_office()
    _, water, lift = await town(office)
    await office.desk.store.change("issues", {"_id": lift}, {"$set": change})
    with pytest.raises((Conflict, Invalid), match=said):
        await _merge(office.desk, water, lift)


async def test_a_split_needs_some_of_its_voices_and_leaves_some() -> None:
    office = await make_office()
    _, water, _ = await town(office)
    with pytest.raises(Invalid, match="勾选"):
        await deciding.split_issue(MONITOR, office.desk, water, await ids_of(office, LIFT[0]), "不是一件事")
    with pytest.raises(Invalid, match="全部"):
        await deciding.split_issue(MONITOR, office.desk, water, await ids_of(office, *WATER), "不是一件事")


# ---- parting


async def test_a_split_moves_the_replies_chosen_to_an_issue_of_their_own() -> None:
    office = await make_office()
    watch, water, _ = await town(office)
    row = await deciding.split_issue(MONITOR, office.desk, water, await ids_of(office, *WATER[3:]), "另一栋楼")
    await heard(office, watch=watch)
    assert await replies_of(office, row["into"]) == set(WATER[3:])
    assert await replies_of(office, water) == set(WATER[:3])
    assert (await issue(MONITOR, office.desk, row["into"])).issue["voices"] == 2
    assert len(await list_alerts(MONITOR, office.desk)) == 1


async def test_an_undone_merge_gives_back_replies_and_alerts_and_is_undone_once() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    merge = await deciding.merge_issue(MONITOR, office.desk, water, lift, "同一件事")
    await heard(office, watch=watch)
    await deciding.undo_merge(MONITOR, office.desk, merge["_id"], "看错了")
    await heard(office, watch=watch)
    assert (await replies_of(office, water), await replies_of(office, lift)) == (set(WATER), set(LIFT))
    assert (await state_of(office, water), await state_of(office, lift)) == ("open", "open")
    assert {row["issue"] for row in await list_alerts(MONITOR, office.desk)} == {water}
    with pytest.raises(Conflict, match="撤销"):
        await deciding.undo_merge(MONITOR, office.desk, merge["_id"], "再撤一次")
    assert [row["undone"] for row in (await issue(MONITOR, office.desk, lift)).decisions if row["kind"] == "merge"] == [
        True
    ]


async def test_the_likely_targets_come_first_and_words_find_others() -> None:
    office = await make_office()
    _, water, lift = await town(office)
    await office.desk.store.change("issues", {"_id": lift}, {"$set": {"level": "watch"}})
    base = await office.desk.store.get("issues", water) or {}
    near = {**base, "_id": "issue-near", "title": "滨河花园泵房", "last_at": MORNING}
    gone = {**base, "_id": "issue-gone", "state": "closed"}
    await office.desk.store.insert_new("issues", [near, gone])
    assert [row["_id"] for row in await deciding.likely(MONITOR, office.desk, water)] == ["issue-near", lift]
    title = (await office.desk.store.get("issues", lift) or {})["title"]
    assert [row["_id"] for row in await deciding.likely(MONITOR, office.desk, water, title[:4])] == [lift]


# ---- what an alert's end teaches


async def ended(office: Office, act: str) -> Watch:
    watch, _, _ = await town(office)
    id = str((await list_alerts(MONITOR, office.desk))[0]["_id"])
    if act == "close":
        await handle_alert(MONITOR, office.desk, id, "acknowledge")
        await handle_alert(MONITOR, office.desk, id, "assess", "属实")
    await handle_alert(MONITOR, office.desk, id, act, "小区自己停的")
    return await heard(office, watch=watch)


async def test_11b_a_false_alarm_puts_its_two_carriers_in_doubt_for_the_days_of_the_rule() -> None:
    office = await make_office()
    await ended(office, "false-alarm")
    row, alert = await one_decision(office), (await list_alerts(MONITOR, office.desk))[0]
    assert (row["kind"], row["pair"], row["state"]) == ("doubt", alert["pair"], "done")
    assert set(row["pair"]) == {"滨河花园", "停水"}
    assert row["until"] - alert["changed_at"] == timedelta(days=90)
    assert "to_teach" not in alert


async def test_what_was_real_is_learned_too_and_each_end_is_learned_once() -> None:
    office = await make_office()
    watch = await ended(office, "close")
    alert = (await list_alerts(MONITOR, office.desk))[0]
    await office.desk.store.change("alerts", {"_id": alert["_id"]}, {"$set": {"to_teach": True}})  # killed between
    await heard(office, watch=watch)
    rows = await office.desk.store.find("decisions", {}, limit=5)
    assert [(row["kind"], row["state"]) for row in rows] == [("trust", "done")]


async def test_an_issue_under_doubt_says_who_called_it_a_false_alarm() -> None:
    office = await make_office()
    watch = await ended(office, "false-alarm")
    await heard(office, "滨河花园停水，又来了一次", watch=watch)
    page = await issue(MONITOR, office.desk, await issue_of(office, WATER[0]))
    assert page.doubt is not None
    assert (page.doubt["by_name"], page.doubt["reason"]) == ("何静", "小区自己停的")


async def test_counting_for_the_board_is_untouched_by_decisions() -> None:
    office = await make_office()
    watch, water, lift = await town(office)
    span = (MORNING - timedelta(days=1), MORNING + timedelta(days=1))
    before = await counted_rows(MONITOR, office.desk, "day", *span)
    await deciding.merge_issue(MONITOR, office.desk, water, lift, "同一件事")
    await heard(office, watch=watch)
    assert await counted_rows(MONITOR, office.desk, "day", *span) == before
