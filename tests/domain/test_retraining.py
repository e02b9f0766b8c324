"""The office's labels into a model: measured, kept only if better, taken up by readers, gone back with one press."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from hub.desk import model
from hub.desk.model import InForce
from hub.desk.reading_pool import ReadingPool
from hub.desk.retraining import Trainer, labels_there, list_models, retrain
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.domain.people import Actor, program
from hub.domain.renewal import SHIPPED
from hub.failpoints import Stopped
from hub.store.base import Document
from nlp.renewal import is_held_back
from nlp.training import own_corpus
from tests.domain.listening_office import EDITOR, MONITOR, MORNING, READER, Office, make_office

OWN = own_corpus()[::12]
TRAINER = program("trainer")
BAD, GOOD = "的灯又趴窝了", "的灯真灵光"


async def here(work: Callable[..., Any], *given: Any) -> Any:
    """In this process: a training of two hundred texts takes no time."""
    return work(*given)


def trainer() -> Trainer:
    return Trainer(OWN, here)


def rows(count: int, *, start: int = 0) -> Iterable[tuple[str, str]]:
    """Words of the place that no text of ours knows, rightly labelled."""
    for number in range(start, start + count):
        yield f"{number}号泊位{BAD if number % 2 else GOOD}", "neg" if number % 2 else "pos"


async def labelled(office: Office, given: Iterable[tuple[str, str]], kind: str = "comment", **more: Any) -> None:
    for text, label in given:
        number = office.desk.ids.new()
        await office.desk.store.insert("replies", {
            "_id": number, "account": "site-main", "external_id": number, "kind": kind, "text": text, "state": "read",
            "label": label, "labelled_by": MONITOR.id, "labelled_at": office.desk.clock.now(), "at": MORNING, **more,
        })  # fmt: skip


async def office_with(count: int = 120, order: str = "") -> Office:
    office = await make_office(order)
    await labelled(office, rows(count))
    return office


async def pointer(office: Office) -> Document:
    return await model.pointer(MONITOR, office.desk)


async def trained(office: Office) -> Document:
    """Ask and train; the newest run."""
    await retrain(MONITOR, office.desk)
    assert await trainer().tick(TRAINER, office.desk)
    office.clock.move(60)
    return (await list_models(MONITOR, office.desk)).rows[0]


async def test_labels_that_help_put_a_new_model_in_force() -> None:
    office = await office_with()
    run = await trained(office)
    assert run["state"] == "kept"
    found = await pointer(office)
    assert (found["model"], found["asked"], found["by"]) == (run["_id"], None, MONITOR.id)
    assert run["label_count"] == 120
    assert run["before"]["texts"] == run["after"]["texts"] > 10


async def test_labels_that_make_it_worse_are_declined_and_the_old_one_stays() -> None:
    office = await make_office()
    wrong = {"neg": "pos", "pos": "neg"}
    given = list(rows(120))
    await labelled(office, [(text, label if is_held_back(text) else wrong[label]) for text, label in given])
    run = await trained(office)
    assert run["state"] == "declined"
    assert "没有换" in run["why"]
    assert (await pointer(office))["model"] == SHIPPED
    with pytest.raises(NotFound):
        await model.use_model(MONITOR, office.desk, run["_id"])


async def test_too_few_labels_are_said_in_a_sentence_and_nothing_happens() -> None:
    office = await office_with(19)
    with pytest.raises(Conflict, match="标注只有 19 条，至少 20 条"):
        await retrain(MONITOR, office.desk)
    assert not await trainer().tick(TRAINER, office.desk)


async def test_what_an_editor_may_not_train_and_a_token_may_not_switch() -> None:
    office = await office_with(20)
    with pytest.raises(NotAllowed):
        await retrain(EDITOR, office.desk)
    token = Actor("u-monitor", "程序", MONITOR.roles, kind="token", scopes=frozenset({"model.use", "model.train"}))
    with pytest.raises(NotAllowed):
        await model.use_model(token, office.desk, SHIPPED)
    await retrain(token, office.desk)


async def test_of_two_people_who_press_at_once_one_is_told_that_it_runs() -> None:
    office = await office_with()
    pressed = await asyncio.gather(*(retrain(MONITOR, office.desk) for _ in range(2)), return_exceptions=True)
    assert sorted(isinstance(one, Conflict) for one in pressed) == [False, True]


async def test_two_workers_train_it_once() -> None:
    office = await office_with()
    await retrain(MONITOR, office.desk)
    other = office.again(office.desk.store)
    done = await asyncio.gather(trainer().tick(TRAINER, office.desk), trainer().tick(TRAINER, other.desk))
    assert sorted(done) == [False, True]
    assert len((await list_models(MONITOR, office.desk)).rows) == 1


@pytest.mark.parametrize("point", ["model.filed", "model.written"])
async def test_a_worker_that_dies_between_file_and_pointer_leaves_nothing_half(point: str) -> None:
    office = await office_with(order=f"{point}:1:raise")
    await retrain(MONITOR, office.desk)
    with pytest.raises(Stopped):
        await trainer().tick(TRAINER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    assert (await pointer(after))["model"] == SHIPPED
    assert not await trainer().tick(TRAINER, after.desk)  # its claim still holds
    office.clock.move(61)
    assert await trainer().tick(TRAINER, after.desk)
    runs = (await list_models(MONITOR, after.desk)).rows
    assert [run["_id"] for run in runs] == [(await pointer(after))["model"]]


async def test_a_training_that_fails_again_and_again_is_given_up_in_words() -> None:
    office = await office_with()
    await retrain(MONITOR, office.desk)

    async def broken(work: Callable[..., Any], *given: Any) -> Any:
        raise MemoryError

    for _ in range(3):
        with pytest.raises(MemoryError):
            await Trainer(OWN, broken).tick(TRAINER, office.desk)
        office.clock.move(61)
    await Trainer(OWN, broken).tick(TRAINER, office.desk)
    run = (await list_models(MONITOR, office.desk)).rows[0]
    assert run["state"] == "failed"
    assert (await pointer(office))["asked"] is None


async def test_a_second_training_is_measured_against_what_never_saw_the_held_back_labels() -> None:
    office = await office_with()
    first = await trained(office)
    await labelled(office, rows(60, start=500))
    second = await trained(office)
    assert second["base"] == first["_id"]
    assert second["state"] == "declined"  # it was as good before: a tie keeps the old one
    assert (await pointer(office))["model"] == first["_id"]


async def test_new_labels_are_counted_since_the_last_training_by_kind() -> None:
    office = await office_with()
    await trained(office)
    await labelled(office, [("路灯不亮", "neg")], kind="letter")
    await labelled(office, [("举报某人", "neg")], kind="letter", confidential=True)
    found = await labels_there(MONITOR, office.desk)
    assert (found.total, found.new, found.counts["letter", "neg"]) == (121, 1, 1)


# ---- going back


async def test_the_former_model_is_one_press_away_and_the_audit_says_who_pressed() -> None:
    office = await office_with()
    run = await trained(office)
    await model.use_model(MONITOR, office.desk, SHIPPED)
    assert (await pointer(office))["model"] == SHIPPED
    after = await model.use_model(MONITOR, office.desk, run["_id"])
    assert after["model"] == run["_id"]
    noted = [row for parcel in after["outbox"] for row in parcel["rows"] if row["kind"] == "audit"]
    assert [(row["act"], row["actor"], row["subject"]) for row in noted[-2:]] == [
        ("model.use", MONITOR.id, SHIPPED), ("model.use", MONITOR.id, run["_id"]),
    ]  # fmt: skip


async def test_going_back_gives_up_a_training_under_way_and_stands() -> None:
    office = await office_with()
    first = await trained(office)
    await retrain(MONITOR, office.desk)

    async def meanwhile(work: Callable[..., Any], *given: Any) -> Any:
        if (await pointer(office))["asked"]:
            await model.use_model(MONITOR, office.desk, SHIPPED)
        return work(*given)

    assert await Trainer(OWN, meanwhile).tick(TRAINER, office.desk)
    found = await pointer(office)
    assert (found["model"], found["asked"]) == (SHIPPED, None)
    assert first["_id"] != SHIPPED


async def test_a_long_training_keeps_its_claim_and_stops_where_it_was_taken_back() -> None:
    office = await office_with()
    await trained(office)
    await retrain(MONITOR, office.desk)
    begun = asyncio.Event()

    async def endless(work: Callable[..., Any], *given: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    training = asyncio.ensure_future(Trainer(OWN, endless).tick(TRAINER, office.desk))
    await begun.wait()
    for _ in range(5):  # a hundred seconds: longer than one claim
        await asyncio.sleep(0.01)
        office.clock.move(20)
    assert not await trainer().tick(TRAINER, office.again(office.desk.store).desk)
    await model.use_model(MONITOR, office.desk, SHIPPED)
    await asyncio.sleep(0.01)
    office.clock.move(20)
    assert await asyncio.wait_for(training, 5)
    assert len((await list_models(MONITOR, office.desk)).rows) == 1


async def test_the_model_in_force_is_not_chosen_again() -> None:
    office = await office_with(20)
    with pytest.raises(Conflict, match="现在用的就是这一版"):
        await model.use_model(MONITOR, office.desk, SHIPPED)


# ---- the threshold


async def test_the_threshold_stays_in_the_middle_below_three_hundred_labels() -> None:
    office = await office_with()
    await trained(office)
    with pytest.raises(Conflict, match="300 条"):
        await model.set_threshold(MONITOR, office.desk, 0.7)


async def test_with_enough_labels_the_threshold_moves_and_is_read_with() -> None:
    office = await office_with(320)
    run = await trained(office)
    await model.set_threshold(MONITOR, office.desk, 0.7)
    reading = await InForce().look(READER, office.desk)
    assert (reading.model, reading.threshold) == (run["_id"], 0.7)
    with pytest.raises(Invalid):
        await model.set_threshold(MONITOR, office.desk, 0.72)


# ---- taking it up


async def test_a_process_takes_up_the_new_model_within_seconds_and_goes_back_with_it() -> None:
    office = await office_with()
    reads_with = InForce()
    assert (await reads_with.look(READER, office.desk)).model == SHIPPED
    run = await trained(office)
    taken = await reads_with.look(READER, office.desk)
    assert taken.model == run["_id"] and taken.content is not None
    await model.use_model(MONITOR, office.desk, SHIPPED)
    assert (await reads_with.look(READER, office.desk)).model == run["_id"]  # looked a moment ago
    office.clock.move(3)
    assert (await reads_with.look(READER, office.desk)).content is None


async def test_a_file_that_does_not_load_is_never_taken_and_is_told_once() -> None:
    office = await office_with()
    run = await trained(office)
    spoilt = await office.desk.files.put(b"PK no model")
    await office.desk.store.change("models", {"_id": run["_id"]}, {"$set": {"sha256": spoilt}})
    for _ in range(3):
        assert (await InForce().look(READER, office.desk)).model == SHIPPED
    found = await pointer(office)
    assert "不是情感模型文件" in found["broken"]["why"]
    told = [row for parcel in found["outbox"] for row in parcel["rows"] if row.get("matter") == "model.broken"]
    assert len(told) == 1
    assert "不是情感模型文件" in (await model.condition(office.desk.store, office.desk.files))[1]
    await office.desk.store.change("models", {"_id": run["_id"]}, {"$set": {"sha256": run["sha256"]}})
    assert (await InForce().look(READER, office.desk)).model == run["_id"]
    assert (await pointer(office))["broken"] is None


SPOILT: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "来自更新的版本": lambda arrays, about: about.update(schema=about["schema"] + 1),
    "校验值": lambda arrays, about: about.update(sha256="0" * 64),
    "对不上": lambda arrays, about: about.update(features={"comment": [1]}),
}


@pytest.mark.parametrize("why", SPOILT)
async def test_whatever_is_wrong_with_a_model_file_the_shipped_one_reads_on_and_people_hear_why(why: str) -> None:
    office = await office_with()
    run = await trained(office)
    with np.load(io.BytesIO(await office.desk.files.get(run["sha256"]) or b""), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays.pop("about").tobytes())
    SPOILT[why](arrays, about)
    content = io.BytesIO()
    np.savez(content, about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8), **arrays)
    spoilt = await office.desk.files.put(content.getvalue())
    await office.desk.store.change("models", {"_id": run["_id"]}, {"$set": {"sha256": spoilt}})
    reading = await InForce().look(READER, office.desk)
    assert (reading.model, reading.content) == (SHIPPED, None)
    assert why in (await pointer(office))["broken"]["why"]


async def test_the_doctor_says_where_the_installation_itself_lost_its_model() -> None:
    def gone() -> object:
        raise FileNotFoundError

    office = await office_with()
    assert await model.condition(office.desk.store, office.desk.files) == ("随产品的模型", "")
    assert "重新安装" in (await model.condition(office.desk.store, office.desk.files, gone))[1]


async def test_a_model_without_its_file_is_not_chosen() -> None:
    office = await office_with()
    run = await trained(office)
    await model.use_model(MONITOR, office.desk, SHIPPED)
    await office.desk.store.change("models", {"_id": run["_id"]}, {"$set": {"sha256": "0" * 64}})
    with pytest.raises(Conflict, match="不见了"):
        await model.use_model(MONITOR, office.desk, run["_id"])


async def test_the_reading_processes_read_with_the_model_in_force_without_a_restart() -> None:
    office = await office_with()
    reads_with = InForce()
    pool = ReadingPool(1, model=lambda: reads_with.look(READER, office.desk))
    rows_ = [{"text": f"77号泊位{BAD}", "kind": "comment"}]
    try:
        before = (await pool.read(rows_))[0]
        run = await trained(office)
        after = (await pool.read(rows_))[0]
    finally:
        pool.close()
    assert before is not None and after is not None
    assert (before.model, after.model) == (SHIPPED, run["_id"])
    assert before.sentiment.label != "neg" and after.sentiment.label == "neg"


async def test_a_training_in_its_own_process_leaves_the_loop_free() -> None:
    office = await office_with(40)
    await retrain(MONITOR, office.desk)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.02)
            beats += 1

    beating = asyncio.ensure_future(beat())
    desk = replace(office.desk)
    assert await Trainer(OWN).tick(TRAINER, desk)
    beating.cancel()
    assert beats > 5
    assert (await pointer(office))["asked"] is None
    assert office.clock.now() - MORNING < timedelta(hours=2)
