"""The witness: sees every public step, every move of the ledger and what stands on the platforms, and holds the office
to its promises; it never helps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.performance import Performance
from hub.store.base import Document, Filter, Sort, Update
from hub.store.memory import MemoryStore

NUMBER = re.compile(r"第(\d+)号通告（第(\d+)版）")
AT_REST = ("published", "removed", "refused", "held", "unknown", "cancelled")
CERTAINLY_NOT = ("scheduled", "waiting", "refused", "held", "cancelled")
TRUSTED = ("site", "app", "wechat")  # what these say is not there is not there
LATE = timedelta(minutes=30)
SLACK = timedelta(minutes=5)  # a claim just inside the limit, its stage, its lease


@dataclass
class Stop:
    """Somebody was told that nothing begins any more: from `at` on, for what matches, but for what was under way."""

    what: str
    at: float
    content: str = ""
    account: str = ""
    publication: str = ""
    under_way: frozenset[str] = frozenset()

    def covers(self, row: Document) -> bool:
        given = ((self.content, row["content"]), (self.account, row["account"]), (self.publication, row["_id"]))
        return row["_id"] not in self.under_way and all(not mine or mine == theirs for mine, theirs in given)


@dataclass
class Witness:
    """What was promised and what was seen."""

    stages: Mapping[str, Performance]  # by account
    time: Any  # () -> seconds since the beginning
    violations: list[str] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    approved: set[tuple[int, int]] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    claimed_at: dict[tuple[str, int], float] = field(default_factory=dict)  # row, claim -> when it was last seen to act
    corrected: dict[str, int] = field(default_factory=dict)  # publication -> the newest edition asked for over it
    shown: dict[tuple[str, int], int] = field(default_factory=dict)  # account, text -> the edition last seen there
    claimed: Callable[[], None] = lambda: None

    def tell(self, words: str) -> None:
        self.trace.append(f"{self.time():10.3f}  {words}")

    def blame(self, words: str) -> None:
        self.violations.append(words)
        self.tell(f"VIOLATION {words}")

    # ---- what stands on the platforms

    def public(self, account: str) -> dict[int, list[dict[str, Any]]]:
        """What truly became public on this account's platform, by the number of its text."""
        stage = self.stages[account]
        found: dict[int, list[dict[str, Any]]] = {}
        for post in stage.platform.posts(stage.moment()):
            seen = NUMBER.search(f"{post.get('title', '')} {post.get('text', '')}")
            if seen is None:
                self.blame(f"{account} shows something of nobody's: {post}")
                continue
            found.setdefault(int(seen[1]), []).append({**post, "edition": int(seen[2])})
        return found

    def posts_of(self, row: Document) -> list[dict[str, Any]]:
        return self.public(str(row["account"])).get(int(str(row["content"]).removeprefix("c")), [])

    def look(self, account: str) -> None:
        """Never two for one."""
        for number, posts in self.public(account).items():
            if len(posts) > 1:
                self.blame(f"{account} shows text {number} {len(posts)} times")
            edition, before = posts[0]["edition"], self.shown.get((account, number), 0)
            if edition < before:
                self.blame(f"{account} shows text {number} in edition {edition} again after {before}")
            self.shown[account, number] = edition

    # ---- calls and moves

    def call_begins(self, row: Document | None, now: datetime, latest: datetime, who: str) -> None:
        """The one public step begins: nobody may have been told that it does not, and it is neither early nor late.

        `latest` is the latest that its sender's clock has ever shown, beside the true time `now`.
        """
        if row is None:
            self.blame(f"{who} sends something that nobody wrote down")
            return
        self.tell(f"{who} sends {row['_id']} under {row['key'][-6:]}")
        self.calls[row["_id"]] += 1
        for stop in self.stops:
            if stop.covers(row):
                self.blame(f"{row['_id']} begins although {stop.what} was acknowledged at {stop.at:.3f}")
        self._is_allowed_again(row)
        if row["state"] != "sending":
            self.blame(f"{row['_id']} is sent while it is {row['state']}")
        if latest < row["at"]:
            self.blame(f"{row['_id']} is sent before its time")
        if row["late"] != "publish" and now - max(row["at"], row.get("not_before", row["at"])) > LATE + SLACK:
            self.blame(f"{row['_id']} is sent late although it must not be")

    def see_claim(self, row: Document | None) -> None:
        if row is not None and row["state"] in ("staging", "sending"):
            self.claimed_at[row["_id"], row["lease_number"]] = self.time()

    def correction_begins(self, row: Document | None, who: str) -> None:
        """A correction's call begins: written down, approved as it is, and nothing paused."""
        if row is None:
            self.blame(f"{who} corrects what nobody asked for")
            return
        self.tell(f"{who} corrects {row['publication']} to edition {row['revision']}")
        for stop in self.stops:
            if stop.what in ("hold_all", "hold_account", "quiet") and stop.covers(row):
                self.blame(f"{row['_id']} begins although {stop.what} was acknowledged at {stop.at:.3f}")
        if (int(str(row["content"]).removeprefix("c")), int(row["revision"])) not in self.approved:
            self.blame(f"{row['_id']} corrects to an edition that nobody approved")

    def _is_allowed_again(self, row: Document) -> None:
        """Once more only after a certain no, a platform that can be trusted to have been looked at, or a person's word;
        and the same content only under the same key."""
        *before, now = row["attempts"] or [{}]
        for past in before:
            if past["fingerprint"] == now.get("fingerprint") and past["key"] != now.get("key"):
                self.blame(f"{row['_id']} sends the same under another key")
        last = before[-1] if before else {"outcome": "refused"}
        trusted = row["channel"] in TRUSTED or row.get("resolve")
        if last.get("outcome") not in ("refused", "not_called") and not trusted:
            self.blame(f"{row['_id']} is sent again although it may be out")

    def moved(self, row: Document, before: Document | None) -> None:
        """One move of the ledger: a statement about the world that must be true when it is made."""
        if before is None or before["state"] == row["state"]:
            return
        self.tell(f"{row['_id']} {before['state']} -> {row['state']} {row.get('reason') or ''}")
        if row["state"] == "staging":
            self.claimed()
        if row["state"] == "published" and not self.posts_of(row):
            self.blame(f"{row['_id']} is called published and stands nowhere")
        put_off = before["state"] == "sending" and row["state"] == "scheduled"
        if (put_off or row["state"] in ("refused", "held", "cancelled")) and self.posts_of(row):
            self.blame(f"{row['_id']} is called {row['state']} and is public")
        if row["state"] in ("held", "refused", "unknown") and not _is_known(row):
            self.blame(f"{row['_id']} becomes {row['state']} and nobody is told")

    # ---- at rest

    def judge(self, rows: Iterable[Document], operations: Iterable[Document] = ()) -> None:
        """When nothing moves any more, everything said about every post is true, and somebody knows of the rest."""
        operations = list(operations)
        asked = {row["publication"] for row in operations if row["kind"] == "withdraw"}
        seen = {row["_id"] for row in rows}
        for missing in self.acknowledged - seen:
            self.blame(f"{missing} was acknowledged and is forgotten")
        for account in self.stages:
            self.look(account)
        for row in rows:
            self._judge(row)
            if row["state"] == "published" and row["_id"] not in asked and self._is_withdrawn(row):
                self.blame(f"{row['_id']} was withdrawn, stays published, and nobody is asked to take it back")
            self._judge_correction(row, [one for one in operations if one["publication"] == row["_id"]])

    def _judge_correction(self, row: Document, operations: list[Document]) -> None:
        """What was asked for is not forgotten; the newest one that is called done stands there."""
        mine = [one for one in operations if one["kind"] == "correct"]
        if row["state"] != "published" or not (mine or row["_id"] in self.corrected):
            return
        wanted, editions = self.corrected.get(row["_id"], 0), [post["edition"] for post in self.posts_of(row)]
        if max((one["revision"] for one in mine), default=0) < wanted:
            self.blame(f"{row['_id']}: the correction to edition {wanted} is forgotten")
        done = max((one["revision"] for one in mine if one["state"] == "published"), default=None)
        if done is not None and editions != [done]:
            self.blame(f"{row['_id']} is called corrected to edition {done} and shows {editions}")
        if any(one["state"] not in AT_REST for one in mine):
            self.blame(f"{row['_id']}: a correction is never done")

    def _is_withdrawn(self, row: Document) -> bool:
        return any(stop.what == "withdraw" and stop.content == row["content"] for stop in self.stops)

    def _judge(self, row: Document) -> None:
        posts = self.posts_of(row)
        if row["state"] not in AT_REST:
            self.blame(f"{row['_id']} stays {row['state']} for ever")
        if posts and row["state"] in CERTAINLY_NOT:
            self.blame(f"{row['_id']} is {row['state']} and public")
        if not posts and row["state"] in ("published", "removed"):
            self.blame(f"{row['_id']} is {row['state']} and stands nowhere")
        if row["state"] == "removed" and not all(post["withdrawn"] for post in posts):
            self.blame(f"{row['_id']} is called removed and can still be read")
        for post in posts:
            if (int(str(row["content"]).removeprefix("c")), post["edition"]) not in self.approved:
                self.blame(f"{row['_id']} shows an edition that nobody approved")


def _is_known(row: Document) -> bool:
    """With the move that was just made somebody was told, or a person made it, or nobody can do anything about it."""
    rows = row["outbox"][-1]["rows"] if row.get("outbox") else []
    told = any(entry["kind"] == "notice" for entry in rows)
    by_person = any(entry["kind"] == "audit" and entry["actor"].startswith("u-") for entry in rows)
    return told or by_person or (row["state"] == "refused" and row.get("who") == "nobody")


class WatchedStore(MemoryStore):
    """The office's store with the witness beside it; `ask` is called when a write begins to wait to be durable."""

    witness: Witness | None = None
    ask: Callable[[], None] | None = None

    def crash(self, *, keep: int = 0) -> WatchedStore:
        plain = super().crash(keep=keep)
        after = WatchedStore(plain._tables.values(), plain._durable)
        after.witness, after.ask = self.witness, self.ask
        return after

    async def _settle(self, written: Any) -> None:
        if written and self.ask is not None:
            self.ask()
        await super()._settle(written)

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        if table == "operations" and self.witness is not None:
            after = await super().change(table, where, update, upsert=upsert, sort=sort)
            self.witness.see_claim(after)
            return after
        if table != "publications" or self.witness is None:
            return await super().change(table, where, update, upsert=upsert, sort=sort)
        before = {id: row["state"] for id, row in self._rows[table].items()} if "_id" not in where else {}
        if "_id" in where and (row := self._rows[table].get(str(where["_id"]))):
            before = {row["_id"]: row["state"]}
        after = await super().change(table, where, update, upsert=upsert, sort=sort)
        self.witness.see_claim(after)
        if after is not None and after["_id"] in before:
            self.witness.moved(after, {"state": before[after["_id"]]})
        return after
