"""The invariants of publishing under any order of acts, faults, crashes and clock moves, over the real desk code."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.desk import pausing, publishing, settling
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.operating import operate, settle_operations
from hub.desk.publishing import Wish
from hub.desk.withdrawing import withdraw
from hub.domain.errors import HubError
from hub.failpoints import Stopped
from hub.store.base import Document
from tests.domain.publishing_office import DISPATCHER, EDITOR, REVIEWER, SETTLER, make_office

ACCOUNTS = ("site-main", "trusted-main", "weibo-main")
FAULTS = (
    "",
    "busy",
    "not_sent",
    "word",
    "token",
    "drop_before",
    "drop_after",
    "raise_before",
    "raise_after",
    "stage_lost",
    "blind",
)
POINTS = ("publish.claimed", "stage.drafted", "publish.intent_written", "publish.answered", "publish.outcome_written")
WORKERS = st.sampled_from(["worker-1", "worker-2"])


class Publishing(RuleBasedStateMachine):
    """People, workers, platforms and time; every step may be the one that breaks the promise."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.office = make_office()
        self.contents = 0
        self.do(self.office.account("site-main", "site"))
        self.do(self.office.account("trusted-main", "trusted"))
        self.do(self.office.account("weibo-main", "weibo", waits_for="site-main"))
        # a post is seen a while later: within the settling time where the look-up is trusted, beyond it elsewhere
        self.office.platforms["site-main"].visible_after = timedelta(seconds=20)
        self.office.platforms["trusted-main"].visible_after = timedelta(seconds=100)
        self.office.platforms["weibo-main"].visible_after = timedelta(minutes=20)

    def do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    def tolerate(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A person's act that may be refused: the refusal is an answer too."""
        with contextlib.suppress(HubError):
            self.do(coroutine)

    def teardown(self) -> None:
        self.loop.close()

    def publications(self) -> list[Document]:
        return list(self.do(self.office.store.find("publications", {}, limit=200)))

    # ---- what may happen

    @rule(late=st.sampled_from(["publish", "hold", "ask"]), minutes=st.integers(0, 60))
    def schedule(self, late: str, minutes: int) -> None:
        self.contents += 1
        content = f"c{self.contents}"
        self.do(self.office.write(content, f"第{self.contents}篇。"))
        at = self.office.clock.now() + timedelta(minutes=minutes)
        self.tolerate(publishing.schedule(EDITOR, self.office.desk, content, [Wish(one, at, late) for one in ACCOUNTS]))

    @initialize()
    def three_are_due(self) -> None:
        for late in ("publish", "hold", "ask"):
            self.schedule(late=late, minutes=0)

    @rule(seconds=st.sampled_from([1, 40, 130, 400]), rounds=st.integers(1, 12))
    def live(self, seconds: int, rounds: int) -> None:
        """The clockwork undisturbed for a while."""
        for _ in range(rounds):
            self.office.clock.move(seconds)
            self.settle()
            self.do(dispatch(DISPATCHER, self.office.desk))

    @rule(
        fault=st.sampled_from(FAULTS),
        account=st.sampled_from(ACCOUNTS),
        owner=WORKERS,
        point=st.sampled_from(("", "", *POINTS)),
    )
    def work(self, fault: str, account: str, owner: str, point: str) -> None:
        self.office.clock.move(6)
        self.office.platforms[account].faults.append(fault)
        worker = self.office.worker(owner, failpoint=f"{point}:1:raise" if point else "")
        with suppress(Stopped):  # the process died there; what it had claimed lapses
            self.do(dispatch(DISPATCHER, worker))

    @rule()
    def settle(self) -> None:
        self.do(settling.settle(SETTLER, self.office.desk))
        self.do(settle_operations(SETTLER, self.office.desk))
        self.do(wake_waiting(DISPATCHER, self.office.desk))
        self.do(operate(DISPATCHER, self.office.desk))

    @rule(seconds=st.sampled_from([1, 10, 31, 121, 200, 1000, 4000, 90000]))
    def pass_time(self, seconds: int) -> None:
        self.office.clock.move(seconds)

    @rule(seconds=st.integers(-4000, 4000))
    def jump_clock(self, seconds: int) -> None:
        self.office.clock.jump(self.office.clock.now() + timedelta(seconds=seconds))

    @precondition(lambda self: self.contents)
    @rule(pick=st.integers(0, 99), act=st.sampled_from(["hold", "cancel", "release", "move"]))
    def person_acts(self, pick: int, act: str) -> None:
        rows = self.publications()
        if rows:
            one = rows[pick % len(rows)]["_id"]
            desk = self.office.desk
            acts = {
                "hold": lambda: publishing.hold(EDITOR, desk, one),
                "cancel": lambda: publishing.cancel(EDITOR, desk, one),
                "release": lambda: publishing.release(EDITOR, desk, one),
                "move": lambda: publishing.move(EDITOR, desk, one, desk.clock.now() + timedelta(minutes=3)),
            }
            self.tolerate(acts[act]())

    @precondition(lambda self: self.contents)
    @rule()
    def person_resolves_by_looking(self) -> None:
        for row in self.publications():
            if row["state"] == "unknown":
                there = self.posts_of(row)
                outcome = "published" if there else "not_published"
                url = f"https://{row['account']}.example/seen" if there else None
                self.tolerate(
                    settling.resolve(REVIEWER, self.office.desk, row["_id"], outcome, url=url, evidence="看过")
                )
                return

    @precondition(lambda self: self.contents)
    @rule(pick=st.integers(0, 99))
    def edit(self, pick: int) -> None:
        content = f"c{pick % self.contents + 1}"
        row = self.do(self.office.store.get("contents", content))
        number = row["revision"] + 1
        self.do(self.office.write(content, f"第{pick % self.contents + 1}篇。", number=number))

    @rule(on=st.booleans())
    def pause(self, on: bool) -> None:
        act = (
            pausing.hold_all(EDITOR, self.office.desk, "演练")
            if on
            else pausing.lift_hold_all(REVIEWER, self.office.desk)
        )
        self.do(act)

    @precondition(lambda self: self.contents > 3)
    @rule(pick=st.integers(0, 99))
    def take_back(self, pick: int) -> None:
        self.tolerate(withdraw(EDITOR, self.office.desk, f"c{pick % self.contents + 1}", "演练"))

    # ---- what must hold

    def posts_of(self, row: Document) -> list[Any]:
        number = str(row["content"])[1:]
        title = f"第{number}篇。"
        return [post for post in self.office.platforms[row["account"]].posts if post.text.splitlines()[0] == title]

    @invariant()
    def public_at_most_once_and_the_ledger_never_lies(self) -> None:
        rows = self.publications()
        for row in rows:
            posts = self.posts_of(row)
            assert len(posts) <= 1, f"{row['_id']} is public {len(posts)} times"
            mine = [post for post in posts if post.key in {attempt["key"] for attempt in row["attempts"]}]
            if mine and row["state"] not in ("published", "removed", "unknown", "pending", "sending"):
                raise AssertionError(f"{row['_id']} is public but {row['state']}")
            if row["state"] == "published":
                assert posts, f"{row['_id']} is published but not public"
            if row["state"] == "removed":
                assert posts[0].withdrawn, f"{row['_id']} is removed but still public"

    @invariant()
    def every_open_attempt_belongs_to_a_send_under_way(self) -> None:
        for row in self.publications():
            open_ones = [attempt for attempt in row["attempts"] if "outcome" not in attempt]
            assert len(open_ones) <= (row["state"] == "sending")
            if row["state"] in ("staging", "sending"):
                assert row["lease_until"]


TestPublishing = Publishing.TestCase
TestPublishing.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
