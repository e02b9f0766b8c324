"""提示的训练: marks become a reader that is used only where held-back replies say so, taken up, and switched off."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import pytest

from hub.commands import urgency as command
from hub.desk.hinting import HintsInForce, condition, drop_hints, hints_in_force, train_hints
from hub.desk.reading_pool import InUse, make_reader
from hub.desk.urgency import mark_urgency
from hub.domain.errors import Conflict, NotAllowed
from hub.domain.urgency import LEAST_LIFE, SHIPPED, figure_words, said_in_all, worth_showing
from nlp.model_file import ModelFileError
from nlp.urgency import write_urgency_model
from nlp.urgency_training import Marked, own_marks, train_urgency
from tests.domain.listening_office import EDITOR, MONITOR, READER, Office, make_office

OWN = own_marks()[::20]
DANGER = "号泊位的系缆桩要崩，船上还有人"
QUIET = "号泊位几点开船，票在哪里买"


async def small(marks: list[Marked]) -> bytes:
    """Of few own texts and in this loop: it takes no time."""
    return write_urgency_model(train_urgency([*OWN, *marks]))


async def reply(office: Office, text: str, kind: str = "") -> str:
    id = office.desk.ids.new()
    await office.desk.store.insert("replies", {
        "_id": id, "account": "site-main", "external_id": id, "kind": "letter", "channel": "site", "title": "",
        "text": text, "state": "read", "at": office.clock.now(), "sealed": {}, "district": None,
    })  # fmt: skip
    if kind:
        await mark_urgency(MONITOR, office.desk, id, kind, 0)
    return id


def berth(number: int) -> int:
    """A number that says nothing about who was marked: four digits, spread."""
    return 1000 + number * 7919 % 9000


async def with_marks(dangers: int = 30, *, wrong: bool = False) -> Office:
    """A harbour whose people marked what is dangerous there; `wrong`: they marked what nobody could tell apart."""
    office = await make_office()
    for number in range(dangers):
        await reply(office, f"{berth(number)}{QUIET if wrong else DANGER}", "life")
    for number in range(60):
        await reply(office, f"{berth(number + 500)}{QUIET}")
    return office


async def in_force(office: Office) -> dict[str, Any]:
    return await hints_in_force(MONITOR, office.desk)


async def test_on_the_first_day_the_shipped_reader_reads() -> None:
    office = await make_office()
    assert (await in_force(office))["sha256"] == ""
    assert await HintsInForce().look(READER, office.desk) is None
    found = make_reader(InUse()).read("楼道里煤气味特别重，打燃气公司电话没人接，整栋楼都不敢睡", "comment")
    assert found.urgency is not None and found.urgency.kind == "life"


async def test_a_reader_that_finds_what_people_marked_is_used_and_says_how_good_it_is() -> None:
    office = await with_marks()
    tried = await train_hints(MONITOR, office.desk, small)
    assert tried.verdict.keep, tried.verdict.why
    assert tried.figures["life"][0] == 30 and tried.figures["none"][0] == 60
    named = await in_force(office)
    assert named["figures"] == tried.figures and named["by"] == MONITOR.id
    content = await HintsInForce().look(READER, office.desk)
    assert content is not None
    found = make_reader(InUse(hints=content)).read("七号泊位的系缆桩要崩，船上还有人", "letter")
    assert found.urgency is not None and found.urgency.kind == "life"


async def test_one_that_cannot_tell_is_measured_and_not_used() -> None:
    office = await with_marks(wrong=True)
    tried = await train_hints(MONITOR, office.desk, small)
    assert not tried.verdict.keep and "没有启用" in tried.verdict.why
    named = await in_force(office)
    assert named["sha256"] == "" and named["tried"]["why"] == tried.verdict.why


async def test_a_worse_one_leaves_the_one_in_use_alone() -> None:
    office = await with_marks()
    await train_hints(MONITOR, office.desk, small)
    before = await in_force(office)
    for number in range(80):
        await reply(office, f"{berth(number + 900)}{QUIET}", "life")
    assert not (await train_hints(MONITOR, office.desk, small)).verdict.keep
    after = await in_force(office)
    assert after["sha256"] == before["sha256"] and after["tried"] != before["tried"]


async def test_few_marks_are_not_trained_on_and_the_sentence_says_how_many_are_missing() -> None:
    office = await with_marks(LEAST_LIFE - 1)
    with pytest.raises(Conflict, match=f"只有 {LEAST_LIFE - 1} 条，至少 {LEAST_LIFE} 条"):
        await train_hints(MONITOR, office.desk, small)


async def test_no_word_of_a_confidential_reply_is_learnt() -> None:
    office = await with_marks()
    secret = await reply(office, "举报某人半夜倒废料", "life")
    await office.desk.store.change("replies", {"_id": secret}, {"$set": {"confidential": True}})
    learnt: list[Marked] = []

    async def listening(marks: list[Marked]) -> bytes:
        learnt.extend(marks)
        return await small(marks)

    await train_hints(MONITOR, office.desk, listening)
    assert len(learnt) == 90 and not any("举报" in mark.text for mark in learnt)


async def test_the_same_words_under_two_replies_count_once_and_the_mark_counts() -> None:
    office = await with_marks()
    await reply(office, f"{berth(3)}{DANGER}")
    tried = await train_hints(MONITOR, office.desk, small)
    assert tried.figures["life"][0] == 30 and tried.figures["none"][0] == 60


async def test_of_two_trainings_at_once_one_takes_effect() -> None:
    office = await with_marks()
    meeting = asyncio.Barrier(2)

    async def together(marks: list[Marked]) -> bytes:
        await meeting.wait()
        return await small(marks)

    trainings = (train_hints(MONITOR, office.desk, together) for _ in range(2))
    both = await asyncio.gather(*trainings, return_exceptions=True)
    assert [type(one) for one in both].count(Conflict) == 1
    assert (await in_force(office))["version"] == 1


async def test_within_seconds_of_switching_it_off_the_shipped_reader_reads() -> None:
    office = await with_marks()
    await train_hints(MONITOR, office.desk, small)
    looks = HintsInForce()
    assert await looks.look(READER, office.desk) is not None
    await drop_hints(MONITOR, office.desk)
    office.clock.move(4)
    assert await looks.look(READER, office.desk) is None
    with pytest.raises(Conflict):
        await drop_hints(MONITOR, office.desk)


async def test_where_a_file_is_none_the_shipped_reader_reads_and_the_doctor_says_so() -> None:
    office = await with_marks()
    await train_hints(MONITOR, office.desk, small)
    other = await office.desk.files.put(b"nothing of the kind")
    await office.desk.store.change("switches", {"_id": "urgency"}, {"$set": {"sha256": other}})
    assert await HintsInForce().look(READER, office.desk) is None
    assert "不见了或坏了" in (await condition(office.desk.store, office.desk.files))[1]


async def test_the_doctor_says_which_reader_of_hints_there_is() -> None:
    office = await with_marks()
    assert await condition(office.desk.store, office.desk.files) == ("随附的一版", "")
    await train_hints(MONITOR, office.desk, small)
    assert await condition(office.desk.store, office.desk.files) == ("本单位训练的一版", "")


async def test_a_training_that_breaks_leaves_everything_as_it_was() -> None:
    office = await with_marks()

    async def broken(_marks: list[Marked]) -> bytes:
        return b""

    with pytest.raises(ModelFileError):
        await train_hints(MONITOR, office.desk, broken)
    assert (await in_force(office))["version"] == 0


async def test_an_editor_trains_nothing() -> None:
    office = await make_office()
    with pytest.raises(NotAllowed):
        await train_hints(EDITOR, office.desk, small)
    with pytest.raises(NotAllowed):
        await drop_hints(EDITOR, office.desk)


async def test_the_command_says_what_is_so_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    office = await with_marks()
    await command.run(argparse.Namespace(act="show", json=False), office.desk)
    assert SHIPPED in capsys.readouterr().out
    await train_hints(MONITOR, office.desk, small)
    await command.run(argparse.Namespace(act="show", json=False), office.desk)
    assert "危及人身：30 条" in capsys.readouterr().out
    await command.run(argparse.Namespace(act="off", json=True), office.desk)
    assert (await in_force(office))["sha256"] == ""


def figures(life: tuple[int, int], said: tuple[int, int]) -> dict[str, Any]:
    others = dict.fromkeys(("gathering", "deadline", "vulnerable"), (0, 0))
    return {"life": life, **others, "said": said, "none": (500, 9), "unmarked": 500}


@pytest.mark.parametrize(
    ("life", "said", "keep"),
    [((20, 10), (40, 10), True), ((20, 9), (20, 20), False), ((20, 20), (41, 10), False), ((30, 5), (76, 6), False)],
)
def test_half_of_the_dangers_and_one_in_four_of_the_hints_is_the_least(
    life: tuple[int, int], said: tuple[int, int], keep: bool
) -> None:
    assert worth_showing(figures(life, said)).keep is keep


def test_one_that_finds_fewer_dangers_than_the_shipped_one_does_not_take_its_place() -> None:
    own, shipped = figures((20, 12), (24, 12)), figures((20, 13), (40, 13))
    assert worth_showing(own).keep
    found = worth_showing(own, shipped)
    assert not found.keep and "随附的一版认出 13 条" in found.why
    assert worth_showing(own, figures((20, 12), (40, 13))).keep
    assert worth_showing(own, figures((20, 13), (400, 13))).keep  # the shipped one is wrong too often here


def test_unmarked_replies_that_were_not_tried_count_as_the_tried_ones() -> None:
    found = figures((20, 12), (24, 12))
    assert worth_showing(found).keep and said_in_all(found) == 24
    many = {**found, "unmarked": 5_000}
    assert said_in_all(many) == 15 + 90
    assert not worth_showing(many).keep and "约 105 条" in worth_showing(many).why


def test_counts_are_said_in_words_and_kinds_that_nobody_marked_are_left_out() -> None:
    lines = figure_words(figures((20, 12), (40, 11)))
    assert lines[0] == "危及人身：20 条，认出 12 条" and len(lines) == 2
    assert "提示 40 条，说对 11 条" in lines[1]
