"""One account whose settings or credentials do not open: it waits and says so, and all the others go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from channels.contract import Accepted, Channel
from hub.desk import columns, mirroring, publishing, settling
from hub.desk.checking import check_content
from hub.desk.desk import UNFIT, Desk
from hub.desk.dispatching import dispatch
from hub.desk.previewing import previews
from hub.desk.publishing import Wish
from hub.domain.errors import Misconfigured
from hub.domain.people import program
from hub.sealing import Unsealable
from hub.store.base import Document
from tests.domain.publishing_office import DISPATCHER, EDITOR, SETTLER, Office, make_office

MIRROR = program("mirror")
SEALED = Unsealable("accounts", "credentials", "no key")
FAULTS = (ValueError("设置里没有地址"), KeyError("base_url"), SEALED, Misconfigured("不能连接。"))


def with_ill(desk: Desk, ill: str, fault: Exception) -> Desk:
    """The same desk, where this account's channel cannot be made."""
    well: Callable[[Document], Channel] = desk.connect

    def connect(account: Document) -> Channel:
        if account["_id"] == ill:
            raise fault
        return well(account)

    return replace(desk, connect=connect)


async def two_in_doubt(first: str, second: str) -> Office:
    """Two posts, each on its account, of which nobody knows whether they went out."""
    office = make_office()
    for account in ("a-ill", "b-well"):
        await office.account(account, "trusted")
    await office.write("c1", "供热开始")
    await publishing.schedule(
        EDITOR, office.desk, "c1", [Wish(name, office.clock.now(), "publish") for name in ("a-ill", "b-well")]
    )
    office.platforms["a-ill"].faults, office.platforms["b-well"].faults = [first], [second]
    await dispatch(DISPATCHER, office.desk)
    return office


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize(("doubt", "state"), [("drop_after", "unknown"), ("pending", "pending")])
async def test_settling_goes_on_with_the_others_and_comes_back_when_it_is_mended(
    fault: Exception, doubt: str, state: str
) -> None:
    office = await two_in_doubt(doubt, "drop_after")
    ill = with_ill(office.desk, "a-ill", fault)
    for _ in range(4):
        office.clock.move(timedelta(minutes=3))
        await settling.settle(SETTLER, ill)
    assert await office.states() == {"a-ill": state, "b-well": "published"}
    if doubt == "pending":
        return
    for _ in range(10):
        office.clock.move(timedelta(minutes=20))
        await settling.settle(SETTLER, office.desk)
    assert await office.states() == {"a-ill": "published", "b-well": "published"}
    assert office.platforms["a-ill"].calls.count("publish") == 1


async def test_the_editor_sees_every_version_and_the_sentence_for_the_one_that_cannot_be_had() -> None:
    office = make_office()
    for account in ("a-ill", "b-well"):
        await office.account(account, "trusted")
    await office.write("c1", "供热开始", approved=False)
    await office.store.change("contents", {"_id": "c1"}, {"$set": {"variants": {"a-ill": {"revision": 1}}}})
    desk = with_ill(office.desk, "a-ill", SEALED)
    content, revision = await office.store.get("contents", "c1"), await office.store.find("revisions", {}, limit=1)
    assert content is not None
    found = await previews(EDITOR, desk, content, revision[0])
    said = {each.account["_id"]: [problem.message for problem in each.prepared.problems] for each in found}
    assert said == {"a-ill": [UNFIT], "b-well": []}
    assert any(UNFIT in finding.message for finding in await check_content(EDITOR, desk, "c1"))


class Shelf:
    """A website of ours that takes columns and beats."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def put(self, kind: str, id: str, version: int, body: object) -> Accepted:
        self.taken.append(id)
        return Accepted(id)

    async def beat(self, owner: str) -> bool:
        self.taken.append("beat")
        return True



async def test_websites_that_are_well_get_their_columns_and_beats_beside_one_that_is_not() -> None:
    office = make_office()
    for account in ("a-ill", "b-well"):
        await office.account(account, "site")
    column = {"_id": "yw", "name": "要闻", "order": 1, "version": 1, **dict.fromkeys(mirroring.COPIED[0].fields, "")}
    await office.store.insert("columns", column)
    shelf = Shelf()
    desk = replace(office.desk, connect=lambda account: shelf)  # type: ignore[arg-type, return-value]
    desk = with_ill(desk, "a-ill", ValueError("没有地址"))
    assert await mirroring.mirror(MIRROR, desk) == 1
    assert await columns.beat_sites(MIRROR, desk) == 1
    assert shelf.taken == ["yw", "beat"]
