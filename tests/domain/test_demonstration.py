"""The demonstration's texts: on any day of any year their dates are near and right, but for the one that is planted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.checks.finding import BLOCK
from hub.checks.running import Context, run
from hub.clock import local
from hub.demo.city import articles, crowd
from hub.demo.filling import dated
from hub.domain.blocks import check, text_of

BEGIN = datetime(2026, 11, 24, 4, tzinfo=UTC)
DAYS = st.integers(0, 1500 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))


@given(DAYS)
def test_on_any_day_only_the_planted_weekday_is_wrong(now: datetime) -> None:
    wrong = []
    for article in articles():
        filled = json.loads(dated(json.dumps(dict(article), ensure_ascii=False), now))
        text = f"{filled['title']}\n{filled['digest']}\n{text_of(check(filled['blocks'])).text}"
        assert "{" not in text
        found = run(text, Context(day=local(now).date()))
        wrong += [(article["key"], one.text) for one in found if one.severity == BLOCK]
    assert [key for key, _ in wrong] == ["market"], wrong


def test_every_comment_stands_under_an_article_that_goes_out_on_weibo() -> None:
    outlets = {article["key"] for article in articles() if article.get("weibo")}
    for name in ("crowd", "flood", "incident"):
        assert {said.about for said in crowd(name) if said.channel == "weibo"} <= outlets


def test_the_saturday_is_always_ahead() -> None:
    for days in range(14):
        now = BEGIN + timedelta(days=days)
        assert dated("{sat}", now) != dated("{day+0}", now)
