"""Pages and calls of 关注词, 归并 and 拆分: what is written, tried, refused, and shown of what came of it."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

from channels.contract import Heard
from hub.desk.listening import take
from hub.desk.reading import read_new
from hub.desk.watching import Watch
from hub.domain.people import program
from nlp.detectors.ensemble import Ensemble
from tests.domain.listening_office import READER, WATCHER
from tests.pages.desk_room import MORNING, Room

SCRIPT = "<script>alert(1)</script>"
WORD = {"line": "桥 + 塌|裂 - 游戏", "name": "桥梁安全", "people": "1", "hours": "24", "pause_hours": "72",
        "level": "yellow", "act": "save"}  # fmt: skip
WATER = ["滨河花园停水，没有人通知", "滨河花园停水第二天了", "我家就在滨河花园，停水了", "滨河花园又停水，脸都洗不了"]
LIFT = ["松苑小区电梯又坏了", "松苑小区的电梯困人，没人管", "松苑小区电梯停运一周"]


async def say(room: Room, *texts: str) -> None:
    account = await room.desk.store.get("accounts", "site-main") or {}
    start = await room.desk.store.count("replies", {})
    said = [
        Heard(f"h{start + n}", "comment", f"id-{start + n}", "王芳", text, MORNING + timedelta(minutes=start + n), None,
              {"n": start + n})
        for n, text in enumerate(texts)
    ]  # fmt: skip
    await take(program("listener"), room.desk, account, said)
    while await read_new(READER, room.desk):
        pass
    await watched(room)


async def watched(room: Room) -> None:
    watch = Watch(Ensemble)
    for _ in range(4):
        await watch.tick(WATCHER, room.desk)
    await watch.close(room.desk)


async def one(room: Room, table: str, **where: Any) -> dict[str, Any]:
    return (await room.desk.store.find(table, where, limit=1))[0]


async def test_a_word_is_tried_out_before_it_is_kept(room: Room) -> None:
    await say(room, f"滨河大桥裂了{SCRIPT}", "路灯不亮")
    monitor = await room.as_("monitor")
    tried = await monitor.post("/watchwords", {**WORD, "act": "try"})
    assert tried.status_code == 200
    assert "过去 30 天里会命中 1 条，1 人，会提醒 1 次" in tried.text
    assert "滨河大桥裂了" in tried.text and SCRIPT not in tried.text
    assert "读作：有“桥”，并且有“塌”或“裂”；没有“游戏”" in tried.text
    assert "还没有关注词" in (await monitor.get("/watchwords")).text
    assert (await monitor.post("/watchwords", WORD)).status_code == 303
    assert "桥梁安全" in (await monitor.get("/watchwords")).text


async def test_what_is_wrong_stands_beside_what_was_written(room: Room) -> None:
    monitor = await room.as_("monitor")
    wrong = await monitor.post("/watchwords", {**WORD, "line": "桥 +", "people": "许多", "until": "明年"})
    assert wrong.status_code == 422
    assert "日期的写法" in wrong.text and "桥 +" in wrong.text
    wrong = await monitor.post("/watchwords", {**WORD, "line": "桥 +", "people": "许多"})
    assert "“+”后面少一个词" in wrong.text and "1 到 100 人的整数" in wrong.text and 'value="许多"' in wrong.text


async def test_a_word_is_changed_retired_and_brought_back(room: Room) -> None:
    monitor, reviewer = await room.as_("monitor"), await room.as_("reviewer")
    await monitor.post("/watchwords", WORD)
    row = await one(room, "watchwords")
    page = f"/watchwords/{row['_id']}"
    assert "保存" not in (await reviewer.get(page)).text
    changed = {**WORD, "name": "大桥", "id": row["_id"], "version": "1"}
    assert (await monitor.post("/watchwords", changed)).status_code == 303
    assert (await monitor.post("/watchwords", changed)).status_code == 409
    assert (await monitor.post(f"{page}/retire")).status_code == 303
    assert "大桥" in (await monitor.get("/watchwords?tab=retired")).text
    assert (await monitor.post(f"{page}/restore")).status_code == 303
    assert (await reviewer.post(f"{page}/retire")).status_code == 403


async def test_an_alert_of_a_word_has_its_page_its_rows_and_its_source_everywhere(room: Room) -> None:
    monitor = await room.as_("monitor")
    await monitor.post("/watchwords", WORD)
    await say(room, "滨河大桥裂了", "听说老桥要塌")
    issue = await one(room, "issues", source="word")
    page = (await monitor.get(f"/issues/{issue['_id']}")).text
    assert "为什么提醒" in page and "关注词“桥梁安全”" in page and "归并到" not in page and "开工单</span>" not in page
    assert f'href="/issues/{issue["_id"]}/hits"' in page and f'href="/watchwords/{issue["word"]}"' in page
    rows = (await monitor.get(f"/issues/{issue['_id']}/hits")).text
    assert "滨河大桥裂了" in rows and "听说老桥要塌" in rows
    assert f'href="/issues/{issue["_id"]}/hits?sentiment=neg"' in page
    for path in ("/issues", "/issues?state=alerts", "/board"):
        found = (await monitor.get(path)).text
        assert "关注词</span>" in found and "桥梁安全：滨河大桥裂了" in html.unescape(found)
    assert "，关注词 1，" in (await monitor.get("/board")).text
    assert "黄色提醒：桥梁安全" in (await monitor.get("/")).text


async def test_each_figure_of_an_alert_opens_to_its_own_rows(room: Room) -> None:
    monitor = await room.as_("monitor")
    await monitor.post("/watchwords", WORD)
    await say(room, "滨河大桥裂了", "听说老桥要塌")
    issue = await one(room, "issues", source="word")
    glad, sad = [(await one(room, "replies", text=text))["_id"] for text in ("滨河大桥裂了", "听说老桥要塌")]
    for reply, read in ((glad, {"sentiment": "pos", "channel": "wechat"}), (sad, {"sentiment": "neg"})):
        await room.desk.store.change("replies", {"_id": reply}, {"$set": read})
    here = f"/issues/{issue['_id']}/hits"
    unhappy, far = [(await monitor.get(here + only)).text for only in ("?sentiment=neg", "?channel=wechat")]
    assert f"/replies/{sad}" in unhappy and f"/replies/{glad}" not in unhappy and "只列负面" in unhappy
    assert f"/replies/{glad}" in far and f"/replies/{sad}" not in far and "只列微信" in far
    assert f"/replies/{sad}" in (await monitor.get(f"{here}?sentiment=strange")).text


async def town(room: Room) -> tuple[str, str]:
    await say(room, *WATER, *LIFT)
    rows = await room.desk.store.find("replies", {}, limit=20)
    of = {row["text"]: str(row["issue"]) for row in rows}
    await room.desk.store.change("issues", {"_id": of[LIFT[0]]}, {"$set": {"level": "watch"}})
    return of[WATER[0]], of[LIFT[0]]


async def test_an_issue_is_merged_and_the_merge_undone_on_its_pages(room: Room) -> None:
    water, lift = await town(room)
    monitor = await room.as_("monitor")
    assert f"/issues/{lift}/merge" in (await monitor.get(f"/issues/{lift}")).text
    assert water in (await monitor.get(f"/issues/{lift}/merge")).text
    assert "没有找到这样的苗头" in (await monitor.get(f"/issues/{lift}/merge?words=暖气")).text
    refused = await monitor.post(f"/issues/{lift}/merge", {"into": water, "reason": ""})
    assert refused.status_code == 422 and "请写一句为什么" in refused.text
    done = await monitor.post(f"/issues/{lift}/merge", {"into": water, "reason": "同一家物业"})
    assert done.status_code == 303
    assert "正在执行" in (await monitor.get(f"/issues/{water}")).text
    await watched(room)
    page = (await monitor.get(f"/issues/{water}")).text
    assert "归并到这里" in page and "同一家物业" in page and "撤销归并" in page
    assert f'<a href="/issues/{water}">去看</a>' in (await monitor.get(f"/issues/{lift}")).text
    decision = await one(room, "decisions")
    undo = f"/decisions/{decision['_id'].replace('#', '%23')}/undo"
    assert (await monitor.post(undo, {"issue": water, "reason": "看错了"})).status_code == 303
    await watched(room)
    assert "已撤销" in (await monitor.get(f"/issues/{water}")).text
    assert (await monitor.post(undo, {"issue": water, "reason": "看错了"})).status_code == 409


async def test_chosen_words_are_parted_from_an_issue(room: Room) -> None:
    water, _ = await town(room)
    monitor = await room.as_("monitor")
    page = (await monitor.get(f"/issues/{water}/split")).text
    assert all(text in page for text in WATER)
    assert (await monitor.get(f"/issues/{water}/split?words=脸都洗")).text.count('name="replies"') == 1
    refused = await monitor.post(f"/issues/{water}/split", {"reason": "另一栋"})
    assert refused.status_code == 422 and "请勾选" in refused.text
    reply = await one(room, "replies", text=WATER[3])
    sent = await monitor.post(f"/issues/{water}/split", {"replies": reply["_id"], "reason": "另一栋"})
    assert sent.status_code == 303
    await watched(room)
    assert "拆出 1 条" in (await monitor.get(f"/issues/{water}")).text
    assert (await one(room, "replies", text=WATER[3]))["issue"] != water


async def test_an_editor_sees_decisions_and_decides_nothing(room: Room) -> None:
    water, lift = await town(room)
    editor = await room.as_("editor")
    page = (await editor.get(f"/issues/{water}")).text
    assert "归并到…" not in page
    assert (await editor.get(f"/issues/{water}/merge")).status_code == 403
    assert (await editor.post(f"/issues/{lift}/merge", {"into": water, "reason": "同一件事"})).status_code == 403


async def test_a_matter_that_was_a_false_alarm_says_so_on_its_page(room: Room) -> None:
    water, _ = await town(room)
    monitor = await room.as_("monitor")
    alert = await one(room, "alerts", issue=water)
    await monitor.post(f"/alerts/{alert['_id']}/false-alarm", {"remark": "小区自己停的"})
    await watched(room)
    await say(room, "滨河花园停水，今天又来了一次")
    page = (await monitor.get(f"/issues/{water}")).text
    assert "此前判为误报" in page and "小区自己停的" in page and "再少见十倍才预警" in page


async def test_programs_keep_words_try_them_and_decide_about_issues(room: Room) -> None:
    water, lift = await town(room)
    program_ = await room.program("monitor", "watchword.read", "watchword.write", "issue.decide", "issue.read")
    made = await program_.api("POST", "/watchwords", {"line": "桥 + 塌|裂", "name": "桥梁安全"})
    assert made.status_code == 201
    id = made.json()["id"]
    tried = (await program_.api("POST", "/watchword-previews", {"line": "停水"})).json()
    assert (tried["hits"], tried["people"], tried["whole"]) == (4, 4, True)
    refused = await program_.api("POST", "/watchwords", {"line": "桥 +", "name": "桥梁安全"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "line"
    assert (await program_.api("POST", f"/watchwords/{id}/retire")).json()["retired"] is True
    assert [row["id"] for row in (await program_.api("GET", "/watchwords?retired=1")).json()["items"]] == [id]
    likely = (await program_.api("GET", f"/issues/{lift}/likely")).json()["items"]
    assert [row["id"] for row in likely] == [water]
    merged = await program_.api("POST", f"/issues/{lift}/merge", {"into": water, "reason": "同一家物业"})
    assert (merged.status_code, merged.json()["state"]) == (202, "waiting")
    await watched(room)
    found = (await program_.api("GET", f"/issues/{water}")).json()
    assert found["decisions"][0]["outcome"] == "moved"
