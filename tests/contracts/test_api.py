"""The API as a program uses it: the whole road over HTTP, versions, lists, ingest, and what no answer ever holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk.carrying import carry
from hub.domain.errors import Invalid
from hub.domain.people import program
from hub.pages.api_answers import HIDDEN, may_leave, plain
from hub.pages.api_contents import ContentBody, ScheduleBody
from hub.pages.api_listening import ReplyBody
from hub.pages.openapi import DESCRIBED, described_path, document
from hub.pages.phrases import in_chinese
from hub.pages.routes import take
from tests.pages.desk_room import Room, Visitor

SOON = "2026-11-24T11:00:00+08:00"
TEXT = "十二月一日起，城区公交线路调整。"


def draft(title: str = "城区公交线路调整", **more: Any) -> dict[str, Any]:
    blocks = [{"kind": "p", "runs": [{"text": TEXT}]}]
    meta = {"source": "云川市交通运输局"}
    return {"kind": "news", "column": "yaowen", "title": title, "blocks": blocks, "meta": meta, **more}


async def written(editor: Visitor, **more: Any) -> dict[str, Any]:
    answer = await editor.api("POST", "/contents", draft(**more))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_text_goes_from_draft_to_schedule_over_the_api_alone(room: Room) -> None:
    editor, reviewer, second = [await room.as_(login) for login in ("editor", "reviewer", "reviewer2")]
    content = await written(editor)
    path = f"/contents/{content['id']}"
    saved = await editor.api("PUT", path, draft(digest="十二月起调整"), headers={"If-Match": '"1"'})
    assert saved.status_code == 200 and saved.headers["etag"] == '"2"'
    findings = (await editor.api("POST", f"{path}/check")).json()["findings"]
    reasons = {each["key"]: "已核对" for each in findings}
    submitted = (await editor.api("POST", f"{path}/submit", {"acknowledged": reasons})).json()
    assert submitted["state"] == "in_review"
    for level, visitor in ((1, reviewer), (2, second)):
        word = {"verdict": "pass", "level": level, "hash": submitted["hash"]}
        state = (await visitor.api("POST", f"{path}/reviews", word)).json()["state"]
    assert state == "approved"
    order = {"publications": [{"account": key, "at": SOON} for key in ("site-main", "weibo-main")]}
    made = await editor.api("POST", f"{path}/schedule", order)
    assert made.status_code == 201 and len(made.json()["publications"]) == 2
    listed = (await editor.api("GET", f"/publications?content={content['id']}")).json()["items"]
    assert {row["account"]: row["state"] for row in listed} == {"site-main": "scheduled", "weibo-main": "scheduled"}
    assert listed[0]["at"] == "2026-11-24T11:00:00.000+08:00"


async def test_a_save_must_name_its_version_and_an_old_one_is_refused(room: Room) -> None:
    editor = await room.as_("editor")
    path = f"/contents/{(await written(editor))['id']}"
    bare = await editor.api("PUT", path, draft())
    assert bare.status_code == 428 and "If-Match" in bare.json()["detail"]
    assert (await editor.api("PUT", path, draft("甲"), headers={"If-Match": '"1"'})).status_code == 200
    stale = await editor.api("PUT", path, draft("乙"), headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await editor.api("PUT", path, draft("乙"), headers={"If-Match": "new"})).status_code == 422
    assert (await editor.api("GET", path)).json()["title"] == "甲"


async def test_the_same_idempotency_key_makes_one_content(room: Room) -> None:
    editor = await room.as_("editor")
    ids = [
        (await editor.api("POST", "/contents", draft(), headers={"Idempotency-Key": "k-1"})).json()["id"]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]


async def test_a_schedule_that_cannot_be_kept_schedules_nothing_unless_the_rest_is_asked_for(room: Room) -> None:
    editor = await room.as_("editor")
    path = f"/contents/{(await written(editor))['id']}"
    wishes = [{"account": "site-main", "at": SOON}, {"account": "nowhere", "at": SOON}]
    refused = await editor.api("POST", f"{path}/schedule", {"publications": wishes})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "nowhere"
    assert (await editor.api("GET", "/publications")).json()["items"] == []
    rest = await editor.api("POST", f"{path}/schedule", {"publications": wishes, "if_some_impossible": "the_rest"})
    assert [row["account"] for row in rest.json()["publications"]] == ["site-main"]
    assert rest.json()["impossible"][0]["account"] == "nowhere"


async def test_an_unknown_post_is_resolved_by_a_person_with_address_and_evidence(room: Room) -> None:
    room.platforms["weibo-main"].faults.append("drop_before")
    out = await room.post_out("c1", "停水通知", ["site-main", "weibo-main"])
    unknown = next(row["_id"] for row in out if row["account"] == "weibo-main")
    editor = await room.as_("editor")
    seen = (await editor.api("GET", f"/publications/{unknown}")).json()
    assert seen["state"] == "unknown" and seen["attempts"][0]["words"].startswith("第 1 次")
    foreign = {"outcome": "published", "url": "https://elsewhere.example/1", "evidence": "看见了"}
    assert (await editor.api("POST", f"/publications/{unknown}/resolve", foreign)).status_code == 422
    own = {**foreign, "url": "https://weibo-main.example/1"}
    assert (await editor.api("POST", f"/publications/{unknown}/resolve", own)).json()["state"] == "published"
    again = await editor.api("POST", f"/publications/{unknown}/resolve", own)
    assert again.status_code == 409


async def test_hold_all_stops_everything_and_only_a_reviewer_lifts_it(room: Room) -> None:
    editor, reviewer = await room.as_("editor"), await room.as_("reviewer")
    assert (await editor.api("POST", "/hold-all", {"reason": ""})).status_code == 422
    assert (await editor.api("POST", "/hold-all", {"reason": "上级来电"})).json()["under_way"] == []
    assert (await editor.api("GET", "/hold-all")).json()["on"] is True
    assert (await editor.api("DELETE", "/hold-all", {})).status_code == 403
    assert (await reviewer.api("DELETE", "/hold-all", {"reason": "已核实"})).status_code == 200
    assert (await editor.api("GET", "/hold-all")).json()["on"] is False


# ---- ingest


def said(number: int, **more: Any) -> dict[str, Any]:
    row = {"account": "site-main", "external_id": f"e{number}", "author": "王芳", "text": f"水不好 {number}"}
    return {**row, "at": "2026-11-24T08:00:00+08:00", **more}


async def test_ingest_keeps_each_row_once_and_names_those_it_cannot_take(room: Room) -> None:
    program = await room.program("monitor", "reply.take", "reply.read")
    rows = [
        said(1, district="临江区"),
        said(2),
        said(3, at="2026-11-24T08:00:00"),
        said(4, account="nowhere"),
        said(5, text=""),
        said(6, at="2031-01-01T00:00:00+08:00"),
        {**said(7), "phone": "13800000000"},
        "一句话",
    ]
    answer = (await program.api("POST", "/replies", rows)).json()
    assert (answer["new"], answer["known"], answer["rejected"]) == (2, 0, 6)
    assert [(each["row"], each["field"]) for each in answer["errors"]] == [
        (2, "at"), (3, "account"), (4, "text"), (5, "at"), (6, "phone"), (7, "body"),
    ]  # fmt: skip
    again = (await program.api("POST", "/replies", rows[:2])).json()
    assert (again["new"], again["known"], again["rejected"]) == (0, 2, 0)


async def test_what_was_taken_in_is_found_masked_and_nothing_sealed_leaves(room: Room) -> None:
    monitor = await room.as_("monitor")
    await monitor.api("POST", "/replies", [said(1, text="我叫王芳，电话13812345678，水不好")])
    items = (await monitor.api("GET", "/replies")).json()["items"]
    assert "13812345678" not in json.dumps(items, ensure_ascii=False) and "sealed" not in items[0]
    plain_words = await monitor.api("POST", f"/replies/{items[0]['id']}/reveal", {"reason": "回访来信人"})
    assert "13812345678" in plain_words.json()["text"] and plain_words.headers["cache-control"] == "no-store"
    assert (await monitor.api("POST", f"/replies/{items[0]['id']}/reveal", {"reason": ""})).status_code == 422


async def test_ingest_refuses_an_empty_or_endless_batch(room: Room) -> None:
    monitor = await room.as_("monitor")
    assert (await monitor.api("POST", "/replies", [])).status_code == 422
    assert (await monitor.api("POST", "/replies", [said(1)] * 1_001)).status_code == 422
    broken = await monitor.send("POST", "/api/v1/replies", content=b"[{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 422 and "JSON" in broken.json()["detail"]


# ---- lists


async def test_lists_page_with_an_opaque_cursor_and_lose_and_repeat_nothing(room: Room) -> None:
    monitor = await room.as_("monitor")
    assert (await monitor.api("POST", "/replies", [said(number) for number in range(25)])).json()["new"] == 25
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = (await monitor.api("GET", f"/replies?limit=7&cursor={cursor}")).json()
        seen += [row["external_id"] for row in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(f"e{number}" for number in range(25))


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=%25%25", "cursor=bm9uZQ"])
async def test_a_wrong_limit_or_cursor_is_said_in_chinese(room: Room, query: str) -> None:
    answer = await (await room.as_("monitor")).api("GET", f"/replies?{query}")
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] in ("limit", "cursor")


async def test_every_list_takes_its_own_cursor_back(room: Room) -> None:
    await room.post_out("c1", "甲")
    await room.post_out("c2", "乙")
    await room.as_("editor")
    await carry(program("carrier"), room.desk)  # what the worker does: the chain of the audit
    for login, path in (
        ("editor", "/contents"),
        ("editor", "/publications"),
        ("editor", "/accounts"),
        ("secadmin", "/users"),
        ("auditor", "/audit"),
    ):
        visitor = await room.as_(login)
        first = (await visitor.api("GET", f"{path}?limit=1")).json()
        second = (await visitor.api("GET", f"{path}?limit=1&cursor={first['cursor']}")).json()
        assert second["items"] and second["items"][0]["id"] != first["items"][0]["id"], path


# ---- what may leave


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5) | st.datetimes(timezones=st.just(UTC)),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*sorted(HIDDEN), "outbox", "outbox_open", "lease_owner", "lease_until", "title", "_id"]),
            inner,
            max_size=5,
        ),
        max_leaves=20,
    )
)
def test_no_hidden_field_leaves_from_whatever_depth(document: Any) -> None:
    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {name for each in value.values() for name in names(each)}
        return {name for each in value for name in names(each)} if isinstance(value, list) else set()

    found = names(plain(document))
    assert all(may_leave(name) for name in found) and "_id" not in found


async def test_no_answer_of_any_list_holds_a_secret(room: Room) -> None:
    """The values themselves, as they stand in the store, are looked for in every reading answer."""
    await room.post_out("c1", "甲")
    monitor = await room.as_("monitor")
    await monitor.api("POST", "/replies", [said(1)])
    secadmin = await room.as_("secadmin")
    await secadmin.confirm()
    made = {"name": "程序", "user": room.people["editor"].id, "scopes": ["content.read"]}
    token = (await secadmin.api("POST", "/tokens", made)).json()["token"]
    users = await room.desk.store.find("users", {}, limit=50)
    replies = await room.desk.store.find("replies", {}, limit=50)
    secrets = [token, *(row["password"] for row in users), *(row["author_key"] for row in replies)]
    secrets += [text for row in replies for text in row["sealed"].values()]
    for login in ("editor", "monitor", "sysadmin", "secadmin", "auditor"):
        visitor = await room.as_(login)
        for route in (each for each in DESCRIBED if each.method == "GET" and "<" not in each.path):
            if route.form == "api":
                body = (await visitor.send("GET", route.path)).text
                assert not [secret for secret in secrets if secret in body], route.path


async def test_policies_are_changed_by_one_and_guarded_ones_by_two(room: Room) -> None:
    first, second = await room.as_("secadmin"), await room.as_("secadmin2")
    for visitor in (first, second):
        await visitor.confirm()
    assert (await first.api("PUT", "/policies/late_minutes", {"value": 45})).json()["value"] == 45
    assert (await first.api("PUT", "/policies/late_minutes", {"value": 0})).status_code == 422
    assert (await first.api("PUT", "/policies/nothing", {"value": 1})).status_code == 404
    assert (await first.api("PUT", "/policies/approval_levels", {"value": 3})).status_code == 200
    assert (await first.api("POST", "/policies/approval_levels/confirm", {"value": 3})).status_code == 403
    assert (await second.api("POST", "/policies/approval_levels/confirm", {"value": 2})).status_code == 409
    assert (await second.api("POST", "/policies/approval_levels/confirm", {"value": 3})).status_code == 200
    rows = {row["id"]: row for row in (await first.api("GET", "/policies")).json()["items"]}
    assert rows["approval_levels"]["value"] == 2 and rows["late_minutes"]["value"] == 45


# ---- bodies and their description


class Asked:
    """As much of a request as `take` reads."""

    def __init__(self, body: bytes) -> None:
        self.body = body


@pytest.mark.parametrize(
    ("body", "kind", "field", "sentence"),
    [
        (b'{"column":"a","title":"b"}', ContentBody, "kind", "缺少这一项。"),
        (b'{"kind":"a","column":"a","title":"b","x":1}', ContentBody, "x", "没有这个字段，请去掉。"),
        (b'{"kind":1,"column":"a","title":"b"}', ContentBody, "kind", "应为文字，收到的是整数。"),
        (b'{"publications":[]}', ScheduleBody, "publications", "最少 1 项。"),
        (b'{"publications":[{"account":"a"}]}', ScheduleBody, "publications[0].at", "缺少这一项。"),
        (b"[1]", ContentBody, "body", "应为对象，收到的是列表。"),
    ],
)
def test_a_wrong_body_is_explained_in_chinese_at_its_field(body: bytes, kind: Any, field: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        take(Asked(body), kind)  # type: ignore[arg-type]
    assert [(each.field, each.message) for each in caught.value.errors] == [(field, sentence)]


def test_a_time_without_its_offset_is_asked_for_again() -> None:
    row = {"account": "a", "external_id": "b", "author": "c", "text": "d", "at": "2026-11-24T09:00:00"}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(json.dumps(row), type=ReplyBody)
    field, sentence = in_chinese(str(caught.value))
    assert field == "at" and "+08:00" in sentence


def test_the_description_names_every_call_of_the_api_with_its_right() -> None:
    paths = json.loads(document())["paths"]
    calls = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert {(route.method, described_path(route.path)) for route in DESCRIBED} <= calls
    assert paths["/api/v1/contents/{id}"]["put"]["x-right"] == "content.write"
    assert paths["/api/v1/alerts/{id}/{act}"]["post"]["parameters"][1]["schema"]["enum"][0] == "acknowledge"


async def test_the_description_and_its_page_are_served_to_whoever_is_signed_in(room: Room) -> None:
    assert (await (await room.stranger()).get("/docs/openapi.json", follow_redirects=False)).status_code in (303, 401)
    visitor = await room.as_("editor")
    found = await visitor.get("/docs/openapi.json")
    assert found.status_code == 200 and found.json()["openapi"] == "3.1.0"
    page = await visitor.get("/docs")
    assert page.status_code == 200 and "/api/v1/contents/{id}/schedule" in page.text


def test_times_leave_in_the_offices_zone() -> None:
    assert plain({"at": datetime(2026, 11, 24, 1, tzinfo=UTC)}) == {"at": "2026-11-24T09:00:00.000+08:00"}
