"""What a channel is: capabilities as data, the calls the hub may make, and outcomes as values; no platform's detail.

The one promise above all others: `publish` makes at most one public post per key, and when nobody can say whether it
did, it answers `Unknown` and is never called again for that key by a program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

Json = Mapping[str, Any]


class Who(StrEnum):
    """Who must act on a refusal."""

    EDITOR = "editor"  # the content must change
    ADMINISTRATOR = "administrator"  # the account or its rights must change
    NOBODY = "nobody"  # it passes by itself: try again after `retry_after`


@dataclass(frozen=True)
class Accepted:
    """It is public (or done): the platform's id, its address where it has one, and when the platform says it was."""

    external_id: str
    url: str | None = None
    at: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Refused:
    """Certain that nothing became public. `reason` is a Chinese sentence for the person named by `who`."""

    code: str
    reason: str
    who: Who
    retry_after: timedelta | None = None
    part: str = ""  # which picture, file or field, in words, where the platform or we know
    spent: str = ""  # the quota that is used up, where that is why; `retry_after` is then when it is counted anew
    picture: str = ""  # the content address of the picture that it is about, where a smaller one may pass


@dataclass(frozen=True)
class Pending:
    """Taken; the verdict comes later. `ticket` is what `check` needs; `waits_for`: audit, admin_confirm, by_hand."""

    ticket: str
    waits_for: str
    check_after: timedelta
    reason: str = ""


@dataclass(frozen=True)
class Missed:
    """Looked and not seen, with the newest post that was seen instead: evidence for the person who decides."""

    newest: str = ""  # its first words
    newest_at: datetime | None = None


@dataclass(frozen=True)
class Unknown:
    """Nobody can say whether it became public. `evidence` holds what was seen, without secrets or personal data."""

    reason: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    retry_after: timedelta | None = None  # of a look-up that could not be made: when it can
    there: Missed | None = None  # of a look that proved nothing: what was seen all the same


Outcome = Accepted | Refused | Pending | Unknown


@dataclass(frozen=True)
class Problem:
    """Something in a variant that this platform would refuse or spoil; found without asking the platform."""

    rule: str
    severity: str  # block, acknowledge, hint
    message: str  # Chinese: what is so and what to do
    field: str = ""  # title, digest, body, pictures[2] …
    picture: str = ""  # the content address of the picture that it is about, where a smaller one may pass


@dataclass(frozen=True)
class Limit:
    """One limit of a platform, with where and when it was read; `unit` says how the platform counts."""

    value: int
    unit: str
    source: str
    read_on: str


@dataclass(frozen=True)
class Quota(Limit):
    """How many calls of one kind the platform (or our own division of its total) allows.

    `per`: minute, hour, day, month, of the office's local time, which is the platforms'. `act`: what cannot be done
    when it is used up: publish, stage, check, find, withdraw, listen, answer; any: no act at all; empty: none alone.
    """

    name: str = ""  # Chinese, as on the pages
    per: str = "day"
    act: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What a channel can do, as data: read by the editor, the checks, the documents and the contract tests."""

    kind: str
    name: str  # Chinese, as on the pages
    sign: str  # one character: 博 微 网 端
    limits: Mapping[str, Limit]
    confirms: str  # at_once, later
    lookup: str  # trusted, hint, none: what "not found" by find_published is worth
    honours_key: bool  # the platform itself refuses a second post with our key
    can_withdraw: bool
    can_correct: bool
    listens: str  # poll, push, none
    answers: bool
    needs_link: bool = False  # the post waits for the website's address
    addressed: bool = True  # what became public has an address where people can look at it
    reauthorised: bool = False  # its authorisation ends, and only a person can give a new one
    settling: timedelta = timedelta(minutes=2)  # how long after a post a look-up may still miss it
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    picture_types: Sequence[str] = ()  # what it takes; empty: not declared


@dataclass(frozen=True)
class Picture:
    """One picture of a variant: its content address, its bytes' type and size, its file's name, the words beside it."""

    sha256: str
    type: str
    width: int
    height: int
    size: int
    alt: str = ""
    caption: str = ""
    source: str = ""
    name: str = ""  # of the file, as it was uploaded

    def named(self, place: int) -> str:
        """Which picture, so that nobody searches for it: 第 3 张图“送水点分布图.png”; `place` counts from 1."""
        return f"第 {place} 张图" + (f"“{self.name}”" if self.name else "")


@dataclass(frozen=True)
class Variant:
    """渠道版本: what one revision is to become on one account.

    `blocks` are the content's blocks in their canonical JSON form. `meta` holds the facts beside the text (kind,
    column, source, author, keywords, published_at …). `link` is the website's address of the same content, once it
    has one.
    `override` is the text written by hand for this channel, or None for the derived one.
    """

    content_id: str
    revision: int
    hash: str
    title: str
    digest: str
    blocks: Sequence[Json]
    pictures: Sequence[Picture]
    meta: Json
    link: str | None = None
    override: Json | None = None


@dataclass(frozen=True)
class Prepared:
    """What will be sent, decided without a call: the body, how it counts, its problems, and its fingerprint.

    `kept` is filled in by the hub: the refs that an earlier attempt under the same key was made with, so that a channel
    can use the same number of the platform's again.
    """

    body: Json
    counts: Mapping[str, tuple[int, int]]  # field -> (used, limit), counted as the platform counts
    problems: Sequence[Problem]
    fingerprint: str  # sha256 over what becomes public, the same however often it is prepared
    pictures: Sequence[Picture] = ()
    kept: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Staged:
    """Uploaded and drafted, still invisible: `refs` is what `publish` needs besides the body (plain JSON)."""

    prepared: Prepared
    refs: Json


@dataclass(frozen=True)
class Found:
    """A post of the account's own that looks like ours."""

    external_id: str
    url: str | None
    at: datetime | None


@dataclass(frozen=True)
class Heard:
    """留言: one thing a citizen said, as the platform gave it.

    (account, external_id) is its identity for ever. `raw` is the platform's own record: sealed and stored first.
    """

    external_id: str
    kind: str  # comment, mention, message, letter, rating
    author_id: str
    author_name: str
    text: str
    at: datetime
    in_reply_to: str | None
    raw: Json


@dataclass(frozen=True)
class Page:
    """One poll's harvest and the cursor to store after the rows are stored; `devices`: sealed rows of phones that
    registered to be told (websites of ours only)."""

    heard: Sequence[Heard]
    cursor: str
    more: bool
    devices: Sequence[Json] = ()


@dataclass(frozen=True)
class Health:
    """What `preflight` learnt of the account, without any effect outside."""

    state: str  # ok, expiring, expired, quota_low, not_connected, unreachable
    reason: str  # Chinese
    token_until: datetime | None = None
    quota_left: Mapping[str, int] = field(default_factory=dict)


class PictureBytes(Protocol):
    """Where a channel gets a picture's bytes by their content address."""

    async def __call__(self, sha256: str) -> bytes: ...


class Channel(Protocol):
    """One account on one platform. No method raises for what a platform does; a raise is a bug.

    `key` is the publication's idempotency key, written down by the hub before the call. All waiting and retrying is
    the hub's business: a channel calls each address at most once per method, but for one renewal of a token, and
    renews none in `publish`, before which the hub has just looked whether anything is paused.
    """

    capabilities: Capabilities

    def prepare(self, variant: Variant) -> Prepared:
        """Pure: what will be sent, and what this platform would refuse."""
        ...

    async def preflight(self) -> Health: ...

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        """Uploads and drafts: invisible and repeatable with the same key. Never Accepted or Pending."""
        ...

    async def publish(self, staged: Staged, key: str) -> Outcome:
        """The one public step."""
        ...

    async def check(self, ticket: str) -> Outcome:
        """Read only: what became of a Pending."""
        ...

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Missed | Unknown | None:
        """Read only: our post among the account's own; None or Missed: looked and not seen; Unknown: could not look."""
        ...

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome: ...

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome: ...

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        """Citizens' words since the cursor; `ids` are the posts worth a look, for platforms that ask per post."""
        ...

    async def answer(self, to: Json, text: str, key: str) -> Outcome:
        """Say `text` to the one who wrote `to` (the raw record of a Heard)."""
        ...


Fault = Refused | Unknown


@dataclass(frozen=True)
class Probed:
    """One thing looked at when an account is connected, without effect; `fits` None: the platform gives no way to ask.

    `said`: Chinese, what is so and where it is mended.
    """

    name: str
    fits: bool | None
    said: str


@dataclass(frozen=True)
class Verdict:
    """The platform says that it has decided about a submission. Never believed, only a reason to `check` it now."""

    submission: str  # the part of a Pending's ticket before its first colon


@runtime_checkable
class Probing(Protocol):
    """A channel that can look at what the account may do, right by right."""

    async def probe(self) -> Sequence[Probed]:
        """Read only, a few calls: what would fail at the moment of publishing is said now."""
        ...


@runtime_checkable
class Menus(Protocol):
    """A platform whose account shows buttons under its messages."""

    async def set_menu(self, buttons: Sequence[Json]) -> Outcome:
        """These buttons instead of those that are there. Repeatable."""
        ...


@runtime_checkable
class Receiving(Protocol):
    """A platform that posts what citizens say to an address of ours, which the website's process serves."""

    def callback_keys(self) -> Json | None:
        """What proves such a post to be the platform's, and nothing more; None where none is agreed."""
        ...

    def receive(self, fields: Json, seen_at: datetime) -> Heard | Verdict | None:
        """Pure: what a proved and opened post means; None where it means nothing to us."""
        ...


@runtime_checkable
class AnswerFinding(Protocol):
    """A channel that can say whether an answer with our key has arrived; elsewhere only a person can."""

    async def find_answer(self, to: Json, key: str) -> Found | Unknown | None:
        """Read only: the answer under this key; None: looked and not there; Unknown: could not look."""
        ...


@runtime_checkable
class Tidying(Protocol):
    """A platform that keeps what was staged until somebody throws it away."""

    async def discard(self, refs: Json) -> Outcome:
        """Throw away what was staged with these refs. Repeatable: what is not there any more is Accepted. Never touches
        what is public, nor anything that these refs do not name."""
        ...


@runtime_checkable
class Shelving(Protocol):
    """A website of ours, which also keeps reference data and watches whether our workers live."""

    async def put(self, kind: str, id: str, version: int, body: Json) -> Outcome:
        """This version of a column, service or file. Repeatable; an older version changes nothing."""
        ...

    async def beat(self, worker: str) -> bool:
        """Tell it that this worker lives; whether it heard."""
        ...
