"""Carrying, telling, mailing and the store's writer when one thing goes wrong: nothing else stands still for it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub import settings as settings_room
from hub import wiring
from hub.desk import accounts, signing_in
from hub.desk.accounts import NewAccount
from hub.desk.carrying import carry
from hub.desk.filing import file, files_named
from hub.desk.noticing import send_mail
from hub.desk.pausing import hold_all, lift_hold_all
from hub.desk.tailing import EVERYTHING, MOST, Tail
from hub.domain import outbox
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.notice import morning
from hub.domain.people import Actor, Role, program
from hub.serving import office_facts
from hub.store.base import Unsure
from hub.store.memory import MemoryStore
from hub.store.writer import Faults, GroupWriter
from tests.domain.publishing_office import EDITOR, REVIEWER, SYSADMIN, make_office
from tests.domain.trust_office import CARRIER, Postbox, act, clock_of, code_of, make_desk, person

NIGHT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 23:00 in the office


# ---- events


async def test_events_without_a_number_do_not_stop_the_carrier() -> None:
    """At night only the readers' own events are left: the next act must still reach audit, bell and pages."""
    desk = make_desk()
    await desk.store.insert("events", {"_id": "r1", "name": "replies", "subject": "x", "at": desk.clock.now()})
    await act(desk, 1)
    assert await carry(CARRIER, desk) == 1
    assert await desk.store.count("events", {"name": "content.changed"}) == 1


async def looked(desk: Any, since: datetime) -> list[str]:
    tail, names = Tail(), []
    async with tail.listening() as queue:
        await tail.look(desk, since)
        while not queue.empty():
            names.append(queue.get_nowait()["name"])
    return names


async def test_more_events_than_one_look_holds_make_pages_read_everything_anew() -> None:
    desk = make_desk()
    now, tail = desk.clock.now(), Tail()
    for number in range(MOST):
        await desk.store.insert("events", {"_id": f"e{number:05}", "name": "issue", "subject": "x", "at": now})
    await tail.look(desk, now)
    later = {"_id": "later", "name": "alert", "subject": "x", "at": now + timedelta(seconds=1)}
    await desk.store.insert("events", later)
    async with tail.listening() as queue:
        await tail.look(desk, now)
        assert queue.get_nowait() == EVERYTHING


async def test_a_tail_that_stood_still_for_hours_makes_pages_read_everything_anew() -> None:
    desk = make_desk()
    since = desk.clock.now()
    assert await looked(desk, since) == []
    clock_of(desk).move(timedelta(hours=2))
    assert await looked(desk, since) == [EVERYTHING["name"]]


# ---- mail


async def test_an_alert_at_night_is_not_kept_waiting_by_letters_that_wait_for_the_morning() -> None:
    box = Postbox()
    desk = make_desk(mail=box)
    await person(desk, "monitor0", Role.MONITOR, duty=True, email="m0@example.cn")
    clock_of(desk).jump(NIGHT)
    for number in range(25):
        row = outbox.notice(f"n{number}", "review.asked", "c", desk.clock.now(), people=["duty"], text="请审。",
                            link="/reviews/c", key=f"k{number}")  # fmt: skip
        await act(desk, number, row)
    await carry(CARRIER, desk)
    clock_of(desk).move(60)
    last = outbox.notice("n99", "alert", "a", desk.clock.now(), people=["duty"], text="红色预警。", link="/a", key="a")
    await act(desk, 99, last)
    clock_of(desk).move(20)
    await carry(CARRIER, desk)
    sent = [await send_mail(CARRIER, desk) for _ in range(3)]
    assert sum(sent) == 1
    clock_of(desk).jump(NIGHT + timedelta(hours=8, minutes=1))
    assert await send_mail(CARRIER, desk) == 20


@pytest.mark.parametrize(
    ("hour", "until", "then"), [(15, 7, (24, 23)), (17, 7, (24, 23)), (23, 7, (25, 23)), (15, 24, (24, 16))]
)
def test_the_morning_is_the_next_end_of_the_quiet_hours(hour: int, until: int, then: tuple[int, int]) -> None:
    found = morning(datetime(2026, 11, 24, hour, 0, tzinfo=UTC), until)
    assert (found.day, found.hour) == then


# ---- the switch of all


async def test_why_all_was_held_and_lifted_stands_in_the_audit_and_a_console_must_say_it() -> None:
    office = make_office()
    console = program("console")
    await hold_all(EDITOR, office.desk, "上级来电")
    with pytest.raises(Invalid, match="--reason"):
        await lift_hold_all(console, office.desk)
    await lift_hold_all(console, office.desk, reason="审核员都登录不了")
    switch = await office.store.get("switches", "hold_all")
    assert switch is not None
    rows = [row for parcel in switch["outbox"] for row in parcel["rows"]]
    assert [row["detail"]["reason"] for row in rows if row["kind"] == "audit"] == ["上级来电", "审核员都登录不了"]
    assert "服务器" in [row["text"] for row in rows if row["kind"] == "notice"][-1]
    await lift_hold_all(REVIEWER, office.desk)


# ---- accounts, factors, files


async def test_what_an_account_waits_for_can_be_taken_back() -> None:
    office = make_office()
    new = NewAccount("weibo-main", "weibo", "微博", {}, {}, {}, waits_for="site-main", fallback_minutes=5)
    await office.account("site-main", "site")
    await accounts.connect_account(SYSADMIN, office.desk, new)
    row = await accounts.connect_account(SYSADMIN, office.desk, replace(new, waits_for=None, fallback_minutes=None))
    assert (row["waits_for"], row["fallback_minutes"]) == (None, None)


async def test_settings_that_make_no_channel_are_said_in_the_form() -> None:
    office = make_office()

    def connect(_: Any) -> Any:
        raise ValueError("微博账号缺少设置：rip")

    with pytest.raises(Invalid, match="缺少设置"):
        new = NewAccount("weibo-main", "weibo", "微博", {}, {}, {})
        await accounts.connect_account(SYSADMIN, replace(office.desk, connect=connect), new)


async def test_a_factor_that_was_begun_anew_elsewhere_is_not_taken_for_this_one() -> None:
    desk = make_desk()
    await person(desk, "wang", Role.EDITOR)
    _, signed = await signing_in.sign_in(desk, "wang", "Crane-over-7-hills", "10.0.0.1")
    factor = await signing_in.begin_enrolment(desk, signed)

    class Meanwhile(MemoryStore):
        async def change(self, table: str, where: Any, update: Any, **more: Any) -> Any:
            if table == "users" and "totp_new" in where:
                return None  # somebody began anew between our look and our change
            return await desk.store.change(table, where, update, **more)

        async def get(self, table: str, id: str, **more: Any) -> Any:
            return await desk.store.get(table, id, **more)

    with pytest.raises(Conflict):
        await signing_in.finish_enrolment(replace(desk, store=Meanwhile()), signed, code_of(factor, desk))
    session = await desk.store.get("sessions", signed.id)
    assert session is not None and not session["second"]


async def test_a_file_whose_bytes_are_gone_is_not_found_rather_than_broken() -> None:
    desk = make_desk()
    editor = Actor("u", "编辑", frozenset({Role.EDITOR}))
    kept = await desk.files.put(b"words")
    for name in (kept, "0" * 64):
        await desk.store.insert("media", {"_id": name, "type": "application/pdf", "name": "a.pdf"})
    row, content = await file(editor, desk, kept)
    assert (row["name"], content) == ("a.pdf", b"words")
    with pytest.raises(NotFound):
        await file(editor, desk, "0" * 64)
    assert [row["_id"] for row in await files_named(editor, desk, ["0" * 64, "1" * 64, kept])] == ["0" * 64, kept]


# ---- the writer of the embedded store


class Odd(Exception):
    """Nothing that the writer knows of."""


class Ill:
    """A connection whose transaction cannot be ended while it is ill."""

    def __init__(self) -> None:
        self.in_transaction, self.ill, self.said = False, True, []

    def execute(self, statement: str, /) -> Any:
        self.said.append(statement)
        if statement == "BEGIN IMMEDIATE":
            if self.in_transaction:
                raise Odd("a transaction within a transaction")
            self.in_transaction = True
        if self.ill and statement in ("COMMIT", "ROLLBACK"):
            raise OSError(5, "input/output error")
        if statement in ("COMMIT", "ROLLBACK"):
            self.in_transaction = False

    def close(self) -> None:
        return None


async def test_a_writer_outlives_what_it_does_not_know_and_answers_everybody() -> None:
    connection = Ill()
    writer = GroupWriter(lambda: connection, Faults((OSError,), BlockingIOError))
    await writer.open()
    work: Callable[[Any], int] = lambda _: 7  # noqa: E731 - a job of one line
    for _ in range(2):
        with pytest.raises(Unsure):
            await asyncio.wait_for(writer.write(work), 5)
    connection.ill = False
    assert await asyncio.wait_for(writer.write(work), 5) == 7
    await writer.close()


# ---- what an installation says of itself


def settings(**values: str) -> settings_room.Settings:
    return settings_room.read({"HUB_CONFIG": "/nonexistent", **values}, "desk")


def test_the_invented_city_stands_in_demonstrations_only() -> None:
    assert "临江区" in office_facts(settings(), demo=True)["districts"]
    own = office_facts(settings(HUB_OFFICE="甲市新闻办", HUB_DISTRICTS="东城区， 西城区"), demo=False)
    assert (own["office"], own["districts"]) == ("甲市新闻办", ["东城区", "西城区"])
    bare = office_facts(settings(), demo=False)
    assert "云川" not in str(bare) and bare["districts"] == []
    assert "weibo" in bare["channels"]


def test_districts_may_be_a_list_in_the_file(tmp_path: Path) -> None:
    config = tmp_path / "hub.toml"
    config.write_text('HUB_DISTRICTS = ["东城区", "西城区"]\n', "utf-8")
    found = settings_room.read({"HUB_CONFIG": str(config)}, "desk")
    assert office_facts(found, demo=False)["districts"] == ["东城区", "西城区"]


def test_a_second_demonstration_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    asyncio.run(wiring.birth(settings(HUB_DATA=str(tmp_path)), "demo"))
    kept = {name: os.environ[name] for name in ("PATH",)}
    environment = {**kept, "HUB_DATA": str(tmp_path), "PYTHONPATH": os.getcwd()}
    with wiring.hold_folder(tmp_path / "demo", "演练群众"):
        second = subprocess.run(
            [sys.executable, "-m", "hub", "demo"], env=environment, capture_output=True, text=True, timeout=20
        )
    assert second.returncode == 2
    assert "已有一个演练群众" in second.stderr
