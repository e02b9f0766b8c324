"""Notices: to whoever is on duty, once each; e-mail with its attempts and four outcomes, against a real SMTP server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Accepted, Outcome, Refused, Unknown, Who
from channels.notice.mail import MailSender, MailServer, compose, server_from, stuffed
from channels.notice.rehearsal import MailRehearsal, read_letter
from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.desk.noticing import count_unread, list_notices, read_all, read_notice, send_mail
from hub.domain import outbox
from hub.domain.errors import NotFound
from hub.domain.notice import is_quiet, next_try, receivers, waits_for_morning
from hub.domain.people import Actor, Role
from hub.store.base import Document
from tests.domain.trust_office import CARRIER, Interleaved, Postbox, act, clock_of, make_desk, person

USERS = [
    {"_id": "a", "roles": ["monitor"], "duty": True, "disabled": False},
    {"_id": "b", "roles": ["monitor"], "duty": True, "disabled": True},
    {"_id": "c", "roles": ["reviewer"], "duty": False, "disabled": False},
    {"_id": "d", "roles": ["editor"], "duty": False, "disabled": False},
]


def test_duty_means_those_on_duty_and_never_somebody_disabled() -> None:
    assert receivers(["duty"], USERS) == ["a"]
    assert receivers(["d", "duty", "a"], USERS) == ["d", "a"]
    assert receivers(["role:reviewer", "b", "nobody"], USERS) == ["c"]


def test_where_nobody_is_on_duty_somebody_is_told_all_the_same() -> None:
    off = [{**user, "duty": False} for user in USERS]
    assert receivers(["duty"], off) == ["a"]
    assert receivers(["duty"], off[2:]) == ["c"]
    assert receivers(["duty"], off[3:]) == ["d"]


def row(key: str = "alert:1", matter: str = "alert", **more: object) -> outbox.Row:
    people = more.get("people", ["duty"])
    at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    return outbox.notice(
        f"n-{key}", matter, "a1", at, people=people, text="供热投诉升到黄色。请研判。", link="/alerts/a1", key=key
    )  # type: ignore[arg-type]


async def office(mail: Postbox | None = None, people: int = 1) -> tuple[Desk, list[Actor]]:
    desk = make_desk(mail=mail)
    actors = []
    for number in range(people):
        id = await person(desk, f"monitor{number}", Role.MONITOR, duty=True, email=f"m{number}@example.cn")
        actors.append(Actor(id, "值班", frozenset({Role.MONITOR})))
    return desk, actors


async def told(desk: Desk, *rows: outbox.Row, number: int = 1) -> None:
    await act(desk, number, *rows)
    clock_of(desk).move(20)
    await carry(CARRIER, desk)


async def mail_of(desk: Desk) -> Document:
    found: Document = (await desk.store.find("notices", {}))[0]["mail"]
    return found


async def test_one_notice_a_person_and_key_however_often_it_is_told() -> None:
    desk, actors = await office(people=3)
    await told(desk, row(), row())
    await told(desk, {**row(), "id": "another"}, number=2)
    assert await desk.store.count("notices", {}) == 3
    for actor in actors:
        assert await count_unread(actor, desk) == 1
    assert (await desk.store.find("events", {"name": "notice.new"}))[0]["detail"] == {}


async def test_the_bell_lists_by_page_and_each_reads_only_their_own() -> None:
    desk, (one, other) = await office(people=2)
    await told(desk, *[row(f"k{number}") for number in range(7)])
    first, after = await list_notices(one, desk, limit=3)
    second, more = await list_notices(one, desk, limit=3, before=after or "")
    last, end = await list_notices(one, desk, limit=3, before=more or "")
    ids = [notice["_id"] for notice in first + second + last]
    assert len(ids) == len(set(ids)) == 7 and end is None
    await read_notice(one, desk, ids[0])
    await read_notice(one, desk, ids[0])
    assert (await count_unread(one, desk), await count_unread(other, desk)) == (6, 7)
    for foreign in (ids[0], "no-such-notice"):
        with pytest.raises(NotFound, match="没有这条通知"):
            await read_notice(other, desk, foreign)
    assert await read_all(one, desk) == 6 and await count_unread(one, desk) == 0


async def test_mail_goes_to_the_sealed_address_and_is_written_down_before() -> None:
    box = Postbox()
    desk, _ = await office(box)
    await told(desk, row())
    assert await send_mail(CARRIER, desk) == 1
    assert [(to, subject) for to, subject, *_ in box.letters] == [("m0@example.cn", "【政声】供热投诉升到黄色")]
    mail = await mail_of(desk)
    assert mail["state"] == "sent" and mail["attempts"][0]["outcome"] == "accepted"
    assert "m0@example.cn" not in str(mail)
    assert await send_mail(CARRIER, desk) == 0


async def test_a_server_that_is_busy_is_asked_again_later_and_not_for_ever() -> None:
    busy: list[Outcome] = [Refused("421", "忙", Who.NOBODY)] * 9
    desk, _ = await office(Postbox(busy))
    await told(desk, row())
    tries = []
    for _ in range(200):
        tries.append(await send_mail(CARRIER, desk))
        clock_of(desk).move(timedelta(minutes=1))
    mail = await mail_of(desk)
    assert sum(tries) == 6 and mail["state"] == "refused" and len(mail["attempts"]) == 6
    assert tries[0] == 1 and sum(tries[:3]) <= 2  # not at every look


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Refused("550", "地址不对", Who.ADMINISTRATOR), "refused"), (Unknown("没有答复"), "unknown")],
)
async def test_a_final_refusal_and_an_unknown_are_never_sent_again(outcome: Outcome, state: str) -> None:
    box = Postbox([outcome])
    desk, _ = await office(box)
    await told(desk, row())
    for _ in range(5):
        await send_mail(CARRIER, desk)
        clock_of(desk).move(timedelta(hours=2))
    assert len(box.letters) == 1 and (await mail_of(desk))["state"] == state


async def test_a_sender_that_died_leaves_an_unknown_and_the_bell_still_rings() -> None:
    box = Postbox()
    desk, (actor,) = await office(box)
    await told(desk, row())
    dying = asyncio.Event()

    class Dying(Postbox):
        async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome:
            dying.set()
            return await asyncio.Future()

    task = asyncio.create_task(send_mail(CARRIER, replace(desk, mail=Dying())))
    await dying.wait()
    task.cancel()
    assert await send_mail(CARRIER, desk) == 0 and (await mail_of(desk))["state"] == "sending"
    clock_of(desk).move(timedelta(minutes=3))
    assert await send_mail(CARRIER, desk) == 0
    assert (await mail_of(desk))["state"] == "unknown" and box.letters == []
    assert await count_unread(actor, desk) == 1


async def test_two_senders_at_once_send_once() -> None:
    box = Postbox()
    desk, _ = await office(box)
    await told(desk, row())
    racing = replace(desk, store=Interleaved(desk.store))
    assert sum(await asyncio.gather(*(send_mail(CARRIER, racing) for _ in range(5)))) == 1
    assert len(box.letters) == 1


async def test_a_mail_that_raises_counts_as_unknown() -> None:
    class Raising(Postbox):
        async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome:
            raise RuntimeError(to)

    desk, _ = await office(Raising())
    await told(desk, row())
    await send_mail(CARRIER, desk)
    mail = await mail_of(desk)
    assert mail["state"] == "unknown" and "example.cn" not in str(mail)


async def test_at_night_only_what_is_urgent_is_sent() -> None:
    box = Postbox()
    desk, _ = await office(box)
    clock_of(desk).jump(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))  # 23:00 in the office
    await told(desk, row("k1", "alert"), row("k2", "review.queue"))
    assert await send_mail(CARRIER, desk) == 1
    clock_of(desk).jump(datetime(2026, 11, 24, 23, 1, tzinfo=UTC))  # 07:01
    assert await send_mail(CARRIER, desk) == 1


async def test_without_a_mail_server_or_address_only_the_bell_rings() -> None:
    desk, _ = await office()
    await told(desk, row())
    assert (await mail_of(desk))["state"] == "none"


@given(st.integers(1, 40), st.floats(0, 0.999))
def test_waits_grow_to_an_hour_and_are_spread(tries: int, chance: float) -> None:
    wait = next_try(tries, chance, None)
    assert timedelta(seconds=45) <= wait <= timedelta(minutes=75)
    assert next_try(tries, chance, timedelta(hours=3)) == timedelta(hours=3)
    assert next_try(tries, chance, None) <= next_try(tries + 1, chance, None)


@pytest.mark.parametrize(("hour", "quiet"), [(21, False), (22, True), (23, True), (0, True), (6, True), (7, False)])
def test_quiet_hours_run_over_midnight(hour: int, quiet: bool) -> None:
    moment = datetime(2026, 11, 24, hour, 30, tzinfo=UTC) - timedelta(hours=8)
    assert is_quiet(moment, 22, 7) is quiet
    assert not is_quiet(moment, 0, 0)
    assert not waits_for_morning("alert", moment, 22, 7)


# --- SMTP


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailRehearsal]:
    server = MailRehearsal(tmp_path)
    await server.start()
    yield server
    await server.stop()


def sender(port: int) -> MailSender:
    return MailSender(MailServer("127.0.0.1", port, "hub@example.cn", security="none"), base="http://desk.example.cn")


async def send(server: MailRehearsal, key: str = "k1") -> Outcome:
    text = "第一行\n.点开头的行\n..两点"
    return await sender(server.port).send("m@example.cn", "【政声】供热", text, "/alerts/1", key)


async def test_a_letter_arrives_as_it_was_written_and_survives_the_servers_restart(
    server: MailRehearsal, tmp_path: Path
) -> None:
    outcome = await send(server)
    assert isinstance(outcome, Accepted)
    for letters in (server.letters, MailRehearsal(tmp_path).letters):
        letter = letters[0]
        assert (letter.to, letter.subject, letter.id) == (("m@example.cn",), "【政声】供热", outcome.external_id)
        assert letter.text.splitlines()[:3] == ["第一行", ".点开头的行", "..两点"]
        assert "http://desk.example.cn/alerts/1" in letter.text


async def test_the_same_key_gives_the_same_message_id(server: MailRehearsal) -> None:
    for key in ("k1", "k1", "k2"):
        await send(server, key)
    first, again, other = (letter.id for letter in server.letters)
    assert first == again != other


@pytest.mark.parametrize("step", ["connect", "mail", "rcpt", "data", "end"])
@pytest.mark.parametrize(("code", "who"), [(421, Who.NOBODY), (550, Who.ADMINISTRATOR)])
async def test_a_refusal_at_any_step_is_a_refusal_and_nothing_was_taken(
    server: MailRehearsal, step: str, code: int, who: Who
) -> None:
    server.faults.order(step, code)
    outcome = await send(server)
    assert isinstance(outcome, Refused) and server.letters == ()
    assert outcome.who is (Who.NOBODY if step == "connect" else who)
    assert "example.cn" not in outcome.reason


@pytest.mark.parametrize("step", ["connect", "mail", "rcpt", "data"])
async def test_a_cut_before_the_letter_is_a_refusal_that_passes(server: MailRehearsal, step: str) -> None:
    server.faults.order(step, 0)
    outcome = await send(server)
    assert isinstance(outcome, Refused) and outcome.who is Who.NOBODY and server.letters == ()


@pytest.mark.parametrize(("fault", "arrived"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_cut_after_the_letter_is_unknown_whether_it_arrived_or_not(
    server: MailRehearsal, fault: str, arrived: int
) -> None:
    server.faults.order(fault)
    assert isinstance(await send(server), Unknown)
    assert len(server.letters) == arrived


async def test_nobody_there_is_a_refusal_that_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    outcome = await sender(port).send("m@example.cn", "题", "文", "/", "k")
    assert isinstance(outcome, Refused) and outcome.who is Who.NOBODY


@pytest.mark.parametrize("to", ["", "no-at", "a@b\r\nBcc: c@d", "甲 <a@b>", "a@b, c@d"])
async def test_a_strange_address_is_refused_without_a_word_to_the_server(server: MailRehearsal, to: str) -> None:
    outcome = await sender(server.port).send(to, "题", "文", "/", "k")
    assert isinstance(outcome, Refused) and outcome.who is Who.ADMINISTRATOR and server.letters == ()


@pytest.mark.parametrize(
    ("place", "host", "port", "security"),
    [
        ("mail.example.cn:465", "mail.example.cn", 465, "tls"),
        ("mail.example.cn:587", "mail.example.cn", 587, "starttls"),
        ("mail.example.cn", "mail.example.cn", 587, "starttls"),
        ("127.0.0.1:2525", "127.0.0.1", 2525, "none"),
    ],
)
def test_a_server_is_read_from_its_setting(place: str, host: str, port: int, security: str) -> None:
    server = server_from(place, "hub@example.cn")
    assert (server.host, server.port, server.security) == (host, port, security)


@pytest.mark.parametrize("place", ["", ":25", "mail:", "mail:x", "mail:0", "mail:65536"])
def test_a_place_that_is_no_server_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        server_from(place, "hub@example.cn")


def test_mail_without_tls_leaves_the_machine_never() -> None:
    with pytest.raises(ValueError, match="TLS"):
        MailSender(MailServer("mail.example.cn", 25, "hub@example.cn", security="none"))


@given(st.text(), st.text(max_size=80))
def test_any_text_and_subject_make_a_letter_that_reads_back(text: str, subject: str) -> None:
    server = MailServer("127.0.0.1", 25, "hub@example.cn", security="none")
    plain = text.encode("utf-8", "ignore").decode()
    letter = read_letter(compose(server, "m@example.cn", subject.encode("utf-8", "ignore").decode(), plain, "k"), ())
    assert letter.text.split() == plain.split()


@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\n", b"\r", b"a", "字".encode()])).map(b"".join))
def test_no_letter_can_end_its_own_data_and_every_dot_comes_back(letter: bytes) -> None:
    *lines, end, nothing = stuffed(letter).split(b"\r\n")
    assert (end, nothing) == (b".", b"") and b"." not in lines
    read = [line[1:] if line.startswith(b".") else line for line in lines]
    assert read == letter.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")


async def test_a_notice_travels_from_an_act_to_the_mailbox(server: MailRehearsal) -> None:
    desk, _ = await office()
    desk = replace(desk, mail=sender(server.port))
    await told(desk, row())
    assert await send_mail(CARRIER, desk) == 1
    assert server.letters[0].to == ("m0@example.cn",) and (await mail_of(desk))["state"] == "sent"
