"""Listening: each word once, none lost, all sealed, whatever breaks in between."""

from __future__ import annotations

import json

import pytest

from hub.desk.listening import listen, take
from hub.failpoints import Stopped
from hub.sealing import CITIZEN
from hub.store.memory import MemoryStore
from tests.domain.listening_office import LISTENER, make_office

PHONE = "13912345678"


async def replies(store: MemoryStore) -> list[dict]:  # type: ignore[type-arg]
    return await store.find("replies", {}, sort=[("external_id", 1)], limit=100)


async def test_a_page_that_comes_twice_is_kept_once() -> None:
    """7a: a poll repeated after a crash between storing and the cursor brings nothing in twice."""
    office = await make_office("poll.stored:1:raise")
    for number in range(5):
        office.source.say(f"第 {number} 句")
    with pytest.raises(Stopped):
        await listen(LISTENER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await listen(LISTENER, after.desk)
    assert [row["external_id"] for row in await replies(after.desk.store)] == ["c1", "c2", "c3", "c4", "c5"]  # type: ignore[arg-type]


async def test_two_people_with_the_same_words_in_the_same_second_are_both_kept() -> None:
    """7b: nothing is dropped as a duplicate for looking alike; only the platform's own id makes it the same."""
    office = await make_office()
    office.source.say("水是黄的", author="王芳")
    office.source.say("水是黄的", author="李强")
    assert await listen(LISTENER, office.desk) == 2


async def test_a_known_reply_is_left_as_it_stands() -> None:
    office = await make_office()
    account = await office.desk.store.get("accounts", "site-main")
    assert account is not None
    first = office.source.say("原话", id="same")
    assert (await take(LISTENER, office.desk, account, [first])).new == 1
    taken = await take(LISTENER, office.desk, account, [office.source.say("改过的话", id="same")])
    assert (taken.new, taken.known) == (0, 1)
    assert (await replies(office.desk.store))[0]["text"] == "原话"  # type: ignore[arg-type]


@pytest.mark.parametrize("point", ["ingest.received", "ingest.stored", "poll.page", "poll.stored", "poll.cursor"])
async def test_a_crash_anywhere_while_listening_loses_nothing_and_doubles_nothing(point: str) -> None:
    office = await make_office(f"{point}:1:raise")
    for number in range(7):
        office.source.say(f"第 {number} 句")
    with pytest.raises(Stopped):
        await listen(LISTENER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await listen(LISTENER, after.desk)
    assert len(await replies(after.desk.store)) == 7  # type: ignore[arg-type]


async def test_words_and_numbers_are_stored_sealed_and_shown_masked() -> None:
    office = await make_office()
    office.source.say(f"请打我电话 {PHONE}，王芳")
    await listen(LISTENER, office.desk)
    row = (await replies(office.desk.store))[0]  # type: ignore[arg-type]
    assert PHONE not in json.dumps(row, default=str, ensure_ascii=False)
    assert "139****5678" in row["text"]
    assert "王芳" not in row["text"]
    assert row["author"] == "王**"
    opened = office.desk.sealer.open(
        row["sealed"]["text"], table="replies", id=row["_id"], field="text", purpose=CITIZEN
    )
    assert PHONE in opened


async def test_a_letter_is_opened_out_of_the_sites_box() -> None:
    office = await make_office()
    letter = {
        "title": "路灯不亮",
        "text": "梧桐苑南门的路灯不亮",
        "author": "赵敏",
        "district": "云溪区",
        "contact": PHONE,
    }
    office.source.say("", id="row-1", raw={"id": "row-1", "sealed": office.box("row-1", letter)})
    await listen(LISTENER, office.desk)
    row = (await replies(office.desk.store))[0]  # type: ignore[arg-type]
    assert (row["title"], row["district"], row["author"]) == ("路灯不亮", "云溪区", "赵**")
    assert PHONE not in json.dumps(row, default=str)


async def test_a_box_that_cannot_be_opened_is_kept_whole_and_somebody_is_told() -> None:
    office = await make_office()
    office.source.say("", id="row-1", raw={"id": "row-1", "sealed": "v1:box:nobody:AAAA:BBBB"})
    office.source.say("别人的来信照常收下")
    await listen(LISTENER, office.desk)
    rows = await replies(office.desk.store)  # type: ignore[arg-type]
    assert sorted(row["state"] for row in rows) == ["new", "unopened"]
    aside = next(row for row in rows if row["state"] == "unopened")
    raw = office.desk.sealer.open(
        aside["sealed"]["raw"], table="replies", id=aside["_id"], field="raw", purpose=CITIZEN
    )
    assert json.loads(raw)["sealed"] == "v1:box:nobody:AAAA:BBBB"
    assert aside["outbox"][0]["rows"][0]["kind"] == "notice"


async def test_a_source_in_trouble_is_asked_later_and_later_and_then_as_usual() -> None:
    office = await make_office()
    office.source.trouble = 2
    office.source.say("在吗")
    waits = []
    for _ in range(40):
        before = len(office.source.looks)
        await listen(LISTENER, office.desk)
        waits.append(len(office.source.looks) > before)
        office.clock.move(5)
    assert [number for number, asked in enumerate(waits) if asked][:3] == [0, 2, 6]
    assert len(await replies(office.desk.store)) == 1  # type: ignore[arg-type]


async def test_two_workers_do_not_ask_one_source_at_once() -> None:
    office = await make_office()
    office.source.say("一句")
    other = office.again(office.desk.store)
    await office.desk.store.insert(
        "leases",
        {"_id": "listen:site-main", "owner": "another", "until": office.clock.now().replace(year=2027), "number": 1},
    )
    assert await listen(LISTENER, other.desk) == 0
    assert office.source.looks == []
