"""演练微信's citizens: comments under articles, messages with their windows, the menu they press."""

from __future__ import annotations

from typing import Any

import pytest

from channels.wechat.rehearsal_access import openid
from tests.rehearsal.wechat_client import PNG, Client

ZHANG = openid("rehearsal", "老张")


def listed(client: Client, data: int, **more: Any) -> Any:
    return client.post("comment/list", {"msg_data_id": data, "index": 0, "begin": 0, "count": 49, "type": 0, **more})


def test_comments_are_listed_by_page_newest_first_with_who_and_when() -> None:
    client = Client()
    article, data = client.published()
    ids = [client.stage.speak({"post": article, "text": f"第{n}句", "author": f"居民{n}"}) for n in range(5)]
    told = listed(client, data, begin=1, count=2)
    assert [str(row["user_comment_id"]) for row in told["comment"]] == [ids[3], ids[2]]
    assert (told["total"], told["comment"][0]["content"], told["comment"][0]["comment_type"]) == (5, "第3句", 0)
    assert told["comment"][0]["openid"] == openid("rehearsal", "居民3")
    assert told["comment"][0]["create_time"] == int(client.clock.now().timestamp())


def test_comment_numbers_begin_anew_with_every_article_and_places_begin_with_zero() -> None:
    client = Client()
    article, data = client.published(client.article(title="甲"), client.article(title="乙"))
    other, other_data = client.published()
    said = [
        client.stage.speak({"post": article, "text": "一"}),
        client.stage.speak({"post": article, "index": 1, "text": "二"}),
        client.stage.speak({"post": other, "text": "三"}),
    ]
    assert said == ["1", "1", "1"]
    assert [row["content"] for row in listed(client, data, index=1)["comment"]] == ["二"]
    assert [row["content"] for row in listed(client, other_data)["comment"]] == ["三"]
    assert listed(client, data, index=2)["errcode"] == 88001


@pytest.mark.parametrize(("count", "code"), [(0, 88010), (1, 0), (49, 0), (50, 88010), (-1, 88010)])
def test_fifty_comments_at_once_are_refused(count: int, code: int) -> None:
    client = Client()
    _, data = client.published()
    assert listed(client, data, count=count)["errcode"] == code


def test_an_article_that_is_unknown_unpublished_or_gone_has_no_comments() -> None:
    client = Client()
    early = int(client.submit()["msg_data_id"])
    refusal = listed(client, early)
    assert (refusal["errcode"], refusal["total"], refusal["comment"]) == (88001, 0, [])
    client.wait()
    assert listed(client, early)["errcode"] == 0
    assert listed(client, 7)["errcode"] == 88001
    assert client.post("comment/list", {"msg_data_id": str(early), "begin": 0, "count": 1})["errcode"] == 47001
    article, data = client.published()
    client.code("freepublish/delete", {"article_id": article})
    assert listed(client, data)["errcode"] == 88001


def test_a_comment_is_answered_once_and_the_answer_can_be_taken_back() -> None:
    client = Client()
    article, data = client.published()
    said = int(client.stage.speak({"post": article, "text": "还不热", "author": "老张"}))
    own = {"msg_data_id": data, "index": 0, "user_comment_id": said}
    for text, code in (("", 88007), (" ", 88007), ("长" * 601, 88007), ("今晚恢复", 0), ("再答", 88005)):
        assert client.code("comment/reply/add", {**own, "content": text}) == code
    reply = listed(client, data)["comment"][0]["reply"]
    assert reply == {"content": "今晚恢复", "create_time": int(client.clock.now().timestamp())}
    heard = client.platform.heard_by(ZHANG)
    assert [(row["text"], row["via"], row["author"]) for row in heard] == [("今晚恢复", "comment", "老张")]
    assert client.code("comment/reply/delete", own) == 0
    assert "reply" not in listed(client, data)["comment"][0]
    assert client.code("comment/reply/add", {**own, "user_comment_id": 9, "content": "答"}) == 88008


def test_comments_are_elected_filtered_and_deleted_by_either_side() -> None:
    client = Client(elected=1)
    article, data = client.published()
    ids = [int(client.stage.speak({"post": article, "text": f"第{n}句"})) for n in range(3)]
    places = [{"msg_data_id": data, "user_comment_id": id} for id in ids]
    assert client.code("comment/markelect", places[0]) == 0
    assert client.code("comment/markelect", places[1]) == 88003
    kinds = [[row["user_comment_id"] for row in listed(client, data, type=kind)["comment"]] for kind in (0, 1, 2)]
    assert kinds == [[3, 2, 1], [3, 2], [1]]
    assert client.code("comment/unmarkelect", places[0]) == 0
    assert client.code("comment/delete", places[0]) == 0
    assert client.code("comment/delete", places[0]) == 88008
    client.stage.speak({"post": article, "retract": ids[1]})
    assert client.code("comment/markelect", places[1]) == 88004
    assert [row["user_comment_id"] for row in listed(client, data)["comment"]] == [3]


def test_a_closed_article_takes_no_comments_until_it_is_opened() -> None:
    client = Client()
    article, data = client.published(client.article(need_open_comment=0))
    with pytest.raises(ValueError, match="没有开放留言"):
        client.stage.speak({"post": article, "text": "还不热"})
    assert client.code("comment/open", {"msg_data_id": data, "index": 0}) == 0
    assert client.stage.speak({"post": article, "text": "还不热"}) == "1"
    assert client.code("comment/close", {"msg_data_id": data}) == 0
    with pytest.raises(ValueError, match="没有开放留言"):
        client.stage.speak({"post": article, "text": "再问"})


def test_only_followers_comment_where_only_they_may() -> None:
    client = Client()
    article, _ = client.published(client.article(only_fans_can_comment=1))
    client.stage.speak({"event": "unsubscribe", "author": "老张"})
    with pytest.raises(ValueError, match="关注者"):
        client.stage.speak({"post": article, "text": "还不热", "author": "老张"})
    client.stage.speak({"event": "subscribe", "author": "老张"})
    assert client.stage.speak({"post": article, "text": "还不热", "author": "老张"}) == "1"


def test_without_the_comment_privilege_nothing_about_comments_works() -> None:
    client = Client()
    _, data = client.published()
    client.stage.order("account", {"comment_privilege": False})
    assert listed(client, data)["errcode"] == 88000
    assert client.code("draft/add", {"articles": [client.article()]}) == 88000
    assert client.code("draft/add", {"articles": [client.article(need_open_comment=0)]}) == 0


def test_a_comment_can_come_from_somebody_without_an_openid() -> None:
    client = Client()
    article, data = client.published()
    client.stage.speak({"post": article, "text": "还不热", "nameless": True})
    assert "openid" not in listed(client, data)["comment"][0]


@pytest.mark.parametrize(
    "said",
    [
        {"post": "7", "text": "a"}, {"post": "ARTICLE", "text": " "}, {"post": "ARTICLE", "index": 3, "text": "a"},
        {"message": ""}, {}, {"message": "x", "type": "dance"}, {"event": "DANCE"}, {"event": "CLICK", "key": "none"},
        {"post": "ARTICLE", "retract": 9},
    ],
)  # fmt: skip
def test_what_citizens_cannot_say_is_refused_with_a_sentence(said: dict[str, Any]) -> None:
    client = Client()
    article, _ = client.published()
    given = {name: article if value == "ARTICLE" else value for name, value in said.items()}
    with pytest.raises(ValueError, match=r"[一-龥]"):
        client.stage.speak(given)


def test_a_citizen_can_name_an_article_by_any_of_its_names() -> None:
    client = Client()
    submitted = client.submit()
    client.wait()
    post = client.platform.posts(client.clock.now())[0]
    names = (post["id"], post["url"], submitted["publish_id"], submitted["msg_data_id"])
    assert [client.stage.speak({"post": name, "text": "看到了"}) for name in names] == ["1", "2", "3", "4"]


# Messages


def text_to(client: Client, person: str = ZHANG, text: str = "您好") -> int:
    return client.code("message/custom/send", {"touser": person, "msgtype": "text", "text": {"content": text}})


def test_five_messages_in_forty_eight_hours_after_a_citizens_word() -> None:
    client = Client()
    client.stage.speak({"message": "停暖了", "author": "老张"})
    assert [text_to(client) for _ in range(6)] == [0] * 5 + [45047]
    client.stage.speak({"message": "还在吗", "author": "老张"})
    client.wait(48 * 3600 - 1)
    client.token = client.stable()["access_token"]
    assert text_to(client) == 0
    client.wait(1)
    assert text_to(client) == 45015
    assert len(client.platform.heard_by(ZHANG)) == 6


def test_three_messages_in_a_minute_after_a_click_a_scan_or_following() -> None:
    client = Client()
    client.post("menu/create", {"button": [{"type": "click", "name": "报修", "key": "REPAIR"}]})
    for said in ({"event": "subscribe"}, {"event": "SCAN", "key": "7"}, {"event": "CLICK", "key": "REPAIR"}):
        client.stage.speak({**said, "author": "老张"})
        assert [text_to(client) for _ in range(4)] == [0, 0, 0, 45047]
        client.wait(60)
        assert text_to(client) == 45015


def test_the_short_window_is_spent_before_the_long_one() -> None:
    client = Client()
    client.stage.speak({"message": "停暖了", "author": "老张"})
    client.stage.speak({"event": "SCAN", "key": "7", "author": "老张"})
    assert [text_to(client) for _ in range(3)] == [0, 0, 0]
    client.wait(60)
    assert [text_to(client) for _ in range(6)] == [0] * 5 + [45047]


@pytest.mark.parametrize("event", ["VIEW", "LOCATION", "unsubscribe"])
def test_other_events_open_no_window(event: str) -> None:
    client = Client()
    client.stage.speak({"event": event, "key": "https://www.yunchuan.example/", "author": "老张"})
    assert text_to(client) == 45015


def test_who_has_gone_cannot_be_written_to_and_who_never_was_is_no_openid() -> None:
    client = Client()
    client.stage.speak({"message": "停暖了", "author": "老张"})
    client.stage.speak({"event": "unsubscribe", "author": "老张"})
    assert text_to(client) == 45015
    assert text_to(client, "o" * 28) == 40003


@pytest.mark.parametrize(
    ("kind", "content", "code", "text"),
    [
        ("text", {"content": ""}, 44004, ""), ("text", {"content": "长" * 683}, 45002, ""),
        ("text", {"content": "长" * 682}, 0, "长" * 682), ("text", "x", 47001, ""), ("dance", {}, 40008, ""),
        ("news", {"articles": [{"title": "标题", "description": "摘要", "url": "https://a.example"}]}, 0,
         "标题\n摘要\nhttps://a.example"),
        ("news", {"articles": {"title": "标题"}}, 45162, ""), ("news", {"articles": [{}, {}]}, 45008, ""),
        ("msgmenu", {"head_content": "满意吗", "list": [{"id": "1", "content": "满意"}], "tail_content": "谢谢"}, 0,
         "满意吗\n满意\n谢谢"),
        ("msgmenu", {"head_content": "满意吗"}, 47001, ""), ("image", {"media_id": "x"}, 40007, ""),
        ("mpnewsarticle", {"article_id": "x"}, 53600, ""),
    ],
)  # fmt: skip
def test_each_type_of_message_is_checked_and_what_arrives_is_kept(
    kind: str, content: Any, code: int, text: str
) -> None:
    client = Client()
    client.stage.speak({"message": "停暖了", "author": "老张"})
    assert client.code("message/custom/send", {"touser": ZHANG, "msgtype": kind, kind: content}) == code
    told = [(row["openid"], row["author"], row["text"], row["via"]) for row in client.received()]
    assert told == ([] if code else [(ZHANG, "老张", text, "custom")])


def test_pictures_and_articles_can_be_sent_to_a_citizen() -> None:
    client = Client()
    article, _ = client.published()
    client.stage.speak({"message": "停暖了", "author": "老张"})
    media_id = client.upload("media/upload", PNG, type="image")["media_id"]
    for kind, content in (("image", {"media_id": media_id}), ("mpnewsarticle", {"article_id": article})):
        assert client.code("message/custom/send", {"touser": ZHANG, "msgtype": kind, kind: content}) == 0
    assert [row["text"] for row in client.received()] == ["[image]", "老旧小区供暖管网改造完工"]


def test_a_subscription_account_has_no_choice_messages() -> None:
    client = Client(kind="subscription")
    client.stage.speak({"message": "停暖了", "author": "老张"})
    menu = {"head_content": "满意吗", "list": [{"id": "1", "content": "满意"}]}
    assert client.code("message/custom/send", {"touser": ZHANG, "msgtype": "msgmenu", "msgmenu": menu}) == 40200


# The menu


def click(name: str = "报修", **more: Any) -> dict[str, Any]:
    return {"type": "click", "name": name, "key": "REPAIR", **more}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([click()], 0), ([click()] * 3, 0), ([], 40016), ([click()] * 4, 40016), ([click("报修供暖水")], 0),
        ([click("报修供暖水管")], 40018), ([click("")], 40018), ([click(type="dance")], 40017),
        ([click(key="k" * 129)], 40019), ([{"type": "view", "name": "网站", "url": "https://a.example/"}], 0),
        ([{"type": "view", "name": "网站", "url": "u" * 1025}], 40020),
        ([{"name": "办事", "sub_button": [click()] * 5}], 0), ([{"name": "办事", "sub_button": [click()] * 6}], 40023),
        ([{"name": "办事", "sub_button": [click("长" * 21)]}], 40025),
        ([{"name": "办事", "sub_button": [click(type="x")]}], 40024),
        ([{"name": "办事", "sub_button": [click(key="")]}], 40026), (["x"], 47001),
    ],
)  # fmt: skip
def test_a_menu_keeps_the_documented_limits(buttons: list[Any], code: int) -> None:
    client = Client()
    assert client.code("menu/create", {"button": buttons}) == code
    told = client.get("menu/get")
    assert told.get("errcode") == (46003 if code else None)


def test_a_menu_is_read_back_with_its_branches_and_removed() -> None:
    client = Client()
    client.post("menu/create", {"button": [click(), {"name": "办事", "sub_button": [click("供暖", key="HEAT")]}]})
    told = client.get("menu/get")["menu"]["button"]
    assert [row["name"] for row in told] == ["报修", "办事"]
    assert told[0]["sub_button"] == []
    assert told[1]["sub_button"][0]["key"] == "HEAT"
    assert client.stage.speak({"event": "CLICK", "key": "HEAT"})
    assert client.get("menu/delete")["errcode"] == 0
    assert client.get("menu/get")["errcode"] == 46003
