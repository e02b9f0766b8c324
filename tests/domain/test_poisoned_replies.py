"""Poisoned texts from a platform's page to the board's figures: none is lost, none stops another, each is as it was."""

from __future__ import annotations

import json
from dataclasses import replace

from hub.commands.poisons import POISONS
from hub.desk.listening import listen
from hub.desk.reading import BATCH, read_new
from hub.desk.reading_pool import ReadingPool
from hub.desk.recording import CUT
from hub.desk.watching import Watch
from hub.domain.reply import LIVE, MOST_TEXT
from hub.sealing import CITIZEN
from hub.store import rollups
from nlp.detectors.ensemble import Ensemble
from tests.domain.listening_office import LISTENER, POISON, READER, WATCHER, Office, make_office
from tests.ending import must_end

SHORTER = {name: text[: 3 * MOST_TEXT] for name, text in POISONS.items()}  # beyond what pages show, and quick to seal
WHOLE = ("one Han sign", "one base64 line", "all of it")  # a megabyte each


def units(text: str) -> bytes:
    """A text as platforms write it: two halves beside each other are one sign."""
    return text.encode("utf-16-le", "surrogatepass")


async def say_all(office: Office) -> None:
    for name, text in SHORTER.items():
        words = POISONS[name] if name in WHOLE else text
        office.source.say(words, author=f"市民{name}", id=name, raw={"id": name, "text": words})
        office.source.say("清源路水不清", author=f"邻居{name}", id=f"after {name}")
    office.source.page = 20
    await listen(LISTENER, office.desk)


async def test_every_poisoned_text_is_kept_as_sent_read_counted_and_watched_beside_its_neighbours() -> None:
    office = await make_office()
    pool = ReadingPool(1)
    desk = replace(office.desk, read=pool.read)
    try:
        with must_end(120):
            await say_all(office)
            await read_new(READER, desk)
            await Watch(Ensemble).tick(WATCHER, desk)
    finally:
        pool.close()
    rows = {row["external_id"]: row for row in await desk.store.find("replies", {}, limit=500)}
    assert len(rows) == 2 * len(POISONS)
    assert {row["state"] for row in rows.values()} == {"read"}
    for name, text in SHORTER.items():
        row, words = rows[name], POISONS[name] if name in WHOLE else text
        raw = desk.sealer.open(row["sealed"]["raw"], table="replies", id=row["_id"], field="raw", purpose=CITIZEN)
        same = units(json.loads(raw)["text"]) == units(words)
        assert same, f"{name}: the raw record is the text as the platform gave it, halves too"
        assert len(row["text"]) <= MOST_TEXT
        row["text"].encode("utf-8")
    assert await rollups.verify(desk.store) == []


async def test_halves_are_stored_as_question_marks_and_stay_halves_in_the_raw_record() -> None:
    office = await make_office()
    office.source.say("停水\ud83d了", raw={"text": "停水\ud83d了"})
    await listen(LISTENER, office.desk)
    (row,) = await office.desk.store.find("replies", {})
    plain = office.desk.sealer.open(
        row["sealed"]["text"], table="replies", id=row["_id"], field="text", purpose=CITIZEN
    )
    assert row["text"] == plain == "停水?了"


async def test_a_number_that_the_cut_goes_through_is_not_shown_by_halves() -> None:
    office = await make_office()
    for number in range(30):
        before = "水" * (MOST_TEXT + CUT - number)
        office.source.say(f"{before}13912345678，{'水' * CUT}", id=f"{number}")
        shrinking = "我家住城关镇清源路12号3单元502室，" * 1_600
        office.source.say(f"{shrinking[: MOST_TEXT + CUT - number]}，13912345678", id=f"s{number}")
    office.source.page = 100
    await listen(LISTENER, office.desk)
    rows = await office.desk.store.find("replies", {}, limit=100)
    assert len(rows) == 60
    assert not [row["external_id"] for row in rows if "1391" in row["text"]]


async def test_signs_that_nobody_sees_hide_no_number_and_turn_round_no_page_and_stay_in_what_is_sealed() -> None:
    office = await make_office()
    words = "电话139\u200b1234\u200d5678\u202e水\0停👨\u200d👩"
    office.source.say(words)
    await listen(LISTENER, office.desk)
    (row,) = await office.desk.store.find("replies", {})
    plain = office.desk.sealer.open(
        row["sealed"]["text"], table="replies", id=row["_id"], field="text", purpose=CITIZEN
    )
    assert row["text"] == "电话139****5678水停👨\u200d👩"
    assert plain == words


async def test_a_text_that_cannot_be_read_rests_ever_longer_and_holds_up_nobody() -> None:
    office = await make_office()
    office.source.say(POISON)
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)
    waits = []
    for _ in range(2):
        (row,) = await office.desk.store.find("replies", {"external_id": "c1"})
        waits.append((row["lease_until"] - office.clock.now()).total_seconds())
        office.source.say("谢谢")
        office.clock.move(waits[-1])
        await listen(LISTENER, office.desk)
        assert await read_new(READER, office.desk) == 2
    assert waits == [5, 10]
    states = [row["state"] for row in await office.desk.store.find("replies", {}, sort=[("external_id", 1)])]
    assert states == ["set_aside", "read", "read"]


async def test_todays_words_are_read_before_the_years_of_an_import_that_came_first() -> None:
    office = await make_office()
    office.source.say("老早的话")
    await listen(LISTENER, office.desk)
    (row,) = await office.desk.store.find("replies", {})
    past = [
        {**row, "_id": f"p{number:05}", "external_id": f"p{number}", "stream": "import:a", "outbox": []}
        for number in range(3 * BATCH)
    ]
    await office.desk.store.insert_new("replies", past)
    office.clock.move(6)
    office.source.say("今天的话")
    await listen(LISTENER, office.desk)
    order: list[str] = []

    async def noting(rows: object) -> object:
        order.extend(str(each["text"]) for each in rows)  # type: ignore[attr-defined]
        return await office.desk.read(rows)  # type: ignore[arg-type]

    await read_new(READER, replace(office.desk, read=noting))  # type: ignore[arg-type]
    assert "今天的话" in order[:BATCH]
    assert await office.desk.store.count("replies", {"state": "read"}) == 3 * BATCH + 2
    assert await office.desk.store.count("replies", {"state": "read", "stream": LIVE}) == 2


async def test_two_workers_share_what_waits_and_neither_stops_while_there_is_more() -> None:
    office = await make_office()
    office.source.say("水不清")
    await listen(LISTENER, office.desk)
    (row,) = await office.desk.store.find("replies", {})
    more = [{**row, "_id": f"p{number:05}", "external_id": f"p{number}", "outbox": []} for number in range(5 * BATCH)]
    await office.desk.store.insert_new("replies", more)
    desks = [office.desk, office.again(office.desk.store).desk]
    done = [await read_new(READER, desk) for desk in desks]
    assert sum(done) == 5 * BATCH + 1
    assert await rollups.verify(office.desk.store) == []
