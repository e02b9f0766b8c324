"""Listening, reading and watching when something beside them is broken: the rest goes on, and nothing stays behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.contract import Channel
from hub.desk.alerting import handle_alert
from hub.desk.issues import list_issues
from hub.desk.listening import listen
from hub.desk.reading import read_new
from hub.desk.remembering import PART, keep, recall
from hub.desk.reopening import reopen
from hub.desk.replies import reveal
from hub.desk.watching import Watch
from hub.domain.errors import Conflict, Invalid
from hub.sealing import CITIZEN, PublicSealer, Sealer
from hub.store import rollups
from hub.store.base import Document
from nlp.contract import Analysis, IssueChange, Voice
from tests.domain.listening_office import (
    LISTENER,
    MONITOR,
    READER,
    WATCHER,
    Counting,
    Office,
    make_office,
    read,
)

HALF = "\ud83d"  # the first half of an emoji, as platforms leave it where they cut a text


async def only(office: Office) -> Document:
    [row] = await office.desk.store.find("replies", {})
    return row


# ---- listening


async def test_half_a_sign_in_one_comment_does_not_stop_the_others() -> None:
    office = await make_office()
    office.source.say(f"水不清{HALF}", author=f"王{HALF}", raw={"text": f"水不清{HALF}"})
    office.source.say("谢谢")
    assert await listen(LISTENER, office.desk) == 2
    rows = await office.desk.store.find("replies", {}, sort=[("external_id", 1)])
    sealed = rows[0]["sealed"]["raw"]
    raw = office.desk.sealer.open(sealed, table="replies", id=rows[0]["_id"], field="raw", purpose=CITIZEN)
    assert json.loads(raw)["text"] == f"水不清{HALF}"  # as the platform gave it


@pytest.mark.parametrize("letter", [["not", "a", "letter"], "words", 7, {}])
async def test_a_letter_of_a_strange_shape_is_kept_aside_and_the_others_come_in(letter: Any) -> None:
    office = await make_office()
    office.source.say("", id="row-1", raw={"id": "row-1", "sealed": office.box("row-1", letter)})
    office.source.say("谢谢")
    assert await listen(LISTENER, office.desk) == 2


async def test_an_account_that_cannot_be_connected_does_not_silence_the_others() -> None:
    office = await make_office()
    second = {"channel": "site", "name": "坏的", "listening": True, "settings": {}, "profile": {}}
    await office.desk.store.insert("accounts", {"_id": "a-broken", **second})

    def connect(account: Document) -> Channel:
        if account["_id"] == "a-broken":
            raise ValueError("credentials that do not open")
        return office.desk.connect(account)

    office.source.say("在吗")
    assert await listen(LISTENER, replace(office.desk, connect=connect)) == 1
    broken = await office.desk.store.get("accounts", "a-broken")
    assert broken is not None and "ValueError" in broken["listen_trouble"]


async def test_every_account_has_its_turn_however_many_there_are() -> None:
    office = await make_office()
    more = {"channel": "site", "name": "又一个", "listening": True, "settings": {}, "profile": {}}
    for number in range(210):
        await office.desk.store.insert("accounts", {"_id": f"a-{number:03}", **more})
    office.source.say("在吗", id="late")
    for _ in range(2):
        await listen(LISTENER, office.desk)
    assert await office.desk.store.count("cursors", {}) == 211


# ---- boxes that did not open


async def test_a_letter_opens_by_itself_once_its_key_is_mended() -> None:
    office = await make_office()
    old = Sealer(bytes(range(1, 33)))
    letter = {"title": "停水", "text": "家里停水，电话13912345678", "author": "王芳", "contact": "13912345678"}
    box = PublicSealer(old.box_public()).seal(json.dumps(letter), table="inbox", id="row-1", field="sealed")
    office.source.say("", id="row-1", raw={"id": "row-1", "sealed": box})
    await listen(LISTENER, office.desk)
    assert (await only(office))["state"] == "unopened"
    assert await reopen(LISTENER, office.desk) == 0
    mended = replace(office.desk, sealer=Sealer(bytes(range(32)), older={"older": bytes(range(1, 33))}))
    assert await reopen(LISTENER, mended) == 0, "not before its time"
    office.clock.move(timedelta(minutes=10))
    assert await reopen(LISTENER, mended) == 1
    row = await only(office)
    assert (row["state"], row["title"]) == ("new", "停水")
    assert "13912345678" not in json.dumps(row, default=str, ensure_ascii=False)
    plain = await reveal(MONITOR, mended, row["_id"], "回访来信人")
    assert plain["contact"] == "13912345678"


async def test_what_was_opened_late_is_counted_once_like_all_the_others() -> None:
    office = await make_office()
    old = Sealer(bytes(range(1, 33)))
    box = PublicSealer(old.box_public()).seal('{"text": "水不清"}', table="inbox", id="row-1", field="sealed")
    office.source.say("", id="row-1", raw={"id": "row-1", "sealed": box})
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)
    mended = replace(office.desk, sealer=Sealer(bytes(range(32)), older={"older": bytes(range(1, 33))}))
    await reopen(LISTENER, mended)
    await read_new(READER, mended)
    rows = await office.desk.store.find("rollups", {"period": "day"})
    assert [(row["sentiment"], row["count"]) for row in rows] == [("neg", 1)]
    assert await rollups.verify(office.desk.store) == []


async def test_people_are_told_of_unopened_letters_once_a_day_and_not_once_for_ever() -> None:
    office = await make_office()
    keys = []
    for number in range(3):
        raw = {"id": f"row-{number}", "sealed": "v1:box:nobody:AAAA:BBBB"}
        office.source.say("", id=f"row-{number}", raw=raw)
        await listen(LISTENER, office.desk)
        row = (await office.desk.store.find("replies", {"external_id": f"row-{number}"}))[0]
        keys.append(row["outbox"][0]["rows"][0]["key"])
        office.clock.move(timedelta(hours=10))
    assert keys[0] == keys[1] != keys[2]


# ---- plain views


async def test_the_reason_of_a_plain_view_stands_in_the_audit_masked() -> None:
    office = await make_office()
    office.source.say("水不清")
    await listen(LISTENER, office.desk)
    row = await only(office)
    await reveal(MONITOR, office.desk, row["_id"], "回访来信人，电话 13912345678")
    said = [one for parcel in (await only(office))["outbox"] for one in parcel["rows"]][-1]
    assert (said["act"], said["actor"]) == ("reply.reveal", MONITOR.id)
    assert said["detail"]["reason"].startswith("回访来信人")
    assert "13912345678" not in str(said)


async def test_words_under_a_lost_key_are_said_to_be_so() -> None:
    office = await make_office()
    office.source.say("水不清")
    await listen(LISTENER, office.desk)
    other = replace(office.desk, sealer=Sealer(bytes(range(2, 34))))
    with pytest.raises(Conflict, match="主密钥"):
        await reveal(MONITOR, other, (await only(office))["_id"], "回访来信人")


# ---- reading


async def test_a_slow_batch_stays_with_the_one_who_reads_it() -> None:
    office = await make_office()
    office.source.say("水不清")
    await listen(LISTENER, office.desk)

    async def slow(rows: Sequence[Mapping[str, Any]]) -> list[Analysis | None]:
        for _ in range(10):
            await office.clock.sleep(15)
        return await read(rows)

    reading = asyncio.ensure_future(read_new(READER, replace(office.desk, read=slow, owner="slow")))
    for _ in range(10):
        await _settle()
        office.clock.move(15)
        assert await read_new(READER, replace(office.desk, owner="quick")) == 0
    await _settle()
    assert await reading == 1
    assert (await only(office))["state"] == "read"


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


# ---- watching


async def four(office: Office, text: str, start: int = 0) -> None:
    office.clock.move(6)
    for number in range(4):
        office.source.say(text, author=f"市民{start + number}", at=office.clock.now())
    await listen(LISTENER, office.desk)
    await read_new(READER, office.desk)


async def test_a_watch_that_slept_past_its_lease_does_not_write_over_the_newer_state() -> None:
    office = await make_office()
    sleeper, waker = Watch(Counting), Watch(Counting)
    other = replace(office.desk, owner="other")
    await four(office, "水管坏了")
    await sleeper.tick(WATCHER, office.desk)
    await four(office, "路灯坏了")
    await sleeper.tick(WATCHER, office.desk)  # too soon after the last saving: not saved yet
    office.clock.move(61)
    await four(office, "又坏了")
    await waker.tick(WATCHER, other)
    newer = await recall(office.desk, "live")
    await sleeper.close(office.desk)
    assert await recall(office.desk, "live") == newer
    assert newer[0] is not None and "又坏了" in newer[0].decode("unicode_escape")
    assert await office.desk.store.count("detector_state", {}) == 2, "the head and its one part"


class Rising(Counting):
    """The same matter, yellow at first and red at the second look."""

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        level = "red" if self.fed else "yellow"
        self.fed += [voice.id for voice in voices]
        return [replace(self._change(voices[-1], [voices[-1].id], alert=True), issue="i-1", level=level)]


async def test_a_state_larger_than_a_document_comes_back_whole_and_nothing_old_stays() -> None:
    office = await make_office()
    desk = office.desk
    assert await recall(desk, "live") == (None, 0)
    states = [desk.ids.secret(2 * PART + 7), b"small", desk.ids.secret(PART)]
    for version, state in enumerate(states):
        assert await keep(desk, "live", version, state)
        assert await recall(desk, "live") == (state, version + 1)
    assert not await keep(desk, "live", 1, b"too late")
    assert await recall(desk, "live") == (states[-1], 3)
    assert await desk.store.count("detector_state", {}) == 3, "the head and two parts"


@pytest.mark.parametrize("act", ["false-alarm", "close"])
async def test_a_matter_that_was_done_with_opens_again_with_a_new_alert(act: str) -> None:
    office = await make_office()
    watch = Watch(Rising)
    await four(office, "水管坏了")
    await watch.tick(WATCHER, office.desk)
    [alert] = await office.desk.store.find("alerts", {})
    for step in ("acknowledge", "assess", act):
        await handle_alert(MONITOR, office.desk, alert["_id"], step, "已经看过")
    [issue] = await office.desk.store.find("issues", {})
    assert issue["state"] != "open"
    await four(office, "水管又坏了", 10)
    await watch.tick(WATCHER, office.desk)
    [issue] = await office.desk.store.find("issues", {})
    assert (issue["state"], issue["level"]) == ("open", "red")
    rows, _ = await list_issues(MONITOR, office.desk)
    assert [row["_id"] for row in rows] == ["i-1"]


async def test_an_alert_out_of_an_import_of_today_leads_to_its_own_issue() -> None:
    office = await make_office()
    await four(office, "水管坏了")
    await office.desk.store.change_many("replies", {}, {"$set": {"stream": "import:site-main:2026-11-24"}})
    await Watch(Counting).tick(WATCHER, office.desk)
    [alert] = await office.desk.store.find("alerts", {})
    links = [one["link"] for parcel in alert["outbox"] for one in parcel["rows"] if one["kind"] == "notice"]
    assert links == [f"/issues/{alert['issue']}"]


@pytest.mark.parametrize("cursor", ["2026-11-24T01:00:00|i-1", "nonsense"])
async def test_a_place_in_the_list_of_issues_that_makes_no_sense_is_said_to_be_so(cursor: str) -> None:
    office = await make_office()
    with pytest.raises(Invalid):
        await list_issues(MONITOR, office.desk, cursor=cursor)
