"""Phones that registered through the site: kept once each, sealed, before the site may forget them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.contract import Page
from hub.desk.keeping import throw_away
from hub.desk.listening import listen
from hub.desk.registering import register
from hub.domain.people import program
from hub.failpoints import Stopped
from hub.sealing import CITIZEN
from tests.domain.listening_office import LISTENER, Office, make_office

NUMBER = "1a0018970a8d5f3b0c2"


def row(office: Office, id: str = "r1", **more: Any) -> dict[str, Any]:
    said = {"registration_id": NUMBER, "platform": "android", "districts": ["临江区"], **more}
    return {"id": id, "kind": "device", "sealed": office.box(id, said)}


async def devices(office: Office) -> list[dict[str, Any]]:
    return await office.desk.store.find("devices", {}, limit=50)


async def test_a_phone_is_kept_once_with_its_newest_word_and_its_number_sealed() -> None:
    office = await make_office()
    assert await register(LISTENER, office.desk, "site-main", [row(office), row(office)]) == 1
    office.clock.move(60)
    assert await register(LISTENER, office.desk, "site-main", [row(office, "r2", districts=["北岭区"])]) == 0
    [kept] = await devices(office)
    assert (kept["platform"], kept["districts"], kept["state"]) == ("android", ["北岭区"], "registered")
    assert kept["seen_at"] - kept["registered_at"] == timedelta(seconds=60)
    assert NUMBER not in json.dumps(kept, default=str)
    sealer = office.desk.sealer
    assert sealer.open(kept["sealed"], table="devices", id=kept["_id"], field="sealed", purpose=CITIZEN) == NUMBER


async def test_what_does_not_open_is_kept_as_it_came() -> None:
    office = await make_office()
    odd: Sequence[dict[str, Any]] = [
        {"id": "r1", "kind": "device", "sealed": "no box"},
        {"id": "r2", "kind": "device", "sealed": office.box("r2", {"platform": "ios"})},
        {**row(office, "r3"), "id": "r4"},
    ]
    assert await register(LISTENER, office.desk, "site-main", odd) == 0
    kept = {each["_id"]: each for each in await devices(office)}
    assert sorted(kept) == ["box:r1", "box:r2", "box:r4"]
    assert kept["box:r1"]["box"] == "no box"


class WithDevices:
    """A source whose pages bring a device each, and which notes with what cursor it was asked."""

    def __init__(self, office: Office) -> None:
        self.office, self.asked = office, []  # type: ignore[var-annotated]
        self.capabilities = office.source.capabilities

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page:
        self.asked.append(cursor)
        return Page((), "1", False, (row(self.office),)) if not cursor else Page((), cursor, False)


async def test_a_phone_is_durable_before_the_cursor_moves_on() -> None:
    office = await make_office()
    source = WithDevices(office)
    office.desk = replace(office.desk, connect=lambda account: source)  # type: ignore[arg-type, return-value]
    broken = office.again(office.desk.store, "poll.stored:1:raise")
    with pytest.raises(Stopped):
        await listen(LISTENER, broken.desk)
    assert len(await devices(office)) == 1
    assert await office.desk.store.get("cursors", "site-main") is None
    office.clock.move(timedelta(minutes=5))
    await listen(LISTENER, office.desk)
    assert len(await devices(office)) == 1
    assert source.asked == ["", ""]


async def test_a_phone_that_has_not_registered_for_a_year_is_forgotten() -> None:
    office = await make_office()
    await register(LISTENER, office.desk, "site-main", [row(office)])
    office.clock.move(timedelta(days=200))
    await register(LISTENER, office.desk, "site-main", [row(office, "r2", registration_id="another-number")])
    office.clock.move(timedelta(days=200))
    await throw_away(program("keeper"), office.desk)
    assert len(await devices(office)) == 1
