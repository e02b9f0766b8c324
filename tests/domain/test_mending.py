"""A refused picture: named, drawn smaller, and the same publication sent again; never what may be public already."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from hub.desk import ledger
from hub.desk.carrying import carry
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.mending import Smaller, mend
from hub.desk.picturing import Drawing, upload
from hub.desk.publishing import Wish, release, schedule
from hub.desk.settling import settle
from hub.domain.content import Draft, check_draft, draft_of, files_of, package_hash, revise
from hub.domain.errors import Conflict, NotAllowed
from hub.domain.holding import is_approved
from hub.domain.people import program
from hub.domain.renditions import may_be_mended, recorded, replaced
from hub.store.base import Document
from tests.domain.publishing_office import DISPATCHER, EDITOR, MONITOR, SETTLER, Office, make_office

RENDERER = program("renderer")
NAME = "送水点分布图.png"
LOW = 400_000  # the limit that the website is turned down to, in bytes
ID, WEIBO = "c1:site-main:1", "c1:weibo-main:1"


def noise(side: int = 800, seed: int = 1) -> bytes:
    """A picture that no compression makes small: what it holds is chance, also in its transparency."""
    content = random.Random(seed).randbytes(side * side * 4)  # noqa: S311 - repeatable on purpose
    out = io.BytesIO()
    Image.frombytes("RGBA", (side, side), content).save(out, "PNG", compress_level=1)
    return out.getvalue()


@pytest.fixture(scope="module")
def drawing() -> Any:
    found = Drawing(longest=60.0)
    yield found
    found.close()


@pytest.fixture
async def office(drawing: Drawing) -> AsyncIterator[Office]:
    """A content with a small and a large picture, approved and scheduled for the website and 微博, whose website then
    takes less than before."""
    made = make_office()
    await made.account("site-main", "site", name="市政府网站")
    await made.account("weibo-main", "weibo", name="云川发布", waits_for="site-main")
    small = await upload(EDITOR, made.desk, drawing, noise(60, 2), "小图.png")
    large = await upload(EDITOR, made.desk, drawing, noise(), NAME)
    await written(made, [small["_id"], large["_id"]])
    wishes = [Wish(account, made.clock.now(), "publish") for account in ("site-main", "weibo-main")]
    await schedule(EDITOR, made.desk, "c1", wishes)
    yield made


async def written(office: Office, pictures: list[str], number: int = 1, title: str = "停水范围和送水点") -> None:
    """The large one stands in a row of pictures, so that both kinds of blocks are met."""
    first, *others = pictures
    items = [{"media": name, "alt": "大"} for name in (*others, first)]
    blocks: list[dict[str, Any]] = [
        {"kind": "p", "runs": [{"text": "停水。"}]},
        {"kind": "img", "media": first, "alt": "小"},
        {"kind": "images", "items": items},
    ]
    draft = check_draft(Draft("news", "yaowen", title, "", blocks, (), {"source": "云川市新闻办"}))
    revision = revise("c1", number, draft, by="u-editor", at=office.clock.now())
    await office.store.insert("revisions", revision)
    package = package_hash(revision["hash"], {}, files_of(draft_of(revision)))
    fields = {
        "state": "approved", "approved_hash": package, "hash": package, "revision": number, "title": draft.title,
        "author": "u-editor", "kind": "news", "column": "yaowen", "variants": {},
    }  # fmt: skip
    await office.store.change("contents", {"_id": "c1"}, {"$set": fields}, upsert=True)


async def limited(office: Office, octets: int = LOW) -> None:
    await office.store.change("accounts", {"_id": "site-main"}, {"$set": {"profile": {"picture_bytes": octets}}})


async def sent(office: Office) -> None:
    for _ in range(4):
        office.clock.move(timedelta(seconds=1))
        await dispatch(DISPATCHER, office.desk)
        await wake_waiting(DISPATCHER, office.desk)


async def row(office: Office, id: str = ID) -> Document:
    found = await office.store.get("publications", id)
    assert found is not None
    return found


async def test_a_refusal_names_the_picture_its_size_and_the_limit_and_holds_what_waits_for_the_address(
    office: Office,
) -> None:
    await limited(office)
    await sent(office)
    refused = await row(office)
    assert refused["state"] == "refused"
    assert refused["reason"].startswith(f"第 2 张图“{NAME}” ") and refused["reason"].endswith("超过网站的 391 KB")
    assert may_be_mended(refused)
    waiting = await row(office, WEIBO)
    assert (waiting["state"], waiting["held_for"]) == ("held", "address")


async def test_the_worker_draws_it_smaller_and_one_press_publishes_it_everywhere(
    office: Office, drawing: Drawing
) -> None:
    await limited(office)
    await sent(office)
    before = await row(office)
    assert await Smaller(drawing).tick(RENDERER, office.desk) == 1
    offered = await row(office)
    [made] = offered["offer"]["renditions"]
    original = made["of"]
    assert (made["place"], made["name"], original) == (2, NAME, before["picture"]) and made["size"] < LOW < made["was"]
    assert await Smaller(drawing).tick(RENDERER, office.desk) == 0
    assert (await row(office))["state"] == "refused"
    await mend(EDITOR, office.desk, drawing, ID)
    await sent(office)
    after = await row(office)
    assert set((await office.states()).values()) == {"published"}
    assert recorded(after) == {original: made["sha256"]} and after["key"] != before["key"]
    assert len(office.platforms["site-main"].posts) == len(office.platforms["weibo-main"].posts) == 1


async def test_what_was_approved_stays_approved_and_every_hash_is_written_down(
    office: Office, drawing: Drawing
) -> None:
    await limited(office)
    await sent(office)
    original = (await row(office))["picture"]
    package = (await row(office))["hash"]
    await mend(EDITOR, office.desk, drawing, ID)
    await sent(office)
    content, after = await office.store.get("contents", "c1"), await row(office)
    assert is_approved(content, after["hash"]) and after["hash"] == package
    small = recorded(after)[original]
    media = await office.store.get("media", small)
    assert media is not None and media["rendition_of"] == original
    assert await office.desk.files.has(original) and await office.desk.files.has(small)
    for _ in range(3):
        await carry(program("carrier"), office.desk)
    [entry] = await office.store.find("audit", {"act": "publication.mend"}, limit=5)
    assert (entry["actor"], entry["detail"]["renditions"]) == (EDITOR.id, [f"{original} → {small}"])
    assert await office.store.find("audit", {"act": "media.rendition"}, limit=5)


async def test_a_press_without_the_workers_offer_draws_for_itself(office: Office, drawing: Drawing) -> None:
    await limited(office)
    await sent(office)
    await mend(EDITOR, office.desk, drawing, ID)
    await sent(office)
    assert set((await office.states()).values()) == {"published"}


async def test_a_platform_that_refuses_below_its_own_limit_is_offered_half_and_then_half_again(
    office: Office, drawing: Drawing
) -> None:
    office.platforms["site-main"].faults += ["stage_picture", "stage_picture"]
    sizes = []
    for _ in range(2):
        await sent(office)
        refused = await row(office)
        assert refused["state"] == "refused" and NAME in refused["reason"]
        await mend(EDITOR, office.desk, drawing, ID)
        [made] = (await row(office))["renditions"]
        sizes.append(made["size"])
    await sent(office)
    assert (await row(office))["state"] == "published"
    assert sizes[1] < sizes[0] / 2 < made["was"] / 4
    presses = (await row(office))["mended"]
    assert [press["sizes"][0]["size"] for press in presses] == sizes and presses[0]["by"] == EDITOR.id


async def test_what_is_unknown_or_refused_for_another_reason_is_never_offered_it(
    office: Office, drawing: Drawing
) -> None:
    office.platforms["site-main"].faults.append("word")
    await sent(office)
    with pytest.raises(Conflict):
        await mend(EDITOR, office.desk, drawing, ID)
    await release(EDITOR, office.desk, ID)
    office.platforms["site-main"].faults.append("drop_before")
    await sent(office)
    assert (await row(office))["state"] == "unknown"
    with pytest.raises(Conflict, match="确定没有公开"):
        await mend(EDITOR, office.desk, drawing, ID)
    assert (await row(office))["state"] == "unknown"


async def test_a_refusal_after_an_attempt_that_nobody_settled_is_not_mended(office: Office, drawing: Drawing) -> None:
    """The website was asked twice and had nothing; what was sent first is still not certain enough for a new key."""
    office.platforms["site-main"].faults += ["drop_before"]
    await sent(office)
    for _ in range(8):
        office.clock.move(timedelta(seconds=40))
        await settle(SETTLER, office.desk)
    await limited(office)
    await sent(office)
    refused = await row(office)
    assert refused["state"] == "refused" and refused["picture"]
    assert not may_be_mended(refused)
    with pytest.raises(Conflict):
        await mend(EDITOR, office.desk, drawing, ID)


async def test_only_who_may_release_may_press_and_two_presses_are_one(office: Office, drawing: Drawing) -> None:
    await limited(office)
    await sent(office)
    for other in (MONITOR, DISPATCHER, replace(EDITOR, kind="token", scopes=frozenset({"publication.release"}))):
        with pytest.raises(NotAllowed):
            await mend(other, office.desk, drawing, ID)
    presses = [mend(EDITOR, office.desk, drawing, ID) for _ in range(2)]
    done = await asyncio.gather(*presses, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "dict"]
    await sent(office)
    assert len(office.platforms["site-main"].posts) == 1


async def test_a_content_that_was_edited_meanwhile_goes_to_its_reviewers_first(
    office: Office, drawing: Drawing
) -> None:
    await limited(office)
    await sent(office)
    await office.store.change("contents", {"_id": "c1"}, {"$set": {"state": "draft"}})
    await Smaller(drawing).tick(RENDERER, office.desk)
    assert "审签" in (await row(office))["offer"]["failed"]
    with pytest.raises(Conflict, match="审签"):
        await mend(EDITOR, office.desk, drawing, ID)


async def test_what_a_person_held_stays_held_when_the_website_goes_out(office: Office, drawing: Drawing) -> None:
    await limited(office)
    await sent(office)
    found = await row(office, WEIBO)
    by_hand = {"$set": {"reason": "等领导回话"}, "$unset": {"held_for": ""}}
    await office.store.change("publications", ledger.expected(found), by_hand)
    await mend(EDITOR, office.desk, drawing, ID)
    await sent(office)
    assert await office.states() == {"site-main": "published", "weibo-main": "held"}


async def test_a_title_that_is_too_long_as_well_is_not_mended_by_a_smaller_picture(office: Office) -> None:
    await limited(office)
    revision = await office.store.get("revisions", "c1:1")
    assert revision is not None
    names = [revision["blocks"][1]["media"], revision["blocks"][2]["items"][0]["media"]]
    await written(office, names, 2, "停水范围和送水点" * 8)
    await sent(office)
    refused = await row(office)
    assert "标题太长" in refused["reason"] and NAME in refused["reason"]
    assert not may_be_mended(refused)


def test_only_pictures_are_replaced_and_every_other_word_stays() -> None:
    blocks = [
        {"kind": "p", "runs": [{"text": "a"}]},
        {"kind": "img", "media": "a", "alt": "x"},
        {"kind": "images", "items": [{"media": "a", "alt": "y"}, {"media": "b", "alt": "z"}]},
        {"kind": "file", "media": "a", "name": "n"},
    ]
    assert replaced(blocks, {"a": "A"}) == [
        {"kind": "p", "runs": [{"text": "a"}]},
        {"kind": "img", "media": "A", "alt": "x"},
        {"kind": "images", "items": [{"media": "A", "alt": "y"}, {"media": "b", "alt": "z"}]},
        {"kind": "file", "media": "a", "name": "n"},
    ]
    assert replaced(blocks, {}) == blocks
