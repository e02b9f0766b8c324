"""From a stored reply to an alert: read once, counted once, watched once, told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.desk.alerting import handle_alert, list_alerts
from hub.desk.listening import listen
from hub.desk.reading import count_rest, read_new
from hub.desk.watching import Watch
from hub.domain.errors import Conflict, Invalid, NotAllowed
from hub.failpoints import Stopped
from hub.store import rollups
from nlp.contract import IssueChange, Voice
from tests.domain.listening_office import (
    EDITOR,
    LISTENER,
    MONITOR,
    MORNING,
    POISON,
    READER,
    WATCHER,
    Counting,
    Office,
    make_office,
)


async def said(office: Office, *texts: str) -> None:
    for number, text in enumerate(texts):
        office.source.say(text, author=f"市民{number}")
    await listen(LISTENER, office.desk)


async def states(office: Office) -> dict[str, str]:
    rows = await office.desk.store.find("replies", {}, limit=100)
    return {row["external_id"]: row["state"] for row in rows}


async def test_what_is_read_is_counted_once_and_wakes_the_board() -> None:
    office = await make_office()
    await said(office, "水不清", "谢谢", "暖气不热")
    assert await read_new(READER, office.desk) == 3
    assert await read_new(READER, office.desk) == 0
    rows = await office.desk.store.find("rollups", {"period": "day"}, limit=10)
    assert {row["sentiment"]: row["count"] for row in rows} == {"neg": 2, "neu": 1}
    events = await office.desk.store.find("events", {"name": "replies"}, limit=10)
    assert [event["detail"] for event in events] == [{"count": 3}]


@pytest.mark.parametrize("point", ["analyse.claimed", "analyse.written"])
async def test_a_crash_while_reading_leaves_every_reply_read_and_counted_once(point: str) -> None:
    office = await make_office(f"{point}:1:raise")
    await said(office, "水不清", "谢谢", "暖气不热")
    with pytest.raises(Stopped):
        await read_new(READER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await read_new(READER, after.desk)
    await count_rest(READER, after.desk)
    assert set((await states(after)).values()) == {"read"}
    assert await rollups.verify(after.desk.store) == []
    rows = await after.desk.store.find("rollups", {"period": "day"}, limit=10)
    assert sum(row["count"] for row in rows) == 3


async def test_a_poisoned_text_is_set_aside_after_three_tries_and_the_rest_goes_on() -> None:
    office = await make_office()
    await said(office, "水不清", POISON)
    for rest in (5, 10, 0):
        assert await states(office) != {"c1": "read", "c2": "set_aside"}
        await read_new(READER, office.desk)
        assert await read_new(READER, office.desk) == 0, "not before it has rested"
        office.clock.move(rest)
    assert await states(office) == {"c1": "read", "c2": "set_aside"}


async def test_two_readers_never_claim_the_same_reply() -> None:
    office = await make_office()
    await said(office, "水不清", "谢谢")
    other = office.again(office.desk.store)
    assert [await read_new(READER, office.desk), await read_new(READER, other.desk)] == [2, 0]


async def watched(office: Office, detector: Counting | None = None) -> Watch:
    watch = Watch(lambda: detector or Counting())
    await watch.tick(WATCHER, office.desk)
    return watch


async def test_four_people_make_one_alert_with_its_notice_and_it_is_told_once() -> None:
    office = await make_office()
    await said(office, *["清源路水不清"] * 5)
    await read_new(READER, office.desk)
    watch = await watched(office)
    await watch.tick(WATCHER, office.desk)
    alerts = await list_alerts(MONITOR, office.desk)
    assert [(alert["level"], alert["silent"]) for alert in alerts] == [("yellow", False)]
    kinds = [row["kind"] for row in alerts[0]["outbox"][0]["rows"]]
    assert kinds == ["event", "notice"]
    marked = await office.desk.store.count("replies", {"issue": alerts[0]["issue"]})
    assert marked == 5


async def test_a_watch_that_dies_before_saving_is_followed_by_one_that_comes_to_the_same_alerts() -> None:
    office = await make_office()
    await said(office, *["清源路水不清"] * 3)
    await read_new(READER, office.desk)
    await watched(office)
    assert await office.desk.store.count("replies", {"watched": True}) == 3
    office.source.say("清源路水不清", author="第四人")
    office.clock.move(6)
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)
    dying = Watch(Counting)
    await dying.tick(WATCHER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(31)
    await watched(after)
    await watched(after)
    assert len(await list_alerts(MONITOR, after.desk)) == 1


async def test_what_was_said_long_ago_makes_a_silent_alert() -> None:
    office = await make_office()
    for number in range(4):
        office.source.say("老早水不清", author=f"市民{number}", at=MORNING - timedelta(days=400))
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)
    await watched(office)
    alert = (await list_alerts(MONITOR, office.desk))[0]
    assert alert["silent"]
    assert [row["kind"] for row in alert["outbox"][0]["rows"]] == ["event"]


async def test_only_one_watch_runs_at_a_time() -> None:
    office = await make_office()
    await said(office, *["清源路水不清"] * 4)
    await read_new(READER, office.desk)
    first, second = Watch(Counting), Watch(Counting)
    assert await first.tick(WATCHER, office.desk) == 4
    assert await second.tick(WATCHER, office.again(office.desk.store).desk) == 0


async def an_alert(office: Office) -> str:
    await said(office, *["清源路水不清"] * 4)
    await read_new(READER, office.desk)
    await watched(office)
    return str((await list_alerts(MONITOR, office.desk))[0]["_id"])


async def test_an_alert_is_taken_by_one_person_only() -> None:
    office = await make_office()
    id = await an_alert(office)
    taken = await handle_alert(MONITOR, office.desk, id, "acknowledge")
    assert taken["taken_name"] == "何静"
    with pytest.raises(Conflict, match="已认领"):
        await handle_alert(MONITOR, office.desk, id, "acknowledge")


async def test_a_false_alarm_needs_a_sentence_and_closes_its_issue() -> None:
    office = await make_office()
    id = await an_alert(office)
    with pytest.raises(Invalid, match="说明"):
        await handle_alert(MONITOR, office.desk, id, "false-alarm")
    await handle_alert(MONITOR, office.desk, id, "false-alarm", "同一家广告")
    issue = (await office.desk.store.find("issues", {}, limit=1))[0]
    assert issue["state"] == "false_alarm"


async def test_an_editor_cannot_handle_an_alert() -> None:
    office = await make_office()
    id = await an_alert(office)
    with pytest.raises(NotAllowed):
        await handle_alert(EDITOR, office.desk, id, "acknowledge")


async def test_an_issue_whose_words_went_into_another_is_no_longer_open() -> None:
    office = await make_office()
    await an_alert(office)
    issue = (await office.desk.store.find("issues", {}, limit=1))[0]

    class Merging(Counting):
        def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
            change = self._change(voices[0], [], alert=False)
            return [replace(change, issue=issue["_id"], level=None, voices=0, explanation="已并入另一个苗头")]

    office.source.say("又一句", author="第五人")
    office.clock.move(40)
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)
    await watched(office, Merging())
    gone = await office.desk.store.get("issues", issue["_id"]) or {}
    assert (gone["state"], gone["title"]) == ("merged", issue["title"])


class Rising(Counting):
    """Says an orange alert of the same issue at the next word."""

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        change = self._change(replace(voices[0], text="清源路水不清"), [voices[0].id], alert=True)
        return [replace(change, level="orange")]


async def it_rises(office: Office) -> str:
    office.source.say("更多人说", author="第九人")
    office.clock.move(40)
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)
    await watched(office, Rising())
    rows = await office.desk.store.find("alerts", {"level": "orange"}, limit=2)
    return str(rows[0]["_id"])


async def states_by_level(office: Office) -> dict[str, str]:
    return {row["level"]: row["state"] for row in await office.desk.store.find("alerts", {}, limit=10)}


async def issue_state(office: Office) -> str:
    return str((await office.desk.store.find("issues", {}, limit=1))[0]["state"])


async def test_what_is_done_with_the_graver_alert_is_done_with_the_one_before() -> None:
    office = await make_office()
    await an_alert(office)
    orange = await it_rises(office)
    await handle_alert(MONITOR, office.desk, orange, "acknowledge")
    assert await states_by_level(office) == {"yellow": "acknowledged", "orange": "acknowledged"}
    await handle_alert(MONITOR, office.desk, orange, "false-alarm", "同一家广告")
    assert await states_by_level(office) == {"yellow": "false_alarm", "orange": "false_alarm"}
    assert await issue_state(office) == "false_alarm"


async def test_closing_an_older_alert_leaves_the_issue_open_for_the_newer_one() -> None:
    office = await make_office()
    yellow = await an_alert(office)
    await it_rises(office)
    await handle_alert(MONITOR, office.desk, yellow, "false-alarm", "同一家广告")
    assert await states_by_level(office) == {"yellow": "false_alarm", "orange": "new"}
    assert await issue_state(office) == "open"


async def test_an_issue_left_open_by_a_killed_process_is_closed_at_the_next_press() -> None:
    office = await make_office()
    id = await an_alert(office)
    await handle_alert(MONITOR, office.desk, id, "false-alarm", "同一家广告")
    issue = (await office.desk.store.find("issues", {}, limit=1))[0]["_id"]
    await office.desk.store.change("issues", {"_id": issue}, {"$set": {"state": "open"}})  # as if killed between
    with pytest.raises(Conflict, match="误报"):
        await handle_alert(MONITOR, office.desk, id, "acknowledge")
    assert await issue_state(office) == "false_alarm"


async def test_an_alert_written_just_before_a_crash_opens_its_issue_when_it_is_met_again() -> None:
    office = await make_office()
    yellow = await an_alert(office)
    await handle_alert(MONITOR, office.desk, yellow, "false-alarm", "同一家广告")
    await it_rises(office)
    issue = (await office.desk.store.find("issues", {}, limit=1))[0]["_id"]
    await office.desk.store.change("issues", {"_id": issue}, {"$set": {"state": "false_alarm"}})  # as if killed between
    await it_rises(office)
    assert await issue_state(office) == "open"
