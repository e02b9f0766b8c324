"""发布前检查: three times, while it can still be mended; failures 2, 3a, 3b and 3c of the field."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Health
from channels.exchange import Answer, apart
from hub import wording
from hub.clock import SHANGHAI
from hub.desk import accounts, preflighting, publishing
from hub.desk.checking import check_content
from hub.desk.dispatching import dispatch
from hub.desk.preflighting import run_preflight
from hub.desk.publishing import Wish
from hub.desk.quotas import StoredMeter
from hub.desk.working import my_work
from hub.domain.content import Draft, check_draft, package_hash, revise
from hub.domain.errors import NotAllowed
from hub.domain.people import program
from hub.domain.preflight import Concern, is_due, mark_of, new_ones, of_clock, of_quota, of_token
from hub.domain.publication import Rules
from hub.domain.quota import Left, end_of
from hub.pages.publications import moment_of
from hub.store.base import Document
from tests.contracts.channel_rooms import PICTURE
from tests.domain.publishing_office import CARETAKER, DISPATCHER, EDITOR, MORNING, Office, make_office
from tests.domain.real_office import MIDNIGHT, RealOffice, wechat_office, weibo_office

PREFLIGHT = program("preflight")
SOON = timedelta(minutes=20)
ID = "c1:a-main:1"


async def planned(office: Office, *, after: timedelta = SOON, late: str = "ask", **more: Any) -> Document:
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始", **more)
    at = office.clock.now() + after
    return (await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", at, late)])).publications[0]


async def looked(office: Office, id: str = ID) -> Document:
    await run_preflight(PREFLIGHT, office.desk)
    row = await office.store.get("publications", id)
    assert row is not None
    return row


def rules(row: Document) -> list[str]:
    return [one["rule"] for one in row.get("concerns") or ()]


def warnings(row: Document) -> list[Document]:
    rows = [one for parcel in row.get("outbox", ()) for one in parcel["rows"] if one["kind"] == "notice"]
    return [one for one in rows if one["matter"] == "publication.preflight"]


# ---- the judgements


CALLS = st.integers(0, 60)
LEFT = st.builds(lambda used, limit: Left("q", "发微博", "day", "publish", used, limit, MIDNIGHT), CALLS, CALLS)


@given(LEFT, st.integers(0, 60), st.sampled_from(["ask", "hold", "publish"]), st.integers(0, 15 * 3600))
def test_a_post_is_doubted_for_its_quota_exactly_where_it_would_be_held_for_it(
    left: Left, before: int, late: str, seconds: int
) -> None:
    at = MORNING + timedelta(seconds=seconds)
    row = {"_id": "p", "at": at, "late": late}
    found = of_quota(row, left, before, MORNING, Rules())
    waits = late == "publish" or end_of("day", at) - at <= Rules().late
    assert bool(found) is (left.used + before >= left.limit and not waits)


@given(st.integers(-3600, 3600), st.booleans())
def test_a_token_is_doubted_where_it_ends_by_the_posts_time_and_a_person_must_give_the_next(
    seconds: int, reauthorised: bool
) -> None:
    until = MORNING + timedelta(seconds=seconds)
    found = of_token({"_id": "a"}, Health("ok", "", until), MORNING, reauthorised=reauthorised)
    assert bool(found) is (reauthorised and seconds <= 0)


@given(st.integers(-3600, 3600), st.integers(1, 600))
def test_a_clock_is_doubted_beyond_the_figure_in_either_direction(ahead: int, most: int) -> None:
    found = of_clock({"_id": "a"}, timedelta(seconds=ahead), timedelta(seconds=most))
    assert bool(found) is (abs(ahead) > most)
    assert not found or ("慢了" in found[0].text) is (ahead > 0)


@given(st.integers(0, 86_399), st.integers(0, 5), st.integers(-90, 90))
def test_the_date_of_an_answer_says_how_far_clocks_are_apart_and_never_more_than_it_knows(
    second: int, took: int, ahead: int
) -> None:
    asked = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=second, milliseconds=300)
    said = (asked + timedelta(seconds=took / 2 + ahead)).replace(microsecond=0)
    answer = Answer(200, {"date": f"{said:%a, %d %b %Y %H:%M:%S} GMT"})
    found = apart(answer, asked, asked + timedelta(seconds=took))
    assert found is not None
    assert abs(found) <= timedelta(seconds=abs(ahead))
    assert abs(found) >= timedelta(seconds=abs(ahead) - took / 2 - 1.3)
    assert apart(Answer(200, {"date": "gestern"}), asked, asked) is None


CONCERNS = st.lists(st.sampled_from("abcd").map(lambda rule: Concern(rule, "", "", "")), unique_by=lambda one: one.rule)


@given(CONCERNS, CONCERNS)
def test_what_was_told_is_not_told_again_until_it_was_mended(before: list[Concern], after: list[Concern]) -> None:
    known = {one.rule for one in before}
    assert {one.rule for one in new_ones([one.row() for one in before], after)} == {one.rule for one in after} - known


@given(st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9), st.booleans())
def test_nobody_looks_while_somebody_else_is_at_it(lease: int | None, again: int | None, same: bool) -> None:
    row: Document = {"at": MORNING, "preflight_mark": "m"}
    row |= {} if lease is None else {"preflight_lease": MORNING + timedelta(minutes=lease)}
    row |= {} if again is None else {"preflight_at": MORNING + timedelta(minutes=again)}
    free = lease is None or lease <= 0
    assert is_due(row, "m" if same else "n", MORNING) is (free and (not same or (again is not None and again <= 0)))


# ---- half an hour before


async def test_each_post_is_looked_at_once_and_anew_after_an_edit_or_a_move() -> None:
    office = make_office()
    await planned(office, after=timedelta(hours=1))
    assert await run_preflight(PREFLIGHT, office.desk) == 0
    office.clock.move(timedelta(minutes=31))
    assert await run_preflight(PREFLIGHT, office.desk) == 1
    assert await run_preflight(PREFLIGHT, office.desk) == 0
    await publishing.move(EDITOR, office.desk, ID, office.clock.now() + timedelta(minutes=25))
    assert await run_preflight(PREFLIGHT, office.desk) == 1
    await office.write("c1", "供热开始，新的一版", number=2)
    assert await run_preflight(PREFLIGHT, office.desk) == 1
    assert await run_preflight(PREFLIGHT, office.desk) == 0


async def test_two_workers_look_once_and_one_that_dies_at_it_is_followed_by_another() -> None:
    office = make_office()
    await planned(office)
    office.platforms["a-main"].health = Health("expired", "授权已失效")
    done = await asyncio.gather(*(run_preflight(PREFLIGHT, office.worker(f"w{number}")) for number in range(3)))
    assert sum(done) == 1
    row = await office.store.get("publications", ID)
    assert row is not None and len(warnings(row)) == 1
    lease = {"$set": {"preflight_lease": office.clock.now() + timedelta(minutes=2), "preflight_mark": "another"}}
    await office.store.change("publications", {"_id": ID}, lease)
    assert await run_preflight(PREFLIGHT, office.desk) == 0
    office.clock.move(timedelta(minutes=2))
    assert await run_preflight(PREFLIGHT, office.desk) == 1


async def test_2_a_dead_token_is_told_half_an_hour_before_and_the_warning_goes_when_it_is_mended() -> None:
    office = make_office()
    await planned(office)
    office.platforms["a-main"].health = Health("expired", "授权已失效，请重新授权")
    row = await looked(office)
    assert rules(row) == ["token"]
    said = warnings(row)
    assert len(said) == 1
    assert said[0]["people"] == ["duty", "u-editor"]
    assert said[0]["link"] == f"/publications?open={ID}"
    for words in ("《供热开始》", "09:20", "a-main", "授权已失效", "“检查账号”"):
        assert words in said[0]["text"], words
    work = [one for one in await my_work(EDITOR, office.desk) if one.kind == "concern"]
    assert len(work) == 1 and "09:20" in work[0].title
    office.clock.move(timedelta(minutes=5))
    assert len(warnings(await looked(office))) == 1
    office.platforms["a-main"].health = Health("ok", "")
    office.clock.move(timedelta(minutes=5))
    row = await looked(office)
    assert rules(row) == [] and "preflight_at" not in row
    assert await preflighting.concerned(EDITOR, office.desk) == []
    office.clock.move(timedelta(minutes=10))
    await dispatch(DISPATCHER, office.desk)
    assert (await office.states()) == {"a-main": "published"}


async def test_pressing_looks_at_once() -> None:
    office = make_office()
    await planned(office)
    office.platforms["a-main"].health = Health("expired", "授权已失效")
    assert rules(await looked(office)) == ["token"]
    office.platforms["a-main"].health = Health("ok", "")
    assert rules(await preflighting.look_again(EDITOR, office.desk, ID)) == []
    with pytest.raises(NotAllowed):
        await run_preflight(EDITOR, office.desk)


async def test_a_whole_accounts_trouble_is_told_once_however_many_posts_wait_for_it() -> None:
    office = make_office()
    await planned(office)
    for number in (2, 3):
        await office.write(f"c{number}", f"第 {number} 条")
        await publishing.schedule(EDITOR, office.desk, f"c{number}", [Wish("a-main", office.clock.now() + SOON)])
    office.platforms["a-main"].health = Health("expired", "授权已失效")
    assert await run_preflight(PREFLIGHT, office.desk) == 3
    keys = {one["key"] for row in await office.store.find("publications", {}, limit=9) for one in warnings(row)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("change", "rule", "verb"),
    [
        ({"state": "in_review"}, "approval", "去审"),
        ({"state": "draft"}, "approval", "送审"),
        ({"approved_hash": "another"}, "approval", "送审"),
    ],
)
async def test_what_is_not_approved_as_it_stands_is_told(change: Document, rule: str, verb: str) -> None:
    office = make_office()
    await planned(office)
    await office.store.change("contents", {"_id": "c1"}, {"$set": change})
    row = await looked(office)
    assert [(one["rule"], one["verb"]) for one in row["concerns"]] == [(rule, verb)]
    await office.approve("c1")
    assert rules(await looked(office)) == []


async def test_days_ahead_nobody_is_told_that_a_draft_is_not_approved_yet() -> None:
    office = make_office()
    await planned(office, after=timedelta(days=3), approved=False)
    assert rules(await preflighting.look_again(EDITOR, office.desk, ID)) == []
    assert rules(await looked(office)) == []


async def test_a_held_account_and_a_website_that_will_not_go_out_are_told() -> None:
    office = make_office()
    await office.account("site-main", "site")
    await office.account("weibo-main", "weibo", waits_for="site-main")
    await office.write("c1", "供热开始")
    at = office.clock.now() + SOON
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("site-main", at), Wish("weibo-main", at)])
    assert rules(await looked(office, "c1:weibo-main:1")) == []
    await publishing.hold(EDITOR, office.desk, "c1:site-main:1", reason="再等等")
    row = await looked(office, "c1:weibo-main:1")
    assert rules(row) == ["link"] and row["concerns"][0]["href"] == "/publications?open=c1:site-main:1"
    await office.store.change("accounts", {"_id": "weibo-main"}, {"$set": {"held": True}})
    assert rules(await looked(office, "c1:weibo-main:1")) == ["account", "link"]


async def test_clocks_apart_are_told_by_the_platforms_own_date_and_by_another_workers_beat() -> None:
    real = await weibo_office()
    await real.planned(1, at=real.office.clock.now() + SOON)
    real.room.stage.move_clock(200)
    await run_preflight(PREFLIGHT, real.worker("w1"))
    row = (await real.rows())[0]
    assert "clock" in rules(row)
    assert "慢了 3 分" in next(one["text"] for one in row["concerns"] if one["rule"] == "clock")
    real.room.stage.move_clock(0)
    real.office.clock.move(timedelta(minutes=5))
    await run_preflight(PREFLIGHT, real.worker("w1"))
    assert "clock" not in rules((await real.rows())[0])
    office = make_office()
    await planned(office)
    await office.store.insert("beats", {"_id": "other", "at": office.clock.now() + timedelta(minutes=3)})
    assert rules(await looked(office)) == ["clock"]


async def test_a_clock_is_written_only_where_it_changes() -> None:
    office = make_office()
    await office.account("a", "trusted")
    meter = StoredMeter(office.desk, "a")
    written = []
    for seconds in (0, 0, 1, 90, 92, 0):
        await meter.clock(timedelta(seconds=seconds))
        row = await office.store.get("accounts", "a")
        assert row is not None
        written.append(row["clock_ahead"])
    assert written == [0, 0, 0, 90, 90, 0]


# ---- when it is planned


async def test_2_a_token_that_ends_before_the_posts_time_is_said_when_it_is_planned() -> None:
    real = await weibo_office()
    await accounts.look_after(CARETAKER, real.worker("caretaker"))
    until = (await real.worker("w").connect(real.account).preflight()).token_until
    assert until is not None
    real.account = {**real.account, **(await real.office.store.get("accounts", "weibo-main") or {})}
    await real.planned(1, at=until + timedelta(hours=1))
    row = (await real.rows())[0]
    assert rules(row) == ["token"]
    assert "早于发布时间" in row["concerns"][0]["text"]
    assert row["concerns"][0]["href"] == "/accounts/weibo-main/authorise"
    assert [one["_id"] for one in await preflighting.concerned(EDITOR, real.worker("w"))] == [row["_id"]]


async def test_a_day_that_is_full_already_is_said_when_one_more_is_planned_for_it() -> None:
    real = await weibo_office({"posts_day": 2})
    tomorrow = MIDNIGHT + timedelta(hours=2)
    await real.planned(3, at=tomorrow, late="ask")
    rows = await real.rows()
    assert [rules(row) for row in rows] == [[], [], ["quota"]]
    assert "只能再用 2 次，这一条前面还排着 2 条" in rows[2]["concerns"][0]["text"]
    await publishing.cancel(EDITOR, real.worker("desk"), rows[0]["_id"])
    real.office.clock.move(timedelta(hours=1))
    await run_preflight(PREFLIGHT, real.worker("w1"))
    assert rules((await real.rows())[2]) == []


# ---- 3a: times an hour or a zone off


WALL = st.datetimes(datetime(2026, 11, 25), datetime(2028, 2, 29, 23, 59)).map(  # noqa: DTZ001 - typed without a zone
    lambda moment: moment.replace(second=0, microsecond=0)
)


@given(WALL, st.sampled_from(["", "+08:00", "+00:00", "-05:00"]))
def test_3a_a_time_is_the_offices_own_or_that_of_its_written_offset(wall: datetime, offset: str) -> None:
    found = moment_of(wall.isoformat(timespec="minutes") + offset)
    meant = datetime.fromisoformat(wall.isoformat() + (offset or "+08:00"))
    assert found == meant and found.tzinfo is UTC
    assert wording.hour(found) == f"{meant.astimezone(SHANGHAI):%H:%M}"


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2026-11-25T00:00", "2026-11-24T16:00+00:00"),
        ("2026-11-30T23:59", "2026-11-30T15:59+00:00"),
        ("2026-12-01T00:00", "2026-11-30T16:00+00:00"),
        ("2027-01-01T00:00", "2026-12-31T16:00+00:00"),
        ("2028-02-29T00:30", "2028-02-28T16:30+00:00"),
        ("2026-11-24T16:00+00:00", "2026-11-24T16:00+00:00"),
        ("2026-11-25T00:00+08:00", "2026-11-24T16:00+00:00"),
    ],
)
async def test_3a_a_post_goes_out_in_the_very_minute_that_was_typed(typed: str, utc: str) -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始")
    at = moment_of(typed)
    assert at == datetime.fromisoformat(utc)
    done = await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", at)])
    shown = wording.full_moment(done.publications[0]["at"])
    assert shown.endswith(f"{datetime.fromisoformat(utc).astimezone(SHANGHAI):%H:%M}")
    office.clock.jump(at - timedelta(seconds=1))
    assert await dispatch(DISPATCHER, office.desk) == 0
    office.clock.jump(at)
    assert await dispatch(DISPATCHER, office.desk) == 1


# ---- 3b and 3c: rules and pictures, by name, in all three places


async def with_pictures(real: RealOffice, sizes: list[int]) -> tuple[str, list[str]]:
    """An approved content with so many pictures of these sizes; its package."""
    names, blocks = [], []
    for number, size in enumerate(sizes, 1):
        name = "送水点分布图.png" if number == 3 else f"现场{number}.png"
        sha256 = await real.office.desk.files.put(PICTURE + str(number).encode())
        row = {"_id": sha256, "type": "image/png", "width": 800, "height": 600, "size": size, "name": name}
        await real.office.store.insert("media", row)
        names.append(sha256)
        blocks.append({"kind": "img", "media": sha256, "alt": "图"})
    draft = check_draft(
        Draft("news", "yaowen", "供热开始", "今天开始供热。",
              [{"kind": "p", "runs": [{"text": "供热开始。"}]}, *blocks], (), {"source": "云川市新闻办"})
    )  # fmt: skip
    revision = revise("c1", 1, draft, by="u-editor", at=real.office.clock.now())
    await real.office.store.insert("revisions", revision)
    package = package_hash(revision["hash"], {}, names)
    fields = {
        "state": "approved", "revision": 1, "hash": package, "approved_hash": package, "title": "供热开始",
        "author": "u-editor", "kind": "news", "column": "yaowen", "variants": {real.account["_id"]: {"revision": 1}},
    }  # fmt: skip
    await real.office.store.change("contents", {"_id": "c1"}, {"$set": fields}, upsert=True)
    return package, names


BIG = 13_002_342  # 12.4 MB
SAID = "第 3 张图“送水点分布图.png” 12.4 MB"


async def test_3c_a_bad_picture_is_named_while_editing_when_planning_and_half_an_hour_before() -> None:
    real = await wechat_office()
    await with_pictures(real, [1_000, 1_000, 1_000])
    desk, at = real.worker("desk"), real.office.clock.now() + SOON
    assert not any("张图" in one.message for one in await check_content(EDITOR, desk, "c1"))
    await publishing.schedule(EDITOR, desk, "c1", [Wish(real.account["_id"], at)])
    await real.office.store.change("media", {"name": "送水点分布图.png"}, {"$set": {"size": BIG}})
    assert any(SAID in one.message for one in await check_content(EDITOR, desk, "c1"))
    await run_preflight(PREFLIGHT, desk)
    row = (await real.rows())[0]
    assert SAID in row["concerns"][0]["text"] and row["concerns"][0]["href"] == "/contents/c1"
    assert SAID in warnings(row)[0]["text"]
    await publishing.cancel(EDITOR, desk, row["_id"])
    with pytest.raises(Exception, match="有的账号发不了") as caught:
        await publishing.schedule(EDITOR, desk, "c1", [Wish(real.account["_id"], at)])
    assert SAID in repr(caught.value.errors)  # type: ignore[attr-defined]


async def test_3c_a_picture_that_is_gone_is_named_before_and_at_the_moment_of_publishing() -> None:
    real = await wechat_office()
    _, names = await with_pictures(real, [1_000, 1_000, 1_000])
    desk = real.worker("desk")
    wish = Wish(real.account["_id"], real.office.clock.now() + SOON, "publish")
    await publishing.schedule(EDITOR, desk, "c1", [wish])
    files: Any = real.office.desk.files
    del files._contents[names[2]]
    await run_preflight(PREFLIGHT, desk)
    row = (await real.rows())[0]
    assert rules(row) == ["picture_missing"]
    assert "第 3 张图“送水点分布图.png”的文件不见了" in row["concerns"][0]["text"]
    real.office.clock.move(SOON)
    fallback = {"$set": {"state": "scheduled", "link": "https://www.yunchuan.example/a"}, "$unset": {"waits_for": ""}}
    await real.office.store.change("publications", {"_id": row["_id"]}, fallback)
    await dispatch(DISPATCHER, desk)
    row = (await real.rows())[0]
    assert (row["state"], row["part"]) == ("refused", "第 3 张图“送水点分布图.png”")


async def test_3b_a_text_that_the_platform_counts_as_too_long_is_found_in_all_three_places() -> None:
    real = await weibo_office()
    await real.office.write("c1", "供热开始")
    desk, account = real.worker("desk"), real.account["_id"]
    at = real.office.clock.now() + SOON
    await publishing.schedule(EDITOR, desk, "c1", [Wish(account, at)])
    variant = {"override": {"text": "云川市集中供热今天开始，" * 14}, "hash": "by hand", "revision": 1}
    await real.office.store.change("contents", {"_id": "c1"}, {"$set": {f"variants.{account}": variant}})
    messages = [one.message for one in await check_content(EDITOR, desk, "c1")]
    said = next(message for message in messages if "超过 140 字" in message)
    await run_preflight(PREFLIGHT, desk)
    row = (await real.rows())[0]
    assert any(one["text"].rstrip("。") in said for one in row["concerns"] if one["rule"] == "weibo_length")
    await publishing.cancel(EDITOR, desk, row["_id"])
    with pytest.raises(Exception, match="有的账号发不了") as caught:
        await publishing.schedule(EDITOR, desk, "c1", [Wish(account, at)])
    assert "超过 140 字" in repr(caught.value.errors)  # type: ignore[attr-defined]


def test_a_mark_changes_with_everything_that_a_judgement_rests_on() -> None:
    row = {"at": MORNING}
    facts: list[tuple[Document, Document, Document]] = [
        ({}, {}, {}),
        ({"hash": "b"}, {}, {}),
        ({"approved_hash": "b"}, {}, {}),
        ({"state": "approved"}, {}, {}),
        ({}, {"held": True}, {}),
        ({}, {"health": {"state": "expired"}}, {}),
        ({}, {"authorised": 2}, {}),
        ({}, {}, {"state": "held"}),
    ]
    marks = {mark_of(row, *each, near=near) for each in facts for near in (False, True)}
    assert len(marks) == 2 * len(facts)
    assert mark_of({"at": MORNING + SOON}, {}, {}, {}, near=True) not in marks


async def test_a_channel_that_raises_keeps_no_other_post_from_being_looked_at() -> None:
    office = make_office()
    await planned(office)
    await office.account("b-main", "trusted")
    await office.write("c2", "第二条", approved=False)
    await publishing.schedule(EDITOR, office.desk, "c2", [Wish("b-main", office.clock.now() + SOON)])
    well = office.desk.connect

    def connect(account: Document) -> Any:
        if account["_id"] == "a-main":
            raise ValueError("设置里没有地址")
        return well(account)

    await run_preflight(PREFLIGHT, replace(office.desk, connect=connect))
    rows = {row["_id"]: rules(row) for row in await office.store.find("publications", {}, limit=9)}
    assert rows == {ID: ["token"], "c2:b-main:1": ["approval"]}
