"""What people are told of a publication that did not go its way: what, where, whose turn, what to press; each kind's
whole text, through the real road to the bell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.contract import Outcome, Pending, Refused, Unknown, Who
from hub.desk.carrying import carry
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.operating import operate
from hub.desk.publishing import Wish, schedule
from hub.desk.settling import settle
from hub.desk.withdrawing import withdraw
from hub.domain import matters
from tests.domain.publishing_office import (
    DISPATCHER,
    EDITOR,
    MORNING,
    SETTLER,
    Office,
    make_office,
)
from tests.domain.trust_office import CARRIER

ID = "c1:main:1"


async def planned(kind: str = "trusted", *, late: str = "ask", approved: bool = True, **account: object) -> Office:
    office = make_office()
    user = {"_id": "u1", "login": "monitor", "name": "值班", "roles": ["monitor"], "duty": True, "disabled": False}
    await office.store.insert("users", user)
    await office.account("main", kind, name="云川发布", **account)
    await office.write("c1", "供暖提前", approved=approved)
    await schedule(EDITOR, office.desk, "c1", [Wish("main", MORNING, late)])
    return office


async def told(office: Office) -> tuple[str, str, str]:
    """The one notice that rang: matter, text, link."""
    await carry(CARRIER, office.desk)
    rows = await office.store.find("notices", {"person": "u1"}, sort=[("at", -1)])
    assert len(rows) == 1, [row["text"] for row in rows]
    return rows[0]["matter"], rows[0]["text"], rows[0]["link"]


@pytest.mark.parametrize(
    ("fault", "matter", "text"),
    [
        (
            "word", "publication.refused.editor",
            "《供暖提前》（云川发布）没有发出：含有平台不允许的词。"
            "请编辑点“修改稿件”，重新审签后点“改好了，重新发送”；不发了点“取消发布”。",
        ),
        (
            "token", "publication.refused.administrator",
            "《供暖提前》（云川发布）没有发出：授权已失效，请重新授权。"
            "请系统管理员点“检查账号”；好了以后，由编辑或审核点“改好了，重新发送”。",
        ),
        (
            "drop_before", "publication.unknown",
            "《供暖提前》（云川发布）是否发出，不清楚（没有收到回答）。请勿重新发送。请编辑或审核打开账号看一眼，"
            "再点“已发出，填地址”或“没有发出”；系统也在查，查到会自己改。",
        ),
    ],
)  # fmt: skip
async def test_refused_and_unknown_say_the_platforms_words_whose_turn_it_is_and_what_to_press(
    fault: str, matter: str, text: str
) -> None:
    office = await planned()
    office.platforms["main"].faults[:] = [fault]
    await dispatch(DISPATCHER, office.desk)
    assert await told(office) == (matter, text, f"/publications/{ID}")


async def test_a_refused_picture_is_named_and_its_one_press_too() -> None:
    outcome = Refused("too_large", "第 2 张图 12.4 MB，超过 5 MB", Who.EDITOR, part="第 2 张图", picture="a" * 64)
    tell = matters.refused({"title": "供暖提前"}, outcome)
    assert tell.text({"title": "供暖提前"}, "云川发布") == (
        "《供暖提前》（云川发布）没有发出：第 2 张图 12.4 MB，超过 5 MB。请编辑点“压缩图片并重发”；不发了点“取消发布”。"
    )


async def test_what_was_tried_too_often_says_that_nothing_is_out() -> None:
    office = await planned()
    office.platforms["main"].faults[:] = ["busy"] * 20
    for _ in range(200):
        await dispatch(DISPATCHER, office.desk)
        office.clock.move(30)
    assert await told(office) == (
        "publication.held",
        "《供暖提前》（云川发布）试了多次都没有发出，已停下，确定没有公开：平台繁忙。"
        "请系统管理员看账号是否正常；好了以后，由编辑或审核点“恢复，现在发出”。",
        f"/publications/{ID}",
    )


@pytest.mark.parametrize(("late", "matter"), [("ask", "publication.ask"), ("hold", "publication.late")])
async def test_what_is_late_says_by_how_much_and_what_may_be_pressed(late: str, matter: str) -> None:
    office = await planned(late=late)
    office.clock.move(timedelta(minutes=42))
    await dispatch(DISPATCHER, office.desk)
    assert await told(office) == (
        matter,
        "《供暖提前》（云川发布）过了原定时间 42 分钟，没有自动发出，现在停着。"
        "请编辑或审核点“恢复，现在发出”，或点“取消发布”。",
        f"/publications/{ID}",
    )


async def test_what_is_not_approved_at_its_time_names_the_reviewer_first() -> None:
    office = await planned(approved=False, late="publish")
    office.clock.move(timedelta(minutes=42))
    await dispatch(DISPATCHER, office.desk)
    assert await told(office) == (
        "publication.unapproved",
        "《供暖提前》（云川发布）到了时间还没有审签完，没有发出，停着。"
        "请审核先审；审完以后，由编辑或审核点“恢复，现在发出”。",
        f"/publications/{ID}",
    )


async def test_what_waits_for_the_website_says_to_mend_that_one_first() -> None:
    office = make_office()
    user = {"_id": "u1", "login": "monitor", "name": "值班", "roles": ["monitor"], "duty": True, "disabled": False}
    await office.store.insert("users", user)
    await office.account("site-main", "site", name="市政府网站")
    await office.account("main", "weibo", name="云川发布", waits_for="site-main")
    await office.write("c1", "供暖提前")
    await schedule(EDITOR, office.desk, "c1", [Wish("site-main", MORNING), Wish("main", MORNING)])
    await office.store.change("publications", {"_id": "c1:site-main:1"}, {"$set": {"state": "cancelled"}})
    await dispatch(DISPATCHER, office.desk)
    await wake_waiting(DISPATCHER, office.desk)
    assert await told(office) == (
        "publication.held",
        "《供暖提前》（云川发布）没有发出，停着：网站上的同一篇没有发出。"
        "请编辑先办好网站上的那一篇，再在这一条里点“恢复，现在发出”。",
        f"/publications/{ID}",
    )


async def test_an_edit_before_the_result_was_known_asks_to_look_at_the_platform_first() -> None:
    office = await planned()
    office.platforms["main"].faults[:] = ["drop_before"]
    await dispatch(DISPATCHER, office.desk)
    await carry(CARRIER, office.desk)
    for _ in range(6):
        office.clock.move(timedelta(minutes=3))
        await settle(SETTLER, office.desk)
    await office.store.change("notices", {"person": "u1"}, {"$set": {"person": "u2"}})
    await office.write("c1", "供暖提前了", number=2)
    await dispatch(DISPATCHER, office.desk)
    assert await told(office) == (
        "publication.held",
        "《供暖提前》（云川发布）停着没有再发：上次发送的结果查清之前，稿件有了改动。"
        "请编辑或审核先到平台上核对发出过没有，再点“恢复，现在发出”或“取消发布”。",
        f"/publications/{ID}",
    )


async def test_what_a_person_must_confirm_on_the_platform_says_where_and_that_nothing_else_is_needed() -> None:
    office = await planned()
    real = office.desk.connect

    class ByHand:
        """The account's own channel, whose platform asks for a person."""

        def __init__(self, inner: object) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        async def publish(self, staged: object, key: str) -> Outcome:
            return Pending(key, "admin_confirm", timedelta(minutes=1), "请管理员在手机上确认群发")

    desk = replace(office.desk, connect=lambda account: ByHand(real(account)))  # type: ignore[arg-type, return-value]
    await dispatch(DISPATCHER, desk)
    assert await told(office) == (
        "publication.pending",
        "《供暖提前》（云川发布）平台收下了，还没有公开，等人在平台上确认：请管理员在手机上确认群发。"
        "请管这个账号的编辑登录平台确认；公开以后系统会自己查到，不用再按什么。",
        f"/publications/{ID}",
    )


async def test_a_withdrawal_that_needs_a_hand_says_what_to_press_afterwards() -> None:
    office = await planned("weibo", settings={"domain": "www.example.cn", "fallback_url": "https://www.example.cn/"})
    await dispatch(DISPATCHER, office.desk)
    await withdraw(EDITOR, office.desk, "c1", "有误")
    await operate(DISPATCHER, office.desk)
    matter, text, link = await told(office)
    assert matter == "publication.refused.editor" and link.startswith(f"/operations/{ID}:")
    assert text == (
        "《供暖提前》（云川发布）没有撤下：微博上的这一条不能自动撤下。请登录微博手工撤下，做完后在待办里确认。"
        "请编辑或审核按上面说的办好，再点“已在平台上做完”。"
    )


def test_no_text_begins_with_a_code_or_blames_anybody() -> None:
    about = {"title": "供暖提前", "late": "ask"}
    refusal = Refused("20012", "图片格式平台不收。", Who.EDITOR)
    every = [
        matters.late(about, 31), matters.unknown(about, Unknown("超时").reason), matters.refused(about, refusal),
        matters.worn_out(about, "连不上平台。"), matters.no_address(about, "网站没有发出"), matters.changed(about),
        matters.unapproved(about), matters.by_hand(about, ""),
        *(matters.unknown({**about, "kind": kind}, "超时") for kind in ("correct", "withdraw")),
    ]  # fmt: skip
    for tell in every:
        text = tell.text(about, "云川发布")
        assert text.startswith("《供暖提前》（云川发布）") and text.endswith("。") and "。。" not in text
        assert "20012" not in text and "！" not in text and "请" in tell.turn
        assert any(role in tell.turn for role in ("编辑", "审核", "系统管理员"))
