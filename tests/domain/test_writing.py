"""Writing and reviewing on the desk, over the store in memory: saving, submitting, approving, and who may not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.contract import Prepared, Problem
from hub.clock import SetClock
from hub.desk import reviewing, working, writing
from hub.desk.checking import check_content
from hub.desk.desk import Desk
from hub.domain.blocks import digest_of
from hub.domain.content import Draft, revise
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from hub.domain.people import Actor, Role
from hub.identifiers import SeededIdentifiers
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
WRITER = Actor(id="liu", name="刘倩", roles=frozenset({Role.EDITOR}))
OTHER = Actor(id="sun", name="孙浩", roles=frozenset({Role.EDITOR, Role.REVIEWER}), levels=frozenset({1, 2}))
FIRST = Actor(id="zhou", name="周敏", roles=frozenset({Role.REVIEWER}), levels=frozenset({1, 2}))
SECOND = Actor(id="gao", name="高远", roles=frozenset({Role.REVIEWER}), levels=frozenset({2}))
AUDITOR = Actor(id="shen", name="沈静", roles=frozenset({Role.AUDITOR}))


class Defaults:
    async def value(self, name: str) -> Any:
        return {"approval_levels": 2}.get(name)


class Narrow:
    """A channel whose titles may have twelve signs."""

    def prepare(self, variant: Any) -> Prepared:
        long = Problem("title_length", "block", f"标题 {len(variant.title)} 字，最多 12 字。", "title")
        return Prepared({}, {}, [long] if len(variant.title) > 12 else [], "f")


def draft(title: str = "临江区供热抢修进展", text: str = "抢修已经完成，今晚恢复供热。", **more: Any) -> Draft:
    blocks = [{"kind": "p", "runs": [{"text": text}]}]
    return replace(Draft("news", "yaowen", title, "摘要", blocks, (), {"source": "云川市城管局"}), **more)


@pytest.fixture
async def desk() -> Desk:
    clock, store = SetClock(NOON), MemoryStore()
    await store.insert("columns", {"_id": "yaowen", "name": "要闻", "levels": 2})
    await store.insert("columns", {"_id": "kuaixun", "name": "快讯", "levels": 1})
    for person in (WRITER, OTHER, FIRST, SECOND):
        roles, levels = sorted(person.roles), sorted(person.levels)
        await store.insert("users", {"_id": person.id, "login": person.id, "roles": roles, "levels": levels})
    await store.insert("accounts", {"_id": "weibo-main", "channel": "weibo", "name": "云川发布", "settings": {}})
    nothing: Any = None
    return Desk(
        store,
        FilesInMemory(),
        clock,
        SeededIdentifiers(clock, 7),
        nothing,
        lambda account: Narrow(),
        nothing,
        Defaults(),
    )  # type: ignore[arg-type, return-value]


async def submitted(desk: Desk, text: Draft | None = None) -> dict[str, Any]:
    content = await writing.start(WRITER, desk, text or draft())
    return await writing.submit(WRITER, desk, content["_id"], revision=1)


async def approve(desk: Desk, content: Mapping[str, Any], *people: Actor) -> dict[str, Any]:
    for level, person in enumerate(people, 1):
        content = await reviewing.review(
            person, desk, content["_id"], level=level, verdict="pass", hash=content["hash"]
        )
    return dict(content)


def acts(content: Mapping[str, Any], kind: str = "audit") -> list[str]:
    rows = [row for parcel in content.get("outbox", ()) for row in parcel["rows"] if row["kind"] == kind]
    return [row.get("act") or row.get("matter") or row["name"] for row in rows]


# ---- writing


async def test_a_new_content_is_a_draft_with_one_revision_and_its_audit_row_in_the_same_document(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    assert (content["state"], content["revision"], content["author"]) == ("draft", 1, "liu")
    assert acts(content) == ["content.start"]
    _, revision = await writing.read(WRITER, desk, content["_id"])
    assert revision["blocks"] == [{"kind": "p", "runs": [{"text": "抢修已经完成，今晚恢复供热。"}]}]


async def test_starting_twice_with_one_key_gives_one_content(desk: Desk) -> None:
    first = await writing.start(WRITER, desk, draft(), key="form-1")
    again = await writing.start(WRITER, desk, draft(), key="form-1")
    assert first["_id"] == again["_id"]
    assert (await writing.start(OTHER, desk, draft(), key="form-1"))["_id"] != first["_id"]


async def test_each_save_is_a_revision_and_the_old_ones_stay(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    content = await writing.save(WRITER, desk, content["_id"], draft("新标题"), revision=1)
    assert (content["revision"], content["title"]) == (2, "新标题")
    page = await writing.history(WRITER, desk, content["_id"])
    assert [row["title"] for row in page.rows] == ["新标题", "临江区供热抢修进展"]


async def test_a_save_over_somebody_elses_save_is_stale_and_changes_nothing(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    await writing.save(OTHER, desk, content["_id"], draft("别人的标题"), revision=1)
    with pytest.raises(Stale):
        await writing.save(WRITER, desk, content["_id"], draft("我的标题"), revision=1)
    assert (await writing.content_of(desk, content["_id"]))["title"] == "别人的标题"


async def test_the_same_save_sent_again_after_a_lost_answer_is_answered_and_not_repeated(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    await writing.save(WRITER, desk, content["_id"], draft("新"), revision=1)
    again = await writing.save(WRITER, desk, content["_id"], draft("新"), revision=1)
    assert again["revision"] == 2


async def test_saving_what_is_there_already_keeps_revision_and_approvals(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk), FIRST, SECOND)
    same = await writing.save(WRITER, desk, content["_id"], draft(), revision=1)
    assert (same["state"], same["revision"]) == ("approved", 1)


async def test_fifty_writers_at_once_save_one_revision_and_the_others_are_told(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    saves = [writing.save(WRITER, desk, content["_id"], draft(f"第{n}稿"), revision=1) for n in range(50)]
    answers = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert all(isinstance(answer, dict | Conflict) for answer in answers)


async def test_a_revision_left_by_a_killed_process_is_finished_first_and_nobody_is_blocked(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    left = revise(content["_id"], 2, writing.check_draft(draft("留下的")), by="sun", at=NOON)
    await desk.store.insert("revisions", left)
    with pytest.raises(Stale):
        await writing.save(WRITER, desk, content["_id"], draft("我的"), revision=1)
    content = await writing.content_of(desk, content["_id"])
    assert (content["title"], content["revision"]) == ("留下的", 2)
    assert (await writing.save(WRITER, desk, content["_id"], draft("我的"), revision=2))["revision"] == 3


async def test_restoring_brings_back_an_old_text_as_a_new_revision(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    await writing.save(WRITER, desk, content["_id"], draft("二"), revision=1)
    content = await writing.restore(WRITER, desk, content["_id"], 1, revision=2)
    assert (content["revision"], content["title"]) == (3, "临江区供热抢修进展")


async def test_a_column_or_a_picture_that_is_not_there_is_refused_by_name(desk: Desk) -> None:
    with pytest.raises(Invalid) as caught:
        await writing.start(WRITER, desk, draft(column="none", blocks=[{"kind": "img", "media": "a" * 64}]))
    assert {error.field for error in caught.value.errors} == {"column", "files"}


async def test_only_editors_write_and_a_reader_without_a_right_reads_nothing(desk: Desk) -> None:
    for act in (writing.start(FIRST, desk, draft()), writing.list_contents(AUDITOR, desk)):
        with pytest.raises(NotAllowed):
            await act


async def test_the_list_pages_through_all_contents_and_takes_no_foreign_filter(desk: Desk) -> None:
    for number in range(7):
        await writing.start(WRITER, desk, draft(f"稿{number}"))
        desk.clock.move(1)  # type: ignore[attr-defined]
    titles: list[str] = []
    cursor = None
    while True:
        page = await writing.list_contents(WRITER, desk, where={"state": "draft"}, cursor=cursor, limit=3)
        titles += [row["title"] for row in page.rows]
        if (cursor := page.cursor) is None:
            break
    assert titles == [f"稿{number}" for number in reversed(range(7))]
    with pytest.raises(Invalid):
        await writing.list_contents(WRITER, desk, where={"$where": "1"})
    with pytest.raises(Invalid):
        await writing.list_contents(WRITER, desk, where={"state": {"$ne": ""}})  # type: ignore[dict-item]


@pytest.mark.parametrize("cursor", ["x", "e30", "WzEsMl0", "W251bGwsIngiXQ", "WyJ4IiwieCJd", "W3siJG5lIjoxfSwieCJd"])
async def test_a_forged_cursor_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(Invalid):
        await writing.list_contents(WRITER, desk, cursor=cursor)


# ---- submitting


async def test_a_text_with_somebodys_identity_number_does_not_get_to_review(desk: Desk) -> None:
    content = await writing.start(
        WRITER, desk, draft(text="身份证号110101199003070097。".replace("0097", _closing("11010119900307009")))
    )
    with pytest.raises(Invalid, match="必须先改") as caught:
        await writing.submit(WRITER, desk, content["_id"], revision=1)
    assert caught.value.errors[0].field == "body"
    assert "19900307" not in caught.value.message + str(caught.value.errors)


def _closing(first: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first[-3:] + "10X98765432"[sum(int(a) * b for a, b in zip(first, weights, strict=True)) % 11]


async def test_a_finding_to_acknowledge_asks_for_a_reason_and_keeps_it(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft(text="联系人手机 13800001234。"))
    with pytest.raises(Invalid, match="理由") as caught:
        await writing.submit(WRITER, desk, content["_id"], revision=1)
    key = caught.value.errors[0].field.removeprefix("acknowledged.")
    content = await writing.submit(WRITER, desk, content["_id"], revision=1, acknowledged={key: "本人同意公开"})
    assert content["state"] == "in_review"
    assert content["acknowledged"][0]["reason"] == "本人同意公开"
    assert "13800001234" not in str(content["acknowledged"]) + str(content["outbox"])


async def test_what_a_channel_would_refuse_is_found_before_review(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft("一二三四五六七八九十一二三"))
    place = {"content": content["_id"], "account": "weibo-main", "state": "scheduled", "key": "k"}
    await desk.store.insert("publications", {"_id": "p1", **place})
    findings = await check_content(WRITER, desk, content["_id"])
    assert [(each.rule, each.field) for each in findings] == [("channel_limits", "variants.weibo-main.title")]
    with pytest.raises(Invalid, match="必须先改"):
        await writing.submit(WRITER, desk, content["_id"], revision=1)


async def test_a_file_nobody_can_read_yet_is_a_finding_that_names_it_and_never_silence(desk: Desk) -> None:
    await desk.store.insert("media", {"_id": "b" * 64, "type": "application/pdf", "name": "名单.pdf"})
    content = await writing.start(WRITER, desk, draft(files=("b" * 64,)))
    findings = await check_content(WRITER, desk, content["_id"])
    assert [each.rule for each in findings] == ["unchecked"]
    assert "名单.pdf" in findings[0].message


async def test_a_text_that_lacks_its_source_says_so_before_review(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft(meta={}, blocks=[]))
    with pytest.raises(Invalid) as caught:
        await writing.submit(WRITER, desk, content["_id"], revision=1)
    assert {error.field for error in caught.value.errors} == {"meta.source", "blocks"}


async def test_submitting_twice_is_one_round_and_tells_the_reviewers_of_level_one_but_no_writer(desk: Desk) -> None:
    content = await submitted(desk)
    again = await writing.submit(WRITER, desk, content["_id"], revision=1)
    assert again["round"] == 1
    notices = [row for parcel in again["outbox"] for row in parcel["rows"] if row["kind"] == "notice"]
    assert [row["people"] for row in notices] == [["sun", "zhou"]]


# ---- reviewing


async def test_two_levels_by_two_people_approve_exactly_the_hash(desk: Desk) -> None:
    content = await submitted(desk)
    content = await approve(desk, content, FIRST, SECOND)
    assert content["state"] == "approved"
    assert content["approved_hash"] == content["hash"]


def told(content: Mapping[str, Any], matter: str) -> list[tuple[str, str]]:
    rows = [row for parcel in content["outbox"] for row in parcel["rows"] if row["kind"] == "notice"]
    return [(row["text"], row["link"]) for row in rows if row["matter"] == matter]


async def test_an_approved_text_without_a_time_is_on_its_writers_home_page_until_it_has_one(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk), FIRST, SECOND)
    place = f"/contents/{content['_id']}/schedule"
    assert told(content, "review.approve") == [("《临江区供热抢修进展》已全部通过，还没有排时间，请去排。", place)]
    assert [row.href for row in await working.my_work(WRITER, desk) if row.kind == "unplanned"] == [place]
    await desk.store.insert("publications", {"_id": "p1", "key": "k1", "content": content["_id"], "state": "scheduled"})
    assert [row for row in await working.my_work(WRITER, desk) if row.kind == "unplanned"] == []


async def test_a_text_that_had_its_time_before_the_approval_is_said_to_go_out_by_itself(desk: Desk) -> None:
    content = await submitted(desk)
    await desk.store.insert("publications", {"_id": "p1", "key": "k1", "content": content["_id"], "state": "scheduled"})
    content = await approve(desk, content, FIRST, SECOND)
    words = "《临江区供热抢修进展》已全部通过，会按排定的时间发出。"
    assert told(content, "review.approve") == [(words, f"/contents/{content['_id']}")]


async def test_a_returned_text_stays_on_the_home_page_behind_ten_newer_drafts(desk: Desk) -> None:
    content = await submitted(desk)
    asked = {"level": 1, "verdict": "return", "hash": content["hash"], "remark": "请补充恢复时间。"}
    await reviewing.review(FIRST, desk, content["_id"], **asked)
    desk.clock.move(60)  # type: ignore[attr-defined]
    for number in range(10):
        await writing.start(WRITER, desk, draft(f"另一篇稿件之{number}"), key=f"form-{number}")
    found = [row.href for row in await working.my_work(WRITER, desk) if row.kind == "returned"]
    assert found == [f"/contents/{content['_id']}"]


async def test_a_column_with_one_level_needs_one_approval(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk, draft(column="kuaixun")), FIRST)
    assert content["state"] == "approved"


async def test_5a_nobody_approves_a_text_they_wrote_or_changed(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    await writing.save(OTHER, desk, content["_id"], draft("改过"), revision=1)
    content = await writing.submit(WRITER, desk, content["_id"], revision=2)
    with pytest.raises(NotAllowed, match="写过或改过"):
        await reviewing.review(OTHER, desk, content["_id"], level=1, verdict="pass", hash=content["hash"])


async def test_5b_an_edit_voids_every_approval_and_says_so(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk), FIRST, SECOND)
    content = await writing.save(WRITER, desk, content["_id"], draft("改动一字"), revision=1)
    assert content["state"] == "draft"
    assert "approved_hash" not in content
    reviews = await reviewing.reviews_of(desk, content["_id"])
    assert all(review["void"] for review in reviews)
    assert acts(content, "notice").count("review.voided") == 0  # the author did it and knows
    assert (await reviewing.standing_of(WRITER, desk, content["_id"])).passed == ()


async def test_an_edit_by_a_colleague_tells_the_author_that_approvals_are_gone(desk: Desk) -> None:
    content = await submitted(desk)
    content = await writing.save(OTHER, desk, content["_id"], draft("改动"), revision=1)
    notices = [row for parcel in content["outbox"] for row in parcel["rows"] if row["kind"] == "notice"]
    assert notices[-1]["matter"] == "review.voided"
    assert notices[-1]["people"] == ["liu"]


async def test_5b_an_edit_of_one_channels_version_voids_the_approvals_too(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk), FIRST, SECOND)
    content = await writing.set_variant(WRITER, desk, content["_id"], "weibo-main", {"text": "供热恢复了"}, revision=1)
    assert (content["state"], content.get("approved_hash")) == ("draft", None)


async def test_the_same_text_again_after_an_edit_needs_its_approvals_again(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk), FIRST, SECOND)
    await writing.save(WRITER, desk, content["_id"], draft("别的"), revision=1)
    content = await writing.restore(WRITER, desk, content["_id"], 1, revision=2)
    content = await writing.submit(WRITER, desk, content["_id"], revision=3)
    now = await reviewing.standing_of(WRITER, desk, content["_id"])
    assert (now.passed, now.next_level, content["state"]) == ((), 1, "in_review")


async def test_levels_come_in_order_and_one_person_gives_one(desk: Desk) -> None:
    content = await submitted(desk)
    with pytest.raises(Conflict, match="请先等"):
        await reviewing.review(SECOND, desk, content["_id"], level=2, verdict="pass", hash=content["hash"])
    content = await approve(desk, content, FIRST)
    with pytest.raises(NotAllowed, match="一人只能审一级"):
        await reviewing.review(FIRST, desk, content["_id"], level=2, verdict="pass", hash=content["hash"])


async def test_a_verdict_on_a_text_that_has_changed_meanwhile_is_refused(desk: Desk) -> None:
    content = await submitted(desk)
    await writing.save(WRITER, desk, content["_id"], draft("变了"), revision=1)
    await writing.submit(WRITER, desk, content["_id"], revision=2)
    with pytest.raises(Conflict, match="又改过了"):
        await reviewing.review(FIRST, desk, content["_id"], level=1, verdict="pass", hash=content["hash"])


async def test_a_return_needs_words_and_sends_the_text_back_with_them(desk: Desk) -> None:
    content = await submitted(desk)
    with pytest.raises(Invalid, match="写明要改什么"):
        await reviewing.review(FIRST, desk, content["_id"], level=1, verdict="return", hash=content["hash"])
    content = await reviewing.review(
        FIRST, desk, content["_id"], level=1, verdict="return", hash=content["hash"], remark="时间写清楚"
    )
    assert content["state"] == "draft"
    assert (await writing.submit(WRITER, desk, content["_id"], revision=1))["round"] == 2


async def test_fifty_approvals_at_one_instant_are_one(desk: Desk) -> None:
    content = await submitted(desk)
    people = [replace(FIRST, id=f"person-{number}") for number in range(50)]
    calls = [reviewing.review(p, desk, content["_id"], level=1, verdict="pass", hash=content["hash"]) for p in people]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert all(isinstance(answer, dict | Conflict) for answer in answers)
    assert len(await reviewing.reviews_of(desk, content["_id"])) == 1


async def test_the_same_verdict_sent_again_is_answered_and_counted_once(desk: Desk) -> None:
    content = await submitted(desk)
    for _ in range(2):
        content = await reviewing.review(FIRST, desk, content["_id"], level=1, verdict="pass", hash=content["hash"])
    assert acts(content).count("content.pass") == 1


async def test_an_approval_left_by_a_killed_process_is_finished_by_the_next_caller(desk: Desk) -> None:
    content = await approve(desk, await submitted(desk), FIRST)
    left = {"_id": f"{content['_id']}:1:approval:2", "content": content["_id"], "revision": 1, "round": 1, "by": "gao"}
    verdict = {"hash": content["hash"], "kind": "approval", "level": 2, "verdict": "pass", "at": NOON, "void": False}
    await desk.store.insert("reviews", {**left, **verdict})
    content = await reviewing.review(SECOND, desk, content["_id"], level=2, verdict="pass", hash=content["hash"])
    assert content["state"] == "approved"


async def test_the_queue_shows_who_may_give_the_next_level(desk: Desk) -> None:
    content = await submitted(desk)
    assert [row.mine for row in (await reviewing.queue(FIRST, desk)).rows] == [True]
    assert [row.mine for row in (await reviewing.queue(SECOND, desk)).rows] == [False]
    await approve(desk, content, FIRST)
    assert [row.mine for row in (await reviewing.queue(FIRST, desk)).rows] == [False]
    assert [row.mine for row in (await reviewing.queue(SECOND, desk)).rows] == [True]


@pytest.mark.parametrize("kind", ["proof", "secrecy"])
async def test_what_is_not_open_yet_is_refused_and_not_recorded(desk: Desk, kind: str) -> None:
    content = await submitted(desk)
    with pytest.raises(Invalid, match="还没有开通"):
        await reviewing.review(FIRST, desk, content["_id"], level=1, verdict="pass", hash=content["hash"], kind=kind)
    assert await reviewing.reviews_of(desk, content["_id"]) == []


async def test_a_token_never_approves(desk: Desk) -> None:
    content = await submitted(desk)
    token = replace(FIRST, kind="token", scopes=frozenset({"content.review", "content.read"}))
    with pytest.raises(NotAllowed):
        await reviewing.review(token, desk, content["_id"], level=1, verdict="pass", hash=content["hash"])


async def test_the_difference_shows_the_words_since_the_last_return(desk: Desk) -> None:
    content = await submitted(desk)
    look = await reviewing.difference(FIRST, desk, content["_id"])
    assert (look.since, look.difference.before, look.hash) == ("nothing", None, content["hash"])
    await reviewing.review(FIRST, desk, content["_id"], level=1, verdict="return", hash=content["hash"], remark="改")
    await writing.save(WRITER, desk, content["_id"], draft(text="抢修已经完成，明早恢复供热。"), revision=1)
    look = await reviewing.difference(FIRST, desk, content["_id"])
    assert look.since == "returned"
    pieces = [(piece.change, piece.text) for piece in look.difference.blocks[0].pieces if piece.change != "same"]
    assert pieces == [("removed", "今晚"), ("added", "明早")]
    assert look.difference.changed == 1


async def test_variants_are_kept_by_account_and_cleared_to_the_same_hash_as_before(desk: Desk) -> None:
    content = await writing.start(WRITER, desk, draft())
    before = content["hash"]
    content = await writing.set_variant(WRITER, desk, content["_id"], "weibo-main", {"text": "短"}, revision=1)
    assert content["variants"]["weibo-main"]["hash"] == digest_of({"text": "短"})
    assert content["hash"] != before
    content = await writing.clear_variant(WRITER, desk, content["_id"], "weibo-main", revision=1)
    assert content["hash"] == before
    with pytest.raises(NotFound):
        await writing.set_variant(WRITER, desk, content["_id"], "no-such", {"text": "短"}, revision=1)
    with pytest.raises(Stale):
        await writing.set_variant(WRITER, desk, content["_id"], "weibo-main", {"text": "短"}, revision=9)


async def test_a_text_whose_plans_were_all_given_up_has_no_time_again(desk: Desk) -> None:
    content = await submitted(desk, draft(column="kuaixun"))
    given_up = {"_id": "p1", "key": "k1", "content": content["_id"], "account": "weibo-main", "state": "cancelled"}
    await desk.store.insert("publications", given_up)
    content = await approve(desk, content, FIRST)
    place = f"/contents/{content['_id']}/schedule"
    assert told(content, "review.approve") == [("《临江区供热抢修进展》已全部通过，还没有排时间，请去排。", place)]
    assert [row.href for row in await working.my_work(WRITER, desk) if row.kind == "unplanned"] == [place]


async def test_a_reviewer_behind_many_colleagues_is_found(desk: Desk) -> None:
    for number in range(550):
        crowd = {"_id": f"a{number:04}", "login": f"a{number}", "roles": ["editor"], "levels": []}
        await desk.store.insert("users", crowd)
    assert await writing.reviewers_of(desk, 1) == ["sun", "zhou"]
