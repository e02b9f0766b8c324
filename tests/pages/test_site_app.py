"""The app's pages and interface over HTTP: cards, notices, services, 我要说, devices, manifest, worker; no browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.rendering import STATIC
from hub.site.app_api import PLATFORMS, read_device
from hub.site.bodies import check_body
from tests.pages.app_office import card, fill, service
from tests.pages.site_office import HUB, PIXEL, PIXEL_NAME, Office, article, column, fresh_store, opened_site, picture

TABS = ("/app/", "/app/services", "/app/say", "/app/mine")
LETTER = {"title": "松苑街路灯不亮", "text": "坏了三天，晚上看不见路。", "place": "松苑街口", "district": "临江区",
          "author": "李女士", "contact": "13900001111", "agreed": "on"}  # fmt: skip


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with opened_site() as found:
        yield found


def removal(kind: str, id: str, note: str) -> str:
    return f"/items/{kind}/{id}?version=1&note={quote(note)}&key=d"


async def opened(office: Office) -> list[dict[str, Any]]:
    """What the hub finds in the inbox, opened."""
    rows = (await office.ask("GET", "/inbox")).json["rows"]
    return [
        {"kind": row["kind"], **json.loads(HUB.open_box(row["sealed"], table="inbox", id=row["id"], field="sealed"))}
        for row in rows
    ]


# ---- cards


async def test_a_card_stands_on_the_app_with_where_to_read_on(office: Office) -> None:
    done = await office.put("card", "c1", card())
    assert (done.status, done.json["url"]) == (201, "https://www.yunchuan.example/app/cards/c1")
    home = (await office.get("/app/")).text
    assert "城区公交线路 12 月 1 日起调整" in home
    assert "/app/cards/c1" in home
    page = (await office.get("/app/cards/c1")).text
    assert "改走新建成的云溪大桥" in page
    assert 'href="https://www.yunchuan.example/articles/a1"' in page
    assert (await office.get("/app/cards/nothing")).status == 404


async def test_a_card_keeps_the_rules_of_versions_and_keys(office: Office) -> None:
    assert (await office.ask("PUT", "/items/card/c1", {"version": 1, "body": card()})).status == 400
    assert (await office.put("card", "c1", card(), 2)).status == 201
    assert (await office.put("card", "c1", card(), 2)).status == 200
    assert (await office.put("card", "c1", card("另一条"), 2, "k")).json["code"] == "other_body"
    assert (await office.put("card", "c1", card(), 1, "k")).json["code"] == "older_version"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": ""}, "body.title"),
        ({"title": "长" * 61}, "body.title"),
        ({"digest": "长" * 201}, "body.digest"),
        ({"kind": "gossip"}, "body.kind"),
        ({"link": ""}, "body.link"),
        ({"link": "javascript:alert(1)"}, "body.link"),
        ({"link": "//evil.example/x"}, "body.link"),
        ({"link": "/\\evil.example"}, "body.link"),
        ({"link": "https:///x"}, "body.link"),
        ({"article": "a/../b"}, "body.article"),
        ({"districts": "临江区"}, "body.districts"),
        ({"pictures": [{"sha256": "x"}]}, "body.pictures"),
    ],
)
async def test_a_card_that_cannot_be_shown_is_refused_by_its_field(
    office: Office, more: dict[str, Any], field: str
) -> None:
    refused = await office.put("card", "c1", card(**more))
    assert refused.status == 422
    assert [each["field"] for each in refused.json["errors"]] == [field]


@given(body=st.dictionaries(st.sampled_from(sorted(card())), st.one_of(st.none(), st.text(), st.integers(), st.lists(
    st.one_of(st.text(), st.none(), st.dictionaries(st.sampled_from(["sha256", "alt"]), st.text()))))))  # fmt: skip
def test_no_body_of_a_card_or_service_breaks_the_reader(body: dict[str, Any]) -> None:
    for kind in ("card", "service"):
        try:
            check_body(kind, "x", {**(card() if kind == "card" else service("x")), **body})
        except Invalid as error:
            assert error.errors


async def test_a_card_of_an_article_is_read_whole_inside_the_app(office: Office) -> None:
    await fill(office)
    page = (await office.get("/app/cards/c5")).text
    assert "正在冲洗管道" in page
    assert f"/media/{PIXEL_NAME}" in page
    await office.put("article", "a1", article("清源路通报", "已恢复。"), 2, correction={"note": "更正了时间"})
    page = (await office.get("/app/cards/c5")).text
    assert "已恢复" in page and "更正了时间" in page


async def test_what_is_withdrawn_is_a_notice_on_the_app_too(office: Office) -> None:
    await fill(office)
    await office.ask("DELETE", removal("card", "c5", "数字有误"))
    gone = await office.get("/app/cards/c5")
    assert (gone.status, gone.headers["Cache-Control"]) == (410, "no-store")
    assert "数字有误" in gone.text
    assert "/app/cards/c5" not in (await office.get("/app/")).text
    assert (await office.get("/public/v1/cards")).json["cards"][0]["id"] == "c4"


async def test_a_withdrawn_article_is_not_read_through_its_card(office: Office) -> None:
    await fill(office)
    await office.ask("DELETE", removal("article", "a1", "另行发布"))
    page = await office.get("/app/cards/c4")
    assert page.status == 410
    assert "另行发布" in page.text
    assert "冲洗管道" not in page.text


async def test_a_picture_is_served_once_a_card_names_it(office: Office) -> None:
    await office.put("file", PIXEL_NAME, picture())
    assert (await office.get(f"/media/{PIXEL_NAME}")).status == 404
    await office.put("card", "c1", card(pictures=[{"sha256": PIXEL_NAME, "alt": "桥"}]))
    assert (await office.get(f"/media/{PIXEL_NAME}")).content == PIXEL
    assert 'alt="桥"' in (await office.get("/app/")).text


async def test_cards_are_listed_page_by_page_for_people_and_programs(office: Office) -> None:
    for number in range(45):
        office.clock.move(1)
        await office.put("card", f"c{number:02}", card(f"第 {number} 条", column="yw" if number % 2 else "tz"))
    seen, path = [], "/app/cards"
    while path:
        page = (await office.get(path)).text
        seen += [number for number in range(45) if f">第 {number} 条<" in page]
        path = page.partition('href="/app/cards?after=')[2].partition('"')[0]
        path = f"/app/cards?after={path}" if path else ""
    assert sorted(seen) == list(range(45))
    rows, cursor = [], ""
    while True:
        found = (await office.get(f"/public/v1/cards?limit=20&cursor={cursor}")).json
        rows += [row["id"] for row in found["cards"]]
        cursor = found["cursor"]
        if not found["more"]:
            break
    assert rows == [f"c{number:02}" for number in reversed(range(45))]
    assert len((await office.get("/public/v1/cards?column=tz&limit=200")).json["cards"]) == 23
    assert (await office.get("/public/v1/cards?cursor=%F0")).status == 422


async def test_articles_and_cards_do_not_stand_in_each_others_lists(office: Office) -> None:
    await fill(office)
    assert [row["id"] for row in (await office.get("/public/v1/articles")).json["articles"]] == ["a1"]
    assert "取暖补贴" not in (await office.get("/feed.xml")).text
    assert (await office.get("/public/v1/search?q=取暖补贴")).json["articles"] == []


# ---- notices of districts


async def test_a_notice_is_for_the_districts_it_names_or_speaks_of(office: Office) -> None:
    await fill(office)
    rows = {row["id"]: row["districts"] for row in (await office.get("/public/v1/cards")).json["cards"]}
    assert (rows["c4"], rows["c3"], rows["c0"]) == (["临江区"], ["北岭区"], [])
    everybody = (await office.get("/app/")).text
    assert "临江区：" in everybody
    assert "北岭区：北岭区" not in everybody
    page = (await office.get("/app/?district=临江区")).text
    mine = page.partition('aria-label="各区县')[2].partition("</section>")[0]
    assert "您在的临江区：" in mine
    assert "北岭区" not in mine
    odd = (await office.get("/app/?district=%3Cb%3E")).text
    assert "<b>&lt;" not in odd and "临江区：" in odd


async def test_a_notice_for_everybody_stands_among_the_news_and_the_messages_without_colour(office: Office) -> None:
    await office.put("card", "c1", card("全市今冬供暖安排", kind="notice"))
    home = (await office.get("/app/")).text
    assert 'aria-label="各区县' not in home
    assert "全市今冬供暖安排" in home
    assert "全市今冬供暖安排" in (await office.get("/app/mine")).text.partition('id="messages"')[2]


async def test_a_notice_of_some_days_ago_stands_no_longer_above_the_news(office: Office) -> None:
    await fill(office)
    office.clock.move(timedelta(days=4))
    home = (await office.get("/app/")).text
    assert 'aria-label="各区县' not in home
    assert "自来水发黄" in home
    assert "最近三天没有消息" in (await office.get("/app/mine")).text


async def test_the_whole_citys_notice_stands_first(office: Office) -> None:
    await office.put("column", "yw", column())
    await office.put("article", "a1", article(notice={"text": "今晚台风，请勿外出。"}))
    assert "今晚台风，请勿外出" in (await office.get("/app/")).text


# ---- services


async def test_services_are_listed_in_the_offices_order_and_missed_honestly(office: Office) -> None:
    assert "还没有可以在这里办的服务" in (await office.get("/app/services")).text
    assert (await office.get("/public/v1/services")).json == {"services": []}
    await office.put("service", "s1", service("出行", "bus", order=2))
    await office.put("service", "s2", service("办社保卡", "card", order=1))
    await office.put("service", "s3", service("旧的", order=0))
    await office.ask("DELETE", removal("service", "s3", "停办"))
    assert [row["name"] for row in (await office.get("/public/v1/services")).json["services"]] == ["办社保卡", "出行"]
    page = (await office.get("/app/services")).text
    assert page.index("办社保卡") < page.index("出行")
    assert "旧的" not in page


@pytest.mark.parametrize("more", [{"name": ""}, {"link": "data:x"}, {"icon": "../x"}, {"order": -1}, {"phone": 7}])
async def test_a_service_that_cannot_be_shown_is_refused(office: Office, more: dict[str, Any]) -> None:
    assert (await office.put("service", "s1", {**service("出行"), **more})).status == 422


# ---- 我要说


async def test_what_is_said_in_the_app_reaches_the_letter_box_sealed(office: Office) -> None:
    page = await office.post("/app/say", {**LETTER, "key": "k" * 26})
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    assert "已送达" in page.text
    assert 'data-title="松苑街路灯不亮"' in page.text
    assert "13900001111" not in page.text
    again = await office.post("/app/say", {**LETTER, "key": "k" * 26})
    assert again.status == 200
    [row] = await opened(office)
    assert row["kind"] == "demand"
    assert {name: row[name] for name in ("title", "place", "contact")} == {
        name: LETTER[name] for name in ("title", "place", "contact")
    }


async def test_nothing_that_was_written_is_lost_when_something_is_missing_or_too_much(office: Office) -> None:
    page = await office.post("/app/say", {**LETTER, "place": ""})
    assert page.status == 422
    assert "坏了三天，晚上看不见路。" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    for _ in range(10):
        await office.post("/app/say", LETTER)
    late = await office.post("/app/say", LETTER)
    assert late.status == 429
    assert "坏了三天" in late.text
    assert int(late.headers["Retry-After"]) > 0


async def test_a_form_from_elsewhere_is_not_taken(office: Office) -> None:
    page = await office.post("/app/say", LETTER, Origin="https://evil.example")
    assert page.status == 403
    assert await opened(office) == []


# ---- devices


async def test_a_phone_is_registered_sealed_and_the_site_cannot_read_it() -> None:
    store = fresh_store()
    async with opened_site(store) as office:
        device = {"registration_id": "1a0018970a8d5f3b0c2", "platform": "android", "districts": ["临江区", "临江区"]}
        done = await office.request("POST", "/public/v1/devices", json=device)
        assert (done.status, done.json) == (202, {"status": "taken"})
        assert await opened(office) == [{"kind": "device", **device, "districts": ["临江区"]}]
        [row] = await store.find("inbox", {}, limit=10)
        assert "1a0018970a8d5f3b0c2" not in json.dumps(row, default=str)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", []),
        (b"[]", []),
        (b"\xff", []),
        (b"[" * 3000, []),
        (b"{}", ["registration_id", "platform"]),
        (b'{"registration_id": "short", "platform": "android"}', ["registration_id"]),
        (b'{"registration_id": "12345678", "platform": "symbian"}', ["platform"]),
        (b'{"registration_id": "12345678", "platform": "ios", "districts": ["\\u4e1c\\u57ce"]}', ["districts"]),
        (b'{"registration_id": "12345678", "platform": "ios", "districts": [[]]}', ["districts"]),
    ],
)
async def test_a_phone_that_says_odd_things_is_refused_by_field(office: Office, body: bytes, fields: list[str]) -> None:
    done = await office.request("POST", "/public/v1/devices", data=body)
    assert done.status == 422
    assert [each["field"] for each in done.json["errors"]] == fields
    assert await opened(office) == []


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader_of_a_device(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_device(body, ("临江区",))


@given(st.sampled_from(PLATFORMS), st.text(st.sampled_from("abcXYZ019_-"), min_size=8, max_size=64))
def test_every_proper_device_is_read(platform: str, id: str) -> None:
    body = json.dumps({"registration_id": id, "platform": platform}).encode()
    assert read_device(body, ()) == {"registration_id": id, "platform": platform, "districts": []}


async def test_one_address_registers_so_often_and_no_more(office: Office) -> None:
    device = {"registration_id": "1a0018970a8d5f3b0c2", "platform": "ios"}
    for _ in range(20):
        assert (await office.request("POST", "/public/v1/devices", json=device)).status == 202
    late = await office.request("POST", "/public/v1/devices", json=device)
    assert late.status == 429
    assert int(late.headers["Retry-After"]) > 0
    big = await office.request("POST", "/public/v1/devices", data=b"x" * 5_000)
    assert big.status == 413


# ---- what a phone installs


async def test_the_manifest_says_all_that_a_phone_asks_for(office: Office) -> None:
    said = await office.get("/app/manifest.webmanifest")
    assert said.headers["Content-Type"] == "application/manifest+json"
    found = said.json
    assert (found["start_url"], found["scope"], found["display"]) == ("/app/", "/app/", "standalone")
    assert (found["short_name"], found["lang"]) == ("云川通", "zh-CN")
    assert {icon["sizes"] for icon in found["icons"]} == {"any", "192x192", "512x512"}
    assert "maskable" in {icon["purpose"] for icon in found["icons"]}
    for icon in found["icons"]:
        answer = await office.get(icon["src"])
        assert (answer.status, answer.headers["Content-Type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width = int.from_bytes(answer.content[16:20], "big")
            assert icon["sizes"] == f"{width}x{width}"


async def test_the_worker_stands_under_the_app_and_keeps_only_files_that_are_there(office: Office) -> None:
    worker = await office.get("/app/worker.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert worker.headers["Cache-Control"] == "no-cache"
    shell = (await office.get("/app/shell.json")).json
    for address in (*shell["files"], *shell["pages"]):
        answer = await office.get(address)
        assert answer.status == 200
        assert "no-store" not in answer.headers["Cache-Control"]
    assert f'data-version="{shell["version"]}"' in (await office.get("/app/")).text
    drawn = {part.partition('"')[0] for part in (await office.get("/app/say")).text.split('/static/')[1:]}
    assert {f"/static/{name}".partition("#")[0] for name in drawn} <= set(shell["files"])


async def test_the_app_is_found_without_its_last_slash_and_its_pages_carry_the_offices_name(office: Office) -> None:
    bare = await office.get("/app")
    assert (bare.status, bare.headers["Location"]) == (308, "/app/")
    for path in TABS:
        page = await office.get(path)
        assert page.status == 200
        assert page.text.count('aria-current="page"') == 1
        assert '<meta name="SiteName" content="云川市人民政府">' in page.text
        assert "演练页面" in page.text


async def test_pages_are_the_same_for_everybody_and_kept_so(office: Office) -> None:
    """Nothing of one person may reach a page that phones and proxies keep."""
    await fill(office)
    for path in ("/app/", "/app/cards", "/app/services", "/app/mine", "/app/cards/c5"):
        first = await office.get(path)
        second = await office.get(path, Cookie="hub=x; app-district=临江区".encode().decode("latin-1"))
        assert first.text == second.text
        assert first.headers["Cache-Control"].startswith("public")


def test_the_icons_are_files_of_ours() -> None:
    for name in ("app-192.png", "app-512.png", "app-maskable-512.png"):
        assert (STATIC / "icons" / name).read_bytes().startswith(b"\x89PNG")
