"""The page of topics: the tree in use, the labels, before and after in words, going back; and filing a reply."""

from __future__ import annotations

import httpx

from hub.desk.refiling import TopicTrainer
from hub.desk.topics import file_reply
from hub.domain.people import program
from tests.domain.listening_office import MONITOR
from tests.domain.test_topics import here
from tests.nlp.test_topics import TABLE, filed
from tests.pages.desk_room import MORNING, Room, Visitor

TRAINER = program("trainer")


async def page(room: Room, login: str = "monitor") -> str:
    return (await (await room.as_(login)).get("/topics")).text


async def upload(visitor: Visitor, data: bytes) -> httpx.Response:
    return await visitor.post("/topics/tree", files={"file": ("分类.csv", data, "text/csv")})


async def letter(room: Room, id: str, title: str, text: str) -> str:
    await room.desk.store.insert("replies", {
        "_id": id, "account": "site-main", "external_id": id, "kind": "letter", "channel": "site", "title": title,
        "text": text, "state": "read", "at": MORNING, "received_at": MORNING, "topic": "食堂", "branch": "学校教育",
        "sentiment": "neg", "sealed": {}, "author": "李**", "district": None,
        "analysis": {"sentiment": {"label": "neg", "negative": 0.9, "sure": True, "why": []}, "terms": ["码头"],
                     "places": []},
    })  # fmt: skip
    return id


async def labelled(room: Room) -> None:
    for number, label in enumerate(filed()):
        title, text = label.text.split("\n")
        await file_reply(MONITOR, room.desk, await letter(room, f"r{number}", title, text), label.branch)


async def test_on_the_first_day_the_page_shows_the_products_tree_and_what_to_do(room: Room) -> None:
    text = await page(room)
    assert "随产品的分类" in text and "只靠分类的名称" in text
    assert "还差 40 条标注" in text and "改一条就是一条标注" in text


async def test_a_tree_is_uploaded_and_its_bad_rows_are_listed_with_reason(room: Room) -> None:
    answer = await upload(await room.as_("monitor"), (TABLE + ",没有,大类\n").encode("gb18030"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/topics?done=tree_some")
    text = await page(room)
    assert "本单位的分类表" in text and "大类 3 个，二级 6 个，三级 11 个" in text
    assert "第 13 行：没有一级分类" in text


async def test_what_is_no_tree_is_said_beside_the_field(room: Room) -> None:
    answer = await upload(await room.as_("monitor"), b"\x89PNG\x00")
    assert answer.status_code == 422
    assert "另存为 CSV" in answer.text and 'href="#f-file"' in answer.text


async def test_whoever_may_only_read_sees_the_tree_and_no_button(room: Room) -> None:
    text = await page(room, "reviewer")
    assert "随产品的分类" in text
    assert "换上这张表" not in text and "训练</span>" not in text
    assert (await (await room.as_("reviewer")).post("/topics")).status_code == 403


async def test_a_better_topic_model_is_shown_with_its_figures_and_names_alone_are_a_press_away(room: Room) -> None:
    monitor = await room.as_("monitor")
    await upload(monitor, TABLE.encode())
    await labelled(room)
    assert (await monitor.post("/topics")).headers["location"] == "/topics?done=model_asked"
    assert "已排上" in await page(room)
    assert (await monitor.post("/topics")).status_code == 409
    await TopicTrainer(here).tick(TRAINER, room.desk)
    text = await page(room)
    assert "分得更准" in text and "名称，加上本单位改正过的主题" in text
    assert "出行服务" in text and "36 条，" in text
    assert (await monitor.post("/topics/names/use")).headers["location"] == "/topics?done=topics_used"
    assert "换回这一版" in await page(room)


async def test_a_tree_that_was_in_use_is_a_press_away(room: Room) -> None:
    monitor = await room.as_("monitor")
    await upload(monitor, TABLE.encode())
    assert (await monitor.post("/topics/trees/shipped/use")).headers["location"] == "/topics?done=tree_used"
    assert "换回这一张" in await page(room)


async def test_a_handler_files_a_reply_under_a_name_found_by_typing(room: Room) -> None:
    await upload(await room.as_("monitor"), TABLE.encode())
    await letter(room, "r1", "码头", "船没来")
    handler = await room.as_("handler")
    text = (await handler.get("/replies/r1")).text
    assert "学校教育 › 食堂" in text
    assert '<option value="公共汽车">出行服务 › 公共交通 › 公共汽车</option>' in text
    assert (await handler.post("/replies/r1/topic", {"topic": "公共汽车"})).headers["location"].endswith("done=filed")
    assert "公共汽车（已改正，原为 学校教育 › 食堂）" in (await handler.get("/replies/r1")).text


async def test_a_name_that_is_not_in_the_tree_keeps_what_was_typed_and_says_what_to_do(room: Room) -> None:
    await letter(room, "r1", "码头", "船没来")
    handler = await room.as_("handler")
    answer = await handler.post("/replies/r1/topic", {"topic": "航天"})
    assert answer.status_code == 422
    assert 'value="航天"' in answer.text and "请从列表里选一个" in answer.text


async def test_an_editor_is_not_offered_another_topic(room: Room) -> None:
    await letter(room, "r1", "码头", "船没来")
    editor = await room.as_("editor")
    assert "改正主题" not in (await editor.get("/replies/r1")).text
    assert (await editor.post("/replies/r1/topic", {"topic": "供水"})).status_code == 403


async def test_programs_file_and_train_by_the_same_rules(room: Room) -> None:
    await upload(await room.as_("monitor"), TABLE.encode())
    await labelled(room)
    robot = await room.program("monitor", "reply.read", "topic.write", "model.read", "model.train")
    names = (await robot.api("GET", "/topics")).json()["items"]
    assert {"name": "公用设施/其他", "path": ["城市运行", "公用设施", "其他"]} in names
    assert (await robot.api("POST", "/replies/r0/topic", {"topic": "航天"})).status_code == 422
    assert (await robot.api("POST", "/replies/r0/topic", {"topic": "公共汽车"})).json()["filed_branch"] == "出行服务"
    assert (await robot.api("POST", "/topic-models")).status_code == 202
    await TopicTrainer(here).tick(TRAINER, room.desk)
    found = (await robot.api("GET", "/topic-models")).json()
    assert found["in_force"]["model"] == found["items"][0]["id"]
    assert (await robot.api("POST", "/topic-models/names/use")).status_code == 403
