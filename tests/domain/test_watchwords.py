"""关注词: who keeps them, what their hits become, and how quiet they stay; failures 11a and 11b of the field."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.desk import watchwords
from hub.desk.alerting import handle_alert, list_alerts
from hub.desk.board import board
from hub.desk.issues import issue
from hub.desk.listening import listen
from hub.desk.opening import open_from_alert
from hub.desk.reading import read_new
from hub.desk.watching import Watch
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.domain.notice import waits_for_morning
from hub.domain.watchword import Places
from hub.store.base import Document
from nlp.detectors.ensemble import Ensemble
from tests.domain.listening_office import EDITOR, LISTENER, MONITOR, MORNING, READER, WATCHER, Office, make_office

PLACES = Places(["site", "weibo"], ["临江区", "北岭区"])
BRIDGE: dict[str, Any] = {"name": "桥梁安全", "line": "桥 + 塌|裂 - 游戏"}


async def kept(office: Office, **more: Any) -> Document:
    return await watchwords.save_watchword(MONITOR, office.desk, {**BRIDGE, **more}, PLACES)


async def said(office: Office, *texts: str, author: str = "", days: float = 0.0) -> None:
    for number, text in enumerate(texts):
        office.source.say(text, author=author or f"市民{len(office.source.said)}{number}",
                          at=MORNING - timedelta(days=days))  # fmt: skip
    office.clock.move(60)
    await listen(LISTENER, office.desk)
    for _ in range(20):
        if not await read_new(READER, office.desk):
            break


async def heard(office: Office, *texts: str, watch: Watch | None = None, **more: Any) -> Watch:
    await said(office, *texts, **more)
    watch = watch or Watch(Ensemble)
    while await watch.tick(WATCHER, office.desk):
        pass
    return watch


async def words_alerts(office: Office) -> list[Document]:
    return [row for row in await list_alerts(MONITOR, office.desk) if row["source"] == "word"]


# ---- the list


async def test_monitors_keep_the_list_and_editors_see_none() -> None:
    office = await make_office()
    id = (await kept(office))["_id"]
    assert [row["name"] for row in await watchwords.list_watchwords(MONITOR, office.desk)] == ["桥梁安全"]
    with pytest.raises(NotAllowed):
        await watchwords.list_watchwords(EDITOR, office.desk)
    with pytest.raises(NotAllowed):
        await watchwords.retire_watchword(EDITOR, office.desk, id)
    with pytest.raises(NotFound):
        await watchwords.watchword(MONITOR, office.desk, "nothing")


async def test_every_change_is_audited_and_who_comes_second_is_told() -> None:
    office = await make_office()
    row = await kept(office)
    again = {**BRIDGE, "people": 3}
    await watchwords.save_watchword(MONITOR, office.desk, again, PLACES, id=row["_id"], version=1)
    with pytest.raises(Conflict, match="刚改过"):
        await watchwords.save_watchword(MONITOR, office.desk, again, PLACES, id=row["_id"], version=1)
    await watchwords.retire_watchword(MONITOR, office.desk, row["_id"])
    await watchwords.restore_watchword(MONITOR, office.desk, row["_id"])
    kept_row = await office.desk.store.get("watchwords", row["_id"]) or {}
    acts = [each["act"] for parcel in kept_row["outbox"] for each in parcel["rows"]]
    assert acts == ["watchword.save", "watchword.save", "watchword.retire", "watchword.restore"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "桥"}, "name"),
        ({"line": "桥 +"}, "line"),
        ({"line": ""}, "line"),
        ({"people": 0}, "people"),
        ({"people": 101}, "people"),
        ({"hours": 337}, "hours"),
        ({"pause_hours": 0}, "pause_hours"),
        ({"level": "watch"}, "level"),
        ({"channels": ["抖音"]}, "channels"),
        ({"districts": ["外省"]}, "districts"),
        ({"until": MORNING - timedelta(days=1)}, "until"),
        ({"until": MORNING + timedelta(days=500)}, "until"),
    ],
)
async def test_what_cannot_be_kept_is_named_field_by_field(wrong: dict[str, Any], field: str) -> None:
    office = await make_office()
    with pytest.raises(Invalid) as refused:
        await kept(office, **wrong)
    assert [error.field for error in refused.value.errors] == [field]
    assert await watchwords.list_watchwords(MONITOR, office.desk) == []


async def test_a_list_that_nobody_could_read_is_not_begun() -> None:
    office = await make_office()
    rows: list[Document] = [{"_id": f"w{n}", "retired": False, "name": f"词{n}"} for n in range(watchwords.MOST)]
    await office.desk.store.insert_new("watchwords", rows)
    with pytest.raises(Conflict, match="先停用"):
        await kept(office)


# ---- what hits become


async def test_a_hit_is_an_alert_beside_the_others_with_its_source_and_its_notice() -> None:
    office = await make_office()
    word = await kept(office)
    await heard(office, "滨河大桥的护栏裂了", "路灯不亮")
    alert = (await words_alerts(office))[0]
    assert (alert["word"], alert["level"], alert["state"]) == (word["_id"], "yellow", "new")
    told = [row for row in alert["outbox"][0]["rows"] if row["kind"] == "notice"]
    assert told[0]["people"] == ["duty"] and "关注词提醒" in told[0]["text"] and "1 人说到" in told[0]["text"]
    page = await issue(MONITOR, office.desk, alert["issue"])
    assert [row["text"] for row in page.words] == ["滨河大桥的护栏裂了"]
    assert (page.said, page.issue["source"]) == (1, "word")


@pytest.mark.parametrize(("night", "waits"), [(False, True), (True, False)])
async def test_at_night_its_letter_waits_for_the_morning_unless_the_office_wants_it_at_once(
    night: bool, waits: bool
) -> None:
    office = await make_office()
    await kept(office, night=night)
    await heard(office, "滨河大桥的护栏裂了")
    rows = (await words_alerts(office))[0]["outbox"][0]["rows"]
    matter = next(row["matter"] for row in rows if row["kind"] == "notice")
    midnight = MORNING.replace(hour=16)
    assert waits_for_morning(matter, midnight, 22, 7) is waits


async def test_a_word_takes_no_reply_away_from_its_issue() -> None:
    office = await make_office()
    await kept(office)
    await kept(office, name="护栏", line="护栏")
    await heard(office, "滨河大桥的护栏裂了")
    reply = (await office.desk.store.find("replies", {}, limit=1))[0]
    assert not str(reply.get("issue") or "").startswith("word-")
    assert len(await words_alerts(office)) == 2


async def test_11a_further_hits_gather_in_the_same_alert_with_their_numbers() -> None:
    office = await make_office()
    await kept(office)
    watch = await heard(office, "滨河大桥的护栏裂了")
    await heard(office, "大桥裂缝更大了", "老桥要塌了吗", watch=watch)
    alerts = await words_alerts(office)
    page = await issue(MONITOR, office.desk, alerts[0]["issue"])
    assert (len(alerts), page.issue["voices"], page.said) == (1, 3, 3)
    rows, more = await watchwords.hits(MONITOR, office.desk, alerts[0]["issue"], limit=2)
    rest, _ = await watchwords.hits(MONITOR, office.desk, alerts[0]["issue"], cursor=more or "", limit=2)
    assert (len(rows), len(rest)) == (2, 1)


async def test_hits_of_one_sentiment_are_looked_for_beyond_the_first_page() -> None:
    office = await make_office()
    await kept(office)
    await heard(office, *(f"大桥的裂缝有{n}处" for n in range(5)))
    alerts = await words_alerts(office)
    first = (await office.desk.store.find("replies", {}, sort=[("at", 1), ("_id", 1)], limit=1))[0]
    await office.desk.store.change("replies", {"_id": first["_id"]}, {"$set": {"sentiment": "glad"}})
    only = {"sentiment": "glad"}
    rows, more = await watchwords.hits(MONITOR, office.desk, alerts[0]["issue"], only=only, limit=2)
    assert ([row["_id"] for row in rows], more) == ([first["_id"]], None)


async def test_11a_a_watcher_killed_before_saving_is_followed_by_one_that_tells_nothing_twice() -> None:
    office = await make_office()
    await kept(office)
    await heard(office, "滨河大桥的护栏裂了")
    await said(office, "大桥裂缝更大了")
    dying = Watch(Ensemble)
    await dying.tick(WATCHER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    office.clock.move(61)
    await heard(after)
    await heard(after, "老桥要塌了吗")
    alerts = await words_alerts(after)
    assert (len(alerts), (await issue(MONITOR, after.desk, alerts[0]["issue"])).issue["voices"]) == (1, 3)


async def test_11a_two_watchers_tell_once() -> None:
    office = await make_office()
    await kept(office)
    await said(office, "滨河大桥的护栏裂了")
    first, second = Watch(Ensemble), Watch(Ensemble)
    other = office.again(office.desk.store)
    assert await first.tick(WATCHER, office.desk) == 1
    assert await second.tick(WATCHER, other.desk) == 0
    office.clock.move(61)
    await second.tick(WATCHER, other.desk)
    await first.tick(WATCHER, office.desk)
    assert len(await words_alerts(office)) == 1


async def test_11a_the_same_callback_told_again_is_one_hit() -> None:
    office = await make_office()
    await kept(office)
    office.source.say("滨河大桥的护栏裂了", id="c1", author="王芳")
    watch = await heard(office)
    office.source.say("滨河大桥的护栏裂了", id="c1", author="王芳")
    await heard(office, watch=watch)
    page = await issue(MONITOR, office.desk, (await words_alerts(office))[0]["issue"])
    assert (page.issue["voices"], page.issue["copies"], page.said) == (1, 0, 1)


async def test_11b_a_copy_flood_is_one_person_and_one_alert() -> None:
    office = await make_office()
    await kept(office, people=2)
    watch = await heard(office, *["转发：滨河大桥裂了，请扩散"] * 30)
    assert await words_alerts(office) == []
    await heard(office, "我也看见大桥裂了", watch=watch)
    alerts = await words_alerts(office)
    page = await issue(MONITOR, office.desk, alerts[0]["issue"])
    assert (len(alerts), page.issue["voices"], page.issue["copies"]) == (1, 2, 29)


async def test_a_word_that_was_retired_or_is_over_tells_nobody_and_a_new_one_is_heard_at_once() -> None:
    office = await make_office()
    word = await kept(office)
    watch = await heard(office, "路灯不亮")
    await watchwords.retire_watchword(MONITOR, office.desk, word["_id"])
    await heard(office, "滨河大桥的护栏裂了", watch=watch)
    assert await words_alerts(office) == []
    await kept(office, name="护栏", line="护栏")
    await heard(office, "路边护栏倒了", watch=watch)
    assert [row["title"] for row in await words_alerts(office)] == ["护栏：路边护栏倒了"]


async def test_a_line_that_cannot_be_read_any_more_does_not_stop_the_others() -> None:
    office = await make_office()
    word = await kept(office)
    await office.desk.store.change("watchwords", {"_id": word["_id"]}, {"$set": {"line": "桥 +"}})
    await kept(office, name="护栏", line="护栏")
    await heard(office, "滨河大桥的护栏裂了")
    assert [row["title"] for row in await words_alerts(office)] == ["护栏：滨河大桥的护栏裂了"]


async def test_what_was_said_long_ago_makes_a_silent_alert() -> None:
    office = await make_office()
    await kept(office)
    await heard(office, "滨河大桥的护栏裂了", days=3.0)
    assert [row["silent"] for row in await words_alerts(office)] == [True]


async def test_the_list_says_how_often_each_told_and_was_a_false_alarm() -> None:
    office = await make_office()
    await kept(office)
    await heard(office, "滨河大桥的护栏裂了")
    alert = (await words_alerts(office))[0]
    await handle_alert(MONITOR, office.desk, alert["_id"], "false-alarm", "说的是影视城的道具桥")
    row = (await watchwords.list_watchwords(MONITOR, office.desk))[0]
    assert (row["told"], row["false_alarms"]) == (1, 1)
    assert await office.desk.store.find("decisions", {}, limit=1) == []


async def test_the_board_counts_words_beside_the_budget_of_issues() -> None:
    office = await make_office()
    await kept(office)
    await heard(office, "滨河大桥的护栏裂了")
    now = office.clock.now()
    found = await board(MONITOR, office.desk, until=now, hours=24, channels=["site"], districts=["临江区"])
    assert (found.alerts, found.word_alerts) == (1, 1)
    assert [row["source"] for row in found.issues if row["level"] == "yellow"] == ["word"]
    assert sum(found.issues[0]["days"]) == 1


async def test_a_case_is_opened_from_a_hit_and_not_from_a_word() -> None:
    office = await make_office()
    await kept(office)
    await heard(office, "滨河大桥的护栏裂了")
    alert = (await words_alerts(office))[0]
    with pytest.raises(Conflict, match="从留言开工单"):
        await open_from_alert(MONITOR, office.desk, alert["_id"])
    assert (await office.desk.store.get("alerts", alert["_id"]) or {}).get("case") is None


# ---- how loud one will be


async def test_a_preview_says_hits_people_and_tellings_and_keeps_nothing() -> None:
    office = await make_office()
    for days, where in ((20.0, "滨河"), (10.0, "云溪"), (1.0, "石桥")):
        await said(office, f"{where}大桥的护栏裂了", f"听说{where}那座老桥要塌", f"{where}大桥的护栏裂了", days=days)
    await said(office, "大桥裂了", days=40.0)
    await said(office, "游戏里的桥裂了", "路灯不亮")
    found = await watchwords.preview(MONITOR, office.desk, BRIDGE, PLACES)
    assert (found.hits, found.people, found.copies, found.tellings, found.whole) == (9, 6, 3, 3, True)
    assert found.looked == 11
    assert len(found.rows) == 9 and all("裂" in row["text"] or "塌" in row["text"] for row in found.rows)
    assert await watchwords.list_watchwords(MONITOR, office.desk) == []


async def test_a_preview_that_reaches_its_bound_says_how_far_it_looked() -> None:
    office = await make_office()
    await said(office, "大桥裂了")
    reply = (await office.desk.store.find("replies", {}, limit=1))[0]
    rows: list[Document] = [
        {**reply, "_id": f"r{n}", "external_id": f"x{n}", "at": MORNING - timedelta(minutes=n)}
        for n in range(2_500)
    ]
    await office.desk.store.insert_new("replies", rows)
    found = await watchwords.preview(MONITOR, office.desk, {"line": "桥"}, PLACES, most=2_000)
    assert (found.looked, found.whole, found.hits) == (2_000, False, 2_000)
    assert found.since > MORNING - timedelta(minutes=2_001)


async def test_confidential_words_are_no_hits_and_stand_in_no_preview() -> None:
    office = await make_office()
    await kept(office)
    await said(office, "滨河大桥的护栏裂了")
    reply = (await office.desk.store.find("replies", {}, limit=1))[0]
    await office.desk.store.change("replies", {"_id": reply["_id"]}, {"$set": {"confidential": True}})
    await heard(office)
    assert await words_alerts(office) == []
    assert (await watchwords.preview(MONITOR, office.desk, BRIDGE, PLACES)).hits == 0
