"""演练微博 by itself: the platform's documented rules, asked the way any client would ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from channels.exchange import Answer, Request
from channels.faults import Fault
from channels.performance import Performance
from channels.weibo.rehearsal import WeiboPlatform
from hub.clock import SetClock

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
LINK = "https://www.yunchuan.example/articles/1"
HOST = "http://api.weibo.example"
PNG = b"\x89PNG\r\n\x1a\n\r\n\n--x" + bytes(range(256))
FIXTURES = Path(__file__).parents[1] / "fixtures/weibo"


class Client:
    """A plain client of the platform, made from its documentation."""

    def __init__(self, tier: str = "partner") -> None:
        self.clock = SetClock(START)
        self.stage = Performance(WeiboPlatform, self.clock.now)
        self.account = next(row for row in self.stage.platform.accounts() if row["tier"] == tier)
        self.token = self.account["access_token"]

    def ask(self, method: str, path: str, **fields: Any) -> tuple[int, Any]:
        given = urlencode({"access_token": self.token, **fields})
        if method == "GET":
            return self.read(Request("GET", f"{HOST}{path}?{given}"))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.read(Request(method, HOST + path, kind, given.encode()))

    def read(self, request: Request) -> tuple[int, Any]:
        answer = self.stage.play(request).answer
        assert isinstance(answer, Answer)
        return answer.status, json.loads(answer.body) if answer.body else answer.headers

    def share(self, text: str = f"供暖恢复 {LINK}", **fields: Any) -> tuple[int, Any]:
        return self.ask("POST", "/2/statuses/share.json", **{"status": text, "rip": "127.0.0.1", **fields})

    def code(self, *given: Any, **fields: Any) -> int:
        status, body = self.share(*given, **fields)
        return 0 if status == 200 else int(body["error_code"])

    def share_picture(self, picture: bytes, text: str = f"图 {LINK}") -> tuple[int, Any]:
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in {"access_token": self.token, "status": text, "rip": "127.0.0.1"}.items()
        ]
        head = b'--b\r\nContent-Disposition: form-data; name="pic"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        body = b"".join(parts) + head + picture + b"\r\n--b--\r\n"
        return self.read(Request("POST", HOST + "/2/statuses/share.json", kind, body))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"供暖恢复 {LINK}", 0),
        ("供暖恢复", 10017),
        ("供暖恢复 https://other.example/1", 10017),
        ("供暖恢复 https://yunchuan.example/1", 10017),
        ("供暖恢复 https://sub.www.yunchuan.example/1", 0),
        ("供暖恢复 https%3A%2F%2Fwww.yunchuan.example%2F1", 10017),
        (f"#民生#供暖恢复 {LINK}", 10017),
        (f"供暖恢复 {LINK}#top", 0),
        ("", 20008),
        ("暖" * 129 + " " + LINK, 0),
        ("暖" * 130 + " " + LINK, 20012),
    ],
)
def test_a_shared_text_keeps_the_documented_rules(text: str, code: int) -> None:
    client = Client()
    assert client.code(text) == code
    assert len(client.stage.platform.posts(START)) == (0 if code else 1)


def test_the_officers_address_is_required() -> None:
    client = Client()
    status, body = client.ask("POST", "/2/statuses/share.json", status=f"供暖 {LINK}")
    assert (status, body["error_code"]) == (400, 10016)
    assert "rip" in body["error"]
    assert client.code(rip="nowhere") == 10017


def test_a_repeated_text_is_refused_and_a_changed_one_is_not() -> None:
    client = Client()
    assert [client.code(), client.code(), client.code(f"供暖又恢复 {LINK}")] == [0, 20019, 0]


@pytest.mark.parametrize(
    ("picture", "code"),
    [(PNG, 0), (b"<svg/>", 20005), (b"RIFF0000WEBP", 20005), (PNG + bytes((5 << 20) - len(PNG)), 20006)],
)
def test_a_picture_keeps_the_documented_rules(picture: bytes, code: int) -> None:
    status, body = Client().share_picture(picture)
    assert (status, body.get("error_code", 0)) == (400 if code else 200, code)


def test_a_post_has_the_documented_fields_and_an_id_beyond_a_floats_reach() -> None:
    _, body = Client().share()
    documented = json.loads((FIXTURES / "share_accepted.json").read_text("utf-8"))["body"]
    assert set(documented) <= set(body)
    assert body["id"] > 2**53
    assert body["idstr"] == body["mid"] == str(body["id"])
    assert body["created_at"] == "Tue Nov 24 09:00:00 +0800 2026"
    assert LINK not in body["text"]
    assert "http://t.cn/" in body["text"]


@pytest.mark.parametrize("name", ["share_no_domain", "share_repeated", "share_too_long", "user_out_of_rate"])
def test_an_error_has_the_documented_shape(name: str) -> None:
    fixture = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    client = Client()
    client.stage.orders.add(Fault("/share", "code", 1, fixture["body"]["error_code"]))
    status, body = client.share() if name != "share_no_domain" else client.share("没有链接")
    assert status == fixture["status"]
    assert set(body) == set(fixture["body"])
    assert body["error_code"] == fixture["body"]["error_code"]


def test_without_a_token_with_a_wrong_one_and_after_its_end_nothing_is_done() -> None:
    client = Client("test")
    assert client.ask("GET", "/2/statuses/user_timeline.json", access_token="")[1]["error_code"] == 10006
    assert client.ask("GET", "/2/statuses/user_timeline.json", access_token="made up")[1]["error_code"] == 21332
    client.clock.move(timedelta(days=1))
    assert client.ask("GET", "/2/statuses/user_timeline.json") == (
        403,
        {"error": "expired_token", "error_code": 21327, "request": "/2/statuses/user_timeline.json"},
    )


@pytest.mark.parametrize(("tier", "days"), [("test", 1), ("base", 30), ("partner", 30), ("owner", 365 * 5)])
def test_authorisation_goes_from_the_page_to_a_token_that_lives_as_long_as_its_tier(tier: str, days: int) -> None:
    client = Client(tier)
    app = client.account
    asked = {"client_id": app["client_id"], "redirect_uri": app["redirect_uri"], "response_type": "code", "state": "x"}
    status, headers = client.ask("GET", "/oauth2/authorize", **asked)
    assert status == 302
    given = parse_qs(urlsplit(headers["location"]).query)
    assert given["state"] == ["x"]
    exchange = {
        "client_id": app["client_id"], "client_secret": app["client_secret"], "grant_type": "authorization_code",
        "redirect_uri": app["redirect_uri"], "code": given["code"][0],
    }  # fmt: skip
    _, token = client.ask("POST", "/oauth2/access_token", **exchange)
    assert token["expires_in"] == days * 86400
    assert client.ask("POST", "/oauth2/access_token", **exchange)[1]["error_code"] == 21325
    client.token = token["access_token"]
    assert client.ask("POST", "/oauth2/get_token_info")[1]["expire_in"] == days * 86400
    assert client.code() == 0
    assert client.ask("POST", "/oauth2/revokeoauth2")[0] == 200
    assert client.code(f"撤销以后 {LINK}") == 21316


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"client_id": "1"}, 21324), ({"client_secret": "x"}, 21324), ({"redirect_uri": "http://x/"}, 21322),
        ({"grant_type": "password"}, 21328), ({"code": "x"}, 21325),
    ],
)  # fmt: skip
def test_a_wrong_part_of_the_exchange_gives_its_own_number(wrong: dict[str, str], code: int) -> None:
    client = Client()
    right = {
        "client_id": client.account["client_id"], "client_secret": client.account["client_secret"],
        "grant_type": "authorization_code", "redirect_uri": client.account["redirect_uri"], "code": "none",
    }  # fmt: skip
    status, body = client.ask("POST", "/oauth2/access_token", **(right | wrong))
    assert (status, body["error_code"]) == (403, code)


def test_a_hundred_calls_a_day_and_the_next_day_anew() -> None:
    client = Client("base")
    for _ in range(100):
        assert client.ask("GET", "/2/statuses/user_timeline.json")[0] == 200
    assert client.ask("GET", "/2/account/rate_limit_status.json")[1]["remaining_user_hits"] == 0
    assert client.code() == 10023
    client.clock.move(timedelta(hours=14, minutes=59))
    assert client.code() == 10023
    client.clock.move(timedelta(minutes=1))
    assert client.code() == 0


def test_a_clock_that_is_moved_forth_and_back_counts_each_day_for_itself() -> None:
    client = Client("base")
    for shift in (86400, 0):
        client.stage.move_clock(shift)
        for used in range(100):
            assert client.ask("GET", "/2/account/rate_limit_status.json")[1]["remaining_user_hits"] == 100 - used
            assert client.ask("GET", "/2/statuses/user_timeline.json")[0] == 200
        assert client.code() == 10023


def test_thirty_posts_an_hour() -> None:
    client = Client("base")
    assert [client.code(f"第{n}条 {LINK}") for n in range(31)] == [0] * 30 + [10024]


def test_the_timeline_gives_the_newest_five_and_says_how_many_there_are() -> None:
    client = Client()
    ids = [client.share(f"第{n}条 {LINK}")[1]["idstr"] for n in range(8)]
    _, body = client.ask("GET", "/2/statuses/user_timeline.json", count=50)
    assert [post["idstr"] for post in body["statuses"]] == ids[:2:-1]
    assert body["total_number"] == 8
    assert client.ask("GET", "/2/statuses/count.json", ids=",".join(ids))[1][0]["comments"] == 0


def test_what_is_gone_or_never_was_has_its_own_number() -> None:
    client = Client()
    for method, path, code in (
        ("POST", "/2/statuses/update.json", 10014),
        ("POST", "/2/statuses/destroy.json", 10014),
        ("GET", "/2/nothing.json", 10020),
        ("GET", "/2/statuses/share.json", 10021),
        ("GET", "/2/statuses/show.json", 10016),
    ):
        assert client.ask(method, path)[1]["error_code"] == code
    assert client.ask("GET", "/2/statuses/show.json", id=7)[1]["error_code"] == 20101


def test_comments_are_listed_newest_first_since_and_up_to_an_id() -> None:
    client = Client()
    post = client.share()[1]["idstr"]
    ids = [client.stage.speak({"post": post, "text": f"第{n}句", "author": "居民"}) for n in range(10)]
    _, body = client.ask("GET", "/2/comments/to_me.json", since_id=ids[2], max_id=ids[6], count=3)
    assert [row["idstr"] for row in body["comments"]] == [ids[6], ids[5], ids[4]]
    _, second = client.ask("GET", "/2/comments/show.json", id=post, count=4, page=2)
    assert [row["idstr"] for row in second["comments"]] == [ids[5], ids[4], ids[3], ids[2]]
    assert body["comments"][0]["status"]["idstr"] == post


def test_an_official_answer_names_its_citizen_and_can_be_taken_back() -> None:
    client = Client()
    post = client.share()[1]["idstr"]
    said = client.stage.speak({"post": post, "text": "还不热", "author": "北岭老张"})
    own = {"id": post, "cid": said, "comment": "今晚恢复", "rip": "127.0.0.1"}
    _, answer = client.ask("POST", "/2/comments/reply.json", **own)
    assert answer["text"] == "回复@北岭老张:今晚恢复"
    assert answer["reply_comment"]["idstr"] == said
    assert client.ask("POST", "/2/comments/create.json", id=post, comment="已恢复", rip="127.0.0.1")[0] == 200
    assert len(client.ask("GET", "/2/comments/by_me.json")[1]["comments"]) == 2
    assert client.ask("POST", "/2/comments/destroy.json", cid=said)[1]["error_code"] == 20203
    assert client.ask("POST", "/2/comments/destroy.json", cid=answer["idstr"])[0] == 200
    assert client.ask("POST", "/2/comments/reply.json", **(own | {"cid": "7"}))[1]["error_code"] == 20201
    assert client.ask("POST", "/2/comments/reply.json", **(own | {"comment": "长" * 141}))[1]["error_code"] == 20012


def test_its_page_says_that_it_is_a_rehearsal_and_escapes_what_people_wrote() -> None:
    client = Client()
    post = client.share(f"<script>1</script> {LINK}")[1]["idstr"]
    client.stage.speak({"post": post, "text": "<img src=x>", "author": "<b>"})
    page = client.stage.platform.page(client.clock.now())
    assert "演练" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page


def test_what_citizens_cannot_say_is_refused_with_a_sentence() -> None:
    client = Client()
    post = client.share()[1]["idstr"]
    for said in ({"post": "7", "text": "a"}, {"post": post, "text": " "}, {"text": "a"}, {"post": "x", "text": "a"}):
        with pytest.raises(ValueError, match=r"."):
            client.stage.speak(said)


def test_the_same_facts_make_the_same_platform() -> None:
    client = Client()
    post = client.share()[1]["idstr"]
    client.stage.speak({"post": post, "text": "还不热"})
    client.stage.move_clock(3600)
    again = Performance(WeiboPlatform, client.clock.now, client.stage.ledger)
    assert again.platform.posts(START) == client.stage.platform.posts(START)
    assert again.platform.accounts() == client.stage.platform.accounts()
    assert again.moment() == START + timedelta(hours=1)
    assert again.platform.page(again.moment()) == client.stage.platform.page(client.stage.moment())


def test_after_a_reset_there_is_nothing_but_the_accounts() -> None:
    client = Client()
    client.share()
    client.stage.reset()
    assert client.stage.platform.posts(START) == []
    assert client.code() == 0
