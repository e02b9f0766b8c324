"""The desk's pages with an App and a push account: what the editor and the reviewers see is what goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape

import pytest

from hub.domain.quota import row_of
from tests.pages.desk_office import Office, running
from tests.pages.test_pages_writing import submitted, written

APP = {"_id": "app-main", "channel": "app", "name": "云川通", "settings": {"base_url": "http://127.0.0.1:1"}}
PUSH = {"_id": "push-main", "channel": "push", "name": "云川通推送", "settings": {"base_url": "http://127.0.0.1:1"}}


@pytest.fixture
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    async with running(request.node.name) as office:
        for account in (APP, PUSH):
            more = {"held": False, "rehearsal": True, "profile": {}, "waits_for": "site-main"}
            await office.desk.store.insert("accounts", {**more, "health": {"state": "ok"}, **account})
        yield office


def room_of(page: str, name: str) -> str:
    """The part of the page that belongs to one account."""
    return unescape(page.partition(f'aria-label="{name}的效果"')[2].partition("</article>")[0])


async def test_the_editor_shows_the_card_and_the_push_as_they_go_out(office: Office) -> None:
    id = await written(office)
    page = (await office.get("editor", f"/contents/{id}")).text
    for name in ("云川通", "云川通推送"):
        shown = room_of(page, name)
        assert "<b>清源路一带供水发黄情况通报</b>" in shown
        assert "原因已查明，放水 5 至 10 分钟" in shown
    assert "苹果" in room_of(page, "云川通推送")


async def test_words_by_hand_take_the_derived_ones_place_and_keep_the_title(office: Office) -> None:
    id = await written(office)
    for key, name in (("app-main", "云川通"), ("push-main", "云川通推送")):
        await office.post("editor", f"/contents/{id}/variants/{key}", {"text": "水黄，先放十分钟。"})
        shown = room_of((await office.get("editor", f"/contents/{id}")).text, name)
        assert "<b>清源路一带供水发黄情况通报</b>" in shown
        assert '<p class="weibo-words">水黄，先放十分钟。</p>' in shown


async def test_reviewers_read_every_word_that_would_go_out(office: Office) -> None:
    id = await submitted(office)
    page = unescape((await office.get("reviewer1", f"/reviews/{id}?tab=channels")).text)
    for name in ("云川通", "云川通推送"):
        shown = page.partition(f"<h2>{name}</h2>")[2].partition("</article>")[0]
        assert "清源路一带供水发黄情况通报" in shown
        assert "原因已查明，放水 5 至 10 分钟" in shown


async def test_an_administrator_connects_both_kinds_and_never_sees_a_secret_again(office: Office) -> None:
    page = (await office.get("sysadmin", "/accounts/new?channel=push")).text
    assert "Master Secret" in page
    form = {"channel": "push", "key": "push-two", "name": "文旅推送"}
    form |= {"c_app_key": "a-key", "c_master_secret": "very-secret"}
    answer = await office.post("sysadmin", "/accounts", form)
    assert answer.status_code == 303, answer.text
    row = await office.desk.store.get("accounts", "push-two")
    assert row is not None and row["listening"] is False
    assert "very-secret" not in (await office.get("sysadmin", "/accounts/push-two/edit")).text
    for path in ("/accounts", "/accounts/push-two", "/accounts/app-main", "/accounts/push-main"):
        assert (await office.get("sysadmin", path)).status_code == 200


async def test_pages_say_what_is_left_of_todays_calls(office: Office) -> None:
    now = office.desk.clock.now()
    row = {"_id": row_of("weibo-main", "posts_day", "day", now), "account": "weibo-main", "quota": "posts_day"}
    await office.desk.store.insert("quotas", {**row, "used": 2_959, "at": now})
    assert "余 41 / 3000" in (await office.get("editor", "/accounts")).text
    one = (await office.get("editor", "/accounts/weibo-main")).text
    assert "今天发微博" in one and "余 41 / 3000" in one and "余 3000 / 3000" in one
    assert "用完后会等到额度恢复再发" in one and "额度将满" in one
    home = (await office.get("editor", "/")).text
    assert "发微博 余 41 / 3000" in home and "额度将满" in home


async def test_an_authorisation_that_ends_is_given_anew_on_a_page_of_its_own(office: Office) -> None:
    facts = {"reauthorised": True, "health": {"state": "expired", "reason": "授权已过期，请重新授权"}}
    probed = [{"name": "留言", "fits": False, "said": "账号没有这个接口的权限"}]
    await office.desk.store.change("accounts", {"_id": "weibo-main"}, {"$set": {**facts, "probed": probed}})
    stopped = {"account": "weibo-main", "state": "refused", "who": "administrator", "title": "停水范围", "key": "k"}
    row = {"_id": "c9:weibo-main:1", "at": office.desk.clock.now(), "reason": "授权已失效", **stopped}
    await office.desk.store.insert("publications", row)
    page = unescape((await office.get("sysadmin", "/accounts/weibo-main")).text)
    for words in ("重新授权", "不行：账号没有这个接口的权限", "因账号停着的发布", "《停水范围》"):
        assert words in page, words
    form = (await office.get("sysadmin", "/accounts/weibo-main/authorise")).text
    assert 'type="password"' in form and "换上" in form
    for token in ("", "a-secret-token"):
        answer = await office.post("sysadmin", "/accounts/weibo-main/authorise", {"token": token})
        assert answer.status_code == 422
        assert "a-secret-token" not in answer.text
    assert (await office.get("editor", "/accounts/weibo-main/authorise")).status_code == 403
    assert (await office.get("sysadmin", "/accounts/site-main/authorise")).status_code == 404
