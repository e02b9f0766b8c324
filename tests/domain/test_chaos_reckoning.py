"""The chaos bench's reckoning finds what it is there to find: each test plants one fault in a world that agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hub.commands.chaos.comparing import (
    DOUBLE,
    LOST,
    MOVING,
    NOT_PUBLIC,
    SILENT,
    STRAY,
    UNPROVED,
    UNTOLD,
    Post,
    Reckoning,
    compare,
)

AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def publication(number: int, account: str, state: str = "published", **more: Any) -> dict[str, Any]:
    accepted = {"number": 1, "step": "publish", "at": AT, "key": f"k{number}", "outcome": "accepted"}
    return {
        "_id": f"c{number}:{account}:1", "title": f"云川演练第{number:05d}号通告", "account": account,
        "channel": account.partition("-")[0], "state": state, "external_id": f"p{number}", "attempts": [accepted],
        "reason": None, **more,
    }  # fmt: skip


def post(number: int, account: str, id: str = "") -> Post:
    return Post(account, id or f"p{number}", f"【云川演练第{number:05d}号通告】", {"id": id or f"p{number}"})


def unknown(number: int, account: str, **more: Any) -> dict[str, Any]:
    lost = {"number": 1, "step": "publish", "at": AT, "key": "k", "outcome": "unknown", "reason": "没有收到回答"}
    return publication(number, account, **{"state": "unknown", "attempts": [lost], "reason": "没有收到回答", **more})


ROWS = [publication(1, "weibo-1"), publication(1, "site-1"), unknown(2, "weibo-1"), unknown(3, "weibo-1")]
POSTS = [post(1, "weibo-1"), post(1, "site-1"), post(2, "weibo-1")]
TOLD = frozenset({"c2:weibo-1:1", "c3:weibo-1:1"})


def reckoned(rows: Sequence[dict[str, Any]] = ROWS, posts: Sequence[Post] = POSTS, **more: Any) -> Reckoning:
    promised = [row["_id"] for row in ROWS]
    return compare(more.get("promised", promised), rows, posts, more.get("told", TOLD))


def kinds(found: Reckoning) -> list[str]:
    return [one.kind for one in found.wrong]


def test_a_world_that_agrees_has_nothing_wrong() -> None:
    found = reckoned()
    assert found.wrong == []
    assert found.states["weibo"] == {"published": 1, "unknown": 2}


def test_a_post_that_is_out_twice_is_found_with_both_rows() -> None:
    (wrong,) = reckoned(posts=[*POSTS, post(1, "weibo-1", "p9")]).wrong
    assert (wrong.kind, wrong.publication, wrong.account) == (DOUBLE, "c1:weibo-1:1", "weibo-1")
    assert [row["id"] for row in wrong.posts] == ["p1", "p9"]
    assert any("key=k1" in line for line in wrong.lines())


def test_a_publication_that_was_promised_and_is_gone_is_found() -> None:
    assert kinds(reckoned(rows=ROWS[:3])) == [LOST]


def test_one_said_to_be_published_that_no_list_shows_is_found() -> None:
    assert kinds(reckoned(posts=POSTS[1:])) == [NOT_PUBLIC]


def test_one_published_under_another_id_than_the_platforms_is_found() -> None:
    assert kinds(reckoned(posts=[post(1, "weibo-1", "p7"), *POSTS[1:]])) == [NOT_PUBLIC]


def test_one_that_is_out_while_the_ledger_says_it_never_was_is_found() -> None:
    for state in ("refused", "held", "cancelled"):
        silent = publication(1, "site-1", state, reason="平台不收", external_id=None)
        found = reckoned(rows=[ROWS[0], silent, *ROWS[2:]], told=TOLD | {silent["_id"]})
        assert kinds(found) == [SILENT], state


def test_one_that_never_came_to_an_end_is_found() -> None:
    for state in ("scheduled", "waiting", "staging", "sending", "pending"):
        moving = publication(4, "site-1", state, attempts=[])
        assert kinds(reckoned(rows=[*ROWS, moving])) == [MOVING], state


def test_a_post_that_no_publication_stands_for_is_found() -> None:
    assert kinds(reckoned(posts=[*POSTS, post(9, "weibo-1")])) == [STRAY]
    assert kinds(reckoned(posts=[*POSTS, replace(post(1, "weibo-1"), account="weibo-2")])) == [STRAY]


def test_an_unknown_without_an_attempt_in_doubt_has_no_evidence() -> None:
    odd = unknown(2, "weibo-1", attempts=[])
    assert kinds(reckoned(rows=[*ROWS[:2], odd, ROWS[3]])) == [UNPROVED]


def test_a_held_one_with_an_attempt_in_doubt_is_not_certainly_unpublished() -> None:
    held = unknown(4, "weibo-1", state="held")
    found = reckoned(rows=[*ROWS, held], told=TOLD | {held["_id"]})
    assert kinds(found) == [UNPROVED]


def test_a_held_one_whose_platform_was_asked_twice_is_proved() -> None:
    held = unknown(4, "wechat-1", state="held", seen_missing=2)
    assert reckoned(rows=[*ROWS, held], told=TOLD | {held["_id"]}).wrong == []


def test_a_person_must_have_been_told_of_what_waits_for_a_person() -> None:
    assert kinds(reckoned(told=TOLD - {"c3:weibo-1:1"})) == [UNTOLD]


def test_an_article_is_known_by_its_own_number_of_the_two() -> None:
    article = publication(4, "wechat-1", external_id="a4~2247483651")
    assert reckoned(rows=[*ROWS, article], posts=[*POSTS, post(4, "wechat-1", "a4")]).wrong == []
