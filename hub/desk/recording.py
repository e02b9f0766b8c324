"""记录留言: one heard thing as a reply's document, sealed and masked; boxes that did not open: reopening.py.

Nothing is dropped: what cannot be opened is kept whole, and people are told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from channels.contract import Heard
from hub.clock import in_utc, local
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.case import KINDS, is_confidential
from hub.domain.reply import CONFIDENTIAL, FOLLOWS, MOST_TEXT, UNOPENED, Arrival, Words, compose
from hub.masking import mask_name, mask_text
from hub.sealing import CITIZEN, Unsealable
from hub.store.base import Document

CUT = 500  # characters; longer than anything that is masked
# Nobody sees them, but they hide a number from the masks and turn round what stands beside them on a page: controls,
# zero width, direction marks. The joiner stays where it joins two pictures.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
    "|(?<=[0-9A-Za-z@.])\u200d+"
)
PUSHED = "author"  # purpose of the keyed fingerprint that tells one citizen's replies from another's


async def record(desk: Desk, account: Document, heard: Heard, stream: str) -> Document:
    """The reply's document, not stored yet."""
    id, heard = desk.ids.new(), _whole(heard)
    arrival = _arrival(desk, account, heard, id, stream)
    seals = {"raw": json.dumps(dict(heard.raw), sort_keys=True, default=str)}
    try:
        words = _words(desk, heard)
    except (Unsealable, ValueError, TypeError, KeyError):
        return _aside(desk, compose(arrival, seal_fields(desk, id, seals), "", "", "", "", ""))
    seals |= {"text": words.text, "author": words.author_name, "contact": words.contact}
    key = desk.sealer.index(f"{account['channel']}:{words.author_id}", purpose=PUSHED)
    names = (words.author_name,) if 0 < len(words.author_name) < CUT else ()
    text, title = _masked(words.text, names), _masked(words.title, names)
    sealed = seal_fields(desk, id, {name: value for name, value in seals.items() if value})
    shown = mask_name(_UNSEEN.sub("", words.author_name[:CUT]))
    document = compose(arrival, sealed, key, shown, text, title, words.district)
    said_on: Document = {"channel": words.via} if words.via else {}
    at: Document = {"contact": _masked_contact(words.contact)} if words.contact else {}
    about = await _about(desk, account["_id"], heard.in_reply_to)
    return {**document, **said_on, **at, **about, **_followed(heard, words)}


def _masked(text: str, names: Sequence[str]) -> str:
    """The masked words for pages: of a text of a megabyte only the part that they show is looked through. Whatever the
    cut went through stands at the end and is left out whole: a half number would not be known for one."""
    seen = _UNSEEN.sub("", text[: MOST_TEXT + CUT])
    return mask_text(seen, names=names)[: None if len(text) <= MOST_TEXT + CUT else -CUT]


def _masked_contact(contact: str) -> str:
    """138****1234; of what is no number that we know how to hide, only that it is there."""
    masked = _masked(contact, ())
    return masked if masked != contact else "已留，未显示"


def _followed(heard: Heard, words: Words) -> Document:
    """What has a query code becomes a case; what is added to it goes there. 举报 and 信访 are read by no program."""
    if heard.raw.get("kind") == "demand":
        secret = is_confidential(words.kind)
        marks: Document = {"demand": True, "to_follow": True, "asked_kind": words.kind}
        return {**marks, **({"confidential": True, "state": CONFIDENTIAL} if secret else {})}
    if heard.raw.get("kind") == "message" and heard.raw.get("sealed") and heard.in_reply_to:
        return {"to_follow": True, "state": FOLLOWS, "unsolved": words.unsolved}
    return {}


def record_rating(desk: Desk, account: Document, heard: Heard) -> Document:
    """A rating as it came, sealed and not opened; following.py brings it to its case."""
    id, heard, now = desk.ids.new(), _whole(heard), desk.clock.now()
    raw = json.dumps(dict(heard.raw), sort_keys=True, default=str)
    sealed = desk.sealer.seal(raw, table="ratings", id=id, field="raw", purpose=CITIZEN)
    return {
        "_id": id, "account": account["_id"], "external_id": heard.external_id, "at": _said_at(heard.at, now),
        "received_at": now, "sealed": {"raw": sealed}, "state": "new",
    }  # fmt: skip


def _plain(text: str) -> str:
    """Without half characters, which no store keeps: platforms cut long texts in the middle of a sign."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _whole(heard: Heard) -> Heard:
    about = None if heard.in_reply_to is None else _plain(heard.in_reply_to)
    return replace(
        heard,
        external_id=_plain(heard.external_id),
        author_id=_plain(heard.author_id),
        author_name=_plain(heard.author_name),
        text=_plain(heard.text),
        in_reply_to=about,
    )


def _said_at(at: datetime, now: datetime) -> datetime:
    """The platform's own moment; where it is none (a zero date, no offset), when we heard it: the words count."""
    try:
        return in_utc(at)
    except ValueError:
        return now


def _arrival(desk: Desk, account: Document, heard: Heard, id: str, stream: str) -> Arrival:
    now = desk.clock.now()
    return Arrival(
        id=id,
        account=account["_id"],
        channel=account["channel"],
        external_id=heard.external_id,
        kind=heard.kind,
        at=_said_at(heard.at, now),
        received_at=now,
        in_reply_to=heard.in_reply_to,
        stream=stream,
    )


def _aside(desk: Desk, document: Document) -> Document:
    """Told once a day, however many there are."""
    now = desk.clock.now()
    notice = outbox.notice(
        desk.ids.new(),
        "reply.unreadable",
        document["_id"],
        now,
        people=["duty"],
        text="有来信打不开，已原样保存。请系统管理员核对公众网所用的公钥；修好后会自动打开。",
        link=f"/replies/{document['_id']}",
        key=f"reply.unreadable:{local(now):%Y-%m-%d}",
    )
    return outbox.born({**document, "state": UNOPENED}, notice)


def seal_fields(desk: Desk, id: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: desk.sealer.seal(value, table="replies", id=id, field=name, purpose=CITIZEN)
        for name, value in values.items()
    }


def _words(desk: Desk, heard: Heard) -> Words:
    """The citizen's words: as the channel gave them, or out of the box that the site sealed for us."""
    box = heard.raw.get("sealed")
    if not box:
        title, district = _plain(str(heard.raw.get("title") or "")), _plain(str(heard.raw.get("district") or ""))
        return Words(heard.text, heard.author_id, heard.author_name, title, district)
    plain = desk.sealer.open_box(str(box), table="inbox", id=heard.external_id, field="sealed")
    letter: Any = json.loads(plain)
    if not isinstance(letter, dict):
        raise ValueError("a letter is a mapping")
    said = {name: _plain(str(value or "")) for name, value in letter.items()}
    name, contact, place = said.get("author", ""), said.get("contact", ""), said.get("place", "")
    text = f"{said['text']}\n（{place}）" if place else said["text"]
    who = contact or name or heard.external_id
    kind = said.get("kind", "") if said.get("kind") in KINDS else ""
    unsolved, via = letter.get("unsolved") is True, "app" if said.get("via") == "app" else ""
    return Words(text, who, name, said.get("title", ""), said.get("district", ""), contact, kind, unsolved, via)


async def _about(desk: Desk, account: str, external_id: str | None) -> Document:
    """Which of our publications this answers, where it is one."""
    if not external_id:
        return {"publication": None}
    rows = await desk.store.find(
        "publications", {"account": account, "external_id": external_id}, limit=1, fields=["content", "title"]
    )
    if not rows:
        return {"publication": None}
    return {"publication": rows[0]["_id"], "about": rows[0].get("title", "")}
