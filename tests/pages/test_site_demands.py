"""A demand on the public site: its code, its progress, what may be said after, and that no code or word leaks."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from hub.domain.query_code import compose, read
from hub.site.codes import proofs_of
from hub.store.tables import SITE_TABLES
from tests.pages.site_office import HUB, Office, Said, opened_site
from tests.pages.test_site_letters import PHONE, letter, opened, rows

WORDS = "小区门口的路灯坏了三天。"
ANSWER = "您好。路灯昨晚已修好，如仍有不亮的，请再告诉我们。"


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    async with opened_site() as found:
        yield found


def cookie_in(said: Said, name: str) -> str:
    """The value of this cookie in an answer."""
    for value in said.headers.getall("Set-Cookie", []):  # type: ignore[attr-defined]
        if value.startswith(f"{name}="):
            return str(value.split(";")[0].partition("=")[2])
    return ""


class Citizen:
    """A browser that keeps the cookie of its visit."""

    def __init__(self, office: Office) -> None:
        self.office, self.cookie = office, ""

    async def ask(self, **changes: str) -> str:
        """Write a letter and read its code on the next page."""
        said = await self.office.post("/letters/new", letter(**changes))
        assert (said.status, said.headers["Location"]) == (303, "/letters/sent")
        page = await self.office.get("/letters/sent", Cookie=f"demand-code={cookie_in(said, 'demand-code')}")
        found = re.search(r'class="code-words">([^<]+)<', page.text)
        assert found, page.text
        return found[1]

    async def look(self, code: str, proof: str = "") -> Said:
        said = await self.office.post("/demands", {"query_code": code, "proof": proof})
        self.cookie = cookie_in(said, "demand") or self.cookie
        return said

    async def page(self) -> Said:
        return await self.office.get("/demands/mine", Cookie=f"demand={self.cookie}")

    async def send(self, path: str, **form: str) -> Said:
        token = re.search(r'name="token" value="([0-9a-f]+)"', (await self.page()).text)
        given = {"token": token[1] if token else "", **form}
        said = await self.office.post(f"/demands/mine/{path}", given, Cookie=f"demand={self.cookie}")
        self.cookie = cookie_in(said, "demand") or self.cookie
        return said


@pytest.fixture
def citizen(office: Office) -> Citizen:
    return Citizen(office)


async def demand_of(office: Office) -> str:
    return str((await rows(office))[0]["id"])


async def tell(site: Office, demand: str, version: int = 1, **more: Any) -> None:
    """The hub pushes the progress."""
    body = {
        "number": "26-11-00001", "title": "路灯不亮", "kind": "求助", "district": "临江区", "state": "accepted",
        "said": "已受理", "at": "2026-11-24T04:00:00.000Z", "due": "2026-12-01T04:00:00.000Z", "days": 5, "office": "",
        "steps": [{"at": "2026-11-24T05:00:00.000Z", "title": "已受理", "text": ""}], "answers": [],
        "own": {"text": "小区门口的路灯坏了，电话 139****8888", "messages": []},
    }  # fmt: skip
    said = await site.put("demand_status", demand, {**body, **more}, version, key=f"t{version}")
    assert said.status in (200, 201), said.text


async def answer(office: Office, demand: str, key: str = "a" * 26) -> str:
    """The hub brings an answer and says so in the progress."""
    assert (await office.put("answer", key, {"demand": demand, "text": ANSWER}, key=key)).status == 201
    await tell(office, demand, 9, state="answered", said="已答复", due="")
    return key


# ---- asking


async def test_a_letter_gives_a_code_with_its_link_and_picture_and_only_a_keyed_hash_is_kept(
    office: Office, citizen: Citizen
) -> None:
    code = await citizen.ask()
    assert read(code) == code
    kept = repr([await office.site.store.find(table.name, {}, limit=100) for table in SITE_TABLES])
    assert code not in kept and code.replace("-", "") not in kept
    assert PHONE[-4:] not in kept or "8888" not in kept
    assert "word" not in opened((await rows(office))[0])


async def test_the_page_after_shows_no_code_to_whoever_comes_without_having_written(office: Office) -> None:
    page = (await office.get("/letters/sent")).text
    assert "来信已送达" in page
    assert "code-words" not in page
    assert "code-words" not in (await office.get("/letters/sent", Cookie="demand-code=<script>")).text


async def test_a_form_sent_again_gives_the_same_code_and_another_letter_another(citizen: Citizen) -> None:
    first, again, other = await citizen.ask(), await citizen.ask(), await citizen.ask(text="又想起一件事。")
    assert first == again != other


async def test_the_api_gives_the_code_once_and_names_what_is_missing(office: Office) -> None:
    body = {"title": "路灯不亮", "text": WORDS, "place": "北苑路", "agreed": True, "word": "松树下的狗"}
    said = await office.request("POST", "/public/v1/demands", json=body)
    assert said.status == 201 and read(said.json["query_code"])
    assert said.headers["Cache-Control"] == "no-store"
    for wrong, name in (({"agreed": "on"}, "agreed"), ({"title": ""}, "title"), ({"phone": "1"}, "phone"),
                        ({"text": ["x"]}, "text")):  # fmt: skip
        refused = await office.request("POST", "/public/v1/demands", json={**body, **wrong})
        assert refused.status == 422 and refused.json["errors"][0]["field"] == name, refused.text
    assert (await office.request("POST", "/public/v1/demands", data=b"[")).status == 422


# ---- looking up


async def test_before_the_hub_has_taken_it_a_demand_says_that_it_was_delivered(citizen: Citizen) -> None:
    said = await citizen.look(await citizen.ask())
    assert (said.status, said.headers["Location"]) == (303, "/demands/mine")
    page = await citizen.page()
    assert "已送达，等工作人员接收" in page.text
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


async def test_an_answer_that_lies_here_is_not_called_being_worked_on(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask())
    demand = await demand_of(office)
    await tell(office, demand, 2, state="in_hand", said="办理中")
    assert "办理中" in (await citizen.page()).text
    await office.put("answer", "a" * 26, {"demand": demand, "text": ANSWER}, key="a" * 26)
    page = (await citizen.page()).text
    assert "已答复" in page
    assert "办理中" not in page


async def test_a_demand_in_hand_again_is_not_called_answered_for_its_first_answer(
    office: Office, citizen: Citizen
) -> None:
    await citizen.look(await citizen.ask())
    demand = await demand_of(office)
    key = await answer(office, demand)
    first = {"id": key, "at": "2026-11-25T05:00:00.000Z", "text": ANSWER}
    await tell(office, demand, 10, state="in_hand", said="办理中", answers=[first])
    page = (await citizen.page()).text
    assert "办理中" in page
    assert "已答复" not in page


async def test_the_code_alone_shows_progress_and_answer_and_the_proof_ones_own_words(
    office: Office, citizen: Citizen
) -> None:
    code = await citizen.ask()
    demand = await demand_of(office)
    await tell(office, demand)
    await citizen.look(code)
    page = (await citizen.page()).text
    assert "已受理" in page and "11 月 24 日 13:00" in page
    assert "139****8888" not in page and "办得怎么样" not in page
    await answer(office, demand)
    assert ANSWER in (await citizen.page()).text
    assert (await citizen.send("proof", proof="0000")).status == 422
    assert (await citizen.send("proof", proof=PHONE[-4:])).status == 303
    page = (await citizen.page()).text
    assert "139****8888" in page and "办得怎么样" in page


@pytest.mark.parametrize("proof", ["8888", "８８８８", " 松树下的狗 "])
async def test_number_or_word_prove_the_writer_however_they_are_typed(citizen: Citizen, proof: str) -> None:
    code = await citizen.ask(word="松树下的狗")
    assert (await citizen.look(code.lower().replace("-", " "), proof)).status == 303
    assert "您的诉求" in (await citizen.page()).text
    assert "核对上了" not in (await citizen.page()).text


def test_a_short_number_or_an_address_proves_nothing() -> None:
    assert proofs_of("12345", "") == []
    assert proofs_of("me@example.cn", "") == []
    assert proofs_of("139 0000 8888", "口令 一") == ["8888", "口令一"]


async def test_who_left_neither_sees_progress_and_may_not_post(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask(contact=""))
    assert "没有留手机号或口令" in (await citizen.page()).text
    assert (await citizen.send("messages", text="补充一句", key="k" * 20)).status == 403
    assert len(await rows(office)) == 1


async def test_a_code_with_a_wrong_sign_comes_back_to_be_corrected(citizen: Citizen) -> None:
    code = await citizen.ask()
    said = await citizen.look(code[:-1] + ("A" if code[-1] != "A" else "B"))
    assert said.status == 422
    assert "再核对一遍" in said.text and code[:9] in said.text


async def test_guessing_finds_none_and_is_stopped_while_an_honest_reader_still_gets_in() -> None:
    async with opened_site(proxies=1) as office:
        citizen = Citizen(office)
        code = await citizen.ask()
        statuses = []
        for number in range(40):
            form = {"query_code": compose(number * 7919), "proof": ""}
            said = await office.post("/demands", form, **{"X-Forwarded-For": f"203.0.113.{number % 12}"})
            statuses.append(said.status)
        assert 303 not in statuses
        assert statuses.count(422) <= 13, "after ten wrong looks whoever looked wrong once waits"
        honest = await office.post("/demands", {"query_code": code}, **{"X-Forwarded-For": "198.51.100.7"})
        assert honest.status == 303


async def test_guessing_the_proof_of_one_demand_is_stopped_over_all_addresses() -> None:
    async with opened_site(proxies=1) as office:
        code = await Citizen(office).ask()
        statuses = []
        for number in range(12):
            form = {"query_code": code, "proof": f"{number:04}"}
            statuses.append((await office.post("/demands", form, **{"X-Forwarded-For": f"203.0.113.{number}"})).status)
        assert statuses == [422] * 5 + [429] * 7
        plain = await office.post("/demands", {"query_code": code}, **{"X-Forwarded-For": "203.0.113.99"})
        assert plain.status == 303, "without a proof its progress can still be seen"


async def test_a_visit_ends_after_half_an_hour_and_when_one_leaves(office: Office, citizen: Citizen) -> None:
    code = await citizen.ask()
    await citizen.look(code)
    office.clock.move(timedelta(minutes=29))
    assert (await citizen.page()).status == 200
    office.clock.move(timedelta(minutes=2))
    assert (await citizen.page()).headers["Location"] == "/demands"
    said = await citizen.look(code)
    left = await office.post("/demands/leave", {"token": "x"}, Cookie=f"demand={citizen.cookie}")
    assert left.status == 403, "another website cannot send one away"
    assert "HttpOnly" in said.headers["Set-Cookie"] and "SameSite=Strict" in said.headers["Set-Cookie"]


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c.d", "demand-1.9999999999.1.0000", "demand-1.99999999999999.1."])
async def test_a_made_up_cookie_opens_nothing(office: Office, citizen: Citizen, cookie: str) -> None:
    await citizen.ask()
    citizen.cookie = cookie
    assert (await citizen.page()).status == 303
    said = await office.get("/public/v1/demands/mine", Cookie=f"demand={cookie}")
    assert said.status == 401


async def test_a_cookie_of_one_demand_does_not_open_another_nor_become_proved(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask())
    stated, _, seal = citizen.cookie.rpartition(".")
    for forged in (f"{stated[:-1]}1.{seal}", f"other{stated}.{seal}"):
        citizen.cookie = forged
        assert (await citizen.page()).status == 303


# ---- saying and rating


async def test_what_is_added_is_sealed_and_names_its_demand_and_twice_is_once(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask(), PHONE[-4:])
    demand = await demand_of(office)
    for _ in range(2):
        said = await citizen.send("messages", text="北头第三盏", key="k" * 20)
        assert said.headers["Location"] == "/demands/mine?done=said"
    _, message = await rows(office)
    assert (message["kind"], message["about"]) == ("message", demand)
    assert opened(message) == {"text": "北头第三盏"}
    assert (await citizen.send("messages", text="", key="k" * 20)).status == 422


async def test_not_solved_says_so_in_the_box(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask(), PHONE[-4:])
    await answer(office, await demand_of(office))
    assert "还没解决" in (await citizen.page()).text
    await citizen.send("messages", text="还是不亮", key="k" * 20, unsolved="on")
    assert opened((await rows(office))[1]) == {"text": "还是不亮", "unsolved": True}


async def test_an_answer_is_rated_once_by_its_writer_and_shown_as_rated(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask(), PHONE[-4:])
    demand = await demand_of(office)
    key = await answer(office, demand)
    assert (await citizen.send("rating", answer=key, level="9")).status == 422
    assert (await citizen.send("rating", answer="b" * 26, level="5")).status == 404
    said = await citizen.send("rating", answer=key, level="2", reason="只换了一盏")
    assert said.headers["Location"] == "/demands/mine?done=rated"
    rating = (await rows(office))[1]
    assert (rating["kind"], rating["about"]) == ("rating", demand)
    assert opened(rating) == {"answer": key, "level": 2, "reason": "只换了一盏"}
    page = (await citizen.page()).text
    assert "您的评价：不满意" in page and "办得怎么样" not in page
    assert (await citizen.send("rating", answer=key, level="5")).status == 409
    office.clock.move(timedelta(days=9))
    await office.ask("POST", "/inbox/ack", {"cursor": "2"})


async def test_fifty_ratings_at_one_instant_are_one(office: Office, citizen: Citizen) -> None:
    await citizen.look(await citizen.ask(), PHONE[-4:])
    key = await answer(office, await demand_of(office))
    said = await asyncio.gather(*(citizen.send("rating", answer=key, level="4") for _ in range(50)))
    assert sorted({each.status for each in said}) in ([303, 409], [303])
    assert [row["kind"] for row in await rows(office)].count("rating") == 1


async def test_every_form_behind_the_cookie_refuses_a_foreign_page_and_a_missing_token(
    office: Office, citizen: Citizen
) -> None:
    await citizen.look(await citizen.ask(), PHONE[-4:])
    for path in ("messages", "rating", "proof"):
        for form, headers in (({"token": ""}, {}), ({"token": "0" * 40}, {}), ({}, {"Origin": "https://evil.example"})):
            given = {"text": "补充一句", "key": "k" * 20, **form}
            said = await office.post(f"/demands/mine/{path}", given, Cookie=f"demand={citizen.cookie}", **headers)
            assert said.status == 403, (path, form)
    assert len(await rows(office)) == 1


async def test_the_api_reads_adds_and_rates_with_cookie_and_token(office: Office) -> None:
    code = await Citizen(office).ask()
    demand = await demand_of(office)
    key = await answer(office, demand)
    body = {"query_code": code, "proof": PHONE[-4:]}
    found = await office.request("POST", "/public/v1/demands/lookup", json=body)
    own = {"Cookie": f"demand={cookie_in(found, 'demand')}", "X-CSRF-Token": found.json["token"]}
    mine = (await office.get("/public/v1/demands/mine", **own)).json
    assert (mine["said"], mine["answers"][0]["text"], mine["rateable"]) == ("已答复", ANSWER, key)
    path = "/public/v1/demands/mine"
    assert (await office.request("POST", f"{path}/messages", json={"text": "谢谢"}, headers=own)).status == 201
    assert (await office.request("POST", f"{path}/rating", json={"answer": key, "level": 5}, headers=own)).status == 201
    bare = {"Cookie": own["Cookie"]}
    assert (await office.request("POST", f"{path}/messages", json={"text": "谢谢"}, headers=bare)).status == 403
    assert [row["kind"] for row in await rows(office)] == ["demand", "message", "rating"]


# ---- what leaks nowhere


async def test_a_code_stands_in_no_address_no_log_and_no_store_and_a_demand_on_no_list(
    office: Office, citizen: Citizen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = await citizen.ask()
    demand = await demand_of(office)
    await tell(office, demand)
    await answer(office, demand)
    said = await citizen.look(code, PHONE[-4:])
    assert code not in said.headers["Location"]
    await citizen.page()
    await citizen.send("messages", text=f"再打 {PHONE}", key="k" * 20)
    assert code not in caplog.text and PHONE not in caplog.text and demand not in caplog.text
    kept = repr([await office.site.store.find(table.name, {}, limit=100) for table in SITE_TABLES])
    assert code not in kept and PHONE not in kept
    for path in ("/", "/articles", "/search?q=路灯", "/feed.xml", "/sitemap.xml", "/public/v1/articles",
                 "/public/v1/search?q=路灯", f"/articles/{demand}", f"/media/{demand}"):  # fmt: skip
        page = (await office.get(path)).text
        assert "路灯不亮" not in page and ANSWER not in page, path


async def test_the_site_cannot_open_what_was_sent_to_it(office: Office, citizen: Citizen) -> None:
    await citizen.ask()
    row = (await rows(office))[0]
    assert WORDS not in json.dumps(row, ensure_ascii=False)
    assert WORDS in HUB.open_box(row["sealed"], table="inbox", id=row["id"], field="sealed")
