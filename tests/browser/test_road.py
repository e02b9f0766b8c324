"""The road, walked: from a draft with faults to the site, 微博, the citizens' answers, the alert, and the end of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.demo.city import crowd
from hub.domain.personal import id_card_holds
from tests.browser.clerk import Clerk
from tests.browser.household import ARTEFACTS, Household
from tests.browser.people import at_desk, until

pytestmark = pytest.mark.browser

TITLE = "双桥路自来水管网改造十二月开工"
DESK_PHONE = "13912340001"  # what the officer left in the text by mistake; drafts keep every revision
PHONE = "13812349876"  # what a citizen says: it stays sealed
CARD = "110105199003078516"[:17]
WRONG_DAY, RIGHT_DAY = "2026年12月1日（星期三）", "2026年12月1日（星期二）"
BODY = f"双桥路自来水管网改造{WRONG_DAY}开工，工期二十天。\n施工期间有疑问，请打电话{DESK_PHONE}询问。"
LETTER_TITLE = "双桥路开工后怎么出小区"
LETTER = "双桥路开挖以后，我们小区只剩一个门能走车，早上堵得厉害，请留一条临时通道。"


def identity_number(first: str = CARD) -> str:
    """The seventeen signs with the check digit that makes them an identity number."""
    return next(first + last for last in "0123456789X" if id_card_holds(first + last))


ID = identity_number()
PLANTED = (PHONE, ID)


@dataclass
class Walk:
    """Where the walk has got to."""

    browser: Browser
    house: Household
    content: str = ""
    article: str = ""

    def picture(self, page: Page, name: str) -> None:
        ARTEFACTS.joinpath("road").mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(ARTEFACTS / "road" / f"{name}.png"), full_page=True)


@pytest.fixture
def walk(browser: Browser, house: Household) -> Iterator[Walk]:
    until(lambda: house.posts(), 60, "the demonstration's first posts")
    yield Walk(browser, house)


# ---- the officer


def writes_and_mends(walk: Walk) -> None:
    """Without script: the faults are told, one is mended as proposed, one by hand, and the text is submitted."""
    with at_desk(walk.browser, walk.house, "editor", java_script_enabled=False) as page:
        page.goto(f"{walk.house.desk_url}/contents/new")
        page.fill("[name=title]", TITLE)
        page.fill("[name=digest]", f"双桥路自来水管网改造{RIGHT_DAY}开工，请提前储水。")
        page.select_option("[name=column]", "tongzhi")
        page.fill("[name='meta.source']", "市水务局")
        page.fill("[name='meta.author_name']", "周敏")
        page.fill("#f-text", BODY)
        page.get_by_role("button", name="保存").click()
        walk.content = re.sub(r".*/contents/([^?]+).*", r"\1", page.url)
        told = page.locator("#editor-aside, .editor-aside").first
        expect(told).to_contain_text("星期二")
        expect(told).to_contain_text("手机")
        expect(page.get_by_role("button", name="送审")).to_be_disabled()
        walk.picture(page, "01-told")
        page.get_by_role("button", name=re.compile("改为.*星期二")).first.click()
        expect(page.locator("#f-text")).to_have_value(re.compile("星期二"))
        text = page.locator("#f-text").input_value().replace(DESK_PHONE, "12345热线")
        page.fill("#f-text", text)
        page.get_by_role("button", name="保存").click()
        expect(page.locator("#editor-aside, .editor-aside").first).not_to_contain_text("手机")
        page.get_by_role("button", name="送审").click()
        expect(page.locator("main")).to_contain_text("审")
        walk.picture(page, "02-submitted")


def plans(walk: Walk) -> None:
    with at_desk(walk.browser, walk.house, "editor", java_script_enabled=False) as page:
        page.goto(f"{walk.house.desk_url}/contents/{walk.content}/schedule")
        for account in ("site-main", "weibo-main"):
            page.check(f"[name=accounts][value={account}]")
        page.check("[name=when][value=now]")
        page.click("form[action$='/schedule'] button[type=submit]")
        expect(page.locator("main")).to_contain_text("已经排定")


def cannot_approve_their_own(walk: Walk) -> None:
    clerk = Clerk(walk.house, "editor")
    clerk.sign_in()
    page = clerk.get(f"/reviews/{walk.content}")
    assert page.status == 200 and 'value="pass"' not in page.text
    said = clerk.send(f"/reviews/{walk.content}", hash="0" * 64, level="1", verdict="pass", remark="")
    assert said.status == 403


def approve(walk: Walk) -> None:
    for number, login in enumerate(("reviewer1", "reviewer2"), start=3):
        with at_desk(walk.browser, walk.house, login) as page:
            page.goto(f"{walk.house.desk_url}/reviews")
            page.get_by_role("link", name=TITLE).click()
            walk.picture(page, f"0{number}-review-{login}")
            page.locator("button[name=verdict][value=pass]").click()
            page.wait_for_url("**/reviews?done=*")


# ---- the world


def goes_out(walk: Walk) -> None:
    """First on the site, then on 微博 with the site's address in it."""
    mine = until(lambda: [post for post in walk.house.posts() if TITLE in post["text"]], 30, "the post on 微博")
    assert len(mine) == 1
    found = re.search(r"http://localhost:\d+(/articles/[\w-]+)", mine[0]["text"])
    assert found and found[0].startswith(walk.house.site_url), mine[0]["text"]
    walk.article = found[1]


def citizen_reads_and_writes(walk: Walk) -> None:
    context = walk.browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{walk.house.site_url}/")
    page.get_by_role("link", name=TITLE).first.click()
    expect(page.locator("main")).to_contain_text(RIGHT_DAY)
    walk.picture(page, "05-article-390")
    page.goto(f"{walk.house.site_url}/letters")
    page.locator("main a[href='/letters/new']").first.click()
    page.fill("#f-title", LETTER_TITLE)
    page.fill("#f-text", f"{LETTER}我的电话{PHONE}，身份证{ID}。")
    page.fill("#f-place", "双桥路")
    page.fill("#f-author", "江小满")
    page.fill("#f-contact", PHONE)
    page.get_by_role("button", name="送出这封信").click()
    expect(page.locator("#f-agreed-error")).to_be_visible()  # nothing that was written is lost
    assert page.input_value("#f-title") == LETTER_TITLE
    page.check("#f-agreed")
    page.get_by_role("button", name="送出这封信").click()
    page.wait_for_url("**/letters/sent")
    walk.picture(page, "06-letter-sent-390")
    context.close()


def comments_on_weibo(walk: Walk) -> None:
    post = next(post["id"] for post in walk.house.posts() if TITLE in post["text"])
    text = f"双桥路什么时候能修完，联系我{PHONE}"
    walk.house.control("replies", {"post": post, "author": "江边的树", "text": text})


# ---- the monitor


def sees_them_live(walk: Walk, board: Page) -> None:
    """On the board that was open all the while, without a reload."""
    expect(board.locator(".voices")).to_contain_text(LETTER_TITLE, timeout=45_000)
    expect(board.locator(".voices")).to_contain_text("双桥路什么时候能修完", timeout=45_000)
    expect(board.locator(".voices")).not_to_contain_text(PHONE)
    walk.picture(board, "07-board-live")


def is_alerted(walk: Walk, board: Page) -> None:
    """The incident is started from the board; its alert comes with a reason and with masked words, and is taken."""
    board.get_by_role("button", name="开始一起突发事件").click()
    until(lambda: _open_alert(walk, board), 150, "an alert")
    walk.picture(board, "08-issue")
    expect(board.locator(".lead-sentence")).to_contain_text(re.compile("人"))
    assert of_the_incident(board) >= 4
    heard = board.context.new_page()
    heard.goto(f"{walk.house.desk_url}/notices")
    expect(heard.locator("main")).to_contain_text("预警")
    walk.picture(heard, "08-notices")
    heard.close()
    board.locator("form[action$='/acknowledge'] button").click()
    expect(board.locator("main")).to_contain_text("何静")
    walk.picture(board, "09-taken")


def of_the_incident(page: Page) -> int:
    """How many of the incident's own words stand on this page."""
    shown = page.inner_text("main")
    return sum(said.text[:12] in shown for said in crowd("incident"))


def _open_alert(walk: Walk, board: Page) -> bool:
    """Once the rail counts an alert: the issue of the incident is open, taken by nobody, its people on duty told."""
    board.goto(f"{walk.house.desk_url}/issues")
    if not board.locator(".rail a[href='/board'] .badge").count():
        return False
    links = board.locator("main a[href^='/issues/']").all()
    for href in dict.fromkeys(link.get_attribute("href") for link in links):
        board.goto(f"{walk.house.desk_url}{href}")
        taken = board.locator("form[action$='/acknowledge']").count() > 0
        if taken and "已通知值班人员" in board.inner_text("main") and of_the_incident(board) >= 4:
            return True
    return False


# ---- what must not be seen


def shows_nothing_planted(walk: Walk) -> None:
    """Neither number on any page, in any feed, in any log."""
    seen: list[str] = []
    with at_desk(walk.browser, walk.house, "monitor") as page:
        for path in ("/", "/board", "/replies", "/replies?words=双桥路", "/issues", "/notices", "/publications"):
            page.goto(f"{walk.house.desk_url}{path}")
            seen += [f"{path}: {number}" for number in PLANTED if number in page.content()]
        page.goto(f"{walk.house.desk_url}/replies?words=双桥路")
        page.locator("main a[href^='/replies/']").first.click()
        seen += [f"reply: {number}" for number in PLANTED if number in page.content()]
        for path in ("/feed.xml", "/sitemap.xml", "/public/v1/articles", "/public/v1/search?q=双桥路", "/letters"):
            text = page.request.get(f"{walk.house.site_url}{path}").text()
            seen += [f"{path}: {number}" for number in PLANTED if number in text]
    seen += [f"log: {number}" for number in PLANTED if number in walk.house.said()]
    seen += [f"{path.name}: {number}" for path, number in plain_files(walk.house.data)]
    assert seen == []


def plain_files(data: Path) -> list[tuple[Path, str]]:
    """Files of desk and site that hold a planted number in plain; the rehearsal's own ledger is not ours."""
    found = []
    for folder in ("desk", "site", "heads"):
        for path in (data / folder).rglob("*"):
            if path.is_file():
                found += [(path, number) for number in PLANTED if number.encode() in path.read_bytes()]
    return found


# ---- the end of it


def is_withdrawn(walk: Walk) -> None:
    with at_desk(walk.browser, walk.house, "monitor") as page:
        page.goto(f"{walk.house.desk_url}/publications")
        page.get_by_role("link", name=TITLE).first.click()
        form = page.locator("form[action*='/withdraw']")
        page.locator("details", has=form).locator("summary").click()
        form.locator("[name=reason]").fill("开工日期有变，另行公告。")
        form.get_by_role("button", name="撤回").click()
        page.wait_for_url("**done=withdrawn**")
        walk.picture(page, "10-withdrawn")
        address = f"{walk.house.site_url}{walk.article}"
        until(lambda: page.request.get(address).status == 410, 30, "410 for the withdrawn article")
        gone = page.request.get(address).text()
        assert "该文已撤稿" in gone and RIGHT_DAY not in gone


def stops_everything(walk: Walk) -> None:
    """全部暂停: what falls due meanwhile waits, and goes out when it is lifted."""
    with at_desk(walk.browser, walk.house, "monitor") as page:
        page.goto(f"{walk.house.desk_url}/hold-all")
        page.fill("[name=reason]", "市委宣传部来电，暂缓发布。")
        page.locator("form[action='/hold-all'] button").click()
        expect(page.locator(".banner[data-tone=held]")).to_be_visible()
        walk.picture(page, "11-held")
        title = "南湖里公交站牌换新"
        publish_by_form(walk.house, title)
        page.wait_for_timeout(5_000)
        assert title not in page.request.get(f"{walk.house.site_url}/public/v1/articles").text()
    with at_desk(walk.browser, walk.house, "reviewer2") as page:
        page.goto(f"{walk.house.desk_url}/hold-all")
        page.locator("form[action='/hold-all/lift'] button").click()
        expect(page.locator(".banner[data-tone=held]")).to_have_count(0)
        listed = f"{walk.house.site_url}/public/v1/articles"
        until(lambda: title in page.request.get(listed).text(), 30, "the held article on the site")


def publish_by_form(house: Household, title: str) -> None:
    """Written, submitted, planned for now and approved, by plain forms."""
    people = {login: Clerk(house, login) for login in ("editor", "reviewer1", "reviewer2")}
    for person in people.values():
        person.sign_in()
    form = {
        "kind": "news", "column": "yaowen", "title": title, "digest": f"{title}，今天完成。", "meta.source": "市新闻办",
        "text": f"{title}，沿线十六处今天全部完成。", "meta.author_name": "周敏", "key": "road-second-article",
    }  # fmt: skip
    editor = people["editor"]
    editor.get("/contents/new")
    said = editor.ask("POST", "/contents", {**form, "revision": "0"})
    assert said.done, (said.status, said.text[:2000])
    id = said.place.partition("?")[0].rpartition("/")[2]
    said = editor.ask("POST", f"/contents/{id}/submit", {**form, "revision": "1"})
    assert said.done, (said.status, said.text[:2000])
    wish = {"accounts": ["site-main"], "when": "now", "late": "publish", "at": ""}
    said = editor.ask("POST", f"/contents/{id}/schedule", wish)
    assert said.done, (said.status, said.text[:2000])
    for level, login in (("1", "reviewer1"), ("2", "reviewer2")):
        found = re.search(r'name="hash" value="([0-9a-f]+)"', people[login].get(f"/reviews/{id}").text)
        assert found
        said = people[login].send(f"/reviews/{id}", hash=found[1], level=level, verdict="pass", remark="")
        assert said.done, (said.status, said.text[:2000])


@pytest.mark.timeout(290)
def test_the_road_from_a_draft_to_the_alert_and_back(walk: Walk) -> None:
    assert walk.house.seconds < 60
    writes_and_mends(walk)
    plans(walk)
    cannot_approve_their_own(walk)
    approve(walk)
    goes_out(walk)
    with at_desk(walk.browser, walk.house, "monitor") as board:
        board.goto(f"{walk.house.desk_url}/board")
        citizen_reads_and_writes(walk)
        comments_on_weibo(walk)
        sees_them_live(walk, board)
        is_alerted(walk, board)
    shows_nothing_planted(walk)
    is_withdrawn(walk)
    stops_everything(walk)
