"""Failures 11a and 11b of the field end to end: from what is taken in to who is told, with the real detectors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.desk.alerting import handle_alert, list_alerts
from hub.desk.listening import listen
from hub.desk.reading import read_new
from hub.desk.watching import SAVE_EVERY, Watch
from hub.store.base import Document
from nlp.detectors.ensemble import Ensemble
from tests.domain.listening_office import LISTENER, MONITOR, MORNING, READER, WATCHER, Office, make_office

WATER = [
    "滨河花园从昨晚开始停水，到现在没有人通知",
    "滨河花园停水第二天了，物业电话打不通",
    "我家就在滨河花园，停水了一滴都没有",
    "滨河花园又停水，上班族连脸都洗不了",
    "滨河花园停水，孩子泡奶粉都得去超市买水",
    "滨河花园停水，老人提不动桶",
]


async def said(office: Office, *texts: str) -> None:
    for text in texts:
        number = len(office.source.said)
        office.source.say(text, author=f"市民{number}", at=MORNING + timedelta(minutes=number))
    await fetched(office)


async def fetched(office: Office) -> None:
    office.clock.move(60)
    await listen(LISTENER, office.desk)
    while await read_new(READER, office.desk):
        pass


async def ticks(office: Office, watch: Watch, times: int = 4) -> None:
    for _ in range(times):
        await watch.tick(WATCHER, office.desk)


async def told(office: Office) -> list[Document]:
    """The notices that were written, whatever became of the alerts."""
    rows = await list_alerts(MONITOR, office.desk)
    return [row for alert in rows for parcel in alert["outbox"] for row in parcel["rows"] if row["kind"] == "notice"]


@pytest.mark.parametrize("after_texts", [1, 3, 4, 5])
async def test_11a_a_watcher_killed_at_any_place_is_followed_by_one_that_tells_once(after_texts: int) -> None:
    office = await make_office()
    await said(office, *WATER[:after_texts])
    await ticks(office, Watch(Ensemble))
    await said(office, *WATER[after_texts:])
    await ticks(office, Watch(Ensemble), 1)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await ticks(after, Watch(Ensemble))
    assert len(await told(after)) == 1
    assert await after.desk.store.count("replies", {"issue": (await list_alerts(MONITOR, after.desk))[0]["issue"]}) == 6


async def test_11a_two_watchers_that_take_turns_tell_once() -> None:
    office = await make_office()
    first, second, other = Watch(Ensemble), Watch(Ensemble), office.again(office.desk.store)
    for text in WATER:
        await said(office, text)
        await ticks(office, first, 1)
        office.clock.move(61)
        await ticks(other, second, 1)
        office.clock.move(61)
    assert len(await told(office)) == 1


async def test_11a_replies_that_come_again_by_callback_and_by_poll_tell_once() -> None:
    office, watch = await make_office(), Watch(Ensemble)
    await said(office, *WATER)
    await ticks(office, watch)
    for number, text in enumerate(WATER):
        office.source.say(text, author=f"市民{number}", id=f"c{number + 1}", at=MORNING + timedelta(minutes=number))
    await fetched(office)
    await ticks(office, watch)
    assert await office.desk.store.count("replies", {}) == 6
    assert len(await told(office)) == 1


async def test_11a_what_was_called_a_false_alarm_stays_silent_through_a_restart() -> None:
    office, watch = await make_office(), Watch(Ensemble)
    await said(office, *WATER)
    await ticks(office, watch)
    id = str((await list_alerts(MONITOR, office.desk))[0]["_id"])
    await handle_alert(MONITOR, office.desk, id, "false-alarm", "小区自己停的")
    office.clock.move(SAVE_EVERY + 61)
    await ticks(office, watch)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await said(after, *[f"{text}，还没好" for text in WATER])
    await ticks(after, Watch(Ensemble))
    assert len(await told(after)) == 1


async def test_11b_a_copy_flood_tells_nobody() -> None:
    office, watch = await make_office(), Watch(Ensemble)
    await said(office, *[WATER[0]] * 60)
    await ticks(office, watch)
    assert await list_alerts(MONITOR, office.desk) == []
