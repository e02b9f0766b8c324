"""常用答复: who keeps them, what a case fills in, what stands open, and what may not be sent for approval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk import canned, handling
from hub.desk.answering import submit_answer, write_answer
from hub.domain.canned import VARIABLES, check_canned, fill, places, quotable, require_filled
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.domain.case_office import EDITOR, HANDLER, HANDLER2, MONITOR, REVIEWER, Office, make_office

TEXT = "{称呼}，您好。您反映的情况由{部门}办理，编号 {工单号}，{时限}前答复，可拨打 {电话}。"


async def kept(office: Office, title: str = "受理说明", text: str = TEXT) -> str:
    return str((await canned.save_canned(HANDLER, office.desk, title=title, text=text))["_id"])


async def test_handlers_and_reviewers_write_them_monitors_read_them_and_editors_see_none() -> None:
    office = await make_office()
    id = await kept(office)
    assert (await canned.canned(MONITOR, office.desk, id))["title"] == "受理说明"
    await canned.save_canned(REVIEWER, office.desk, id=id, title="受理", text=TEXT)
    with pytest.raises(NotAllowed):
        await canned.save_canned(MONITOR, office.desk, title="受理", text=TEXT)
    with pytest.raises(NotAllowed):
        await canned.list_canned(EDITOR, office.desk)
    with pytest.raises(NotFound):
        await canned.save_canned(HANDLER, office.desk, id="nothing", title="受理", text=TEXT)


async def test_one_that_is_retired_is_offered_no_more_until_it_is_brought_back() -> None:
    office = await make_office()
    id = await kept(office)
    await canned.retire_canned(HANDLER, office.desk, id)
    assert await canned.list_canned(HANDLER, office.desk) == []
    assert [row["_id"] for row in await canned.list_canned(HANDLER, office.desk, retired=True)] == [id]
    await canned.restore_canned(HANDLER2, office.desk, id)
    assert [row["_id"] for row in await canned.list_canned(HANDLER, office.desk)] == [id]


async def test_who_changes_what_somebody_has_just_changed_is_told_and_every_change_is_in_the_audit() -> None:
    office = await make_office()
    id = await kept(office)
    await canned.save_canned(HANDLER2, office.desk, id=id, title="受理", text=TEXT, version=1)
    with pytest.raises(Conflict, match="刚改过"):
        await canned.save_canned(HANDLER, office.desk, id=id, title="旧的", text=TEXT, version=1)
    await canned.retire_canned(HANDLER, office.desk, id)
    rows = [row for parcel in (await office.row("canned", id))["outbox"] for row in parcel["rows"]]
    assert [row["act"] for row in rows] == ["canned.save", "canned.save", "canned.retire"]


@pytest.mark.parametrize(("title", "text", "field"), [
    ("受", TEXT, "title"),
    ("长" * 31, TEXT, "title"),
    ("受理", "短", "text"),
    ("受理", "{市长}您好，情况已收到。", "text"),
    ("受理", "请打 13912345678 找王师傅，谢谢。", "text"),
    ("受理", "好" * 1_001, "text"),
])  # fmt: skip
def test_what_may_not_be_in_one_is_named(title: str, text: str, field: str) -> None:
    with pytest.raises(Invalid) as said:
        check_canned(title, text)
    assert field in {error.field for error in said.value.errors}


async def test_a_case_fills_what_it_knows_and_leaves_open_what_it_does_not() -> None:
    office = await make_office()
    await kept(office)
    case = await office.in_hand()
    (row,) = await canned.offered(HANDLER, office.desk, case)
    number = (await office.row("cases", case))["number"]
    assert row["text"] == (
        f"市民朋友，您好。您反映的情况由{{部门}}办理，编号 {number}，11 月 24 日前答复，可拨打 {{电话}}。"
    )
    await office.store.insert("services", {"_id": "lamp", "department": "市城管局", "phone": "12319"})
    await handling.assign_case(MONITOR, office.desk, case, department="市城管局")
    (row,) = await canned.offered(HANDLER, office.desk, case)
    assert "由市城管局办理" in row["text"] and row["text"].endswith("可拨打 12319。")


async def test_no_citizens_name_comes_in_and_several_are_greeted_together() -> None:
    office = await make_office()
    await kept(office)
    case = await office.in_hand("王芳", "李明")
    await office.store.change("cases", {"_id": case}, {"$set": {"people": 2}})
    (row,) = await canned.offered(HANDLER, office.desk, case)
    assert row["text"].startswith("各位市民，") and "王" not in row["text"]


async def test_an_answer_with_an_open_place_is_kept_but_not_sent_for_approval() -> None:
    office = await make_office()
    case = await office.in_hand()
    text = "您好。路灯已报修，有问题请拨打 {电话}，由{部门}答复。"
    assert (await write_answer(HANDLER, office.desk, case, text))["state"] == "draft"
    with pytest.raises(Invalid) as said:
        await submit_answer(HANDLER, office.desk, case, text)
    assert said.value.errors[0].message == "还有 {电话}、{部门} 没有填，请改成具体内容，再送审。"
    filled = fill(text, {"电话": "12319", "部门": "市城管局"})
    assert (await submit_answer(HANDLER, office.desk, case, filled))["state"] == "in_review"


def test_a_wide_brace_or_a_place_in_the_short_form_is_open_too() -> None:
    for text, short in (("您好，｛电话｝", ""), ("您好", "请拨打 {电话}")):
        with pytest.raises(Invalid):
            require_filled(text, short)
    require_filled("您好，见附表 {}", "")


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.sampled_from(["", "甲", "12345"])))
def test_whatever_is_known_what_is_not_stays_in_its_braces(values: dict[str, str]) -> None:
    filled = fill(TEXT, values)
    assert set(places(filled)) == {name for name in VARIABLES if not values.get(name)}


@pytest.mark.parametrize(("said", "offered"), [
    ("陈先生，您好。泵已换好。", "{称呼}，您好。泵已换好。"),
    ("尊敬的欧阳女士：您好！已修。", "{称呼}，您好！已修。"),
    ("各位市民，您好。已修。", "{称呼}，您好。已修。"),
    ("您好。已修。", "您好。已修。"),
    ("松苑街的先生广场您好的牌子已修。", "松苑街的先生广场您好的牌子已修。"),
])  # fmt: skip
def test_an_answer_that_is_quoted_greets_nobody_by_name(said: str, offered: str) -> None:
    assert quotable(said) == offered
