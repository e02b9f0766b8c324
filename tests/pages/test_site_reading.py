"""What citizens read: furniture, tags, lists, search, files and feeds of the public site."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
import pytest_asyncio

from tests.pages.site_office import (
    PIXEL_NAME,
    Office,
    article,
    column,
    opened_site,
    paragraph,
    picture,
)

PAGES = (
    "/", "/columns/yw", "/articles", "/articles/a1", "/search", "/search?q=%E4%BE%9B%E6%9A%96", "/sitemap",
    "/accessibility", "/privacy", "/letters", "/letters/new", "/letters/sent", "/mistakes/new", "/mistakes/sent",
    "/nothing", "/articles/gone",
)  # fmt: skip
VOID = {"meta", "link", "input", "img", "br", "hr"}


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    async with opened_site() as found:
        yield found


class Page(HTMLParser):
    """A page taken apart: tags with their attributes, and whether every element that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.crossed.append(tag)
        else:
            self.open.pop()

    def meta(self) -> dict[str, str]:
        return {each["name"]: each["content"] for tag, each in self.tags if tag == "meta" and "name" in each}

    def all(self, tag: str) -> list[dict[str, str]]:
        return [each for name, each in self.tags if name == tag]


async def filled(office: Office, number: int = 1) -> None:
    await office.put("column", "yw", column())
    for each in range(number):
        await office.put("article", f"a{each + 1}", article(f"第 {each + 1} 篇：供暖准备就绪"))
        office.clock.move(60)
    await office.put("article", "gone", article("要撤的一篇"))
    await office.ask("DELETE", "/items/article/gone?version=1&note=x&key=d")


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_has_the_furniture_safe_headers_sound_markup_and_needs_no_script(
    office: Office, path: str
) -> None:
    await filled(office)
    said = await office.get(path)
    page = Page(said.text)
    assert (page.open, page.crossed) == ([], [])
    assert said.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "unsafe-inline" not in said.headers["Content-Security-Policy"]
    assert said.headers["X-Content-Type-Options"] == "nosniff"
    assert said.headers["X-Frame-Options"] == "DENY"
    assert said.headers["Vary" if said.status == 200 else "Cache-Control"]
    meta = page.meta()
    assert (meta["SiteName"], meta["SiteDomain"], meta["SiteIDCode"]) == (
        "云川市人民政府",
        "www.yunchuan.example",
        "0000000000",
    )
    assert all(content and content.lower() not in ("null", "none", "undefined") for content in meta.values())
    for words in (
        "网站标识码：0000000000",
        "示ICP备00000000号",
        "示公网安备",
        "主办：",
        "联系电话：",
        "网站地图",
        "我要找错",
    ):
        assert words in said.text
    assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))
    assert not [each for _, each in page.tags if any(name.startswith("on") or name == "style" for name in each)]
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "zh-CN"
    ids = [each["id"] for _, each in page.tags if "id" in each]
    assert len(ids) == len(set(ids))


async def test_every_link_and_file_of_every_page_is_there(office: Office) -> None:
    await filled(office)
    seen: set[str] = set()
    for path in PAGES:
        page = Page((await office.get(path)).text)
        seen |= {
            each["href"].split("#")[0] for tag in ("a", "link") for each in page.all(tag) if each["href"][0] == "/"
        }
        seen |= {each["src"] for each in page.all("script")}
    assert len(seen) > 15
    assert [link for link in sorted(seen) if (await office.get(link)).status != 200] == []


async def test_an_article_carries_the_ten_tags_and_its_optional_ones_and_no_empty_tag(office: Office) -> None:
    await filled(office)
    meta = Page((await office.get("/articles/a1")).text).meta()
    assert (meta["ColumnName"], meta["ColumnType"]) == ("要闻动态", "要闻动态")
    assert meta["ColumnDescription"] == "要闻动态的文章"
    assert meta["ColumnKeywords"] == "要闻动态"
    assert meta["ArticleTitle"] == "第 1 篇：供暖准备就绪"
    assert meta["PubDate"] == "2026-11-24 12:00"
    assert (meta["ContentSource"], meta["Author"]) == ("云川市住建局", "林溪")
    assert meta["Keywords"] == "供暖,冬季"
    assert meta["Url"] == "https://www.yunchuan.example/articles/a1"
    bare = {"title": "只有标题", "blocks": [paragraph("x")], "column": "yw", "kind": "news"}
    await office.put("article", "b1", bare)
    meta = Page((await office.get("/articles/b1")).text).meta()
    assert not {"Author", "Keywords", "Description", "Image"} & set(meta)
    assert meta["ContentSource"] == "云川市人民政府办公室"


async def test_a_moment_after_noon_is_written_in_twenty_four_hours_of_shanghai(office: Office) -> None:
    office.clock.move(timedelta(hours=11, minutes=5))
    await office.put("article", "a1", article())
    assert Page((await office.get("/articles/a1")).text).meta()["PubDate"] == "2026-11-24 23:05"


async def test_text_of_people_is_never_markup(office: Office) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=y>"
    await office.put("column", "yw", column(evil[:40], description=evil))
    body = article(evil, evil, digest=evil, source=evil, author=evil, keywords=[evil], notice={"text": evil})
    await office.put("article", "a1", body)
    await office.put("article", "a1", body, 2, correction={"note": evil})
    for path in ("/", "/columns/yw", "/articles/a1", "/articles", "/search?q=alert", f"/search?q={evil}", "/feed.xml"):
        said = await office.get(path)
        assert "<script>alert" not in said.text, path
        assert "<img src=x" not in said.text, path
    page = Page((await office.get("/articles/a1")).text)
    assert (page.open, page.crossed) == ([], [])


async def test_blocks_of_every_kind_read_as_an_article(office: Office) -> None:
    blocks: list[dict[str, Any]] = [
        {"kind": "h2", "runs": [{"text": "小标题"}]},
        {"kind": "ul", "items": [[{"text": "一"}], [{"text": "二", "marks": ["bold"]}]]},
        {"kind": "table", "rows": [[{"runs": [{"text": "甲"}], "head": True}], [{"runs": []}]]},
        {"kind": "img", "media": PIXEL_NAME, "alt": "供热站", "caption": "图说"},
        {"kind": "file", "media": PIXEL_NAME, "name": "附件.pdf"},
        {"kind": "quote", "runs": [{"text": "引文"}]},
        {"kind": "note", "runs": [{"text": "提示"}]},
        {"kind": "hr"},
    ]
    await office.put("article", "a1", article(blocks=blocks))
    page = Page((await office.get("/articles/a1")).text)
    assert (page.open, page.crossed) == ([], [])
    assert [each["alt"] for each in page.all("img")] == ["供热站"]
    assert {"h2", "ul", "table", "figure", "blockquote", "aside", "hr"} <= {tag for tag, _ in page.tags}


async def test_a_link_that_leaves_government_websites_says_so_and_one_that_does_not_says_nothing(
    office: Office,
) -> None:
    runs = [
        {"text": "站外一", "link": "https://shop.example.com/a"},
        {"text": "同一站外", "link": "https://shop.example.com/a", "marks": ["bold"]},
        {"text": "政府网站", "link": "https://www.gov.cn/x"},
        {"text": "像政府网站的", "link": "https://gov.cn.example.com/"},
        {"text": "本站", "link": "https://www.yunchuan.example/articles/a2"},
    ]
    await office.put("article", "a1", article(blocks=[{"kind": "p", "runs": runs}]))
    text = re.sub(r"<[^>]+>", "", (await office.get("/articles/a1")).text)
    assert "站外一同一站外（站外链接）政府网站像政府网站的（站外链接）本站" in text


async def test_no_article_one_article_and_many_articles_each_read_well(office: Office) -> None:
    assert "还没有发布文章" in (await office.get("/")).text
    await office.put("article", "a1", article())
    assert "全市供暖准备就绪" in (await office.get("/")).text
    await filled(office, 45)
    first = (await office.get("/columns/yw")).text
    found = re.findall(r"/articles/(a\d+)\"", first)
    assert found == [f"a{number}" for number in range(45, 25, -1)]
    path, all_found = "/columns/yw", []
    while path:
        text = (await office.get(path)).text
        all_found += re.findall(r"/articles/(a\d+)\"", text)
        following = re.search(r'href="(/columns/yw\?after=[^"]+)" rel="next"', text)
        path = following[1] if following else ""
    assert all_found == [f"a{number}" for number in range(45, 0, -1)]


async def test_articles_of_one_instant_are_each_listed_once_across_pages(office: Office) -> None:
    await office.put("column", "yw", column())
    for number in range(41):
        await office.put("article", f"s{number:02}", article(f"同时的第 {number} 篇"))
    path, found = "/public/v1/articles?limit=10", []
    while path:
        said = (await office.get(path)).json
        found += [each["id"] for each in said["articles"]]
        path = f"/public/v1/articles?limit=10&cursor={said['cursor']}" if said["more"] else ""
    assert found == [f"s{number:02}" for number in range(40, -1, -1)]


async def test_a_broken_cursor_is_told_and_breaks_nothing(office: Office) -> None:
    await filled(office)
    for cursor in ("x", "%00", "99999", "e30", "MTox" * 40, "OTk5OTk5OTk5OTk5OTk5OTk5OTk6YQ"):
        assert (await office.get(f"/articles?after={cursor}")).status in (200, 400, 422), cursor


async def test_a_column_that_is_not_public_is_nowhere(office: Office) -> None:
    await office.put("column", "nb", column("内部栏目", public=False))
    assert (await office.get("/columns/nb")).status == 404
    for path in ("/", "/sitemap", "/sitemap.xml"):
        assert "/columns/nb" not in (await office.get(path)).text


async def test_search_finds_whole_words_in_titles_and_texts_and_says_when_there_is_nothing(office: Office) -> None:
    await office.put("article", "a1", article("公交改线", "十二路不再经过松苑街。"))
    await office.put("article", "a2", article("供暖准备", "换热站检修完成。"))
    for words, found in (("松苑街", ["a1"]), ("公交 松苑", ["a1"]), ("换热站", ["a2"]), ("站换热", []), ("完 成", [])):
        text = (await office.get(f"/search?q={words}")).text
        whole = text.split("没有找到")[0]  # what is only near stands below this
        assert re.findall(r"/articles/(a\d)\"", whole) == found, words
    assert "没有找到" in (await office.get("/search?q=海底捞月")).text
    assert "至少写两个字" in (await office.get("/search?q=水")).text
    assert [each["id"] for each in (await office.get("/public/v1/search?q=松苑街")).json["articles"]] == ["a1"]


async def test_where_nothing_holds_every_word_what_holds_most_of_them_is_offered(office: Office) -> None:
    await office.put("article", "n1", article("松苑街供暖说明", "松苑街的供暖从今晚开始恢复。"))
    await office.put("article", "n2", article("图书馆开门时间", "周末照常开门。"))
    text = (await office.get("/search?q=松苑街供暖找谁")).text
    assert "没有找到含有“松苑街供暖找谁”的文章" in text
    assert "松苑街供暖说明" in text
    assert "图书馆开门时间" not in text


async def test_search_is_limited_for_each_address_and_says_when_to_come_back(office: Office) -> None:
    for _ in range(60):
        assert (await office.get("/public/v1/search?q=供暖")).status == 200
    said = await office.get("/search?q=供暖")
    assert said.status == 429
    assert 0 < int(said.headers["Retry-After"]) <= 60
    office.clock.move(61)
    assert (await office.get("/search?q=供暖")).status == 200


async def test_a_notice_stands_above_every_page_until_its_time_is_over(office: Office) -> None:
    notice = {"text": "放水五分钟再用。", "until": "2026-11-24T05:00:00.000Z"}
    await office.put("article", "a1", article("供水发黄", notice=notice))
    for path in ("/", "/letters", "/articles"):
        assert "放水五分钟再用。" in (await office.get(path)).text
    assert "放水五分钟再用。" not in (await office.get("/articles/a1")).text
    office.clock.move(3601)
    assert "放水五分钟再用。" not in (await office.get("/")).text


async def test_what_was_never_published_answers_like_what_never_was(office: Office) -> None:
    await office.put("file", PIXEL_NAME, picture())
    pages = [
        await office.get(path) for path in ("/articles/draft", "/articles/01k9z", f"/media/{PIXEL_NAME}", "/columns/x")
    ]
    assert {said.status for said in pages} == {404}
    assert len({said.text for said in pages}) == 1
    assert (await office.get("/public/v1/articles/draft")).status == 404


async def test_a_file_is_served_as_what_it_is_and_can_run_nothing(office: Office) -> None:
    await office.put("file", PIXEL_NAME, picture() | {"name": '点"\r\nSet-Cookie: a=b.png'})
    await office.put("article", "a1", article(blocks=[{"kind": "img", "media": PIXEL_NAME}]))
    said = await office.get(f"/media/{PIXEL_NAME}")
    assert said.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in said.headers
    assert said.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''")
    again = await office.get(f"/media/{PIXEL_NAME}", **{"If-None-Match": said.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")
    for path in ("/media/" + "0" * 64, f"/media/{PIXEL_NAME}.png", f"/media/{PIXEL_NAME.upper()}"):
        assert (await office.get(path)).status in (400, 404)


# --- for machines


async def test_the_feed_is_rss_with_guids_that_stay_and_holds_signs_that_xml_knows(office: Office) -> None:
    await filled(office, 3)
    await office.put("article", "odd", article("带\u0007控制符 & <尖括号>"))
    said = await office.get("/feed.xml")
    assert said.headers["Content-Type"].startswith("application/rss+xml")
    root = ElementTree.fromstring(said.content)  # noqa: S314 - our own
    items = root.findall("channel/item")
    assert [each.findtext("guid") for each in items] == ["odd", "a3", "a2", "a1"]
    assert all(each.find("guid").get("isPermaLink") == "false" for each in items)  # type: ignore[union-attr]
    assert items[0].findtext("title") == "带控制符 & <尖括号>"
    assert items[-1].findtext("pubDate") == "Tue, 24 Nov 2026 04:00:00 GMT"
    assert items[-1].findtext("category") == "要闻动态"


async def test_the_sitemap_names_every_public_page_and_no_other(office: Office) -> None:
    await filled(office, 3)
    root = ElementTree.fromstring((await office.get("/sitemap.xml")).content)  # noqa: S314 - our own
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = [each.findtext(f"{space}loc") or "" for each in root]
    assert all(each.startswith("https://www.yunchuan.example/") for each in found)
    assert {each.rsplit("/", 1)[1] for each in found if "/articles/" in each} == {"a1", "a2", "a3"}
    for each in found:
        assert (await office.get(each.removeprefix("https://www.yunchuan.example"))).status == 200
    robots = (await office.get("/robots.txt")).text
    assert "Sitemap: https://www.yunchuan.example/sitemap.xml" in robots


async def test_the_public_interface_gives_an_article_with_its_blocks_and_corrections(office: Office) -> None:
    await office.put("article", "a1", article())
    await office.put("article", "a1", article(), 2, correction={"note": "改了来源"})
    found = (await office.get("/public/v1/articles/a1")).json
    assert found["blocks"] == [paragraph("十一月十五日起供暖。")]
    assert [each["note"] for each in found["corrections"]] == ["改了来源"]
    assert found["published_at"] == "2026-11-24T04:00:00.000Z"


async def test_a_probe_may_ask_with_head_and_gets_no_body(office: Office) -> None:
    await filled(office)
    for path in ("/", "/articles/a1", "/health", "/sitemap.xml"):
        said = await office.request("HEAD", path)
        assert (said.status, said.content) == (200, b"")


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_readiness_is_for_this_machine_alone(office: Office, name: str) -> None:
    assert (await office.get("/ready")).status == 503
    assert (await office.get("/ready", **{name: "127.0.0.1"})).status == 404


# --- the reader's look


async def test_the_look_is_kept_without_script_and_leads_back_to_the_page(office: Office) -> None:
    said = await office.post("/look", {"next": "/articles?after=x", "theme": "dark"})
    assert (said.status, said.headers["Location"]) == (303, "/articles?after=x")
    assert "look-theme=dark" in said.headers["Set-Cookie"]
    page = await office.get("/", Cookie="look-theme=dark; look-elder=on")
    assert 'data-theme="dark" data-elder' in page.text


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\r\nX: y"]
)
async def test_the_look_leads_to_no_other_website(office: Office, following: str) -> None:
    said = await office.post("/look", {"next": following, "theme": "light"})
    assert said.headers["Location"] == "/"
    assert "X" not in said.headers
