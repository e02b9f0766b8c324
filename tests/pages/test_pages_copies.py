"""同文: the list, one group with its first source and its minutes, the way there from issues and replies, the API."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from hub.desk.copying import group_copies
from hub.desk.listening import take
from hub.desk.reading import read_new
from hub.pages.copies import after_words, verdict_words
from tests.domain.listening_office import LISTENER, READER, Source
from tests.pages.desk_room import MORNING, Room

TEXT = "转运站建在学校门口谁批的，请大家转发"
PHONE = "13912345678"


async def say(room: Room, *words: tuple[str, str, float]) -> None:
    """(author, text, minutes after the morning), read and brought to their groups."""
    source = Source()
    for author, text, minute in words:
        id = f"{author}-{minute:g}-{text[:9]}"
        source.say(text, author=author, id=id, at=MORNING + timedelta(minutes=minute))
    account = await room.desk.store.get("accounts", "site-main")
    assert account is not None
    await take(LISTENER, room.desk, account, source.said)
    while await read_new(READER, room.desk):
        pass
    while await group_copies(READER, room.desk):
        pass


async def flood(room: Room, accounts: int = 20, text: str = TEXT) -> None:
    await say(room, *[(f"新号{n}", text, -30 + n * 8 / accounts) for n in range(accounts)])


async def only(room: Room) -> dict[str, Any]:
    (group,) = await room.desk.store.find("copy_groups", {}, limit=5)
    return group


async def test_an_office_without_copies_says_what_will_stand_here(room: Room) -> None:
    page = await (await room.as_("monitor")).get("/copies")
    assert page.status_code == 200
    assert "没有同文" in page.text
    assert "12 个字以上" in page.text


async def test_a_flood_is_named_with_its_numbers_and_raises_no_issue(room: Room) -> None:
    await flood(room, 200)
    monitor = await room.as_("monitor")
    page = (await monitor.get("/copies?flood=yes")).text
    assert TEXT in page
    assert "疑似刷屏" in page
    group = await only(room)
    one = (await monitor.get(f"/copies/{group['_id']}")).text
    assert "10 分钟内，200 个账号说了同一段话，其中 200 个（100%）是新出现的。" in one
    assert "至少 10 个账号" in one
    assert "不在任何苗头里" in one
    assert "没有正在形成的苗头" in (await monitor.get("/issues")).text


async def test_a_few_who_repeat_something_are_no_flood_and_the_page_says_why(room: Room) -> None:
    await flood(room, 3)
    group = await only(room)
    monitor = await room.as_("monitor")
    one = (await monitor.get(f"/copies/{group['_id']}")).text
    assert "最密的 10 分钟里只有 3 个账号说这段话，不到 10 个，不算刷屏。" in one
    assert "没有这样的同文" in (await monitor.get("/copies?flood=yes")).text


async def test_the_page_names_the_first_source_and_how_long_after_it_each_came(room: Room) -> None:
    await say(room, ("赵静", TEXT, -20), ("李明", TEXT, -5), ("王芳", TEXT, -65))
    group = await only(room)
    one = (await (await room.as_("monitor")).get(f"/copies/{group['_id']}")).text
    row = r'data-label="账号"><a href="[^"]+">([^<]+)<.*?data-label="首发之后" class="when">([^<]+)<'
    rows = re.findall(row, one, re.S)
    assert rows == [("王**", "首发"), ("赵**", "45 分后"), ("李**", "1 时后")]
    assert f'href="/replies/{group["first"]["reply"]}"' in one


async def test_names_and_numbers_are_hidden_here_as_everywhere(room: Room) -> None:
    await say(room, ("王芳", f"{TEXT}，联系我 {PHONE}", -20), ("李明", f"{TEXT}，联系我 {PHONE}", -5))
    group = await only(room)
    monitor = await room.as_("monitor")
    for path in ("/copies", f"/copies/{group['_id']}"):
        text = (await monitor.get(path)).text
        assert PHONE not in text
        assert "王芳" not in text
    for path in ("/copies", f"/copies/{group['_id']}", f"/copies/{group['_id']}/replies"):
        said = (await monitor.api("GET", path)).text
        assert PHONE not in said
        assert "王芳" not in said
        assert "author_key" not in said


async def test_words_that_were_changed_are_shown_as_a_difference(room: Room) -> None:
    await flood(room, 2)
    group = await only(room)
    last = (await room.desk.store.find("copies", {"group": group["_id"]}, sort=[("at", -1)], limit=1))[0]["_id"]
    await room.desk.store.change("copies", {"_id": last}, {"$set": {"near": True}})
    await room.desk.store.change("replies", {"_id": last}, {"$set": {"text": TEXT.replace("大家", "邻居")}})
    one = (await (await room.as_("monitor")).get(f"/copies/{group['_id']}")).text
    assert "<del>大家</del><ins>邻居</ins>" in one
    assert "与首发相同" in one


async def test_what_became_confidential_is_counted_and_not_shown(room: Room) -> None:
    await flood(room, 2)
    group = await only(room)
    await room.desk.store.change("replies", {"_id": group["first"]["reply"]}, {"$set": {"confidential": True}})
    monitor = await room.as_("monitor")
    assert TEXT not in (await monitor.get("/copies")).text
    one = (await monitor.get(f"/copies/{group['_id']}")).text
    assert "已转为保密件" in one
    assert "首发已转为保密件" in one
    assert f'href="/replies/{group["first"]["reply"]}"' not in one


async def test_the_course_of_a_large_group_is_read_page_by_page_and_each_copy_once(room: Room) -> None:
    await flood(room, 120)
    group = await only(room)
    monitor, seen, path = await room.as_("monitor"), list[str](), f"/copies/{group['_id']}"
    while path:
        text = (await monitor.get(path)).text
        seen += re.findall(r'data-label="账号"><a href="/replies/([^"]+)"', text)
        more = re.search(r'href="([^"]+)" rel="next"', text)
        path = html.unescape(more[1]) if more else ""
    assert len(seen) == len(set(seen)) == 120


async def test_the_list_is_read_page_by_page_in_either_order(room: Room) -> None:
    for number in range(60):
        text = f"{number:02}号公交站牌又被车撞歪了没人管"
        await say(room, ("甲", text, -number * 3 - 1), ("乙", text, -number * 3), *[("丙", text, -300)] * (number % 3))
    monitor = await room.as_("monitor")
    for order in ("newest", "largest"):
        seen, path = list[str](), f"/copies?order={order}"
        while path:
            text = (await monitor.get(path)).text
            seen += re.findall(r'data-label="说的话"><a href="/copies/([^"]+)"', text)
            more = re.search(r'href="([^"]+)" rel="next"', text)
            path = html.unescape(more[1]) if more else ""
        assert len(seen) == len(set(seen)) == 60, order


async def test_channels_times_and_imports_are_filters(room: Room) -> None:
    days_ago = -60 * 24 * 3
    await say(room, ("甲", TEXT, days_ago), ("乙", TEXT, days_ago + 1))
    monitor = await room.as_("monitor")
    assert TEXT in (await monitor.get("/copies?channel=site&days=7")).text
    assert TEXT not in (await monitor.get("/copies?channel=weibo")).text
    assert TEXT not in (await monitor.get("/copies?stream=past")).text
    assert "没有这样的同文" in (await monitor.get("/copies?days=1")).text
    assert "按条数排时不限时间" in (await monitor.get("/copies?days=1&order=largest")).text
    wrong = await monitor.get("/copies?cursor=xx")
    assert wrong.status_code == 422
    assert "第一页" in wrong.text


async def test_a_reply_and_its_issue_lead_to_the_group(room: Room) -> None:
    await flood(room, 12)
    group = await only(room)
    monitor = await room.as_("monitor")
    reply = (await monitor.get(f"/replies/{group['first']['reply']}")).text
    assert f'href="/copies/{group["_id"]}">同文 12 条' in reply
    assert "这条是首发" in reply
    await room.desk.store.change_many("replies", {}, {"$set": {"issue": "i-1"}})
    await room.desk.store.insert("issues", {
        "_id": "i-1", "title": "转运站选址", "level": "watch", "state": "open", "voices": 4, "usual": 0.4,
        "negative": 4, "copies": 11, "channels": ["site"], "districts": [], "chance": 0.00002, "terms": ["转运站"],
        "explanation": "4 人说同一件事。", "first_at": MORNING, "last_at": MORNING, "outbox": [], "stream": "live",
    })  # fmt: skip
    issue = (await monitor.get("/issues/i-1")).text
    assert 'href="/copies?issue=i-1"><b>11</b>' in issue
    assert f'href="/copies/{group["_id"]}">1 组疑似刷屏' in issue
    listed = (await monitor.get("/copies?issue=i-1")).text
    assert "苗头：转运站选址" in listed
    assert f'href="/copies/{group["_id"]}"' in listed
    assert "转运站选址" in (await monitor.get(f"/copies/{group['_id']}")).text


async def test_what_was_said_once_leads_nowhere(room: Room) -> None:
    await say(room, ("王芳", TEXT, -5))
    reply = (await room.desk.store.find("replies", {}, limit=1))[0]["_id"]
    assert "/copies/" not in (await (await room.as_("monitor")).get(f"/replies/{reply}")).text


async def test_a_group_that_is_not_there_is_said_so(room: Room) -> None:
    answer = await (await room.as_("monitor")).get("/copies/none")
    assert answer.status_code == 404
    assert "没有这组同文" in answer.text


async def test_an_auditor_does_not_read_copies(room: Room) -> None:
    assert (await (await room.as_("auditor")).get("/copies")).status_code == 403


async def test_programs_read_groups_and_their_replies(room: Room) -> None:
    await flood(room, 25)
    program = await room.program("monitor", "reply.read")
    listed = (await program.api("GET", "/copies?flood=yes&channel=site&order=largest")).json()
    (row,) = listed["items"]
    assert (row["count"], row["accounts"], row["flood"], row["text"]) == (25, 25, True, TEXT)
    one = (await program.api("GET", f"/copies/{row['id']}")).json()
    assert one["verdict"].endswith("是新出现的。")
    assert sum(one["chart"]["new"]) + sum(one["chart"]["others"]) == 25
    first = (await program.api("GET", f"/copies/{row['id']}/replies?limit=20")).json()
    rest = (await program.api("GET", f"/copies/{row['id']}/replies?limit=20&cursor={first['cursor']}")).json()
    assert (len(first["items"]), len(rest["items"]), rest["cursor"]) == (20, 5, None)
    assert (await program.api("GET", "/copies?order=odd")).status_code == 422
    assert (await (await room.program("monitor", "issue.read")).api("GET", "/copies")).status_code == 403


def test_many_known_accounts_are_called_passing_on() -> None:
    peak = {"at": MORNING, "accounts": 40, "new": 4}
    rule = {"minutes": 10, "accounts": 10, "new_percent": 70}
    said = verdict_words({"flood": False, "peak": peak, "rule": rule})
    assert "40 个账号说这段话，但新出现的只有 4 个（10%），不到 70%" in said


def test_the_time_after_the_first_is_said_in_words() -> None:
    assert [after_words(timedelta(seconds=s)) for s in (0, 20, 61, 7_300)] == [
        "首发", "不到 1 分钟后", "1 分后", "2 时 1 分后",
    ]  # fmt: skip
