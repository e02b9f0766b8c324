"""Moments and marks of no calendar of ours: refused with a sentence where they come in, and no list breaks on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import in_utc, local
from hub.desk import publishing
from hub.desk.listening import take
from hub.desk.paging import read_mark
from hub.desk.publishing import Wish
from hub.desk.reading import read_new
from hub.domain.errors import Invalid
from hub.domain.people import program
from hub.domain.rows import read_moment
from hub.store import rollups
from tests.domain.listening_office import make_office
from tests.pages.desk_room import Room

ZERO, FAR = "0001-01-01T00:00:00Z", "9999-12-31T23:30:00Z"
zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


@given(st.datetimes(), zones)
def test_a_moment_that_is_taken_in_can_be_shown_and_its_month_drawn_in_every_zone(naive: datetime, zone: Any) -> None:
    try:
        taken = in_utc(naive.replace(tzinfo=zone))
    except ValueError:
        assert not 1970 < naive.year < 2199
        return
    for moment in (taken - timedelta(days=62), taken + timedelta(days=62)):
        assert local(moment) == moment == moment.astimezone(timezone(timedelta(hours=-23)))


@given(st.text(max_size=60))
def test_any_text_as_a_mark_is_a_mark_or_invalid(text: str) -> None:
    try:
        at, last = read_mark(text)
    except Invalid:
        return
    assert at.tzinfo is UTC and last


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "1900-01-01T00:00:00Z"])
def test_an_imported_row_of_no_year_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_moment(text)


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)])
async def test_words_with_a_zero_date_from_a_platform_are_kept_and_stop_no_counting(at: datetime) -> None:
    office = await make_office()
    said = [office.source.say("水不清", author="甲"), office.source.say("谢谢", author="乙")]
    account = await office.desk.store.get("accounts", "site-main")
    assert account is not None
    await take(program("listener"), office.desk, account, [replace(said[0], at=at), said[1]])
    await read_new(program("reader"), office.desk)
    rows = await office.desk.store.find("replies", {}, limit=10)
    assert [row["counted"] for row in rows] == [True, True]
    assert max(row["at"] for row in rows) == office.clock.now()
    assert await rollups.verify(office.desk.store) == []


@pytest.mark.parametrize("at", [ZERO, FAR])
async def test_a_program_that_brings_such_a_row_is_told_and_the_others_are_kept(room: Room, at: str) -> None:
    good = {"account": "site-main", "external_id": "e1", "author": "a", "text": "水不清", "at": "2026-11-23T09:00:00Z"}
    monitor = await room.as_("monitor")
    said = (await monitor.api("POST", "/replies", [good, {**good, "external_id": "e2", "at": at}])).json()
    assert said["new"] == 1 and [(row["row"], row["field"]) for row in said["errors"]] == [(1, "at")]


async def test_a_plan_beyond_the_calendar_is_refused_and_every_page_still_opens(room: Room) -> None:
    editor = await room.as_("editor")
    await room.post_out("c1", "甲")
    now = room.desk.clock.now()
    await room.office.write("c2", "乙", by=room.people["editor"].id)
    await room.desk.store.change("contents", {"_id": "c2"}, {"$set": {"updated_at": now, "created_at": now}})
    wish = {"account": "site-main", "at": FAR, "late": "ask"}
    said = await editor.api("POST", "/contents/c2/schedule", {"publications": [wish]})
    assert said.status_code == 422, said.text
    with pytest.raises(Invalid, match="排期"):
        far = datetime(9999, 12, 31, 23, tzinfo=UTC)
        await publishing.schedule(room.people["editor"], room.desk, "c2", [Wish("site-main", far, "ask")])
    assert not await room.desk.store.find("publications", {"content": "c2"}, limit=1)
    for path in ("/publications", "/contents", "/contents/c1/schedule"):
        assert (await editor.get(path)).status_code == 200


MARK = "0001-01-01T00:00:00%2B14:00"


@pytest.mark.parametrize(
    "path",
    [
        f"/replies?cursor={MARK}|x", f"/issues?cursor={MARK}|x", f"/replies?since={MARK}&until={MARK}",
        "/contents?cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCwgIngiXQ", "/board?until=0001-01-01",
        f"/api/v1/board?until={ZERO}", f"/api/v1/board?until={FAR}", f"/api/v1/replies?cursor={MARK}|x",
    ],
)  # fmt: skip
async def test_such_a_mark_in_an_address_is_a_sentence_and_no_fault(room: Room, path: str) -> None:
    monitor = await room.as_("monitor")
    assert (await monitor.get(path)).status_code == 422, path
