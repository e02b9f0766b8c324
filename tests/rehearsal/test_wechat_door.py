"""演练微信's door: two isolated kinds of token, the address list, counters, the shape of every refusal."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from channels.exchange import Request
from tests.rehearsal.wechat_client import HOST, START, Client


def count(client: Client, token: str) -> int:
    return int(client.get("draft/count", access_token=token).get("errcode", 0))


def plain_token(client: Client) -> str:
    return str(client.get("token", **client.credentials())["access_token"])


def test_a_stable_token_stays_the_same_and_says_how_long_it_still_lives() -> None:
    client = Client()
    client.wait(600)
    assert client.stable() == {"access_token": client.token, "expires_in": 6600}


def test_a_plain_token_replaces_the_one_before_which_lives_five_minutes_more() -> None:
    client = Client()
    first, second = plain_token(client), plain_token(client)
    assert [count(client, first), count(client, second)] == [0, 0]
    client.wait(299)
    assert count(client, first) == 0
    client.wait(1)
    assert [count(client, first), count(client, second)] == [40001, 0]


def test_neither_way_to_a_token_ends_a_token_of_the_other() -> None:
    client = Client()
    plain = plain_token(client)
    client.wait(60)
    fresh = client.stable(force_refresh=True)["access_token"]
    client.wait(600)
    assert [count(client, plain), count(client, client.token), count(client, fresh)] == [0, 40001, 0]
    plain_token(client)
    client.wait(600)
    assert [count(client, plain), count(client, fresh)] == [40001, 0]


def test_in_the_last_five_minutes_a_new_stable_token_is_given_and_both_work() -> None:
    client = Client()
    client.wait(7200 - 301)
    assert client.stable()["access_token"] == client.token
    client.wait(1)
    fresh = client.stable()["access_token"]
    assert fresh != client.token
    assert [count(client, client.token), count(client, fresh)] == [0, 0]
    client.wait(300)
    assert [count(client, client.token), count(client, fresh)] == [42001, 0]


def test_refreshing_by_force_needs_thirty_seconds_between_and_works_twenty_times_a_day() -> None:
    client = Client()
    tokens = set()
    for _ in range(20):
        client.wait(30)
        tokens.add(client.stable(force_refresh=True)["access_token"])
        assert client.stable(force_refresh=True)["access_token"] in tokens
    assert len(tokens) == 20
    client.wait(30)
    assert client.stable(force_refresh=True)["errcode"] == 45009
    client.clock.move(timedelta(days=1))
    assert client.stable(force_refresh=True)["access_token"] not in tokens


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"grant_type": "password"}, 40002), ({"appid": ""}, 41002), ({"secret": ""}, 41004),
        ({"appid": "wx0"}, 40013), ({"secret": "x"}, 40125),
    ],
)  # fmt: skip
def test_a_wrong_credential_has_its_own_number(wrong: dict[str, Any], code: int) -> None:
    client = Client()
    assert client.get("token", **client.credentials(**wrong))["errcode"] == code
    assert client.stable(**wrong)["errcode"] == code


def test_an_address_that_is_not_listed_is_named_in_the_refusal() -> None:
    client = Client()
    request = Request("GET", client.url("token", **client.credentials()), {"x-real-ip": "203.0.113.7"})
    refusal = client.read(request)
    assert refusal["errcode"] == 40164
    assert "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist" in refusal["errmsg"]
    assert client.stage.order("account", {"whitelist": ["203.0.113.7"]})
    assert "access_token" in client.read(request)
    assert client.stable()["errcode"] == 40164


def test_a_token_that_is_absent_unknown_or_misshapen_is_refused() -> None:
    client = Client()
    unknown = client.token[:-4] + "0000"
    assert [count(client, token) for token in ("", "x", unknown)] == [41001, 40014, 40001]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 44002), (b" ", 44002), (b"{", 47001), (b"[]", 47001), (b'"x"', 47001), (b"\xff{}", 47001),
        (b"[" * 100_000, 47001), (rb'{"media_id":"\u4f9b"}', 40033), (rb'{"media_id":"a\\u4f9b"}', 40007),
        (b"{}", 41006), (b'{"media_id":["x"]}', 47001), ('{"media_id":"供"}'.encode(), 40007),
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_has_its_own_number(body: bytes, code: int) -> None:
    assert Client().code("draft/get", body) == code


def test_method_and_path_are_checked_first() -> None:
    client = Client()
    assert client.get("draft/add")["errcode"] == 43002
    assert client.post("draft/count", {})["errcode"] == 43001
    assert client.post("nothing", {})["errcode"] == 40066


def test_every_refusal_ends_with_the_second_it_was_made_in() -> None:
    client = Client()
    for path, body in (("draft/get", {"media_id": "x"}), ("freepublish/getarticle", {"article_id": "x"})):
        refusal = client.post(path, body)
        assert set(refusal) == {"errcode", "errmsg"}
        found = re.search(r" rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}$", refusal["errmsg"])
        assert found
        assert int(found[1], 16) == int(START.timestamp())
    assert " hint: [" in client.post("draft/get", {"media_id": "x"})["errmsg"]


def test_a_path_has_its_calls_of_the_day_and_the_next_day_anew() -> None:
    client = Client(daily={"/cgi-bin/draft/count": 3})
    codes = [client.get("draft/count").get("errcode", 0) for _ in range(4)]
    assert codes == [0, 0, 0, 45009]
    told = client.post("openapi/quota/get", {"cgi_path": "/cgi-bin/draft/count"})
    assert told["quota"] == {"daily_limit": 3, "used": 3, "remain": 0}
    assert client.code("draft/get", {"media_id": "x"}) == 40007
    client.clock.move(timedelta(hours=15))
    client.token = client.stable()["access_token"]
    assert "total_count" in client.get("draft/count")


def test_the_documented_figures_are_in_force() -> None:
    client = Client()
    told = {
        path: client.post("openapi/quota/get", {"cgi_path": f"/cgi-bin/{path}"})["quota"]["daily_limit"]
        for path in ("freepublish/submit", "freepublish/get", "freepublish/delete", "draft/get", "draft/add", "token")
    }
    assert list(told.values()) == [100, 100, 10, 500, 1000, 2000]
    assert client.code("openapi/quota/get", {"cgi_path": "/cgi-bin/nothing"}) == 76021


def test_a_minute_too_full_is_refused_and_the_next_is_not() -> None:
    client = Client(minute={"/cgi-bin/draft/count": 2})
    assert [client.get("draft/count").get("errcode", 0) for _ in range(3)] == [0, 0, 45011]
    client.wait(60)
    assert "total_count" in client.get("draft/count")


def test_counters_are_cleared_by_token_or_by_secret_ten_times_a_month() -> None:
    client = Client(daily={"/cgi-bin/draft/count": 1})
    own = {"appid": client.account["appid"], "appsecret": client.account["secret"]}
    for number in range(10):
        assert "total_count" in client.get("draft/count")
        assert client.get("draft/count")["errcode"] == 45009
        if number % 2:
            assert client.code("clear_quota", {"appid": own["appid"]}) == 0
        else:
            assert client.read(Request("POST", client.url("clear_quota/v2", access_token="", **own)))["errcode"] == 0
    assert client.code("clear_quota", {"appid": own["appid"]}) == 48006
    client.clock.move(timedelta(days=8))
    client.token = client.stable()["access_token"]
    assert client.code("clear_quota", {"appid": own["appid"]}) == 0


def test_an_account_without_certification_may_write_drafts_and_publish_nothing() -> None:
    client = Client(certified=False)
    media_id = client.draft()
    for path in ("freepublish/submit", "freepublish/batchget", "comment/list", "message/mass/sendall"):
        assert client.code(path, {"media_id": media_id}) == 48001
    assert client.account["certified"] is False
    assert client.stage.order("account", {"certified": True})
    assert client.code("freepublish/submit", {"media_id": media_id}) == 0


@pytest.mark.parametrize("code", [-1, 45009, 48001, 53503, 53504, 53505, 40243, 88002])
def test_an_error_on_order_is_the_platforms_own_and_nothing_is_done(code: int) -> None:
    client = Client()
    media_id = client.draft()
    client.order("code", code, "/freepublish/submit")
    refusal = client.post("freepublish/submit", {"media_id": media_id})
    assert refusal["errcode"] == code
    assert " rid: " in refusal["errmsg"]
    assert client.get("draft/count")["total_count"] == 1
    assert client.code("freepublish/submit", {"media_id": media_id}) == 0


def test_a_switch_that_does_not_exist_is_refused_with_a_sentence() -> None:
    odd = {"daily": {"/cgi-bin/draft/add": "many"}}, {"daily": 500}, {"daily": {"/cgi-bin/draft/add": -1}}
    for body in ({"colour": True}, {"certified": "yes"}, {"whitelist": "127.0.0.1"}, *odd):
        with pytest.raises(ValueError, match="可以改的是"):
            Client().stage.order("account", body)
    assert not Client().stage.order("nothing", {})


def test_the_platform_raises_the_figures_of_an_account_that_asks() -> None:
    client = Client()
    assert client.stage.order("account", {"daily": {"/cgi-bin/draft/count": 2}})
    assert [client.get("draft/count").get("errcode", 0) for _ in range(3)] == [0, 0, 45009]
    assert client.stage.order("account", {"daily": {"/cgi-bin/draft/count": 50_000}})
    assert client.get("draft/count")["total_count"] == 0
    told = client.post("openapi/quota/get", {"cgi_path": "/cgi-bin/draft/count"})["quota"]
    assert (told["daily_limit"], told["used"]) == (50_000, 3)


def test_the_same_seed_makes_the_same_account_and_another_seed_another() -> None:
    client = Client()
    assert Client().account == client.account
    names = {"appid", "secret", "original_id", "callback_token", "encoding_aes_key"}
    assert names <= set(client.account)
    assert client.account["appid"].startswith("wx")
    assert client.account["original_id"].startswith("gh_")
    assert len(client.account["encoding_aes_key"]) == 43
    assert HOST not in str(client.account)
