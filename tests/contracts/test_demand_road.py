"""One demand all the way over the real website: written, received, answered on its page, rated, and reopened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.desk import answering, handling
from hub.desk.confirming import settle_deliveries
from hub.desk.delivering import deliver
from hub.desk.desk import Desk
from hub.desk.following import follow
from hub.desk.listening import listen
from hub.desk.opening import merge
from hub.desk.tasks import my_tasks
from hub.desk.telling import tell
from hub.store.base import Document
from tests.contracts.test_channels_meet_site import met
from tests.domain.case_office import DELIVERER, HANDLER, MONITOR, RECEIVER, REVIEWER, WORDS, make_office
from tests.domain.listening_office import LISTENER
from tests.pages.site_office import HUB, Office
from tests.pages.test_site_demands import Citizen
from tests.pages.test_site_letters import PHONE


async def beside(site: Office, channel: Any) -> Desk:
    """A desk that knows this website as its account, keeps its time and holds the key of its boxes."""
    office = await make_office()
    await office.store.change("accounts", {"_id": "site-main"}, {"$set": {"listening": True}})
    return replace(office.desk, clock=site.clock, sealer=HUB, connect=lambda _account: channel)


async def work(desk: Desk, site: Office) -> None:
    """The worker's turns, as the clockwork gives them."""
    site.clock.move(6)
    await listen(LISTENER, desk)
    await follow(RECEIVER, desk)
    await deliver(DELIVERER, desk)
    await settle_deliveries(DELIVERER, desk)
    await tell(RECEIVER, desk)


async def the_case(desk: Desk) -> Document:
    (case,) = await desk.store.find("cases", {}, limit=5)
    return case


async def answer_it(desk: Desk, case: str, words: str) -> None:
    await handling.take_case(HANDLER, desk, case)
    answer = await answering.submit_answer(HANDLER, desk, case, words)
    await answering.review_answer(REVIEWER, desk, answer["_id"], verdict="pass", hash=answer["hash"])
    await answering.send_answer(HANDLER, desk, answer["_id"])


async def test_a_demand_is_answered_on_its_page_rated_badly_called_back_and_begun_again() -> None:
    async with met() as (channel, site):
        desk = await beside(site, channel)
        citizen = Citizen(site)
        code = await citizen.ask(text=f"路灯不亮，请打 {PHONE}")
        await citizen.look(code, PHONE[-4:])
        assert "已送达，等工作人员接收" in (await citizen.page()).text

        await work(desk, site)
        case = (await the_case(desk))["_id"]
        page = (await citizen.page()).text
        assert "已收到" in page and "26-11-00001" in page
        assert PHONE not in page and "139****8888" in page

        await handling.accept_case(MONITOR, desk, case)
        await answer_it(desk, case, WORDS)
        await work(desk, site)
        page = (await citizen.page()).text
        assert page.count(WORDS) == 1, "brought and told, it is still one answer"
        assert "已答复" in page and "罗平" not in page and "陈立" not in page
        assert (await the_case(desk))["state"] == "answered"

        (delivery,) = await desk.store.find("deliveries", {}, limit=5)
        await citizen.send("rating", answer=delivery["key"], level="1", reason=f"还黑着，{PHONE}")
        await work(desk, site)
        assert [task["kind"] for task in await my_tasks(HANDLER, desk)] == ["rating.bad"]
        assert "已评价" in (await citizen.page()).text

        await citizen.send("messages", text="还是不亮", key="k" * 20, unsolved="on")
        await work(desk, site)
        assert (await the_case(desk))["state"] == "reopened"
        assert "办理中" in (await citizen.page()).text

        await answer_it(desk, case, "您好。今天上午已换新灯，麻烦您晚上再看一眼。")
        await work(desk, site)
        page = (await citizen.page()).text
        assert WORDS in page and "已换新灯" in page and "办得怎么样" in page
        assert (await site.ask("GET", "/inbox")).json["rows"] == [], "nothing is left on the site"


async def test_two_demands_of_one_person_in_one_case_show_the_answer_on_both_pages() -> None:
    async with met() as (channel, site):
        desk = await beside(site, channel)
        first, second = Citizen(site), Citizen(site)
        codes = [await first.ask(), await second.ask(text="昨天说的路灯还是不亮。")]
        await work(desk, site)
        one, two = await desk.store.find("cases", {}, sort=[("number", 1)], limit=5)
        from_desk = await desk.store.find("replies", {}, limit=5)
        assert len({row["author_key"] for row in from_desk}) == 1
        merged = await merge(MONITOR, desk, one["_id"], two["_id"])
        assert merged["people"] == 1
        await handling.accept_case(MONITOR, desk, two["_id"])
        await answer_it(desk, two["_id"], WORDS)
        await work(desk, site)
        for citizen, code in zip((first, second), codes, strict=True):
            await citizen.look(code)
            assert WORDS in (await citizen.page()).text
        assert len(await desk.store.find("deliveries", {}, limit=5)) == 1
