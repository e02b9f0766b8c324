"""演练微信's 群发: quota, doubles, the administrator's word, the event at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.exchange import Answer
from channels.wechat.rehearsal_xml import read
from tests.rehearsal.wechat_client import Client

KEY = "0123456789abcdef0123456789abcdef"


def sending(client: Client, **more: Any) -> dict[str, Any]:
    return {
        "filter": {"is_to_all": False, "tag_id": 2}, "msgtype": "mpnews", "send_ignore_reprint": 0,
        "mpnews": {"media_id": more.pop("media_id", None) or client.draft()}, **more,
    }  # fmt: skip


def send(client: Client, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.post("message/mass/sendall", sending(client, **more))
    return found


def status(client: Client, sent: dict[str, Any]) -> str:
    return str(client.post("message/mass/get", {"msg_id": sent["msg_id"]})["msg_status"])


def finished(client: Client) -> dict[str, Any]:
    """The one event that is due, read and acknowledged."""
    (push,) = client.pushes()
    client.stage.delivered(push.id, Answer(200, {}, b"success"))
    return read(push.body)


def test_a_sending_takes_the_draft_and_becomes_public() -> None:
    client = Client()
    client.call_back("plain")
    client.stage.speak({"event": "subscribe", "author": "老张"})
    client.stage.delivered(client.pushes()[0].id, Answer(200))
    media_id = client.draft()
    sent = send(client, media_id=media_id)
    assert (sent["errcode"], status(client, sent)) == (0, "SENDING")
    assert send(client, media_id=media_id, clientmsgid=KEY)["errcode"] == 40007
    assert client.code("freepublish/submit", {"media_id": media_id}) == 40007
    client.wait()
    assert status(client, sent) == "SEND_SUCCESS"
    post = client.platform.posts(client.clock.now())[0]
    assert (post["id"], post["act"]) == (str(sent["msg_id"]), "mass")
    event = finished(client)
    assert (event["Event"], event["Status"], event["MsgID"]) == (
        "MASSSENDJOBFINISH",
        "send success",
        str(sent["msg_id"]),
    )
    assert (event["TotalCount"], event["SentCount"], event["ErrorCount"]) == ("1", "1", "0")
    assert event["ArticleUrlResult"]["ResultList"]["item"]["ArticleUrl"] == post["url"]
    client.stage.speak({"post": post["id"], "text": "看到了"})
    comments = {"msg_data_id": sent["msg_data_id"], "begin": 0, "count": 9}
    assert client.post("comment/list", comments)["total"] == 1


def test_a_known_clientmsgid_is_refused_with_the_first_sendings_id() -> None:
    client = Client()
    sent = send(client, clientmsgid=KEY)
    again = send(client, clientmsgid=KEY)
    assert (again["errcode"], again["msg_id"]) == (45065, sent["msg_id"])
    assert again["errmsg"].startswith("clientmsgid exist")
    assert client.get("draft/count")["total_count"] == 1
    client.clock.move(timedelta(days=1))
    client.token = client.stable()["access_token"]
    assert send(client, clientmsgid=KEY)["errcode"] == 0
    assert send(client, clientmsgid=KEY + "0")["errcode"] == 45067


def test_without_a_clientmsgid_the_same_content_to_the_same_people_is_a_double() -> None:
    client = Client()
    body = sending(client)
    first = client.post("message/mass/sendall", body)
    assert client.post("message/mass/sendall", body)["msg_id"] == first["msg_id"]


def test_the_double_can_be_ordered_with_the_work_done() -> None:
    client = Client()
    client.order("code", 45065, "/mass/sendall")
    told = send(client, clientmsgid=KEY)
    assert told["errcode"] == 45065
    assert status(client, told) == "SENDING"


def test_a_service_account_sends_to_all_once_a_day_and_four_times_a_month() -> None:
    client = Client()
    everyone = {"filter": {"is_to_all": True}}
    assert [send(client, **everyone)["errcode"] for _ in range(2)] == [0, 45028]
    assert [send(client)["errcode"] for _ in range(4)] == [0, 0, 0, 45028]
    client.clock.move(timedelta(days=7))
    client.token = client.stable()["access_token"]
    assert [send(client, **everyone)["errcode"] for _ in range(2)] == [0, 45028]


def test_a_subscription_account_sends_once_a_day() -> None:
    client = Client(kind="subscription")
    assert [send(client)["errcode"] for _ in range(2)] == [0, 45028]
    client.clock.move(timedelta(hours=15))
    client.token = client.stable()["access_token"]
    assert send(client)["errcode"] == 0


@pytest.mark.parametrize(
    ("word", "end", "told"),
    [(True, "SEND_SUCCESS", "send success"), (False, "SEND_FAIL", "err(40001)"), (None, "SEND_FAIL", "err(40002)")],
)
def test_a_protected_sending_waits_half_an_hour_for_the_administrator(word: bool | None, end: str, told: str) -> None:
    client = Client(mass_protected=True)
    client.call_back("plain")
    sent = send(client)
    client.wait(1799)
    assert status(client, sent) == "SENDING"
    assert client.stage.look("mass")[0]["waits"] is True
    assert client.pushes() == []
    if word is not None:
        client.stage.order("mass", {"msg_id": sent["msg_id"], "confirm": word})
    client.wait()
    assert status(client, sent) == end
    assert finished(client)["Status"] == told
    assert client.pushes() == []
    assert len(client.platform.posts(client.clock.now())) == (1 if word else 0)
    assert client.get("draft/count")["total_count"] == (0 if word else 1)
    with pytest.raises(ValueError, match="等待管理员确认"):
        client.stage.order("mass", {"msg_id": sent["msg_id"], "confirm": True})


def test_a_sending_is_deleted_by_place_from_one_or_whole() -> None:
    client = Client()
    media_id = client.draft(client.article(title="甲"), client.article(title="乙"))
    sent = send(client, media_id=media_id)
    client.wait()
    for place, gone in ((2, [False, True]), (0, [True, True])):
        assert client.code("message/mass/delete", {"msg_id": sent["msg_id"], "article_idx": place}) == 0
        assert [post["withdrawn"] for post in client.platform.posts(client.clock.now())] == gone
    assert status(client, sent) == "DELETE"


def test_a_sending_to_people_needs_two_and_a_preview_needs_one() -> None:
    client = Client()
    client.stage.speak({"event": "subscribe", "author": "老张"})
    person = next(iter(client.platform.look("pushes", client.clock.now())))["openid"]
    text = {"msgtype": "text", "text": {"content": "试发"}}
    for people, code in (([person], 40130), (["x", "y"], 40003), ([person, "y"], 0), (person, 47001)):
        assert client.code("message/mass/send", {"touser": people, **text}) == code
    assert client.code("message/mass/preview", {"touser": person, **text}) == 0
    assert client.code("message/mass/preview", {"towxname": "老张", **text}) == 0
    assert client.code("message/mass/preview", {"touser": "x", **text}) == 40003
    assert [(row["via"], row["text"]) for row in client.received()] == [("preview", "试发")] * 2
    client.wait()
    assert [(post["text"], post["url"]) for post in client.platform.posts(client.clock.now())] == [("试发", "")]


def test_only_published_articles_are_among_the_published() -> None:
    client = Client()
    send(client)
    client.wait()
    assert client.post("freepublish/batchget", {"offset": 0, "count": 20})["total_count"] == 0
