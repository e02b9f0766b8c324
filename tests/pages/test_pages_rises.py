"""区域与类别: what a topic that rose in its district becomes on the desk, and that it takes no reply from any issue."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.desk import deciding
from hub.desk.alerting import handle_alert
from hub.desk.opening import open_from_alert
from hub.desk.raising import write
from hub.domain.errors import Conflict
from nlp.contract import IssueChange
from tests.domain.listening_office import MONITOR
from tests.pages.desk_room import MORNING, Room
from tests.pages.test_pages_listening import first, say

SMALL = ("滨河花园水表走得太快", "清源路水管裂了", "松苑里水压不够", "文庙街井盖下面漏水")


async def risen(room: Room, *, alert: bool = False) -> IssueChange:
    """Four replies about four things of one topic, and what the detector says of them."""
    await say(room, *SMALL)
    rows = await room.desk.store.find("replies", {}, limit=10)
    change = IssueChange(
        issue="rise-1", at=MORNING - timedelta(minutes=1), level="yellow" if alert else "watch", alert=alert,
        title="城东区 · 供水 较平时多", voices=4, copies=0, negative=3, channels=("site",), districts=("城东区",),
        usual=0.3, chance=0.004, terms=("城东区", "供水"), reply_ids=tuple(str(row["_id"]) for row in rows),
        first_at=MORNING - timedelta(minutes=1), explanation="24 小时内城东区“供水”4 人（平时约 0.3 人）。",
        cell="城东区 · 供水",
    )  # fmt: skip
    await write(room.desk, change, "live")
    return change


async def test_a_topic_that_rose_has_its_page_its_rows_and_its_source_and_tells_nobody(room: Room) -> None:
    before = await room.desk.store.count("alerts", {}, ceiling=10)
    await risen(room)
    monitor = await room.as_("monitor")
    page = html.unescape((await monitor.get("/issues/rise-1")).text)
    assert "城东区 · 供水 较平时多" in page and "平时约 0.3 人" in page and "不足 8 人不预警" in page
    assert "归并到" not in page and "开工单</span>" not in page and 'href="/issues/rise-1/hits"' in page
    rows = (await monitor.get("/issues/rise-1/hits")).text
    assert all(text in rows for text in SMALL) and "这一阵的留言" in rows
    for path in ("/issues", "/board"):
        found = html.unescape((await monitor.get(path)).text)
        assert "区域与类别</span>" in found and "/issues/rise-1/hits" in found
    assert await room.desk.store.count("alerts", {}, ceiling=10) == before


async def test_its_replies_stay_those_of_their_own_issues_and_written_twice_it_is_one(room: Room) -> None:
    change = await risen(room)
    issues = {row["_id"]: row.get("issue") for row in await room.desk.store.find("replies", {}, limit=10)}
    await write(room.desk, change, "live")
    await write(room.desk, change, "live")
    assert "rise-1" not in issues.values()
    assert {row["_id"]: row.get("issue") for row in await room.desk.store.find("replies", {}, limit=10)} == issues
    assert await room.desk.store.count("word_hits", {"issue": "rise-1"}, ceiling=10) == 4


async def test_it_is_neither_merged_nor_split_nor_answered_as_one_and_a_false_alarm_teaches(room: Room) -> None:
    change = await risen(room, alert=True)
    alert = await first(room, "alerts")
    assert (alert["source"], alert["pair"], alert["level"]) == ("cell", ["城东区", "供水"], "yellow")
    with pytest.raises(Conflict, match="从留言开工单"):
        await open_from_alert(MONITOR, room.desk, alert["_id"])
    with pytest.raises(Conflict, match="许多件事"):
        await deciding.split_issue(MONITOR, room.desk, "rise-1", [change.reply_ids[0]], "两件事")
    await handle_alert(MONITOR, room.desk, alert["_id"], "false-alarm", "各说各的")
    assert (await first(room, "alerts"))["to_teach"] is True


async def test_what_a_told_issue_takes_over_says_where_to_look(room: Room) -> None:
    change = await risen(room)
    gone = replace(change, level=None, voices=0, reply_ids=(), into="issue-9", explanation="说的多半是“停水”。")
    await write(room.desk, gone, "live")
    found = await room.desk.store.get("issues", "rise-1")
    assert found and (found["state"], found["merged_into"]) == ("merged", "issue-9")
    page = html.unescape((await (await room.as_("monitor")).get("/issues/rise-1")).text)
    assert "/issues/issue-9" in page
