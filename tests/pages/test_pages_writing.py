"""The pages of writing and reviewing over loopback: who may open them, empty states, bad input kept, the whole way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from hub.pages import contents, editor, media, reviews
from tests.pages.desk_office import Office, running

READERS = ("editor", "reviewer1", "monitor", "handler")
KEEPERS = ("sysadmin", "secadmin", "auditor")
FORM = {
    "revision": "0",
    "title": "清源路一带供水发黄情况通报",
    "digest": "原因已查明，放水 5 至 10 分钟，水清后即可使用。",
    "kind": "news",
    "column": "yaowen",
    "meta.source": "市水务局",
    "meta.keywords": "供水、清源路",
    "text": "11 月 23 日傍晚起，清源路部分住户反映自来水发黄。\n\n## 您可以这样做\n\n- 打开龙头放水\n- 发黄的水不要喝",
}


@pytest.fixture
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    async with running(request.node.name) as office:
        yield office


async def written(office: Office, **changes: str) -> str:
    """A content written by the editor; its id."""
    answer = await office.post("editor", "/contents", {**FORM, **changes})
    assert answer.status_code == 303, answer.text
    return str(re.search(r"/contents/([0-9a-z]+)", answer.headers["location"])[1])  # type: ignore[index]


async def newest(office: Office, id: str) -> dict[str, Any]:
    content = await office.desk.store.get("contents", id)
    assert content is not None
    revision = await office.desk.store.get("revisions", f"{id}:{content['revision']}")
    assert revision is not None
    return {**revision, "state": content["state"], "package": content["hash"], "round": content.get("round", 0)}


async def submitted(office: Office, **changes: str) -> str:
    id = await written(office, **changes)
    answer = await office.post("editor", f"/contents/{id}/submit", {**FORM, **changes, "revision": "1"})
    assert answer.status_code == 303 and "submitted" in answer.headers["location"], answer.text
    return id


async def verdict(office: Office, login: str, id: str, level: int, word: str, remark: str = "") -> Any:
    given = {"hash": (await newest(office, id))["package"], "level": str(level), "verdict": word, "remark": remark}
    return await office.post(login, f"/reviews/{id}", given)


async def test_every_page_opens_for_those_who_may_read_and_is_closed_to_the_three_keepers(office: Office) -> None:
    id = await submitted(office)
    pages = [f"/contents/{id}", f"/contents/{id}/history", f"/contents/{id}/schedule", "/contents", "/reviews"]
    pages += [f"/reviews/{id}?tab={tab}" for tab in reviews.TABS]
    for path in pages:
        for login in READERS:
            answer = await office.get(login, path)
            assert answer.status_code == 200 and "<h1" in answer.text, (login, path, answer.text[:300])
        for login in KEEPERS:
            assert (await office.get(login, path)).status_code == 403, (login, path)


async def test_only_writers_get_the_empty_editor(office: Office) -> None:
    assert (await office.get("editor", "/contents/new")).status_code == 200
    for login in (*READERS[1:], *KEEPERS):
        assert (await office.get(login, "/contents/new")).status_code == 403


async def test_every_unsafe_route_here_refuses_a_form_without_its_token(office: Office) -> None:
    routes = [*contents.ROUTES, *editor.ROUTES, *media.ROUTES, *reviews.ROUTES]
    for route in (each for each in routes if each.unsafe):
        path = route.path.replace("<id:str>", "x").replace("<account:str>", "weibo-main")
        answer = await office.post("editor", path, {"csrf": "wrong"})
        assert answer.status_code == 403, route.path


async def test_empty_lists_say_what_will_stand_there(office: Office) -> None:
    assert "还没有稿件" in (await office.get("editor", "/contents")).text
    assert "没有这样的稿件" in (await office.get("editor", "/contents?words=供暖")).text
    assert "没有在审的稿件" in (await office.get("reviewer1", "/reviews")).text


async def test_the_plain_form_becomes_blocks_and_comes_back_as_it_was_typed(office: Office) -> None:
    id = await written(office)
    found = await newest(office, id)
    assert [block["kind"] for block in found["blocks"]] == ["p", "h2", "ul"]
    assert found["meta"] == {"source": "市水务局", "keywords": ["供水", "清源路"]}
    page = (await office.get("editor", f"/contents/{id}")).text
    area = unescape(re.search(r'name="text"[^>]*>(.*?)</textarea>', page, re.S)[1])  # type: ignore[index]
    assert area == FORM["text"]


async def test_two_clicks_on_the_first_save_make_one_content(office: Office) -> None:
    first, second = await written(office, key="k1"), await written(office, key="k1")
    assert first == second


async def test_what_cannot_be_saved_stays_in_the_form_with_the_reason_above_it(office: Office) -> None:
    answer = await office.post("editor", "/contents", {**FORM, "title": "", "text": "一段没有标题的话"})
    assert answer.status_code == 422
    assert "请写标题" in answer.text and "一段没有标题的话" in answer.text and 'href="#f-title"' in answer.text


async def test_html_from_the_editor_is_folded_and_the_writer_hears_what_was_left_out(office: Office) -> None:
    id = await written(office)
    html = '<p>正<b>文</b><font color="red">红</font></p><script>x()</script>'
    given = {**FORM, "revision": "1", "rich": "1", "html": html}
    answer = await office.post("editor", f"/contents/{id}", given, headers={"Accept": "application/json"})
    body = answer.json()
    assert answer.status_code == 200 and body["revision"] == 2 and any("颜色" in each for each in body["dropped"])
    assert (await newest(office, id))["blocks"][0]["runs"][1] == {"text": "文", "marks": ["bold"]}


async def test_the_text_stands_escaped_in_the_editors_page(office: Office) -> None:
    id = await written(office, text='他说："><img src=x onerror=alert(1)>', title='<script>"x"</script>标题')
    page = (await office.get("editor", f"/contents/{id}")).text
    assert "<img src=x" not in page and '<script>"x"' not in page


async def test_a_stale_save_tells_and_keeps_both_versions_within_reach(office: Office) -> None:
    id = await written(office)
    await office.post("editor", f"/contents/{id}", {**FORM, "revision": "1", "text": "先存的"})
    late = {**FORM, "revision": "1", "text": "后存的文字还在"}
    answer = await office.post("editor", f"/contents/{id}", late)
    assert answer.status_code == 409 and "后存的文字还在" in answer.text and f"/contents/{id}/history" in answer.text
    silent = await office.post("editor", f"/contents/{id}", late, headers={"Accept": "application/json"})
    assert silent.status_code == 412
    over = await office.post("editor", f"/contents/{id}", {**late, "revision": "2"})
    assert over.status_code == 303 and (await newest(office, id))["number"] == 3


async def test_a_proposal_is_taken_in_its_place_and_the_finding_is_gone(office: Office) -> None:
    id = await written(office, text="预计 2026 年 11 月 26 日（星期三）完成。")
    page = (await office.get("editor", f"/contents/{id}")).text
    key = re.search(r'name="take" value="([0-9a-f]+)"', page)[1]  # type: ignore[index]
    assert "先改正 1 处" in page
    given = {**FORM, "revision": "1", "text": "预计 2026 年 11 月 26 日（星期三）完成。", "take": key}
    await office.post("editor", f"/contents/{id}/take", given)
    text = (await newest(office, id))["blocks"][0]["runs"][0]["text"]
    assert text == "预计 2026 年 11 月 26 日（星期四）完成。"
    assert "先改正" not in (await office.get("editor", f"/contents/{id}")).text


async def test_a_content_that_lacks_its_source_is_not_submitted_and_the_page_says_which(office: Office) -> None:
    id = await written(office, **{"meta.source": ""})
    page = (await office.get("editor", f"/contents/{id}")).text
    assert "还有 1 项没写" in page and "要写明来源" in page
    answer = await office.post("editor", f"/contents/{id}/submit", {**FORM, "meta.source": "", "revision": "1"})
    assert answer.status_code == 422 and (await newest(office, id))["state"] == "draft"


async def test_a_reason_is_asked_for_and_kept_for_the_reviewers(office: Office) -> None:
    words = {"text": "有疑问请联系王站长 13800001234。"}
    id = await written(office, **words)
    page = (await office.get("editor", f"/contents/{id}")).text
    keys = re.findall(r'name="reason\.([0-9a-f]+)"', page)
    assert keys
    given = {**FORM, **words, "revision": "1"}
    refused = await office.post("editor", f"/contents/{id}/submit", given)
    assert refused.status_code == 422 and "已保存，没有送审" in refused.text and "没有保存" not in refused.text
    assert '<details class="reason" open>' in refused.text
    reasons = {f"reason.{key}": "本人同意公开" for key in keys}
    assert (await office.post("editor", f"/contents/{id}/submit", {**given, **reasons})).status_code == 303
    assert "本人同意公开" in (await office.get("reviewer1", f"/reviews/{id}?tab=findings")).text


async def test_the_weibo_text_is_written_by_hand_and_given_back_to_the_machine(office: Office) -> None:
    id = await written(office)
    here = f"/contents/{id}/variants/weibo-main"
    assert (await office.post("editor", here, {"text": "清源路来水发黄，请先放水。"})).status_code == 303
    page = (await office.get("editor", f"/contents/{id}")).text
    assert "清源路来水发黄，请先放水。" in page and "手工改写" in page and "恢复自动" in page
    empty = await office.post("editor", here, {"text": " "})
    assert empty.status_code == 422 and "恢复自动" in empty.text
    await office.post("editor", f"{here}/clear")
    assert "清源路来水发黄，请先放水。" not in (await office.get("editor", f"/contents/{id}")).text


async def test_the_preview_shows_the_channels_own_text_and_count(office: Office) -> None:
    id = await written(office, digest="字" * 200)
    page = (await office.get("editor", f"/contents/{id}")).text
    assert 'data-state="over"' in page or "140" in page
    content = await office.desk.store.get("contents", id)
    assert content is not None and "送出前还要确认" in page and page.count("还没有排时间") == 2


async def test_times_are_set_before_the_approval_and_bad_times_are_answered_at_the_field(office: Office) -> None:
    id = await written(office)
    here = f"/contents/{id}/schedule"
    none = await office.post("editor", here, {"at": "", "late": "ask"})
    assert none.status_code == 422 and "至少选一个账号" in none.text and "请选日期和时间" in none.text
    past = await office.post("editor", here, {"accounts": "site-main", "at": "2020-01-01T09:00", "late": "ask"})
    assert past.status_code == 422 and "已经过去" in past.text and 'value="2020-01-01T09:00"' in past.text
    both = {"accounts": ["site-main", "weibo-main"], "at": "2020-01-01T09:00", "late": "ask"}
    assert (await office.post("editor", here, both)).text.count("已经过去") == 2  # in the summary, and at the time
    good = {"accounts": "site-main", "at": "2026-11-25T09:00", "late": "hold"}
    assert (await office.post("editor", here, good)).status_code == 303
    row = (await office.desk.store.find("publications", {"content": id}, limit=5))[0]
    assert row["at"].isoformat() == "2026-11-25T01:00:00+00:00" and row["late"] == "hold"
    assert "拟发" in (await office.get("editor", "/contents")).text


async def test_history_shows_the_difference_and_brings_an_old_version_back(office: Office) -> None:
    id = await written(office, text="原来的句子。")
    await office.post("editor", f"/contents/{id}", {**FORM, "revision": "1", "text": "改过的句子。"})
    page = (await office.get("editor", f"/contents/{id}/history?number=1")).text
    assert re.search(r"<del>[^<]*原来", page) and re.search(r"<ins>[^<]*改过", page)
    await office.post("editor", f"/contents/{id}/restore", {"number": "1", "revision": "2"})
    found = await newest(office, id)
    assert found["number"] == 3 and found["blocks"][0]["runs"][0]["text"] == "原来的句子。"


async def test_two_levels_pass_by_two_people_and_the_writer_by_nobody(office: Office) -> None:
    id = await submitted(office)
    own = await office.get("editor", f"/reviews/{id}")
    assert 'name="verdict"' not in own.text and "只能看" in own.text
    assert (await verdict(office, "reviewer1", id, 1, "pass")).status_code == 303
    assert "轮到您" in (await office.get("reviewer2", f"/reviews/{id}")).text
    assert "轮到您" not in (await office.get("reviewer1", f"/reviews/{id}")).text
    assert "待审：《" in (await office.get("reviewer2", "/")).text
    assert "待审：《" not in (await office.get("reviewer1", "/")).text
    assert 'name="verdict"' not in (await office.get("reviewer1", f"/reviews/{id}")).text
    answer = await verdict(office, "reviewer2", id, 2, "pass", "数据已核")
    assert answer.headers["location"].endswith("done=approved")
    assert (await newest(office, id))["state"] == "approved"
    assert "数据已核" in (await office.get("editor", f"/reviews/{id}?tab=talk")).text


async def test_a_return_needs_its_reason_and_the_next_look_shows_what_changed_since(office: Office) -> None:
    id = await submitted(office)
    bare = await verdict(office, "reviewer1", id, 1, "return")
    assert bare.status_code == 422 and "退回请写明" in bare.text
    assert (await verdict(office, "reviewer1", id, 1, "return", "请写明几处送水")).status_code == 303
    assert "退回：请写明几处送水" in (await office.get("editor", f"/contents/{id}")).text
    changed = {**FORM, "revision": "1", "text": FORM["text"] + "\n\n设 6 处送水点。"}
    assert (await office.post("editor", f"/contents/{id}/submit", changed)).status_code == 303
    assert "退回：" not in (await office.get("editor", f"/contents/{id}")).text
    page = (await office.get("reviewer1", f"/reviews/{id}")).text
    assert "退回的第 1 版" in page and "<ins>设 6 处送水点。</ins>" in page and "请写明几处送水" in page


async def test_a_verdict_on_a_text_that_changed_meanwhile_is_not_taken(office: Office) -> None:
    id = await submitted(office)
    seen = (await newest(office, id))["package"]
    await office.post("editor", f"/contents/{id}", {**FORM, "revision": "1", "text": "偷偷改了。"})
    given = {"hash": seen, "level": "1", "verdict": "pass", "remark": "我写的意见"}
    answer = await office.post("reviewer1", f"/reviews/{id}", given)
    assert answer.status_code == 409 and "又改过" in answer.text
    assert (await newest(office, id))["state"] == "draft"


async def test_a_picture_needs_its_words_and_is_shown_to_the_desk_alone(office: Office) -> None:
    id = await written(office)
    out = BytesIO()
    Image.new("RGB", (40, 30), (120, 150, 190)).save(out, "PNG")
    sent = {"file": ("a.png", out.getvalue(), "image/png")}
    silent = await office.post("editor", f"/contents/{id}/files", {"revision": "1"}, files=sent)
    assert silent.status_code == 422 and "替代文字" in silent.text
    good = await office.post("editor", f"/contents/{id}/files", {"revision": "1", "alt": "取水样"}, files=sent)
    assert good.status_code == 303
    block = (await newest(office, id))["blocks"][-1]
    assert block["kind"] == "img" and block["alt"] == "取水样"
    answer = await office.get("reviewer1", f"/media/{block['media']}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert (await office.get("auditor", f"/media/{block['media']}")).status_code == 403
    assert (await office.get("editor", "/media/" + "0" * 64)).status_code == 404
    drawing = {"file": ("a.svg", b"<svg/>", "image/svg+xml")}
    token = {"X-CSRF-Token": await office.token("editor"), "Accept": "application/json"}
    refused = await office.post("editor", "/media", files=drawing, headers=token)
    assert refused.status_code == 422 and "SVG" in refused.json()["detail"]


async def test_the_list_filters_and_pages(office: Office) -> None:
    for number in range(53):
        await written(office, title=f"稿件{number:02}号", key=f"k{number}")
        office.clock.move(timedelta(seconds=1).total_seconds())
    page = (await office.get("editor", "/contents")).text
    assert "稿件52号" in page and "稿件00号" not in page
    more = unescape(re.search(r'href="(/contents\?cursor=[^"]+)"', page)[1])  # type: ignore[index]
    assert "稿件00号" in (await office.get("editor", more)).text
    found = (await office.get("editor", "/contents?words=07")).text
    assert "稿件07号" in found and "稿件08号" not in found
    assert "没有这样的稿件" in (await office.get("editor", "/contents?state=approved")).text


async def test_a_large_upload_is_taken_and_one_that_announces_too_much_is_refused_unread(office: Office) -> None:
    token = {"X-CSRF-Token": await office.token("editor"), "Accept": "application/json"}
    large = BytesIO()
    Image.effect_noise((3000, 2200), 90).convert("RGB").save(large, "PNG")
    assert len(large.getvalue()) > 12_000_000
    sent = {"file": ("a.png", large.getvalue(), "image/png")}
    assert (await office.post("editor", "/media", files=sent, headers=token)).status_code == 201
    lines = (
        "POST /media HTTP/1.1",
        "Host: {}",
        "Origin: {}",
        "Cookie: {}",
        "X-CSRF-Token: {}",
        "Content-Length: 90000000",
    )
    head = "\r\n".join([*lines, "", ""])
    host = office.base.removeprefix("http://")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(head.format(host, office.base, await office.cookie("editor"), token["X-CSRF-Token"]).encode())
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
