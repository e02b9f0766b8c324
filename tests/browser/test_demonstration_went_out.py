"""What the demonstration shows as published truly went out: each post stands in the rehearsal platform's own list."""

from __future__ import annotations

import json
import urllib.request

from tests.browser.clerk import Clerk
from tests.browser.household import Household
from tests.browser.people import until


def published(house: Household) -> list[dict[str, str]]:
    clerk = Clerk(house, "reviewer1")
    clerk.sign_in()
    rows: list[dict[str, str]] = json.loads(clerk.get("/api/v1/publications?state=published&limit=200").text)["items"]
    return rows


def test_each_demo_post_is_in_the_platforms_own_list_and_each_article_on_the_site(house: Household) -> None:
    until(lambda: len(house.posts()) >= 8, 60, "the demonstration's posts on 微博")
    rows = published(house)
    public = {post["id"]: post["text"] for post in house.posts()}
    weibo = [row for row in rows if row["channel"] == "weibo"]
    assert len(weibo) >= 8
    for row in weibo:
        assert row["title"] in public[row["external_id"]]
    until(lambda: bool(house.posts(offset=2)), 60, "the demonstration's push")
    [push] = house.posts(offset=2)
    [pushed] = [row for row in published(house) if row["channel"] == "push"]
    assert (pushed["external_id"], pushed["title"]) == (push["id"], push["title"])
    assert push["phones"] == 60
    assert len([row for row in published(house) if row["channel"] == "app"]) >= 6
    for row in published(house):
        if row["channel"] in ("site", "app"):
            with urllib.request.urlopen(row["url"], timeout=10) as answer:
                assert row["title"] in answer.read().decode()
    assert len({row["external_id"] for row in weibo}) == len(weibo)
