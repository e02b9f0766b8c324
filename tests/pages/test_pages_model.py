"""The page of the sentiment model: what reads, the labels, before and after in words, going back, the threshold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.desk.retraining import Trainer
from hub.domain.people import program
from hub.domain.renewal import Held
from hub.pages.model import figure_words
from nlp.training import own_corpus
from tests.pages.desk_room import MORNING, Room

TRAINER = program("trainer")
OWN = own_corpus()[::12]


async def here(work: Callable[..., Any], *given: Any) -> Any:
    return work(*given)


async def labelled(room: Room, count: int, *, start: int = 0) -> None:
    """Labels on words of the place that no text of ours knows."""
    for number in range(start, start + count):
        text, label = (f"{number}号泊位的灯又趴窝了", "neg") if number % 2 else (f"{number}号泊位的灯真灵光", "pos")
        await room.desk.store.insert("replies", {
            "_id": f"r{number}", "account": "site-main", "external_id": f"e{number}", "kind": "comment", "text": text,
            "state": "read", "label": label, "labelled_at": room.desk.clock.now(), "at": MORNING, "channel": "site",
        })  # fmt: skip


async def train(room: Room) -> None:
    assert (await (await room.as_("monitor")).post("/model")).status_code == 303
    await Trainer(OWN, here).tick(TRAINER, room.desk)


async def page(room: Room, login: str = "monitor") -> str:
    return (await (await room.as_(login)).get("/model")).text


async def test_before_anything_was_labelled_the_page_says_what_to_do(room: Room) -> None:
    text = await page(room)
    assert "随产品的模型" in text
    assert "还差 20 条标注" in text
    assert "改一条就是一条标注" in text


async def test_whoever_may_only_read_sees_no_button(room: Room) -> None:
    await labelled(room, 30)
    assert "重新训练</span>" not in await page(room, "reviewer")
    assert "重新训练</span>" in await page(room, "sysadmin")


async def test_what_was_asked_for_is_shown_as_waiting_and_cannot_be_pressed_again(room: Room) -> None:
    await labelled(room, 40)
    monitor = await room.as_("monitor")
    assert (await monitor.post("/model")).headers["location"] == "/model?done=model_asked"
    assert "已排上，等后台任务来训练" in await page(room)
    again = await monitor.post("/model")
    assert again.status_code == 409
    assert "正在训练，等这一次好了再说" in again.text


async def test_a_better_model_is_shown_with_its_figures_and_the_shipped_one_is_a_press_away(room: Room) -> None:
    await labelled(room, 120)
    await train(room)
    text = await page(room)
    assert "本单位训练的模型" in text
    assert "已经启用" in text
    assert re.search(r"漏掉的负面 \d+% → 0%", text)
    assert "多半在" in text
    monitor = await room.as_("monitor")
    assert (await monitor.post("/model/shipped/use")).headers["location"] == "/model?done=model_used"
    text = await page(room)
    assert text.count("换回这一版") == 1
    assert "装好时起" not in text


async def test_below_three_hundred_labels_the_threshold_stays_and_says_why(room: Room) -> None:
    await labelled(room, 60)
    await train(room)
    text = await page(room)
    assert "只有 60 条标注，不到 300 条" in text
    refused = await (await room.as_("monitor")).post("/model/threshold", {"threshold": "0.7"})
    assert refused.status_code == 409
    assert "300 条标注" in refused.text


async def test_with_enough_labels_each_step_stands_beside_its_figures_and_can_be_chosen(room: Room) -> None:
    await labelled(room, 320)
    await train(room)
    text = await page(room)
    assert all(words in text for words in ("漏报最少", "漏报少", "居中", "误报少", "误报最少"))
    monitor = await room.as_("monitor")
    assert (await monitor.post("/model/threshold", {"threshold": "0.6"})).headers["location"].endswith("model_moved")
    assert "满 60% 算负面" in await page(room)
    assert (await monitor.post("/model/threshold", {"threshold": "0.65"})).status_code == 422


async def test_the_inbox_and_the_settings_lead_here(room: Room) -> None:
    assert 'href="/model"' in (await (await room.as_("monitor")).get("/replies")).text
    assert 'href="/model"' in (await (await room.as_("sysadmin")).get("/settings")).text
    assert 'href="/model"' not in (await (await room.as_("handler")).get("/replies")).text


def test_figures_are_said_in_pieces_and_shares() -> None:
    assert figure_words(Held(50, 20, 3, 4)) == {
        "missed": "3 条，15%", "false_alarms": "4 条，13%", "right": "43 条，86%",
    }  # fmt: skip
    assert figure_words(Held(10, 0, 0, 1))["missed"] == "—"


# ---- the API


async def test_programs_train_and_read_while_switching_is_a_persons(room: Room) -> None:
    await labelled(room, 60)
    robot = await room.program("monitor", "model.read", "model.train")
    asked = await robot.api("POST", "/models")
    assert asked.status_code == 202
    assert asked.json()["asked"]["by"] == room.people["monitor"].id
    await Trainer(OWN, here).tick(TRAINER, room.desk)
    found = (await robot.api("GET", "/models")).json()
    assert found["items"][0]["state"] == "kept"
    assert found["in_force"]["model"] == found["items"][0]["id"]
    assert (await robot.api("POST", "/models/shipped/use")).status_code == 403
    monitor = await room.as_("monitor")
    assert (await monitor.api("POST", "/models/shipped/use")).json()["model"] == "shipped"


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/models", None, 409), ("/models/nothing/use", None, 404), ("/models/shipped/use", None, 409),
    ("/models/threshold", {"threshold": 0.55}, 422), ("/models/threshold", {"threshold": 0.6}, 409),
])  # fmt: skip
async def test_what_cannot_be_done_is_answered_in_words(room: Room, path: str, body: Any, status: int) -> None:
    answer = await (await room.as_("monitor")).api("POST", path, body)
    assert answer.status_code == status
    assert re.search("[\u4e00-\u9fff]", answer.json()["detail"])
