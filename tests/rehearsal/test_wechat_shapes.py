"""What 演练微信 answers and pushes has the shape that the documentation shows, one fixture for each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.shapes import wanting
from tests.rehearsal.wechat_client import PNG, Client

FIXTURES = Path(__file__).parents[1] / "fixtures/wechat"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
PUSHED = sorted(path.stem for path in FIXTURES.glob("*.xml"))
Scene = Callable[[Client], Any]


def refused(code: int, path: str, body: Any) -> Scene:
    def scene(client: Client) -> Any:
        client.order("code", code, path)
        return client.post(path, body)

    return scene


def commented(client: Client) -> Any:
    article, data = client.published()
    said = int(client.stage.speak({"post": article, "text": "还不热"}))
    own = {"msg_data_id": data, "user_comment_id": said}
    answered = client.post("comment/reply/add", {**own, "content": "今晚恢复"})
    return answered, client.post("comment/list", {"msg_data_id": data, "begin": 0, "count": 49, "type": 0})


def written_to(client: Client, times: int = 1, wait: int = 0) -> Any:
    client.stage.speak({"message": "停暖了"})
    client.wait(wait)
    client.token = client.stable()["access_token"]
    person = client.stage.look("pushes")[0]["openid"]
    message = {"touser": person, "msgtype": "text", "text": {"content": "您好"}}
    return [client.post("message/custom/send", message) for _ in range(times)][-1]


def mass(client: Client, times: int = 1) -> Any:
    body = {"filter": {"is_to_all": True}, "msgtype": "mpnews", "mpnews": {"media_id": client.draft()}}
    return [client.post("message/mass/sendall", body) for _ in range(times)][-1]


def failing(client: Client) -> Any:
    client.stage.order("verdict", {"status": 2, "fail_idx": [1, 2]})
    submitted = client.submit(client.article(), client.article())
    client.wait()
    return client.job(submitted)


def changed(client: Client) -> Any:
    return client.post("draft/update", {"media_id": client.draft(), "index": 0, "articles": client.article()})


def menu(client: Client) -> Any:
    client.post("menu/create", {"button": [{"type": "click", "name": "报修", "key": "REPAIR"}]})
    return client.get("menu/get")


def job(client: Client) -> Any:
    submitted = client.submit()
    client.wait()
    return client.job(submitted)


PAGE = {"offset": 0, "count": 20, "no_content": 0}
SCENES: Mapping[str, Scene] = {
    "token": lambda c: c.get("token", **c.credentials()),
    "stable_token": lambda c: c.stable(),
    "invalid_credential": lambda c: c.get("draft/count", access_token=c.token[:-4] + "0000"),
    "not_in_whitelist": lambda c: c.stage.order("account", {"whitelist": []}) and c.stable(),
    "daily_limit": refused(45009, "draft/get", {}),
    "unauthorized": lambda c: c.stage.order("account", {"certified": False}) and c.post("freepublish/submit", {}),
    "quota": lambda c: c.post("openapi/quota/get", {"cgi_path": "/cgi-bin/draft/get"}),
    "clear_quota": lambda c: c.post("clear_quota", {"appid": c.account["appid"]}),
    "clear_quota_limit": refused(48006, "clear_quota", {}),
    "uploadimg": lambda c: c.upload("media/uploadimg", PNG),
    "add_material": lambda c: c.upload("material/add_material", PNG, type="image"),
    "draft_add": lambda c: c.post("draft/add", {"articles": [c.article()]}),
    "draft_get": lambda c: c.post("draft/get", {"media_id": c.draft()}),
    "draft_count": lambda c: c.get("draft/count"),
    "draft_batchget": lambda c: c.draft() and c.post("draft/batchget", PAGE),
    "draft_update": changed,
    "draft_gone": lambda c: c.post("draft/get", {"media_id": "x"}),
    "freepublish_submit": lambda c: c.submit(),
    "freepublish_get": job,
    "freepublish_publishing": lambda c: c.job(c.submit()),
    "freepublish_failed": failing,
    "freepublish_article": lambda c: c.post("freepublish/getarticle", {"article_id": c.published()[0]}),
    "freepublish_batchget": lambda c: c.published() and c.post("freepublish/batchget", PAGE),
    "freepublish_delete": lambda c: c.post("freepublish/delete", {"article_id": c.published()[0]}),
    "article_unknown": lambda c: c.post("freepublish/getarticle", {"article_id": "x"}),
    "comment_list": lambda c: commented(c)[1],
    "comment_missing": lambda c: c.post("comment/list", {"msg_data_id": 7, "begin": 0, "count": 49}),
    "comment_reply": lambda c: commented(c)[0],
    "custom_send": written_to,
    "custom_out_of_time": lambda c: written_to(c, wait=48 * 3600),
    "custom_out_of_count": lambda c: written_to(c, times=6),
    "mass_sendall": mass,
    "mass_double": lambda c: mass(c, 2),
    "mass_get": lambda c: c.post("message/mass/get", {"msg_id": mass(c)["msg_id"]}),
    "menu_get": menu,
}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_the_documented_shape(name: str) -> None:
    fixture = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    given = SCENES[name](Client())
    assert wanting(fixture["body"], given) == []
    code = fixture["body"].get("errcode")
    assert given.get("errcode") == code
    if code:
        beginning = re.split(r" (?:hint|rid):|\d", fixture["body"]["errmsg"])[0]
        assert given["errmsg"].startswith(beginning)
        assert set(given) == set(fixture["body"])


def test_every_fixture_names_where_and_when_it_was_read_and_how_sure_it_is() -> None:
    assert set(NAMES) == set(SCENES)
    assert set(PUSHED) == set(PUSHES)
    for name in NAMES:
        fixture = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
        assert re.match(r"page|code|issue|memory", fixture["mark"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", fixture["read_on"])
        assert fixture["source"]
    for name in PUSHED:
        first = (FIXTURES / f"{name}.xml").read_text("utf-8").split("\n")[0]
        assert re.search(r"read on \d{4}-\d\d-\d\d; mark: (page|code|issue|memory)", first)


def published(client: Client) -> None:
    client.submit()
    client.wait()


def pressed(client: Client) -> None:
    menu(client)
    client.stage.speak({"event": "CLICK", "key": "REPAIR"})


def sent(client: Client) -> None:
    mass(client)
    client.wait()


PUSHES: Mapping[str, Callable[[Client], Any]] = {
    "event_publish_finished": published,
    "event_publish_failed": failing,
    "event_mass_finished": sent,
    "event_subscribe": lambda c: c.stage.speak({"event": "subscribe", "key": "qrscene_7"}),
    "event_click": pressed,
    "message_text": lambda c: c.stage.speak({"message": "停暖了"}),
    "message_image": lambda c: c.stage.speak({"message": "", "type": "image"}),
    "message_location": lambda c: c.stage.speak(
        {"message": "北岭路", "type": "location", "latitude": 1, "longitude": 2}
    ),
    "encrypted": lambda c: c.stage.speak({"message": "停暖了"}),
}


def elements(text: str) -> list[str]:
    """The elements in their order, and which of them hold a marked text."""
    return re.findall(r"<(\w+>(?:<!\[CDATA\[)?)", text)


@pytest.mark.parametrize("name", PUSHED)
def test_a_push_has_the_documented_elements_in_their_order(name: str) -> None:
    documented = re.sub(r"<!--.*?-->", "", (FIXTURES / f"{name}.xml").read_text("utf-8"))
    client = Client()
    client.call_back("encrypted" if name == "encrypted" else "plain")
    PUSHES[name](client)
    (push,) = client.pushes()
    assert elements(push.body.decode()) == elements(documented)
