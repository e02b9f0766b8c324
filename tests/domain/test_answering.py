"""An answer leaves only in the very words that another person approved, whatever is tried in whatever order."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desk import answering, handling
from hub.desk.answering import list_waiting, review_answer, send_answer, submit_answer, write_answer
from hub.domain.answer import (
    MOVES,
    STATES,
    Way,
    check_text,
    decide_review,
    digest,
    may_leave,
    move,
    next_way,
    summed,
    ways,
)
from hub.domain.errors import Conflict, HubError, Invalid, NotAllowed, NotFound
from hub.domain.people import Actor, Role
from tests.domain.case_office import (
    BOTH,
    HANDLER,
    HANDLER2,
    MONITOR,
    REVIEWER,
    WORDS,
    Office,
    make_office,
)

OTHER = "您好。这一段路灯归路灯所管，已转过去，三天内给您回音。"


# ---- the words


@pytest.mark.parametrize(
    ("text", "short", "field"),
    [
        ("短", "", "text"),
        ("长" * 2_001, "", "text"),
        (WORDS, "长" * 141, "short"),
        (WORDS + "请打 13912345678。", "", "text"),
        (WORDS, "云A12345 已处理", "short"),
    ],
)
def test_words_that_may_not_go_out_are_named(text: str, short: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_text(text, short)
    assert [each.field for each in caught.value.errors] == [field]


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_two_texts_share_a_digest_only_if_they_are_the_same(a: str, b: str, c: str, d: str) -> None:
    assert (digest(a, b) == digest(c, d)) == ((a, b) == (c, d))


# ---- the moves


@given(st.lists(st.sampled_from(sorted({each.event for each in MOVES})), max_size=20))
def test_whatever_is_tried_an_answer_is_let_go_only_from_approved(events: list[str]) -> None:
    state, path = "draft", ["draft"]
    for event in events:
        try:
            state = move({"state": state}, event).to
        except Conflict:
            continue
        path.append(state)
    assert set(path) <= set(STATES)
    for before, after in pairwise(path):
        if after == "delivering":
            assert before in ("approved", "partly", "failed")
        if after == "approved":
            assert before == "in_review"


ACTORS = st.sampled_from([HANDLER, HANDLER2, BOTH, REVIEWER, MONITOR])
ROBOT = Actor("u-reviewer", "程序", frozenset({Role.REVIEWER}), kind="token")


@given(st.sampled_from([HANDLER, BOTH, REVIEWER, ROBOT]), st.sets(st.sampled_from([HANDLER.id, BOTH.id, REVIEWER.id])))
def test_nobody_approves_words_of_their_own_and_no_program_approves_any(actor: Actor, writers: set[str]) -> None:
    answer = {"state": "in_review", "by": HANDLER.id, "writers": sorted(writers), "hash": "h"}
    allowed = actor.kind == "person" and Role.REVIEWER in actor.roles and actor.id not in {*writers, HANDLER.id}
    if allowed:
        assert decide_review(actor, answer, "pass", "h", "").to == "approved"
    else:
        with pytest.raises(NotAllowed):
            decide_review(actor, answer, "pass", "h", "")


def test_an_approval_of_other_words_lets_nothing_go() -> None:
    answer = {"text": WORDS, "short": "", "hash": digest(WORDS), "by": "u-1", "writers": ["u-1"]}
    assert may_leave({**answer, "approval": {"by": "u-2", "hash": digest(WORDS)}})
    for approval in (None, {"by": "u-2", "hash": digest(OTHER)}, {"by": "u-1", "hash": digest(WORDS)}):
        assert not may_leave({**answer, "approval": approval})
    assert not may_leave({**answer, "text": OTHER, "approval": {"by": "u-2", "hash": digest(WORDS)}})


# ---- all sequences of what people may try


ACTS = st.lists(
    st.tuples(st.sampled_from(["write", "submit", "pass", "return", "send", "take", "work"]), ACTORS,
              st.sampled_from([WORDS, OTHER])),
    max_size=14,
)  # fmt: skip


async def attempt(office: Office, case: str, act: str, actor: Actor, text: str) -> None:
    id = f"{case}:1"
    answer: dict[str, Any] = await office.store.get("answers", id) or {"hash": ""}
    if act == "write":
        await write_answer(actor, office.desk, case, text)
    elif act == "submit":
        await submit_answer(actor, office.desk, case, text)
    elif act in ("pass", "return"):
        await review_answer(actor, office.desk, id, verdict=act, hash=answer["hash"], remark="请改一下")
    elif act == "send":
        await send_answer(actor, office.desk, id)
    elif act == "take":
        await handling.take_case(actor, office.desk, case)
    else:
        await office.work()





@settings(max_examples=150, deadline=None)
@given(ACTS)
async def test_no_answer_leaves_without_another_persons_approval_of_exactly_its_text_and_nobody_is_answered_twice(
    acts: list[tuple[str, Actor, str]],
) -> None:
    office = await make_office()
    case = await office.in_hand("王芳", "李明")
    approved: list[tuple[str, frozenset[str], str]] = []
    for act, actor, text in acts:
        before = await office.store.get("answers", f"{case}:1") or {}
        try:
            await attempt(office, case, act, actor, text)
        except HubError:
            continue
        if act == "pass":
            approved.append((before["text"], frozenset(before["writers"]), actor.id))
    await office.work(3, minutes=5)
    said = [text for _, text, _ in office.weibo.calls]
    for text in said:
        assert any(text == words and who not in writers for words, writers, who in approved)
    to = [id for id, _, _ in office.weibo.calls]
    assert len(to) == len(set(to)), "one citizen was answered twice"


# ---- the desk


async def test_an_edit_takes_the_approval_back_and_what_was_approved_does_not_go() -> None:
    office = await make_office()
    case = await office.in_hand()
    id = await office.approved(case)
    await write_answer(HANDLER, office.desk, case, OTHER)
    answer = await office.row("answers", id)
    assert (answer["state"], answer["approval"]) == ("draft", None)
    with pytest.raises(Conflict):
        await send_answer(HANDLER, office.desk, id)


async def test_a_reviewer_who_read_an_older_text_is_told_to_read_the_new_one() -> None:
    office = await make_office()
    case = await office.in_hand()
    old = await submit_answer(HANDLER, office.desk, case, WORDS)
    await submit_answer(HANDLER, office.desk, case, OTHER)
    with pytest.raises(Conflict, match="又改过"):
        await review_answer(REVIEWER, office.desk, old["_id"], verdict="pass", hash=old["hash"])


async def test_a_returned_answer_says_why_and_its_writer_hears_of_it() -> None:
    office = await make_office()
    case = await office.in_hand()
    answer = await submit_answer(HANDLER, office.desk, case, WORDS)
    with pytest.raises(Invalid):
        await review_answer(REVIEWER, office.desk, answer["_id"], verdict="return", hash=answer["hash"])
    await review_answer(REVIEWER, office.desk, answer["_id"], verdict="return", hash=answer["hash"], remark="写明时间")
    kept = await office.row("answers", answer["_id"])
    assert (kept["state"], kept["reviews"][-1]["remark"]) == ("draft", "写明时间")
    notices = [row for parcel in kept["outbox"] for row in parcel["rows"] if row["kind"] == "notice"]
    assert [row["people"] for row in notices] == [["role:reviewer"], [HANDLER.id]]


async def test_fifty_who_approve_and_send_at_one_instant_make_one_approval_and_one_sending() -> None:
    office = await make_office()
    case = await office.in_hand()
    answer = await submit_answer(HANDLER, office.desk, case, WORDS)
    words = {"verdict": "pass", "hash": answer["hash"]}
    results = await asyncio.gather(
        *(review_answer(REVIEWER, office.desk, answer["_id"], **words) for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in results) == 1
    await asyncio.gather(
        *(send_answer(HANDLER, office.desk, answer["_id"]) for _ in range(50)), return_exceptions=True
    )
    await office.work(2)
    assert len(office.weibo.calls) == 1


async def test_two_who_begin_an_answer_at_once_write_one_answer() -> None:
    office = await make_office()
    case = await office.in_hand()
    await asyncio.gather(
        *(write_answer(HANDLER, office.desk, case, text) for text in (WORDS, OTHER)), return_exceptions=True
    )
    assert len(await office.rows("answers")) == 1


async def test_a_confidential_answer_names_its_reviewer_who_alone_may_approve_it() -> None:
    office = await make_office()
    demand = await office.demand("某科长收了好处", kind="report")
    case = (await office.case_of(demand))["_id"]
    await handling.accept_case(MONITOR, office.desk, case)
    await handling.assign_case(MONITOR, office.desk, case, person=HANDLER.id)
    await handling.take_case(HANDLER, office.desk, case)
    for reviewer in ("", HANDLER2.id, HANDLER.id):
        with pytest.raises(Invalid, match="指定一位审核"):
            await submit_answer(HANDLER, office.desk, case, WORDS, reviewer=reviewer)
    answer = await submit_answer(HANDLER, office.desk, case, WORDS, reviewer=REVIEWER.id)
    assert await list_waiting(BOTH, office.desk) == []
    with pytest.raises(NotFound):
        await review_answer(BOTH, office.desk, answer["_id"], verdict="pass", hash=answer["hash"])
    assert [row["_id"] for row in await list_waiting(REVIEWER, office.desk)] == [answer["_id"]]
    await review_answer(REVIEWER, office.desk, answer["_id"], verdict="pass", hash=answer["hash"])
    assert (await answering.answer(HANDLER, office.desk, answer["_id"]))["state"] == "approved"


# ---- ways and sums


def test_what_cannot_be_gone_is_passed_over_with_its_reason() -> None:
    every = ways(Way("used", why_not="账号已停"), Way("chosen", "wechat-main"), Way("code", why_not="没有查询码"))
    assert next_way(every, 0) == (1, [("used", "账号已停")])
    assert next_way(every, 2) == (None, [("sms", "还没有接入短信"), ("code", "没有查询码")])
    assert [way.name for way in every] == ["used", "chosen", "sms", "code"]


COUNTS = st.dictionaries(
    st.sampled_from(["published", "refused", "cancelled", "unknown", "held", "scheduled", "sending"]),
    st.integers(1, 9),
)


@given(COUNTS)
def test_an_answer_has_arrived_only_when_nothing_is_open_and_says_whether_all_got_it(counts: dict[str, int]) -> None:
    event = summed(counts)
    still = set(counts) - {"published", "refused", "cancelled"}
    assert (event == "") == (bool(still) or not counts)
    if event:
        assert event == ("deliver" if set(counts) == {"published"} else
                         "deliver_partly" if "published" in counts else "fail")  # fmt: skip
