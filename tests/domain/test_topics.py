"""The office's own tree and what handlers file by hand: brought in, learnt, kept only if better, gone back."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.commands import import_
from hub.desk import topics
from hub.desk.reading_pool import ReadingPool, topics_with
from hub.desk.refiling import TopicTrainer, list_topic_models, retrain_topics, topic_labels
from hub.desk.topics import Filing, TopicsInForce, bring_tree, file_reply, use_topic_model, use_tree
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.domain.people import Actor, program
from hub.domain.renewal import SHIPPED
from hub.domain.topic_renewal import NAMES, Routed, Share, routed_of, topic_verdict
from hub.failpoints import Stopped
from hub.store.base import Document
from nlp.topic_tree import read_tree
from tests.domain.listening_office import EDITOR, MONITOR, MORNING, READER, Office, make_office
from tests.nlp.test_topics import TABLE, filed

TRAINER = program("trainer")
TREE_ID = read_tree(TABLE)[0].digest


async def here(work: Callable[..., Any], *given: Any) -> Any:
    """In this process: a training of some dozens of texts takes no time."""
    return work(*given)


def trainer() -> TopicTrainer:
    return TopicTrainer(here)


async def with_tree(order: str = "") -> Office:
    office = await make_office(order)
    await bring_tree(MONITOR, office.desk, TABLE.encode("gb18030"), "分类.csv")
    return office


async def letter(office: Office, title: str, text: str, **more: Any) -> str:
    id = office.desk.ids.new()
    await office.desk.store.insert("replies", {
        "_id": id, "account": "site-main", "external_id": id, "kind": "letter", "channel": "site", "title": title,
        "text": text, "state": "read", "at": MORNING, "topic": None, "branch": None, "sealed": {}, **more,
    })  # fmt: skip
    return id


async def with_labels(order: str = "") -> Office:
    office = await with_tree(order)
    for label in filed():
        title, text = label.text.split("\n")
        await file_reply(MONITOR, office.desk, await letter(office, title, text), label.branch)
    return office


async def trained(office: Office) -> Document:
    """Ask and train; the newest run."""
    await retrain_topics(MONITOR, office.desk)
    assert await trainer().tick(TRAINER, office.desk)
    office.clock.move(60)
    return (await list_topic_models(MONITOR, office.desk)).rows[0]


async def in_force(office: Office) -> Document:
    return await topics.in_force(MONITOR, office.desk)


# ---- the tree


async def test_a_tree_is_in_force_at_once_and_routes_by_its_names() -> None:
    office = await with_tree()
    found = await in_force(office)
    assert (found["tree"], found["model"], found["by"]) == (TREE_ID, NAMES, MONITOR.id)
    filing = await TopicsInForce().look(READER, office.desk)
    route = topics_with(filing).route("松苑小区的燃气供应又断了")
    assert route is not None and (route.branch, route.topic) == ("城市运行", "燃气供应")


async def test_bad_rows_are_kept_with_their_reason_and_the_rest_goes_on() -> None:
    office = await make_office()
    brought = await bring_tree(MONITOR, office.desk, (TABLE + ",没有,大类\n").encode())
    assert [row.line for row in brought.bad] == [13]
    assert brought.tree["bad"][0]["reason"].startswith("没有一级分类")
    assert brought.tree["levels"] == [3, 6, 11]


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "一级分类"), (b"\x89PNG\x00", "另存为 CSV"), (b"x" * 1_000_001, "1 MB"),
                       ("甲,乙\n".encode(), "两个以上")],
)  # fmt: skip
async def test_what_is_no_tree_is_refused_in_words_and_changes_nothing(data: bytes, said: str) -> None:
    office = await make_office()
    with pytest.raises(Invalid) as caught:
        await bring_tree(MONITOR, office.desk, data)
    assert said in caught.value.errors[0].message
    assert (await in_force(office))["tree"] == SHIPPED


async def test_the_same_tree_again_is_said_to_be_in_force() -> None:
    office = await with_tree()
    with pytest.raises(Conflict, match="就是这张"):
        await bring_tree(MONITOR, office.desk, TABLE.encode())


async def test_an_editor_may_not_change_the_tree_and_a_token_neither() -> None:
    office = await make_office()
    token = Actor("u-monitor", "程序", MONITOR.roles, kind="token", scopes=frozenset({"topic.tree", "reply.read"}))
    for actor in (EDITOR, token):
        with pytest.raises(NotAllowed):
            await bring_tree(actor, office.desk, TABLE.encode())


async def test_of_two_trees_at_once_one_stands_whole_and_each_change_is_counted() -> None:
    office = await make_office()
    both = [TABLE.encode(), (TABLE + "学校教育,校园管理,门卫\n").encode()]
    done = await asyncio.gather(*(bring_tree(MONITOR, office.desk, data) for data in both), return_exceptions=True)
    found = await in_force(office)
    assert found["version"] == sum(not isinstance(one, Conflict) for one in done) >= 1
    assert found["tree"] in [read_tree(data.decode())[0].digest for data in both]


async def test_the_products_tree_is_a_press_away_and_back_again() -> None:
    office = await with_tree()
    await use_tree(MONITOR, office.desk, SHIPPED)
    assert (await TopicsInForce().look(READER, office.desk)) == Filing()
    await use_tree(MONITOR, office.desk, TREE_ID)
    assert (await in_force(office))["tree"] == TREE_ID
    with pytest.raises(NotFound):
        await use_tree(MONITOR, office.desk, "0" * 64)


async def test_a_tree_is_brought_in_by_command_and_bad_rows_hold_it_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = await make_office()
    parser = argparse.ArgumentParser()
    import_.add(parser)
    file = tmp_path / "tree.csv"
    file.write_bytes((TABLE + ",没有,大类\n").encode("gb18030"))

    async def call(*words: str) -> int:
        return await import_.run(parser.parse_args(["topics", str(file), *words]), office.desk)

    assert await call() == 1
    assert "第 13 行：没有一级分类" in capsys.readouterr().err
    assert (await in_force(office))["tree"] == SHIPPED
    assert await call("--skip-bad") == 1
    assert "分类表已换：各级 3、6、11 个，跳过有误 1 行" in capsys.readouterr().out
    assert (await in_force(office))["tree"] == TREE_ID
    with pytest.raises(Invalid, match="--account"):
        await import_.run(parser.parse_args(["replies", str(file)]), office.desk)


# ---- filing by hand


async def test_a_correction_is_one_change_with_its_audit_and_the_reading_keeps_its_word() -> None:
    office = await with_tree()
    id = await letter(office, "码头", "船没来", topic="食堂", branch="学校教育")
    after = await file_reply(MONITOR, office.desk, id, "出行服务/公共交通")
    assert (after["filed"], after["filed_name"], after["filed_branch"]) == (
        "出行服务/公共交通", "公共交通", "出行服务"
    )  # fmt: skip
    assert (after["topic"], after["filed_by"]) == ("食堂", MONITOR.id)
    stored = await office.desk.store.get("replies", id)
    assert stored is not None
    assert [row["act"] for parcel in stored["outbox"] for row in parcel["rows"]] == ["reply.file"]


async def test_a_topic_that_the_tree_does_not_have_is_refused_in_words() -> None:
    office = await with_tree()
    id = await letter(office, "码头", "船没来")
    with pytest.raises(Invalid) as caught:
        await file_reply(MONITOR, office.desk, id, "航天")
    assert "从列表里选" in caught.value.errors[0].message
    with pytest.raises(NotAllowed):
        await file_reply(EDITOR, office.desk, id, "公共交通")


async def test_what_is_not_read_yet_is_not_filed() -> None:
    office = await with_tree()
    id = await letter(office, "码头", "船没来", state="new")
    with pytest.raises(Conflict, match="还没有分析完"):
        await file_reply(MONITOR, office.desk, id, "公共交通")


async def test_a_case_takes_the_topic_of_its_words_and_says_who_changed_it() -> None:
    office = await with_tree()
    await office.desk.store.insert("cases", {
        "_id": "c1", "number": "2026-1", "state": "in_hand", "version": 1, "topic": "食堂", "history": [],
        "confidential": False, "handlers": [], "title": "码头",
    })  # fmt: skip
    id = await letter(office, "码头", "船没来", case="c1")
    for _ in range(2):  # pressed twice: the second finds it done
        await file_reply(MONITOR, office.desk, id, "公共交通")
    case = await office.desk.store.get("cases", "c1")
    assert case is not None
    assert case["topic"] == "公共交通"
    assert [(step["act"], step["name"], step["remark"]) for step in case["history"]] == [
        ("file", MONITOR.name, "公共交通")
    ]


# ---- learning


async def test_labels_that_help_put_a_topic_model_in_force() -> None:
    office = await with_labels()
    assert (await topic_labels(MONITOR, office.desk)).counts == {"城市运行": 0, "出行服务": 36, "学校教育": 36}
    run = await trained(office)
    assert run["state"] == "kept", run["why"]
    found = await in_force(office)
    assert (found["model"], found["asked"], found["by"]) == (run["_id"], None, MONITOR.id)
    assert routed_of(run["after"]).right > routed_of(run["before"]).right
    assert (await topic_labels(MONITOR, office.desk)).new == 0


async def test_the_same_labels_again_are_no_better_and_the_former_model_stays() -> None:
    office = await with_labels()
    first = await trained(office)
    again = await trained(office)
    assert (again["state"], again["base"]) == ("declined", first["_id"])
    assert "一样准" in again["why"]
    assert (await in_force(office))["model"] == first["_id"]


async def test_too_few_labels_or_all_of_one_first_level_are_said_in_a_sentence() -> None:
    office = await with_tree()
    for number in range(41):
        await file_reply(MONITOR, office.desk, await letter(office, f"码头{number}", "船没来"), "公共交通")
    with pytest.raises(Conflict, match="两个大类"):
        await retrain_topics(MONITOR, office.desk)
    assert not await trainer().tick(TRAINER, office.desk)


async def test_words_of_a_confidential_case_are_not_learnt_from() -> None:
    office = await with_labels()
    await office.desk.store.change_many("replies", {"filed_branch": "学校教育"}, {"$set": {"confidential": True}})
    with pytest.raises(Conflict, match="只有 36 条"):
        await retrain_topics(MONITOR, office.desk)


async def test_of_two_people_who_press_train_at_once_one_is_told() -> None:
    office = await with_labels()
    pressed = await asyncio.gather(*(retrain_topics(MONITOR, office.desk) for _ in range(2)), return_exceptions=True)
    assert sorted(isinstance(one, Conflict) for one in pressed) == [False, True]


async def test_two_workers_train_the_topics_once() -> None:
    office = await with_labels()
    await retrain_topics(MONITOR, office.desk)
    other = office.again(office.desk.store)
    done = await asyncio.gather(trainer().tick(TRAINER, office.desk), trainer().tick(TRAINER, other.desk))
    assert sorted(done) == [False, True]
    assert len((await list_topic_models(MONITOR, office.desk)).rows) == 1


@pytest.mark.parametrize("point", ["topics.filed", "topics.written"])
async def test_a_worker_that_dies_while_it_trains_topics_leaves_nothing_half(point: str) -> None:
    office = await with_labels(f"{point}:1:raise")
    await retrain_topics(MONITOR, office.desk)
    with pytest.raises(Stopped):
        await trainer().tick(TRAINER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    assert (await in_force(after))["model"] == NAMES
    office.clock.move(61)
    assert await trainer().tick(TRAINER, after.desk)
    runs = (await list_topic_models(MONITOR, after.desk)).rows
    assert [run["_id"] for run in runs] == [(await in_force(after))["model"]]


async def test_a_training_of_topics_that_fails_again_and_again_is_given_up_in_words() -> None:
    office = await with_labels()
    await retrain_topics(MONITOR, office.desk)

    async def broken(work: Callable[..., Any], *given: Any) -> Any:
        raise MemoryError

    for _ in range(3):
        with pytest.raises(MemoryError):
            await TopicTrainer(broken).tick(TRAINER, office.desk)
        office.clock.move(61)
    assert await TopicTrainer(broken).tick(TRAINER, office.desk)
    run = (await list_topic_models(MONITOR, office.desk)).rows[0]
    assert run["state"] == "failed" and "没有做完" in run["why"]


async def test_a_tree_that_changes_while_it_trains_stands_and_the_training_is_given_up() -> None:
    office = await with_labels()
    await retrain_topics(MONITOR, office.desk)

    async def meanwhile(work: Callable[..., Any], *given: Any) -> Any:
        if (await in_force(office))["tree"] != SHIPPED:
            await use_tree(MONITOR, office.desk, SHIPPED)
        return work(*given)

    assert await TopicTrainer(meanwhile).tick(TRAINER, office.desk)
    found = await in_force(office)
    assert (found["tree"], found["model"], found["asked"]) == (SHIPPED, NAMES, None)


async def test_names_alone_are_a_press_away_and_a_model_of_another_tree_is_not() -> None:
    office = await with_labels()
    run = await trained(office)
    await use_topic_model(MONITOR, office.desk, NAMES)
    await use_topic_model(MONITOR, office.desk, run["_id"])
    await use_tree(MONITOR, office.desk, SHIPPED)
    assert (await in_force(office))["model"] == NAMES
    with pytest.raises(Conflict, match="另一张分类表"):
        await use_topic_model(MONITOR, office.desk, run["_id"])


# ---- taking it up


async def test_the_reading_processes_route_with_what_is_in_force_without_a_restart() -> None:
    office = await with_labels()
    routes_with = TopicsInForce()
    pool = ReadingPool(1, topics=lambda: routes_with.look(READER, office.desk))
    rows = [{"text": "蓝鲸号的时刻表能不能贴在码头\n请考虑。", "kind": "letter"}]
    try:
        before = (await pool.read(rows))[0]
        await trained(office)
        after = (await pool.read(rows))[0]
    finally:
        pool.close()
    assert before is not None and after is not None
    assert (before.branch, after.branch) == (None, "出行服务")


async def test_a_topic_model_that_does_not_load_leaves_the_names_and_is_told_once() -> None:
    office = await with_labels()
    run = await trained(office)
    spoilt = await office.desk.files.put(b"PK no model")
    await office.desk.store.change("topic_models", {"_id": run["_id"]}, {"$set": {"sha256": spoilt}})
    for _ in range(3):
        filing = await TopicsInForce().look(READER, office.desk)
        assert filing.tree is not None and filing.model is None
    found = await in_force(office)
    assert "不是主题模型文件" in found["broken"]["why"]
    told = [row for parcel in found["outbox"] for row in parcel["rows"] if row.get("matter") == "topics.broken"]
    assert len(told) == 1
    assert "不是主题模型文件" in (await topics.condition(office.desk.store, office.desk.files))[1]
    await office.desk.store.change("topic_models", {"_id": run["_id"]}, {"$set": {"sha256": run["sha256"]}})
    assert (await TopicsInForce().look(READER, office.desk)).model is not None
    assert (await in_force(office))["broken"] is None


# ---- the rule


def side(*shares: tuple[str, int, int, int]) -> Routed:
    return Routed(sum(there for _, there, _, _ in shares), tuple(Share(*share) for share in shares))


def test_a_topic_model_is_kept_only_if_it_files_more_rightly_and_spares_the_rare() -> None:
    before = side(("甲", 50, 50, 40), ("乙", 10, 10, 5))
    assert topic_verdict(before, side(("甲", 50, 50, 44), ("乙", 10, 10, 6))).keep
    assert "一样准" in topic_verdict(before, before).why
    assert "不如" in topic_verdict(before, side(("甲", 50, 50, 30), ("乙", 10, 10, 6))).why
    assert "少见的大类" in topic_verdict(before, side(("甲", 50, 60, 49), ("乙", 10, 0, 0))).why
    assert "一个大类" in topic_verdict(before, side(("甲", 60, 60, 60))).why
