"""演练推送 by itself: the platform's documented rules, asked the way any client would ask."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.exchange import Answer, Request
from channels.faults import Fault
from channels.performance import Performance
from channels.push.rehearsal import PushPlatform
from channels.push.rehearsal_rules import Rules
from hub.clock import SetClock

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOST = "http://api.jpush.example"


class Client:
    """A plain client of the platform, made from its documentation."""

    def __init__(self, tier: str = "free", rules: Rules | None = None) -> None:
        self.clock = SetClock(START)
        self.stage = Performance(lambda: PushPlatform(rules=rules), self.clock.now)
        self.row = next(row for row in self.stage.platform.accounts() if row["tier"] == tier)
        self.secret = self.row["master_secret"]
        self.headers: dict[str, str] = {}

    def phone(self, **facts: Any) -> str:
        return self.stage.speak({"app": self.row["app_key"], **facts})

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        pair = base64.b64encode(f"{self.row['app_key']}:{self.secret}".encode()).decode()
        content = b"" if body is None else json.dumps(body).encode()
        kind = {"Authorization": f"Basic {pair}", "Content-Type": "application/json;charset:utf-8"}
        answer = self.stage.play(Request(method, HOST + path, kind, content)).answer
        assert isinstance(answer, Answer)
        self.headers = dict(answer.headers)
        return answer.status, json.loads(answer.body) if answer.body else None

    def push(self, alert: str = "供暖恢复", **more: Any) -> tuple[int, Any]:
        body = {"platform": "all", "audience": "all", "notification": {"alert": alert}, **more}
        return self.ask("POST", "/v3/push", {name: value for name, value in body.items() if value is not None})

    def code(self, **more: Any) -> int:
        status, body = self.push(**more)
        return 0 if status == 200 else int(body["error"]["code"])

    def cid(self) -> str:
        return str(self.ask("GET", "/v3/push/cid?count=1&type=push")[1]["cidlist"][0])

    def posts(self) -> list[dict[str, Any]]:
        return self.stage.platform.posts(self.clock.now())


def test_a_push_without_a_phone_reaches_nobody_and_one_with_a_phone_does() -> None:
    client = Client()
    assert client.push() == (400, {"error": {"code": 1011, "message": "cannot find user by this audience"}})
    client.phone()
    status, said = client.push(options={"sendno": 18})
    assert (status, said["sendno"]) == (200, "18")
    assert [post["id"] for post in client.posts()] == [said["msg_id"]]


def test_the_same_cid_gives_the_first_answer_and_no_second_push() -> None:
    client = Client()
    client.phone()
    cid = client.cid()
    first = client.push(cid=cid)
    assert client.push("另一段话", cid=cid) == first
    assert [post["text"] for post in client.posts()] == ["供暖恢复"]
    assert client.push(cid=client.cid())[1]["msg_id"] != first[1]["msg_id"]


def test_a_refused_push_does_not_use_its_cid_up() -> None:
    client = Client()
    cid = client.cid()
    assert client.code(cid=cid) == 1011
    client.phone()
    assert client.code(cid=cid) == 0
    assert len(client.posts()) == 1


def test_a_cid_is_the_apps_own_lives_a_day_and_must_have_been_given_out() -> None:
    client = Client()
    client.phone()
    cid = client.cid()
    assert cid.startswith(client.row["app_key"] + "-")
    assert client.code(cid="made-up") == 1003
    other = client.ask("GET", "/v3/push/cid?count=1&type=schedule")[1]["cidlist"][0]
    assert client.code(cid=other) == 1003
    client.clock.move(timedelta(days=1, minutes=1))
    assert client.code(cid=cid) == 1003


@pytest.mark.parametrize(
    ("tier", "count", "status"), [("free", 10, 200), ("free", 11, 400), ("vip", 1000, 200), ("vip", 1001, 400)]
)
def test_a_free_app_gets_ten_cids_at_once_and_a_paid_one_a_thousand(tier: str, count: int, status: int) -> None:
    answer = Client(tier).ask("GET", f"/v3/push/cid?count={count}&type=push")
    assert answer[0] == status
    if status == 200:
        assert len(set(answer[1]["cidlist"])) == count


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"platform": None}, 1002),
        ({"audience": None}, 1002),
        ({"notification": None}, 1002),
        ({"notification": {"android": {"title": "无正文"}}}, 1002),
        ({"message": {"title": "无内容"}}, 1002),
        ({"platform": ["android", "symbian"]}, 1003),
        ({"audience": {"tag": []}}, 1003),
        ({"audience": {"tag": [str(n) for n in range(21)]}}, 1003),
        ({"options": {"time_to_live": 10 * 86_400 + 1}}, 1003),
        ({"audience": {"city": ["云川"]}}, 1009),
        ({"colour": "red"}, 1009),
        ({"notification": {"symbian": {"alert": "x"}}}, 1009),
        ({"audience": {"segment": ["s"]}}, 2007),
        ({"audience": {"alias": ["nobody"]}}, 1011),
        ({"platform": ["ios"]}, 1011),
        ({}, 0),
    ],
)
def test_each_documented_fault_of_a_push_has_its_number(more: dict[str, Any], code: int) -> None:
    client = Client()
    client.phone()
    assert client.code(**more) == code
    assert len(client.posts()) == (0 if code else 1)


def test_a_chinese_sign_takes_three_bytes_however_it_was_escaped() -> None:
    client = Client()
    client.phone(), client.phone(platform="ios")
    room = (2000 - len('{"alert":""}')) // 3
    assert client.code(notification={"ios": {"alert": "暖" * room}}) == 0
    assert client.code(notification={"ios": {"alert": "暖" * (room + 1)}}) == 1005
    assert client.code(notification={"android": {"alert": "暖" * 1329}}) == 0
    assert client.code(notification={"android": {"alert": "暖" * 1330}}) == 1005


def test_who_does_not_prove_the_app_is_refused() -> None:
    client = Client()
    client.secret = "wrong"
    assert client.push()[0] == 401
    client.row = {**client.row, "app_key": "unknown"}
    assert client.push()[1]["error"]["code"] == 1008
    bare = client.stage.play(Request("POST", f"{HOST}/v3/push", {}, b"{}")).answer
    assert bare is not None and bare.status == 401


def test_the_rate_is_told_under_both_names_and_ends_in_2002_until_the_next_minute() -> None:
    client = Client(rules=Rules(rates={"push": 3, "report": 3, "device": 3}))
    client.phone()
    client.clock.move(20)
    for left in ("2", "1", "0"):
        assert client.code() == 0
        assert client.headers["x-rate-limit-remaining"] == left
    assert client.push() == (429, {"error": {"code": 2002, "message": "Rate limit exceeded"}})
    assert client.headers["x-rate-limit-limit"] == client.headers["x-rate-limit-quota"] == "3"
    assert client.headers["x-rate-limit-reset"] == "40"
    assert client.ask("GET", "/v3/tags/")[0] == 200
    client.clock.move(40)
    assert client.code() == 0


def test_validating_sends_nothing_and_a_wrong_method_is_1001() -> None:
    client = Client()
    client.phone()
    body = {"platform": "all", "audience": "all", "notification": {"alert": "查"}}
    assert client.ask("POST", "/v3/push/validate", body)[0] == 200
    assert client.posts() == []
    assert client.ask("GET", "/v3/push")[0] == 405


def test_a_push_reaches_the_devices_of_its_audience() -> None:
    client = Client()
    client.phone(device="a", tags=["临江区"], alias="li")
    client.phone(device="b", tags=["临江区", "供暖"], platform="ios")
    client.phone(device="c", tags=["北岭区"])
    for audience, phones in (
        ({"tag": ["临江区"]}, 2),
        ({"tag": ["临江区", "北岭区"]}, 3),
        ({"tag_and": ["临江区", "供暖"]}, 1),
        ({"tag": ["临江区"], "tag_not": ["供暖"]}, 1),
        ({"alias": ["li"]}, 1),
        ({"registration_id": ["b", "c"]}, 2),
        ("all", 3),
    ):
        client.push(audience=audience)
        assert client.posts()[-1]["phones"] == phones
    client.push(platform=["ios"])
    assert client.posts()[-1]["phones"] == 1


def test_a_device_is_tagged_named_and_forgotten() -> None:
    client = Client()
    id = client.phone()
    assert client.ask("POST", f"/v3/devices/{id}", {"tags": {"add": ["临江区", "供暖"]}, "alias": "li"}) == (200, None)
    client.ask("POST", f"/v3/devices/{id}", {"tags": {"remove": ["供暖"]}})
    assert client.ask("GET", f"/v3/devices/{id}")[1] == {"tags": ["临江区"], "alias": "li", "mobile": ""}
    assert client.ask("GET", "/v3/tags/")[1] == {"tags": ["临江区"]}
    assert client.ask("GET", "/v3/aliases/li")[1] == {"registration_ids": [id]}
    assert client.ask("DELETE", "/v3/aliases/li") == (200, None)
    assert client.ask("GET", "/v3/aliases/li")[1] == {"registration_ids": []}
    too_many = {"tags": {"add": [str(n) for n in range(101)]}}
    assert client.ask("POST", f"/v3/devices/{id}", too_many)[0] == 400
    assert client.ask("GET", "/v3/devices/nobody")[0] == 400


def test_a_report_grows_for_a_minute_and_is_kept_for_a_month() -> None:
    client = Client()
    for _ in range(4):
        client.phone()
    id = client.push()[1]["msg_id"]
    path = f"/v3/received/detail?msg_ids={id},404"
    seen = []
    for _ in range(3):
        [row] = client.ask("GET", path)[1]
        seen.append((row["jpush_received"], row["ios_apns_sent"]))
        client.clock.move(30)
    assert seen == [(0, None), (2, None), (4, None)]
    client.clock.move(timedelta(days=31))
    assert client.ask("GET", path) == (200, [])
    assert client.ask("GET", f"/v3/received/detail?msg_ids={','.join(['1'] * 101)}")[0] == 400


def test_a_device_is_told_apart_by_what_became_of_the_message() -> None:
    client = Client()
    meant, other = client.phone(alias="li"), client.phone()
    id = client.push(audience={"alias": ["li"]})[1]["msg_id"]
    body = {"msg_id": id, "registration_ids": [meant, other, "stranger"]}
    ask = lambda: {k: v["status"] for k, v in client.ask("POST", "/v3/status/message", body)[1].items()}  # noqa: E731
    assert ask() == {meant: 1, other: 3, "stranger": 2}
    client.clock.move(61)
    assert ask() == {meant: 0, other: 3, "stranger": 2}


def test_paid_reports_are_refused_and_any_error_can_be_ordered() -> None:
    client = Client()
    client.phone()
    assert client.ask("GET", "/v3/messages/detail?msg_ids=1") == (
        403, {"error": {"code": 2006, "message": "This API is for VIP only."}},
    )  # fmt: skip
    client.stage.orders.add(Fault("/v3/push", "code", 1, 2004))
    assert client.push()[0] == 403
    assert client.posts() == []


def test_what_was_pushed_survives_a_restart() -> None:
    client = Client()
    client.phone()
    cid = client.cid()
    first = client.push(cid=cid)
    client.stage = Performance(PushPlatform, client.clock.now, client.stage.ledger)
    assert client.push(cid=cid) == first
    assert len(client.posts()) == 1
    assert "还没有推送" not in client.stage.platform.page(client.clock.now())
