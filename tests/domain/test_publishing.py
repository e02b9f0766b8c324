"""Publishing end to end over a store in memory: what people do, what goes out, and failures 1a to 3c of the field."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from channels.contract import Health
from hub.desk import pausing, publishing, settling
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.publishing import Wish
from hub.domain.errors import Conflict, Invalid, NotAllowed
from hub.store.base import Document
from tests.domain.publishing_office import (
    CARETAKER,
    DISPATCHER,
    EDITOR,
    MONITOR,
    MORNING,
    REVIEWER,
    SETTLER,
    SYSADMIN,
    Office,
    make_office,
)

SOON = MORNING + timedelta(minutes=10)


async def scheduled(office: Office, account: str = "site-main", *, late: str = "ask", content: str = "c1") -> Document:
    done = await publishing.schedule(EDITOR, office.desk, content, [Wish(account, SOON, late)])
    return done.publications[0]


async def ready(kind: str = "trusted", account: str = "a-main", **policies: int) -> tuple[Office, Document]:
    """An office with one approved content, scheduled and due."""
    office = make_office(**policies)
    await office.account(account, kind)
    await office.write("c1", "供热开始")
    publication = await scheduled(office, account)
    office.clock.move(timedelta(minutes=10))
    return office, publication


async def state_of(office: Office, publication: Document) -> str:
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    return str(row["state"])


async def settle_for(office: Office, minutes: float, *, step: float = 0.5) -> None:
    """Let time pass as the clockwork would see it."""
    for _ in range(int(minutes / step)):
        office.clock.move(timedelta(minutes=step))
        await settling.settle(SETTLER, office.desk)
        await dispatch(DISPATCHER, office.desk)


# ---- the plain road


async def test_a_publication_goes_out_at_its_time_and_not_before() -> None:
    office, publication = await ready()
    office.clock.move(timedelta(minutes=-1))
    assert await dispatch(DISPATCHER, office.desk) == 0
    office.clock.move(timedelta(minutes=1))
    assert await dispatch(DISPATCHER, office.desk) == 1
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert row["state"] == "published"
    assert row["url"] == "https://a-main.example/p1"
    assert [(a["outcome"], a["number"], a["key"]) for a in row["attempts"]] == [("accepted", 1, publication["key"])]
    assert "lease_owner" not in row


async def test_the_intent_is_in_the_store_before_the_platform_is_called() -> None:
    office, publication = await ready()
    seen: list[Document] = []

    async def look() -> None:
        row = await office.store.get("publications", publication["_id"])
        assert row is not None
        seen.append(row)

    office.platforms["a-main"].before_work = look
    await dispatch(DISPATCHER, office.desk)
    assert seen[0]["state"] == "sending"
    assert seen[0]["attempts"][-1]["fingerprint"]
    assert "outcome" not in seen[0]["attempts"][-1]


async def test_every_change_carries_its_audit_row_in_the_same_write() -> None:
    office, publication = await ready()
    await dispatch(DISPATCHER, office.desk)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    acts = [entry["act"] for parcel in row["outbox"] for entry in parcel["rows"] if entry["kind"] == "audit"]
    assert acts == ["publication.schedule", "publication.intend", "publication.accept"]
    assert row["outbox_open"] is True


async def test_what_is_not_approved_does_not_go_out_and_goes_once_it_is() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始", approved=False)
    publication = await scheduled(office, "a-main")
    office.clock.move(timedelta(minutes=10))
    await dispatch(DISPATCHER, office.desk)
    assert office.platforms["a-main"].calls == []
    assert await state_of(office, publication) == "scheduled"
    await office.approve("c1")
    office.clock.move(timedelta(seconds=11))
    await dispatch(DISPATCHER, office.desk)
    assert await state_of(office, publication) == "published"


async def test_what_is_never_approved_is_held_after_the_late_limit_and_somebody_is_told() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始", approved=False)
    publication = await scheduled(office, "a-main", late="publish")
    office.clock.move(timedelta(minutes=41))
    await dispatch(DISPATCHER, office.desk)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert row["state"] == "held"
    assert any(entry["kind"] == "notice" for parcel in row["outbox"] for entry in parcel["rows"])


async def test_exactly_the_approved_package_goes_out_and_an_edited_one_does_not() -> None:
    office, publication = await ready()
    await office.write("c1", "供热推迟", number=2, approved=False)
    await dispatch(DISPATCHER, office.desk)
    assert office.platforms["a-main"].posts == []
    await office.approve("c1")
    office.clock.move(timedelta(seconds=11))
    await dispatch(DISPATCHER, office.desk)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert "供热推迟" in office.platforms["a-main"].posts[0].text
    assert row["revision"] == 2
    assert row["key"] != publication["key"]  # changed content, another key


async def test_an_approval_hash_that_does_not_fit_what_would_be_sent_stops_it() -> None:
    office, _ = await ready()
    variants = {"a-main": {"override": {"text": "没有人批过的话"}, "hash": "x", "revision": 1}}
    await office.store.change("contents", {"_id": "c1"}, {"$set": {"variants": variants}})
    await dispatch(DISPATCHER, office.desk)
    assert office.platforms["a-main"].posts == []


async def test_the_posts_of_one_account_go_out_in_the_order_of_their_times() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    for number in range(5):
        await office.write(f"c{number}", f"第{number}篇")
        at = SOON + timedelta(seconds=5 - number)
        await publishing.schedule(EDITOR, office.desk, f"c{number}", [Wish("a-main", at)])
    office.clock.move(timedelta(minutes=11))
    other = office.worker("worker-2")
    for _ in range(6):
        await asyncio.gather(dispatch(DISPATCHER, office.desk), dispatch(DISPATCHER, other))
        office.clock.move(timedelta(seconds=2))
    titles = [post.text.splitlines()[0] for post in office.platforms["a-main"].posts]
    assert titles == ["第4篇", "第3篇", "第2篇", "第1篇", "第0篇"]


async def test_a_slow_account_does_not_hold_up_the_others() -> None:
    office = make_office()
    for account in ("a-slow", "b-quick"):
        await office.account(account, "trusted")
    await office.write("c1", "供热开始")
    await publishing.schedule(
        EDITOR, office.desk, "c1", [Wish("a-slow", SOON), Wish("b-quick", SOON + timedelta(minutes=1))]
    )
    office.platforms["a-slow"].gate = asyncio.Event()
    office.clock.move(timedelta(minutes=10))
    task = asyncio.create_task(dispatch(DISPATCHER, office.desk))
    for _ in range(50):
        await asyncio.sleep(0)
    office.clock.move(timedelta(minutes=1))
    for _ in range(200):
        await asyncio.sleep(0)
    assert await office.states() == {"a-slow": "sending", "b-quick": "published"}
    office.platforms["a-slow"].gate.set()
    await task
    assert await office.states() == {"a-slow": "published", "b-quick": "published"}


# ---- scheduling


async def test_scheduling_twice_at_the_same_moment_makes_one_publication() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始")
    results = await asyncio.gather(scheduled(office, "a-main"), scheduled(office, "a-main"), return_exceptions=True)
    assert sum(isinstance(result, Conflict | Invalid) for result in results) == 1
    assert await office.store.count("publications", {}) == 1


async def test_3b_a_length_rule_is_found_when_scheduling_not_when_publishing() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "长" * 41)
    with pytest.raises(Invalid) as caught:
        await scheduled(office, "a-main")
    assert "40 字" in caught.value.errors[0].message
    assert await office.store.count("publications", {}) == 0


async def test_one_impossible_account_stops_all_or_lets_the_rest_go() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.account("b-main", "trusted")
    await office.write("c1", "供热开始")
    office.platforms["b-main"].health = Health("expired", "授权已失效，请重新授权")
    wishes = [Wish("a-main", SOON), Wish("b-main", SOON)]
    with pytest.raises(Invalid):
        await publishing.schedule(EDITOR, office.desk, "c1", wishes)
    assert await office.store.count("publications", {}) == 0
    done = await publishing.schedule(EDITOR, office.desk, "c1", wishes, if_some_impossible="the_rest")
    assert [row["account"] for row in done.publications] == ["a-main"]
    assert [one.account for one in done.impossible] == ["b-main"]


async def test_2_a_dying_token_is_known_before_the_moment_of_publishing() -> None:
    from hub.desk.accounts import look_after

    office, _ = await ready()
    office.platforms["a-main"].health = Health("expiring", "授权 3 天后到期，请重新授权")
    assert await look_after(CARETAKER, office.desk) == 1
    account = await office.store.get("accounts", "a-main")
    assert account is not None
    notices = [row for parcel in account["outbox"] for row in parcel["rows"] if row["kind"] == "notice"]
    assert "1 条已排定" in notices[0]["text"]
    assert notices[0]["people"] == ["duty", "role:sysadmin"]
    assert await look_after(CARETAKER, office.desk) == 0  # not asked again at once: quotas are small


async def test_3c_a_bad_picture_is_named_and_stops_only_its_own_post() -> None:
    office, publication = await ready()
    await office.account("b-main", "trusted")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("b-main", office.clock.now())])
    office.platforms["a-main"].faults = ["stage_refused"]
    await dispatch(DISPATCHER, office.desk)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert (row["state"], row["part"]) == ("refused", "图片 2")
    assert (await office.states())["b-main"] == "published"


async def test_a_role_without_the_right_can_do_none_of_it() -> None:
    office, publication = await ready()
    for attempt in (
        publishing.schedule(MONITOR, office.desk, "c1", []),
        publishing.cancel(MONITOR, office.desk, publication["_id"]),
        publishing.hold(SYSADMIN, office.desk, publication["_id"]),
        publishing.release(MONITOR, office.desk, publication["_id"]),
        pausing.lift_hold_all(EDITOR, office.desk),
        settling.resolve(MONITOR, office.desk, publication["_id"], "published"),
        dispatch(EDITOR, office.desk),
    ):
        with pytest.raises(NotAllowed):
            await attempt


# ---- 1a to 1d


async def test_1a_a_timeout_after_sending_is_unknown_and_never_sent_again() -> None:
    office, publication = await ready("weibo")
    office.platforms["a-main"].faults = ["drop_after"]
    office.platforms["a-main"].visible_after = timedelta(days=2)
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 600, step=5)
    assert await state_of(office, publication) == "unknown"
    assert office.platforms["a-main"].calls.count("publish") == 1
    assert len(office.platforms["a-main"].posts) == 1


async def test_1a_what_was_lost_but_is_there_is_found_and_published_once() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["drop_after"]
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 2)
    assert await state_of(office, publication) == "published"
    assert len(office.platforms["a-main"].posts) == 1


async def test_1b_what_is_certainly_not_there_is_sent_again_only_where_the_lookup_is_trusted() -> None:
    for kind, calls, state in (("trusted", 2, "published"), ("weibo", 1, "unknown")):
        office, publication = await ready(kind)
        office.platforms["a-main"].faults = ["drop_before"]
        await dispatch(DISPATCHER, office.desk)
        await settle_for(office, 20)
        assert await state_of(office, publication) == state
        assert office.platforms["a-main"].calls.count("publish") == calls
        row = await office.store.get("publications", publication["_id"])
        assert row is not None
        assert {attempt["key"] for attempt in row["attempts"]} == {publication["key"]}


async def test_1b_one_look_is_not_enough_even_where_it_is_trusted() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["drop_before"]
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 1.5)
    assert await state_of(office, publication) == "unknown"
    assert office.platforms["a-main"].calls.count("find") == 1


async def test_1b_unknown_is_told_to_the_officer_and_those_on_duty() -> None:
    office, publication = await ready("weibo")
    office.platforms["a-main"].faults = ["raise_after"]
    await dispatch(DISPATCHER, office.desk)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    notices = [entry for parcel in row["outbox"] for entry in parcel["rows"] if entry["kind"] == "notice"]
    assert notices[0]["people"] == ["duty", "u-editor"]


async def test_1c_a_refusal_after_a_lost_answer_is_never_called_failed_while_it_is_live() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["drop_after"]
    office.platforms["a-main"].visible_after = timedelta(minutes=1)
    await dispatch(DISPATCHER, office.desk)
    for _ in range(20):
        office.clock.move(timedelta(seconds=20))
        await settling.settle(SETTLER, office.desk)
        assert await state_of(office, publication) in ("unknown", "published")
    assert await state_of(office, publication) == "published"


async def test_1d_pending_is_not_published_until_the_platform_says_so() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["pending"]
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 2)
    assert await state_of(office, publication) == "pending"
    office.platforms["a-main"].pending[publication["key"]] = "p9"
    await settle_for(office, 10)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert (row["state"], row["external_id"]) == ("published", "p9")


async def test_a_pending_without_a_verdict_becomes_unknown_and_looks_get_rarer() -> None:
    office, publication = await ready("weibo")
    office.platforms["a-main"].faults = ["pending"]
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 60 * 25, step=5)
    assert await state_of(office, publication) == "unknown"
    assert office.platforms["a-main"].calls.count("check") < 200


async def test_a_certain_refusal_that_passes_by_itself_is_tried_again_with_the_same_key() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["busy", "not_sent"]
    await dispatch(DISPATCHER, office.desk)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert row["state"] == "scheduled"
    assert row["not_before"] >= office.clock.now() + timedelta(seconds=30)
    await settle_for(office, 5)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert row["state"] == "published"
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["refused", "refused", "accepted"]
    assert {attempt["key"] for attempt in row["attempts"]} == {publication["key"]}


async def test_a_platform_that_stays_busy_ends_in_held_and_somebody_is_told() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["busy"] * 50
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 60)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert row["state"] == "held"
    assert any(e["kind"] == "notice" for parcel in row["outbox"] for e in parcel["rows"])
    assert office.platforms["a-main"].calls.count("publish") <= 8


async def test_a_refused_word_is_said_at_once_and_not_tried_again() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["word"]
    await dispatch(DISPATCHER, office.desk)
    await settle_for(office, 30)
    row = await office.store.get("publications", publication["_id"])
    assert row is not None
    assert (row["state"], row["who"]) == ("refused", "editor")
    assert office.platforms["a-main"].calls.count("publish") == 1
    released = await publishing.release(EDITOR, office.desk, publication["_id"])
    assert released["key"] == publication["key"]
    await dispatch(DISPATCHER, office.desk)
    assert await state_of(office, publication) == "published"


# ---- late, clocks


@pytest.mark.parametrize(("late", "state"), [("publish", "published"), ("hold", "held"), ("ask", "held")])
async def test_after_a_long_stop_the_late_rule_decides(late: str, state: str) -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始")
    publication = await scheduled(office, "a-main", late=late)
    office.clock.move(timedelta(hours=5))
    await dispatch(DISPATCHER, office.desk)
    assert await state_of(office, publication) == state


async def test_a_clock_that_jumps_forward_and_back_sends_nothing_twice_and_loses_nothing() -> None:
    office, publication = await ready()
    office.clock.jump(MORNING + timedelta(minutes=20))
    await dispatch(DISPATCHER, office.desk)
    office.clock.jump(MORNING - timedelta(hours=3))
    await settle_for(office, 30)
    office.clock.jump(MORNING + timedelta(hours=20))
    await settle_for(office, 30)
    assert await state_of(office, publication) == "published"
    assert len(office.platforms["a-main"].posts) == 1


async def test_a_clock_set_back_before_the_time_waits_for_the_time_again() -> None:
    office, publication = await ready()
    office.clock.jump(MORNING)
    assert await dispatch(DISPATCHER, office.desk) == 0
    office.clock.move(timedelta(minutes=10))
    await dispatch(DISPATCHER, office.desk)
    assert await state_of(office, publication) == "published"


# ---- the website first


async def road(fallback: str | None = None) -> Office:
    office = make_office()
    await office.account("site-main", "site")
    settings = {"domain": "weibo.example", **({"fallback_url": fallback} if fallback else {})}
    await office.account("weibo-main", "weibo", waits_for="site-main", settings=settings)
    await office.write("c1", "供热开始")
    return office


async def test_the_post_waits_for_the_website_and_carries_its_address() -> None:
    office = await road()
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("weibo-main", SOON), Wish("site-main", SOON)])
    office.platforms["site-main"].gate = asyncio.Event()
    office.clock.move(timedelta(minutes=10))
    task = asyncio.create_task(dispatch(DISPATCHER, office.desk))
    for _ in range(100):
        await asyncio.sleep(0)
    assert await office.states() == {"site-main": "sending", "weibo-main": "waiting"}
    office.platforms["site-main"].gate.set()
    await task
    await dispatch(DISPATCHER, office.desk)
    assert await office.states() == {"site-main": "published", "weibo-main": "published"}
    assert "https://site-main.example/p1" in office.platforms["weibo-main"].posts[0].text


async def test_a_failed_website_holds_the_post() -> None:
    office = await road(fallback="https://site-main.example/news")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("weibo-main", SOON), Wish("site-main", SOON)])
    office.platforms["site-main"].faults = ["token"]
    office.clock.move(timedelta(minutes=10))
    await dispatch(DISPATCHER, office.desk)
    await wake_waiting(DISPATCHER, office.desk)
    await dispatch(DISPATCHER, office.desk)
    await wake_waiting(DISPATCHER, office.desk)
    assert await office.states() == {"site-main": "refused", "weibo-main": "held"}
    assert office.platforms["weibo-main"].posts == []


async def test_a_website_that_gives_no_address_is_replaced_by_the_fall_back_after_the_policys_minutes() -> None:
    office = await road(fallback="https://site-main.example/news")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("weibo-main", SOON), Wish("site-main", SOON)])
    office.platforms["site-main"].faults = ["pending"]
    office.clock.move(timedelta(minutes=10))
    for _ in range(16):
        await dispatch(DISPATCHER, office.desk)
        await wake_waiting(DISPATCHER, office.desk)
        office.clock.move(timedelta(minutes=1))
    await dispatch(DISPATCHER, office.desk)
    assert (await office.states())["weibo-main"] == "published"
    assert "https://site-main.example/news" in office.platforms["weibo-main"].posts[0].text


async def test_a_post_that_needs_an_address_cannot_be_scheduled_without_the_website() -> None:
    office = await road()
    with pytest.raises(Invalid) as caught:
        await publishing.schedule(EDITOR, office.desk, "c1", [Wish("weibo-main", SOON)])
    assert "网站" in caught.value.errors[0].message


# ---- a person's word


async def unknown_one() -> tuple[Office, Document]:
    office, publication = await ready("weibo")
    office.platforms["a-main"].faults = ["drop_before"]
    await dispatch(DISPATCHER, office.desk)
    return office, publication


async def test_a_person_may_say_published_with_an_address_of_the_account() -> None:
    office, publication = await unknown_one()
    elsewhere = ("https://elsewhere.example/1", "https://evil-a-main.example/1", "http://[x/")
    for url in (None, "javascript:alert(1)", *elsewhere):
        with pytest.raises(Invalid):
            await settling.resolve(REVIEWER, office.desk, publication["_id"], "published", url=url, evidence="看过")
    after = await settling.resolve(
        REVIEWER, office.desk, publication["_id"], "published", url="https://a-main.example/7", evidence="在主页看到"
    )
    assert (after["state"], after["url"], after["resolve"]["by"]) == (
        "published",
        "https://a-main.example/7",
        "u-reviewer",
    )


async def test_not_published_is_held_and_only_a_second_act_sends_with_the_same_key() -> None:
    office, publication = await unknown_one()
    after = await settling.resolve(
        REVIEWER, office.desk, publication["_id"], "not_published", evidence="主页和后台都没有"
    )
    assert after["state"] == "held"
    await settle_for(office, 10)
    assert office.platforms["a-main"].calls.count("publish") == 1
    await publishing.release(REVIEWER, office.desk, publication["_id"])
    await dispatch(DISPATCHER, office.desk)
    assert await state_of(office, publication) == "published"
    assert office.platforms["a-main"].posts[0].key == publication["key"]


async def test_only_an_unknown_one_can_be_resolved_and_evidence_is_asked_for() -> None:
    office, publication = await ready()
    with pytest.raises(Conflict):
        await settling.resolve(REVIEWER, office.desk, publication["_id"], "published", evidence="看过")
    office, publication = await unknown_one()
    with pytest.raises(Invalid):
        await settling.resolve(REVIEWER, office.desk, publication["_id"], "not_published")


# ---- lists


async def test_the_list_pages_without_missing_or_repeating_and_filters() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    for number in range(23):
        await office.write(f"c{number:02}", f"第{number}篇")
        await publishing.schedule(
            EDITOR, office.desk, f"c{number:02}", [Wish("a-main", SOON + timedelta(minutes=number // 4))]
        )
    seen: list[str] = []
    cursor = None
    while True:
        page = await publishing.list_publications(EDITOR, office.desk, account="a-main", cursor=cursor, limit=5)
        seen += [row["_id"] for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 23
    page = await publishing.list_publications(EDITOR, office.desk, until=SOON + timedelta(minutes=1))
    assert len(page.rows) == 4
    with pytest.raises(Invalid):
        await publishing.list_publications(EDITOR, office.desk, cursor="nonsense")


async def test_one_publication_is_shown_with_its_attempts_in_words() -> None:
    office, publication = await ready()
    office.platforms["a-main"].faults = ["busy"]
    await dispatch(DISPATCHER, office.desk)
    shown = await publishing.publication(EDITOR, office.desk, publication["_id"])
    assert shown["attempts"][0]["words"] == "第 1 次，平台没有接受，确定没有公开：平台繁忙"
    assert not any(name.startswith(("outbox", "lease")) for name in shown)
