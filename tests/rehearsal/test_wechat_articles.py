"""演练微信's articles: pictures and covers, drafts and their limits, jobs with their verdicts, deletion."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.exchange import Answer, Request
from channels.performance import InProcess, Performance
from channels.wechat.rehearsal import WechatPlatform
from tests.rehearsal.wechat_client import HOST, JPG, PNG, Client

GIF = b"GIF89a" + bytes(100)
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(100)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PNG, 0), (JPG, 0), (GIF, 40005), (b"<svg/>", 40005), (PNG + bytes((1 << 20) - len(PNG) - 1), 0),
        (PNG + bytes((1 << 20) - len(PNG)), 40009), (b"", 44001),
    ],
)  # fmt: skip
def test_a_picture_for_an_article_is_judged_by_its_bytes(content: bytes, code: int) -> None:
    told = Client().upload("media/uploadimg", content)
    assert told["errcode"] == code
    assert ("url" in told) is not code


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("image", GIF, 0), ("image", b"BM" + bytes(9), 0), ("image", MP4, 40005), ("thumb", JPG, 0),
        ("thumb", PNG, 40005), ("thumb", JPG + bytes(64 << 10), 45001), ("image", PNG + bytes(10 << 20), 45001),
        ("voice", b"#!AMR\n", 0), ("voice", b"#!AMR\n" + bytes(2 << 20), 45001), ("video", MP4, 47001),
        ("poster", PNG, 40004), ("", PNG, 40004),
    ],
)  # fmt: skip
def test_material_keeps_the_types_and_sizes_of_its_kind(kind: str, content: bytes, code: int) -> None:
    client = Client()
    told = client.upload("material/add_material", content, type=kind)
    assert told.get("errcode", 0) == code
    assert ("media_id" in told) is not code
    assert ("url" in told) is (not code and kind in ("image", "thumb"))


def test_material_is_counted_listed_and_removed() -> None:
    client = Client()
    first, second = client.cover(), client.cover()
    assert client.get("material/get_materialcount")["image_count"] == 2
    listed = client.post("material/batchget_material", {"type": "image", "offset": 0, "count": 20})
    assert [row["media_id"] for row in listed["item"]] == [second, first]
    assert client.code("material/del_material", {"media_id": first}) == 0
    assert client.code("material/del_material", {"media_id": first}) == 40007


def test_temporary_material_is_no_cover_and_ends_after_three_days() -> None:
    client = Client()
    media_id = client.upload("media/upload", PNG, type="image")["media_id"]
    assert client.code("draft/add", {"articles": [client.article(thumb_media_id=media_id)]}) == 40007
    answer = client.stage.play(Request("GET", client.url("media/get", media_id=media_id))).answer
    assert isinstance(answer, Answer)
    assert (answer.headers["content-type"], answer.body) == ("image/png", PNG)
    client.wait(3 * 86400)
    client.token = client.stable()["access_token"]
    assert client.get("media/get", media_id=media_id)["errcode"] == 40007


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, 0), ({"title": "题" * 32}, 0), ({"title": "题" * 33}, 45003), ({"title": " "}, 44003),
        ({"author": "人" * 16}, 0), ({"author": "人" * 17}, 45110), ({"digest": "摘" * 128}, 0),
        ({"digest": "摘" * 129}, 45004), ({"content": ""}, 44004), ({"content": "字" * 19_999}, 0),
        ({"content": "字" * 20_000}, 45002), ({"content_source_url": "https://a.example/" + "x" * 1006}, 0),
        ({"content_source_url": "https://a.example/" + "x" * 1007}, 45005), ({"thumb_media_id": "x"}, 40007),
        ({"content": '<p><a href="https://www.yunchuan.example/1">原文</a></p>'}, 45166),
        ({"content": '<p><a href="https://mp.weixin.qq.com/s/x">原文</a></p>'}, 0), ({"title": 7}, 47001),
        ({"need_open_comment": "1"}, 0), ({"need_open_comment": True}, 47001), ({"article_type": "poem"}, 40035),
    ],
)  # fmt: skip
def test_an_article_keeps_the_documented_limits(more: dict[str, Any], code: int) -> None:
    client = Client()
    assert client.code("draft/add", {"articles": [client.article(**more)]}) == code
    assert client.get("draft/count")["total_count"] == (0 if code else 1)


def test_a_draft_holds_one_to_eight_articles_in_a_list() -> None:
    client = Client()
    one = client.article()
    for given, code in (([], 44003), ([one] * 8, 0), ([one] * 9, 45008), (one, 47001), (["x"], 47001)):
        assert client.code("draft/add", {"articles": given}) == code


def test_scripts_and_foreign_pictures_vanish_and_nobody_is_told() -> None:
    client = Client()
    own = client.picture()
    content = (
        f'<p onclick="x()" id="a" style="color:red">好<img src="{own}" alt="雪"/><img src="https://other.example/1.png">'
        '<script>alert("<p>")</script><a href="java\tscript:x">点</a>&lt;b&gt; &amp;</p>'
        '<section style="background:url(https://other.example/2.png)">尾</section><iframe src="x"><p>内</p></iframe>'
    )
    media_id = client.draft(client.article(content=content))
    kept = client.post("draft/get", {"media_id": media_id})["news_item"][0]["content"]
    assert kept == (
        f'<p style="color:red">好<img src="{own}" alt="雪"><a>点</a>&lt;b&gt; &amp;</p><section>尾</section>'
    )


def test_without_a_digest_the_body_begins_to_speak() -> None:
    client = Client()
    media_id = client.draft(client.article(content="<p>" + "一二三四五" * 20 + "</p>"))
    assert client.post("draft/get", {"media_id": media_id})["news_item"][0]["digest"] == ("一二三四五" * 20)[:54]


def test_a_picture_post_needs_pictures_of_the_library_and_no_cover() -> None:
    client = Client()
    images = [{"image_media_id": client.cover()} for _ in range(2)]
    post = {"article_type": "newspic", "title": "雪", "content": "云溪河上的雪<b>。</b>"}
    media_id = client.draft({**post, "image_info": {"image_list": images}})
    told = client.post("draft/get", {"media_id": media_id})["news_item"][0]
    assert told["content"] == "云溪河上的雪。"
    assert told["image_info"]["image_list"] == images
    for wrong, code in (
        ({}, 47001), ({"image_list": []}, 45008), ({"image_list": [{"image_media_id": "x"}]}, 40007),
        ({"image_list": images * 11}, 45008),
    ):  # fmt: skip
        assert client.code("draft/add", {"articles": [{**post, "image_info": wrong}]}) == code


def test_drafts_are_listed_newest_first_changed_by_place_from_zero_and_removed() -> None:
    client = Client()
    first, second = client.draft(), client.draft(client.article(title="甲"), client.article(title="乙"))
    listed = client.post("draft/batchget", {"offset": 0, "count": 20, "no_content": 1})
    assert [row["media_id"] for row in listed["item"]] == [second, first]
    assert (listed["total_count"], listed["item_count"]) == (2, 2)
    assert "content" not in listed["item"][0]["content"]["news_item"][0]
    changed = {"media_id": second, "index": 1, "articles": client.article(title="丙")}
    assert client.code("draft/update", changed) == 0
    titles = [row["title"] for row in client.post("draft/get", {"media_id": second})["news_item"]]
    assert titles == ["甲", "丙"]
    assert client.code("draft/update", {**changed, "index": 2}) == 40114
    assert client.code("draft/update", {**changed, "articles": [client.article()]}) == 47001
    assert client.code("draft/delete", {"media_id": first}) == 0
    assert client.code("draft/get", {"media_id": first}) == 40007
    for count in (0, 21):
        assert client.code("draft/batchget", {"offset": 0, "count": count}) == 40035


def test_publishing_takes_the_draft_and_a_second_time_is_refused() -> None:
    client = Client()
    media_id = client.draft()
    assert client.code("freepublish/submit", {"media_id": media_id}) == 0
    assert client.code("freepublish/submit", {"media_id": media_id}) == 40007
    assert client.get("draft/count") == {"total_count": 0}
    client.wait()
    assert client.code("freepublish/submit", {"media_id": media_id}) == 40007
    assert len(client.platform.posts(client.clock.now())) == 1


def test_accepted_is_not_published_until_the_verdict() -> None:
    client = Client()
    submitted = client.submit()
    assert submitted["publish_id"].isdecimal()
    assert client.job(submitted) == {"publish_id": submitted["publish_id"], "publish_status": 1, "fail_idx": []}
    assert client.platform.posts(client.clock.now()) == []
    client.wait()
    job = client.job(submitted)
    assert (job["publish_status"], job["fail_idx"], job["article_detail"]["count"]) == (0, [], 1)
    post = client.platform.posts(client.clock.now())[0]
    assert (post["id"], post["withdrawn"]) == (job["article_id"], False)
    assert post["url"] == job["article_detail"]["item"][0]["article_url"]
    assert post["url"].startswith(HOST + "/s/")


@pytest.mark.parametrize(
    ("status", "fail_idx", "public"),
    [(1, [], False), (2, [1], False), (3, [], False), (4, [1], False), (5, [], True), (6, [], True)],
)
@pytest.mark.parametrize("way", ["code", "order"])
def test_every_verdict_can_be_ordered(way: str, status: int, fail_idx: list[int], public: bool) -> None:
    client = Client()
    if way == "code":
        client.order("code", status, "/freepublish/submit")
    else:
        client.stage.order("verdict", {"status": status})
    submitted = client.submit()
    client.wait()
    job = client.job(submitted)
    assert job["publish_status"] == (0 if public else status)
    assert job["fail_idx"] == fail_idx
    client.wait(3600)
    assert client.job(submitted)["publish_status"] == status
    assert [post["withdrawn"] for post in client.platform.posts(client.clock.now())] == ([True] if public else [])
    later = client.submit()
    client.wait()
    assert client.job(later)["publish_status"] == 0


def test_a_draft_whose_publishing_failed_is_in_the_box_again() -> None:
    client = Client()
    media_id = client.draft()
    client.order("code", 4, "/freepublish/submit")
    assert client.code("freepublish/submit", {"media_id": media_id}) == 0
    assert client.get("draft/count")["total_count"] == 0
    client.wait()
    assert client.get("draft/count")["total_count"] == 1
    assert client.code("freepublish/submit", {"media_id": media_id}) == 0


def test_a_published_article_can_be_blocked_at_any_later_time() -> None:
    client = Client()
    article, _ = client.published()
    client.stage.order("verdict", {"post": article, "status": 6})
    assert [post["withdrawn"] for post in client.platform.posts(client.clock.now())] == [True]
    told = client.post("freepublish/getarticle", {"article_id": article})
    assert told["news_item"][0]["is_deleted"] is True
    for wrong in ({"status": 7}, {"status": 2, "post": "x"}):
        with pytest.raises(ValueError, match="应为"):
            client.stage.order("verdict", wrong)


def test_the_data_id_of_a_submission_can_be_left_out() -> None:
    assert "msg_data_id" in Client().submit()
    assert "msg_data_id" not in Client(returns_msg_data_id=False).submit()
    client = Client()
    client.stage.order("account", {"returns_msg_data_id": False})
    assert "msg_data_id" not in client.submit()


@pytest.mark.parametrize(("given", "gone"), [({}, [1, 1, 1]), ({"index": 0}, [1, 1, 1]), ({"index": 2}, [0, 1, 0])])
def test_deleting_counts_from_one_and_nothing_or_zero_deletes_all(given: dict[str, int], gone: list[int]) -> None:
    client = Client()
    submitted = client.submit(*(client.article(title=title) for title in "甲乙丙"))
    client.wait()
    article = client.job(submitted)["article_id"]
    assert client.code("freepublish/delete", {"article_id": article, "index": 4}) == 40114
    assert client.code("freepublish/delete", {"article_id": article, **given}) == 0
    assert [int(post["withdrawn"]) for post in client.platform.posts(client.clock.now())] == gone
    told = client.post("freepublish/getarticle", {"article_id": article})["news_item"]
    assert [int(row["is_deleted"]) for row in told] == gone
    assert client.job(submitted)["publish_status"] == (5 if all(gone) else 0)


def test_published_articles_are_listed_newest_first_and_unknown_ones_have_their_number() -> None:
    client = Client()
    ids = [client.published()[0] for _ in range(3)]
    listed = client.post("freepublish/batchget", {"offset": 1, "count": 2, "no_content": 1})
    assert [row["article_id"] for row in listed["item"]] == [ids[1], ids[0]]
    assert listed["total_count"] == 3
    assert client.code("freepublish/batchget", {"offset": 0, "count": 21}) == 40035
    for path in ("getarticle", "delete"):
        refusal = client.post(f"freepublish/{path}", {"article_id": "x"})
        assert (refusal["errcode"], refusal["errmsg"].startswith("Article ID 无效")) == (53600, True)


def test_an_articles_page_shows_it_with_its_pictures_and_asks_nobody_else() -> None:
    client = Client()
    url = client.picture()
    article, _ = client.published(client.article(title="雪<b>", content=f'<p>好<img src="{url}"></p>'))
    client.stage.speak({"post": article, "text": "<i>好看", "author": "老张"})
    address = client.platform.posts(client.clock.now())[0]["url"]
    shown = client.stage.play(Request("GET", address)).answer
    assert isinstance(shown, Answer)
    page = shown.body.decode()
    assert "演练" in page
    assert "雪&lt;b&gt;" in page
    assert "&lt;i&gt;好看" in page
    assert "http" not in page.replace("http-equiv", "")
    path = page.split('<img src="')[1].split('"')[0]
    picture = client.stage.play(Request("GET", HOST + path)).answer
    assert isinstance(picture, Answer)
    assert picture.body == PNG
    client.code("freepublish/delete", {"article_id": article})
    gone = client.stage.play(Request("GET", address)).answer
    assert isinstance(gone, Answer)
    assert "已被发布者删除" in gone.body.decode()
    nothing = client.stage.play(Request("GET", HOST + "/s/nothing")).answer
    assert isinstance(nothing, Answer)
    assert nothing.status == 404


def test_the_accounts_page_says_that_it_is_a_rehearsal_and_lists_what_is_public() -> None:
    client = Client()
    assert "还没有发布" in client.platform.page(client.clock.now())
    client.published(client.article(title="<script>"))
    page = client.platform.page(client.clock.now())
    assert "演练" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_the_same_facts_make_the_same_platform() -> None:
    client = Client()
    article, _ = client.published()
    client.stage.speak({"post": article, "text": "还不热"})
    client.call_back()
    client.stage.speak({"message": "停暖了"})
    client.stage.move_clock(600)
    again = Performance(WechatPlatform, client.clock.now, client.stage.ledger)
    now = again.moment()
    assert again.platform.posts(now) == client.platform.posts(now)
    assert again.platform.accounts() == client.platform.accounts()
    assert again.platform.page(now) == client.platform.page(now)
    assert [(push.url, push.body) for push in again.due()] == [(push.url, push.body) for push in client.stage.due()]
    client.stage.reset()
    assert client.stage.platform.posts(now) == []
    assert not client.stage.due()


@pytest.mark.parametrize(
    ("kind", "value", "done"),
    [
        ("drop_before", 0, False), ("status", 502, False), ("drop_after", 0, True), ("close", 0, True),
        ("garbage", 0, True), ("status_after", 504, True), ("delay", 60, True), ("drip", 0, True),
    ],
)  # fmt: skip
async def test_every_fault_strikes_a_submission_before_or_after_the_work(kind: str, value: int, done: bool) -> None:
    client = Client()
    media_id = client.draft()
    body = json.dumps({"media_id": media_id}).encode()
    client.order(kind, value, "/freepublish/submit")
    result = await InProcess({"127.0.0.1": client.stage}).send(
        Request("POST", client.url("freepublish/submit"), {}, body)
    )
    whole = isinstance(result, Answer) and result.status == 200 and result.body.endswith(b"}")
    assert not whole
    assert client.code("draft/get", {"media_id": media_id}) == (40007 if done else 0)
    client.wait()
    assert len(client.platform.posts(client.clock.now())) == (1 if done else 0)
