"""留言: what one citizen said, as a document; how it is fetched lives in channels, what is read from it in nlp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Document = dict[str, Any]

MOST_TEXT = 20_000  # characters of one reply that are kept for pages; the sealed raw record keeps all
TRIES = 3  # readings that may fail before a reply is set aside for a person
REST = timedelta(seconds=5)  # after a reading that failed, ever longer: what is wrong may be the machine, not the text
LIVE = "live"
FOLLOWS = "follows"  # belongs to a demand: read once it is known whether that one is confidential
CONFIDENTIAL = "confidential"  # 举报, 信访: never read by a program, in no list and no figure
UNOPENED = "unopened"  # sealed for a key that does not open it: not read, not counted, tried again
HINT = "hint"  # a platform's word to us that was taken for a letter while its box did not open: nobody's words
DOUBLE = "double"  # set aside unopened, and the same words came in another way meanwhile: counted there
NOBODYS = (HINT, DOUBLE)  # rows that are no 留言 and stand in no list of them


@dataclass(frozen=True)
class Words:
    """What a channel gave, taken apart: whose words, which words, and what they answer."""

    text: str
    author_id: str
    author_name: str
    title: str = ""
    district: str = ""
    contact: str = ""
    kind: str = ""  # what the citizen said it was: a key of domain.case.KINDS
    unsolved: bool = False  # 还没解决
    via: str = ""  # where on our own site it was written, when not on the website's pages: app


@dataclass(frozen=True)
class Arrival:
    """One reply on its way in: identity, circumstances, words; `stream` keeps imported months apart from today."""

    id: str
    account: str
    channel: str
    external_id: str
    kind: str
    at: datetime
    received_at: datetime
    in_reply_to: str | None
    stream: str = LIVE


def compose(
    arrival: Arrival, sealed: Mapping[str, str], author_key: str, author: str, text: str, title: str, district: str
) -> Document:
    """The document of a new reply: sealed words, masked words for the pages, and nothing read from it yet."""
    return {
        "_id": arrival.id,
        "account": arrival.account,
        "channel": arrival.channel,
        "external_id": arrival.external_id,
        "kind": arrival.kind,
        "at": arrival.at,
        "received_at": arrival.received_at,
        "in_reply_to": arrival.in_reply_to,
        "stream": arrival.stream,
        "sealed": dict(sealed),
        "author_key": author_key,
        "author": author,
        "title": title[:200],
        "text": text[:MOST_TEXT],
        "district": district or None,
        "state": "new",
        "tries": 0,
        "lease_until": None,
        "counted": False,
        "watched": False,
        "grouped": False,
    }


def after_failure(reply: Mapping[str, Any], now: datetime) -> Document:
    """What to write after a reading that failed: another try after a rest, or aside for a person after the last."""
    tries = int(reply.get("tries", 0)) + 1
    over: Document = {"tries": tries, "lease_owner": None}
    if tries >= TRIES:
        return {"$set": {**over, "state": "set_aside", "lease_until": None}}
    return {"$set": {**over, "lease_until": now + REST * 2 ** (tries - 1)}}
