"""The README's first quarter of an hour, followed word by word: what it says to press is pressed, in its order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.household import CHROMIUM, ROOT, WITHOUT, Household, household
from tests.browser.people import at_desk, until

pytestmark = pytest.mark.browser

ANSWER = "您好。发黄是管网检修后的水锈，今晚十时前冲洗完毕；发黄的水请勿饮用，送水车停在双桥小区东门。"


def steps() -> list[str]:
    """The numbered sentences under “A first quarter of an hour”."""
    text = (ROOT / "README.md").read_text("utf-8").partition("A first quarter of an hour")[2].partition("\n\n")[0]
    return [" ".join(each.split()) for each in re.split(r"\n\d+\. ", text)[1:]]


@dataclass
class Hour:
    """A stranger with the README in hand: `read` is the sentence that is being followed."""

    browser: Browser
    house: Household
    read: str = ""
    kept: dict[str, str] = field(default_factory=dict)

    def word(self, *names: str) -> str:
        """The first of these names, which the sentence must say."""
        missing = [name for name in names if name not in self.read]
        assert not missing, f"the README does not say {missing}: {self.read}"
        return names[0]

    def press(self, page: Page, name: str) -> None:
        page.get_by_role("button", name=re.compile(self.word(name))).first.click()
        page.wait_for_load_state()


@pytest.fixture
def hour(browser: Browser, tmp_path: Path) -> Iterator[Hour]:
    if not CHROMIUM.exists():
        pytest.skip(WITHOUT)
    with household(tmp_path / "quarter") as house:
        yield Hour(browser, house)


def mends_and_submits(hour: Hour) -> None:
    with at_desk(hour.browser, hour.house, hour.word("editor"), java_script_enabled=False) as page:
        page.goto(hour.house.desk_url)
        page.locator(".rail").get_by_role("link", name=hour.word("稿件")).click()
        title = re.search(r"《(.+?)》", hour.read)
        assert title
        until(lambda: opened(page, hour, title[1]), 60, "the draft of the demonstration")
        hour.kept["title"], hour.kept["content"] = title[1], re.sub(r".*/contents/([^?]+).*", r"\1", page.url)
        while page.locator("button[name=take]").count():
            page.locator("button[name=take]").first.click()
            page.wait_for_load_state()
        assert "13800001234" not in page.content()
        hour.press(page, "送审")
        expect(page.locator("main")).to_contain_text("已送审")


def opened(page: Page, hour: Hour, title: str) -> bool:
    page.goto(f"{hour.house.desk_url}/contents?state=draft")
    link = page.get_by_role("link", name=title).first
    if not link.count():
        return False
    link.click()
    page.wait_for_load_state()
    return True


def is_passed(hour: Hour) -> None:
    for login in ("reviewer1", "reviewer2"):
        with at_desk(hour.browser, hour.house, hour.word(login)) as page:
            page.locator(".rail").get_by_role("link", name=hour.word("审校")).click()
            page.get_by_role("link", name=hour.kept["title"]).first.click()
            page.locator("button[name=verdict][value=pass]").click()
            page.wait_for_url("**/reviews?done=*")


def is_planned(hour: Hour) -> None:
    with at_desk(hour.browser, hour.house, hour.word("editor"), java_script_enabled=False) as page:
        page.goto(hour.house.desk_url)
        expect(page.locator("main")).to_contain_text(hour.word("等您处理"))
        page.locator("main a", has_text=hour.word("排时间")).first.click()
        for name in ("市政府网站", "云川发布", "云川发布公众号", "云川通"):
            its_own = re.compile(rf"^{hour.word(name)}(?!公众号|推送)")
            box = page.locator("label.account-option", has=page.locator("span", has_text=its_own))
            box.locator("input").check()
        page.get_by_label(hour.word("马上发")).check()
        hour.press(page, "排定")
        assert "done=planned" in page.url, page.inner_text("main")
    site = hour.browser.new_page()
    for path in ("/", hour.word("/app/")):
        until(lambda path=path: hour.kept["title"] in text_of(site, hour, path), 90, f"the text under {path}")  # type: ignore[misc]
    site.close()


def text_of(page: Page, hour: Hour, path: str) -> str:
    page.goto(f"{hour.house.site_url}{path}")
    return page.inner_text("main")


def writes_a_letter(hour: Hour) -> None:
    page = hour.browser.new_page()
    page.goto(hour.house.site_url)
    page.get_by_role("link", name=hour.word("互动交流")).first.click()
    page.locator("main a[href='/letters/new']").first.click()
    letter = {"title": "早市搬走后怎么停车", "text": "早市搬到北苑路以后，停车的地方不够了。", "place": "北苑路"}
    for name, words in letter.items():
        page.fill(f"[name={name}]", words)
    page.check("[name=agreed]")
    page.get_by_role("button", name="送出这封信").click()
    page.wait_for_url("**/letters/sent")
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", page.inner_text("main"))
    assert found and hour.word("查询码") in page.inner_text("main")
    hour.kept["code"] = found[0]
    page.close()


def opens_a_case(hour: Hour) -> None:
    with at_desk(hour.browser, hour.house, hour.word("monitor")) as page:
        page.locator(".rail").get_by_role("link", name=hour.word("舆情")).click()
        hour.press(page, "开始一起突发事件")
        until(lambda: at_an_alert(page, hour), 150, "the alert of the incident")
        hour.press(page, "认领")
        hour.press(page, "开工单")
        page.wait_for_url("**/cases/**")
        hour.kept["case"] = re.sub(r"\?.*", "", page.url)
        hour.press(page, "受理")
        expect(page.locator("main")).to_contain_text("已受理")


def at_an_alert(page: Page, hour: Hour) -> bool:
    page.goto(f"{hour.house.desk_url}/issues")
    for link in page.locator("main a[href^='/issues/']").all()[:10]:
        href = link.get_attribute("href")
        other = page.context.new_page()
        other.goto(f"{hour.house.desk_url}{href}")
        found = other.get_by_role("button", name="认领").count() and other.get_by_role("button", name="开工单").count()
        other.close()
        if found:
            page.goto(f"{hour.house.desk_url}{href}")
            return True
    return False


def is_answered(hour: Hour) -> None:
    with at_desk(hour.browser, hour.house, hour.word("handler")) as page:
        page.locator(".rail").get_by_role("link", name=hour.word("工单")).click()
        page.goto(hour.kept["case"])
        hour.press(page, "接办")
        page.fill("main [name=text]", ANSWER)
        hour.press(page, "送审")
        with at_desk(hour.browser, hour.house, hour.word("reviewer1")) as reviewer:
            reviewer.goto(hour.kept["case"])
            reviewer.locator("button[name=verdict][value=pass]").click()
            reviewer.wait_for_load_state()
        page.goto(hour.kept["case"])
        hour.press(page, "送出")
        until(lambda: "已送达" in page.goto(hour.kept["case"]).text(), 60, "the answer on its way")  # type: ignore[union-attr]


def looks_it_up(hour: Hour) -> None:
    page = hour.browser.new_page()
    page.goto(f"{hour.house.site_url}/letters")
    page.get_by_role("link", name=hour.word("查进度")).first.click()
    page.fill("[name=query_code]", hour.kept["code"])
    page.get_by_role("button", name="查看进度").click()
    expect(page.locator("main")).to_contain_text(hour.word("已收到"))
    page.close()


def holds_all(hour: Hour) -> None:
    with at_desk(hour.browser, hour.house, "editor") as page:
        page.goto(hour.house.desk_url)
        page.get_by_role("link", name=hour.word("全部暂停")).first.click()
        page.fill("[name=reason]", "演练全部暂停。")
        page.locator("form[action='/hold-all'] button").click()
        expect(page.locator(".banner[data-tone=held]")).to_be_visible()


FOLLOWED: Sequence[Callable[[Hour], None]] = (
    mends_and_submits, is_passed, is_planned, writes_a_letter, opens_a_case, is_answered, looks_it_up, holds_all,
)  # fmt: skip


@pytest.mark.timeout(290)
def test_the_first_quarter_of_an_hour_goes_as_the_readme_says(hour: Hour) -> None:
    sentences = steps()
    assert len(sentences) == len(FOLLOWED)
    for sentence, follow in zip(sentences, FOLLOWED, strict=True):
        hour.read = sentence
        follow(hour)
