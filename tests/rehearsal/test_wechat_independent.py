"""An independent client (wechatpy) at 演练微信 over a real socket, and a callback address that it reads with."""

from __future__ import annotations

import asyncio
import io
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from wechatpy.client import WeChatClient
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import APILimitedException, WeChatClientException
from wechatpy.parser import parse_message
from wechatpy.replies import TextReply
from wechatpy.utils import check_signature

from tests.rehearsal.wechat_client import PNG

KEY = "a-key-for-the-test"
ROOT = Path(__file__).parents[2]
SERVE = (
    "import sys; from pathlib import Path; from channels.rehearsal import serve; from hub.clock import SystemClock; "
    "serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], SystemClock().now)"
)


def two_free_ports() -> int:
    """The first of two ports side by side: 微博 takes it, 微信 the next."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two free ports side by side")


class Stage:
    """The rehearsal platforms in a process of their own."""

    def __init__(self, data: Path) -> None:
        port = two_free_ports()
        self.base = f"http://127.0.0.1:{port + 1}"
        command = [sys.executable, "-c", SERVE, str(port), str(data), KEY]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port + 1)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the rehearsal did not start")

    def end(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def control(self, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/_rehearsal/{what}", data, {"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


class Independent(WeChatClient):
    """wechatpy at another address; its way to a token holds the real host and is only repeated with ours."""

    def fetch_access_token(self) -> Any:
        given = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        return self._fetch_access_token(url=self.API_BASE_URL + "token", params=given)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("wechat"))
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def client(stage: Stage) -> Iterator[Independent]:
    stage.control("reset", {})
    account = stage.control("accounts")[0]
    found = Independent(account["appid"], account["secret"], timeout=10)
    found.API_BASE_URL = f"{stage.base}/cgi-bin/"
    yield found
    found._http.close()


def article(client: Independent, **more: Any) -> dict[str, Any]:
    media_id = client.material.add("image", ("cover.png", io.BytesIO(PNG)))["media_id"]
    own = {"title": "供暖恢复", "content": "<p>好。</p>", "thumb_media_id": media_id, "need_open_comment": True}
    return {**own, **more}


def wait_for(look: Callable[[], Any]) -> Any:
    """What `look` finds, asked again until there is something."""
    for _ in range(200):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def published(stage: Stage, client: Independent) -> tuple[dict[str, Any], dict[str, Any]]:
    stage.control("verdict", {"status": 0, "seconds": 0})
    submitted = client.freepublish.submit(client.draft.add([article(client)])["media_id"])
    return submitted, client.freepublish.get(submitted["publish_id"])


async def test_the_road_from_a_token_to_a_published_article(stage: Stage, client: Independent) -> None:
    await asyncio.to_thread(_road, stage, client)


def _road(stage: Stage, client: Independent) -> None:
    assert client.fetch_access_token()["expires_in"] == 7200
    url = client.media.upload_image(("a.png", io.BytesIO(PNG)))
    drafted = client.draft.add([article(client, content=f'<p>雪<img src="{url}"></p>', digest="摘要")])["media_id"]
    news = client.draft.get(drafted)["news_item"][0]
    assert (news["title"], news["digest"], url in news["content"]) == ("供暖恢复", "摘要", True)
    assert client.draft.count()["total_count"] == 1
    assert [row["media_id"] for row in client.draft.batchget()["item"]] == [drafted]
    spare = client.draft.add([article(client)])["media_id"]
    assert client.draft.update(spare, 0, article(client, title="改过", need_open_comment=0))["errcode"] == 0
    assert client.draft.delete(spare)["errcode"] == 0
    submitted = client.freepublish.submit(drafted)
    job = wait_for(lambda: _done(client.freepublish.get(submitted["publish_id"])))
    address = job["article_detail"]["item"][0]["article_url"]
    assert client.freepublish.getarticle(job["article_id"])["news_item"][0]["is_deleted"] is False
    assert client.freepublish.batchget(0, 20)["total_count"] == 1
    assert [row["url"] for row in stage.control("posts")] == [address]
    with urllib.request.urlopen(address) as page:
        assert "雪" in page.read().decode()
    with pytest.raises(WeChatClientException) as refusal:
        client.freepublish.submit(drafted)
    assert refusal.value.errcode == 40007
    assert client.freepublish.delete(job["article_id"])["errcode"] == 0
    assert [row["withdrawn"] for row in stage.control("posts")] == [True]


def _done(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["publish_status"] == 0 else None


async def test_comments_are_opened_listed_and_answered(stage: Stage, client: Independent) -> None:
    await asyncio.to_thread(_comments, stage, client)


def _comments(stage: Stage, client: Independent) -> None:
    submitted, job = published(stage, client)
    data = int(submitted["msg_data_id"])
    assert client.material.open_comment(data, 0)["errcode"] == 0
    stage.control("replies", {"post": job["article_id"], "text": "还不热", "author": "老张"})
    told = client.material.list_comment(data, 0, 0, 49)
    assert [row["content"] for row in told["comment"]] == ["还不热"]
    said = told["comment"][0]["user_comment_id"]
    assert client.material.markelect_comment(data, 0, said)["errcode"] == 0
    assert client.material.add_reply_comment(data, 0, said, "今晚恢复")["errcode"] == 0
    assert [row["text"] for row in stage.control("received")] == ["今晚恢复"]
    with pytest.raises(WeChatClientException) as refusal:
        client.material.list_comment(data)  # its own defaults: place 1 and 50 at once
    assert refusal.value.errcode in (88001, 88010)


async def test_menu_messages_and_sendings(stage: Stage, client: Independent) -> None:
    await asyncio.to_thread(_messages, stage, client)


def _messages(stage: Stage, client: Independent) -> None:
    assert client.menu.create({"button": [{"type": "click", "name": "报修", "key": "REPAIR"}]})["errcode"] == 0
    assert client.menu.get()["menu"]["button"][0]["key"] == "REPAIR"
    stage.control("replies", {"message": "停暖了", "author": "老张"})
    person = stage.control("pushes")[0]["openid"]
    assert client.message.send_text(person, "您好，已收到")["errcode"] == 0
    assert client.message.send_articles(person, [{"title": "进度", "description": "今晚", "url": "x"}])["errcode"] == 0
    assert [row["text"] for row in stage.control("received")] == ["您好，已收到", "进度\n今晚\nx"]
    media_id = client.draft.add([article(client)])["media_id"]
    sent = client.message.send_mass_article(media_id, is_to_all=True)
    assert client.message.get_mass(sent["msg_id"])["msg_status"] in ("SENDING", "SEND_SUCCESS")


async def test_it_understands_the_refusals(stage: Stage, client: Independent) -> None:
    await asyncio.to_thread(_refusals, stage, client)


def _refusals(stage: Stage, client: Independent) -> None:
    client.fetch_access_token()
    stage.control("faults", {"match": "/draft/count", "kind": "code", "value": 45009})
    with pytest.raises(APILimitedException):
        client.draft.count()
    stage.control("faults", {"match": "/draft/count", "kind": "code", "value": -1})
    with pytest.raises(WeChatClientException, match="-1"):
        client.draft.count()
    stage.control("clock", {"shift": 7200})
    assert client.draft.count()["total_count"] == 0  # it fetches a new token by itself
    stage.control("account", {"whitelist": ["203.0.113.7"]})
    with pytest.raises(WeChatClientException, match=r"invalid ip 127\.0\.0\.1"):
        client.fetch_access_token()


class Callback:
    """A small callback address: checks and reads each push with wechatpy, answers as told, at first not at all."""

    def __init__(self, account: dict[str, Any], refusals: int = 0) -> None:
        self.heard: queue.Queue[Any] = queue.Queue()
        crypto = WeChatCrypto(account["callback_token"], account["encoding_aes_key"], account["appid"])
        state, heard = {"refusals": refusals}, self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                given = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                check_signature(account["callback_token"], given["signature"], given["timestamp"], given["nonce"])
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                message = parse_message(
                    crypto.decrypt_message(body, given["msg_signature"], given["timestamp"], given["nonce"])
                )
                heard.put(message)
                if state["refusals"]:
                    state["refusals"] -= 1
                    self.send_error(500)
                    return
                text = TextReply(content="您的留言已收到", message=message).render()
                answer = crypto.encrypt_message(text, "77").encode() if message.type == "text" else b"success"
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_given: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/callbacks/wechat?channel=wechat"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize("refusals", [0, 1])
async def test_pushes_arrive_over_a_real_socket_and_the_reply_reaches_the_citizen(
    stage: Stage, client: Independent, refusals: int
) -> None:
    await asyncio.to_thread(_pushed, stage, client, refusals)


def _pushed(stage: Stage, client: Independent, refusals: int) -> None:
    callback = Callback(stage.control("accounts")[0], refusals)
    try:
        stage.control("callback", {"url": callback.url})
        said = stage.control("replies", {"message": "停暖了", "author": "老张"})["ids"][0]
        heard = [callback.heard.get(timeout=20) for _ in range(refusals + 1)]
        assert {(message.id, message.content) for message in heard} == {(int(said), "停暖了")}
        row = wait_for(lambda: stage.control("received"))[0]
        assert (row["text"], row["via"], row["author"]) == ("您的留言已收到", "passive", "老张")
        submitted, _ = published(stage, client)
        event = callback.heard.get(timeout=20)
        assert event._data["Event"] == "PUBLISHJOBFINISH"
        assert event._data["PublishEventInfo"]["publish_id"] == submitted["publish_id"]
        assert wait_for(lambda: not stage.control("pushes"))
    finally:
        callback.end()
