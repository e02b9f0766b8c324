"""The road of a text in a real Chromium, over the running demonstration: write, correct, submit, review.

The household of this folder is the same `serve --rehearsal` that people start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from hub.pages.reviews import TABS
from tests.browser.household import Household
from tests.browser.people import COLOURS, at_desk, axe, overflow, quarrels

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TITLE = "清源路一带供水发黄情况通报"
Signed = Callable[..., Page]


@pytest.fixture
def signed(browser: Browser, house: Household) -> Iterator[Signed]:
    """A page signed in as this person, whose console must stay quiet."""
    loud: list[list[str]] = []
    with ExitStack() as stack:

        def sign_in(login: str, **settings: Any) -> Page:
            page = stack.enter_context(at_desk(browser, house, login, base_url=house.desk_url, **settings))
            loud.append(quarrels(page))
            return page

        yield sign_in
    assert [each for page in loud for each in page] == []


@pytest.fixture
def desk(house: Household) -> str:
    return house.desk_url


def _heads(page: Page) -> None:
    """A new text with everything but its body; right after the start the columns may still be on their way."""
    for _ in range(30):
        page.goto("/contents/new")
        if page.locator("#f-column option").count() > 1:
            break
        page.wait_for_timeout(1_000)
    page.fill("#f-title", TITLE)
    page.fill("#f-digest", "原因已查明，放水 5 至 10 分钟，水清后即可使用。")
    page.select_option("#f-column", label="要闻动态")
    page.locator("[name='meta.source']").fill("市水务局")


def _saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_contain_text("已保存", timeout=15_000)


def _verdict(page: Page, here: str, value: str, remark: str = "") -> None:
    page.goto(here.replace("/contents/", "/reviews/"))
    page.fill("#f-remark", remark)
    page.click(f"button[name=verdict][value={value}]")
    page.wait_for_url("**/reviews?done=*")


def test_a_text_goes_from_the_first_word_to_the_last_approval(signed: Signed, desk: str) -> None:
    page = signed("editor")
    _heads(page)
    body = page.locator("#editor-rich [contenteditable=true]").first
    body.click()
    page.keyboard.type("清源路部分住户反映自来水发黄。")
    page.keyboard.press("Enter")
    page.keyboard.type("预计 2026 年 11 月 26 日（星期三）完成冲洗。")
    _saved(page)
    here = page.url
    assert here.startswith(f"{desk}/contents/") and not here.endswith("/new")
    expect(page.locator(".finding[data-lit]")).to_contain_text("星期四")
    expect(page.locator("[data-submit]")).to_be_disabled()
    assert page.evaluate("CSS.highlights.has('finding-block')")
    page.keyboard.press("Alt+1")
    expect(page.locator("#editor-acts [data-submit]")).to_be_enabled(timeout=15_000)
    page.reload()
    expect(page.locator("#editor-rich")).to_contain_text("11 月 26 日（星期四）完成冲洗")
    expect(page.get_by_role("article", name="云川发布的效果", exact=True)).to_contain_text(TITLE)
    page.locator("[data-submit]").click()
    page.wait_for_url("**done=submitted")
    first, second = signed("reviewer1"), signed("reviewer2")
    _verdict(first, here, "return", "请写明送水点有几处")
    page.goto(here)
    page.locator("#editor-rich p").last.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type("设 6 处送水点。")
    _saved(page)
    page.locator("[data-submit]").click()
    page.wait_for_url("**done=submitted")
    first.goto(here.replace("/contents/", "/reviews/"))
    expect(first.locator("ins").first).to_have_text("设 6 处送水点。")
    first.keyboard.press("j")
    assert first.evaluate("document.querySelector('[data-row][data-at]') !== null")
    _verdict(first, here, "pass")
    _verdict(second, here, "pass", "数据已核")
    page.goto(here)
    expect(page.locator(".editor-head .chip")).to_have_text("已审签")


def test_a_picture_is_asked_for_its_words_and_survives_the_way_there_and_back(signed: Signed, tmp_path: Path) -> None:
    Image.new("RGB", (600, 300), (120, 150, 190)).save(tmp_path / "取样.png")
    page = signed("editor")
    _heads(page)
    page.locator("#editor-rich [contenteditable=true]").first.click()
    page.keyboard.type("工作人员正在取样。")
    _saved(page)
    with page.expect_file_chooser() as chooser:
        page.locator("#editor-toolbar button[data-menu-key=uploadImage]:not(.disabled)").click()
    chooser.value.set_files(tmp_path / "取样.png")
    page.locator("#picture-dialog button[value=ok]").click()
    expect(page.locator("[data-picture-error]")).to_contain_text("替代文字")
    page.fill("#picture-alt", "工作人员在双桥路取水样")
    page.fill("#picture-caption", "取样现场")
    page.locator("#picture-dialog button[value=ok]").click()
    expect(page.locator(".kept img")).to_be_visible(timeout=30_000)
    _saved(page)
    expect(page.locator(".site-paper img")).to_have_attribute("alt", "工作人员在双桥路取水样", timeout=15_000)
    page.reload()
    expect(page.locator(".kept img")).to_have_attribute("alt", "工作人员在双桥路取水样")
    expect(page.locator(".kept-line")).to_contain_text("取样现场")


def test_opening_every_text_of_the_demonstration_and_saving_it_changes_nothing(signed: Signed) -> None:
    page = signed("editor")
    page.goto("/contents")
    links = page.locator(".title-cell a").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    assert len(links) > 5
    for link in links:
        page.goto(link)
        expect(page.locator("#editor-rich [contenteditable=true]").first).to_be_visible()
        before = page.locator("[data-revision-words]").inner_text()
        page.keyboard.press("Control+s")
        _saved(page)
        page.reload()
        assert page.locator("[data-revision-words]").inner_text() == before, link


EVERY_KIND = """<h2>标题</h2><h3>小标题</h3><p data-role="salutation">各位市民：</p><p data-role="lead">导语</p>
<p>正文<strong>加粗</strong><a href="https://www.example.cn/a">链接</a><br>第二行</p><p data-align="center">居中</p>
<ul><li>甲</li><li>乙</li></ul><ol><li>先</li></ol><blockquote>引文</blockquote>
<aside class="note" data-block="note">提示</aside>
<div data-block="table"><table><caption>表题</caption><tbody><tr><th scope="col">线路</th><td colspan="2">停靠</td></tr>
<tr><td>1</td><td>2</td><td>3</td></tr></tbody></table></div>
<figure data-block="video"><a data-part="video" href="https://www.example.cn/v">观看视频</a></figure>
<aside class="footnote" data-block="footnote"><span data-part="mark">1</span><span data-part="text">脚注</span></aside>
<hr><p data-role="signature">市水务局</p>"""
WRITE = """async ([title, html]) => {
  const body = new URLSearchParams({title, html, rich: "1", kind: "news", column: "yaowen", revision: "0"});
  const headers = {Accept: "application/json", "X-CSRF-Token": document.body.dataset.csrf};
  return (await (await fetch("/contents", {method: "POST", body, headers})).json());
}"""


def test_every_kind_of_block_goes_through_the_editor_and_back_unchanged(signed: Signed) -> None:
    page = signed("editor")
    _heads(page)
    made = page.evaluate(WRITE, ["每一种内容块", EVERY_KIND])
    assert made["dropped"] == [], made
    page.goto(f"/contents/{made['id']}")
    expect(page.locator("#editor-rich [contenteditable=true]").first).to_be_visible()
    before = page.locator(".site-paper .prose").inner_html()
    page.keyboard.press("Control+s")
    _saved(page)
    page.reload()
    assert page.locator(".site-paper .prose").inner_html() == before
    expect(page.locator("[data-revision-words]")).to_have_text("1")


def test_without_script_a_text_is_written_corrected_and_submitted(signed: Signed) -> None:
    page = signed("editor", java_script_enabled=False)
    _heads(page)
    page.fill("#f-text", "预计 2026 年 11 月 26 日（星期三）完成。\n\n- 打开龙头放水")
    page.click("[data-save]")
    page.click("button[name=take]")
    assert "（星期四）完成" in page.input_value("#f-text")
    page.click("[data-submit]")
    page.wait_for_url("**done=submitted")


def test_without_a_network_the_words_stay_in_the_browser_and_are_saved_when_it_is_back(
    browser: Browser, house: Household
) -> None:
    with at_desk(browser, house, "editor", base_url=house.desk_url) as page:
        _heads(page)
        _saved(page)
        page.context.set_offline(True)
        page.locator("#editor-rich [contenteditable=true]").first.click()
        page.keyboard.type("断网时写的这一句。")
        expect(page.locator("[data-saved]")).to_contain_text("文字留在这台电脑上", timeout=15_000)
        kept = page.evaluate("Object.keys(localStorage).map((each) => localStorage.getItem(each)).join()")
        assert "body" in kept
        page.context.set_offline(False)
        _saved(page)
        page.reload()
        expect(page.locator("#editor-rich")).to_contain_text("断网时写的这一句。")


def test_whoever_saves_second_is_told_and_may_keep_their_own(browser: Browser, house: Household) -> None:
    with at_desk(browser, house, "editor", base_url=house.desk_url) as first:
        _heads(first)
        _saved(first)
        second = first.context.new_page()
        second.goto(first.url)
        second.fill("#f-digest", "第二个人的摘要")
        _saved(second)
        first.fill("#f-digest", "第一个人的摘要")
        expect(first.locator("[data-editor-said]")).to_contain_text("又被保存过", timeout=15_000)
        assert first.input_value("#f-digest") == "第一个人的摘要"
        first.get_by_role("button", name="以我的为准保存").click()
        _saved(first)
        first.reload()
        assert first.input_value("#f-digest") == "第一个人的摘要"


WORD = """<html><head><style>p{color:red}</style></head><body><h1 style="color:red">大标题</h1>
<p class=MsoNormal style='text-indent:2em'><span style='font-family:仿宋;font-weight:bold'>加粗</span>正文</p>
<table border=1 style="width:300px"><tr><td style="background:red"><p>线路</p></td><td>停靠</td></tr></table>
<ul><li>甲</li></ul><img src="https://elsewhere.example/x.png"></body></html>"""


def test_what_is_pasted_from_word_keeps_its_shape_and_loses_its_looks(signed: Signed) -> None:
    page = signed("editor", permissions=["clipboard-read", "clipboard-write"])
    other = page.context.new_page()  # writing to the clipboard parses the HTML under the page's policy: one without
    other.route("**/blank", lambda route: route.fulfill(body="<title>x</title>", content_type="text/html"))
    other.goto("/blank")
    other.evaluate(
        "html => navigator.clipboard.write([new ClipboardItem({'text/html': new Blob([html], {type: 'text/html'})})])",
        WORD,
    )
    page.bring_to_front()
    _heads(page)
    page.locator("#editor-rich [contenteditable=true]").first.click()
    page.keyboard.press("Control+v")
    expect(page.locator("[data-editor-said]")).to_contain_text("1 张图片没有带进来")
    _saved(page)
    paper = page.locator(".site-paper .prose")
    expect(paper.locator("h2")).to_have_text("大标题", timeout=15_000)
    expect(paper.locator("strong")).to_have_text("加粗")
    expect(paper.locator("td")).to_have_text(["线路", "停靠"])
    expect(paper.locator("li")).to_have_text("甲")
    assert "style=" not in paper.inner_html()


def test_an_approved_text_is_not_touched_by_a_stray_key(signed: Signed) -> None:
    page = signed("editor")
    page.goto("/contents?state=approved")
    page.locator(".title-cell a").first.click()
    page.locator("#editor-rich [contenteditable=true]").first.click()
    page.keyboard.type("误")
    expect(page.locator("[data-saved]")).to_contain_text("审批随之作废")
    page.wait_for_timeout(4_000)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".editor-head .chip")).to_have_text("已审签")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_one_text_are_accessible_and_stay_inside_their_width(
    signed: Signed, desk: str, theme: str
) -> None:
    page = signed("editor")
    page.context.add_cookies([{"name": "look-theme", "value": theme, "url": desk}])
    page.goto("/contents")
    one = page.locator(".title-cell a").first.get_attribute("href")
    waiting = page.locator("tr:has-text('送审中') .title-cell a").first.get_attribute("href")
    assert one and waiting
    review = waiting.replace("/contents/", "/reviews/")
    rules = COLOURS if theme == "dark" else ()  # dark differs from light in its colours alone
    found: list[str] = []
    for path in [one, f"{one}/history", f"{one}/schedule", review, *(f"{review}?tab={tab}" for tab in TABS)]:
        page.goto(path)
        page.wait_for_timeout(400)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{path} at {width}: {each}" for each in axe(page, rules)]
            found += [f"{path} at {width}: {overflow(page)} pixels too wide"] if overflow(page) else []
    assert found == []


def test_a_reason_that_was_begun_is_still_there_after_the_page_was_left(signed: Signed) -> None:
    page = signed("editor")
    _heads(page)
    page.locator("#editor-rich [contenteditable]").click()
    page.keyboard.type("有疑问请打 13800001234。")
    _saved(page)
    page.locator(".reason summary").first.click()
    page.locator(".reason input").first.fill("值班电话，可以公开")
    page.goto(page.url)
    expect(page.locator(".reason input").first).to_have_value("值班电话，可以公开")
    expect(page.locator(".reason input").first).to_be_visible()
