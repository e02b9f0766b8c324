"""10: a list costs the same with a full archive as with a young one, and every query it asks walks an index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
import pytest_asyncio

from hub.desk import (
    accounts,
    alerting,
    answering,
    auditing,
    board,
    canned,
    casing,
    copies,
    deciding,
    inbox,
    issues,
    noticing,
    publishing,
    referring,
    replies,
    reviewing,
    staffing,
    watchwords,
    working,
    writing,
)
from hub.desk.desk import Desk
from hub.domain.people import Actor, Role
from hub.store import language, sql
from hub.store.base import Document, Filter, Sort
from hub.store.sqlite import SqliteStore
from hub.store.tables import TABLES, by_name
from tests.domain.listening_office import MORNING, make_office

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEW, MANY = 60, 1_500
EVERYBODY = Actor(
    "u-all", "众人", frozenset({Role.EDITOR, Role.REVIEWER, Role.MONITOR, Role.HANDLER, Role.SECADMIN, Role.AUDITOR})
)
# Plans that may sort: what they sort is bounded by the query itself, and why.
SMALL = {"accounts", "columns", "policies", "users", "switches"}


class Recording(SqliteStore):
    """The embedded store, with a list of what it was asked and how many rows it gave."""

    def start(self) -> None:
        self.asked: list[tuple[str, Filter, Sort, int]] = []

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Sequence[str] = ()
    ) -> list[Document]:
        rows = await super().find(table, where, sort=sort, limit=limit, fields=fields)
        self.asked.append((table, where, sort, len(rows)))
        return rows

    async def get(self, table: str, id: str, *, fields: Sequence[str] = ()) -> Document | None:
        self.asked.append((table, {"_id": id}, (), 1))
        return await super().get(table, id, fields=fields)


def rows_of(count: int) -> dict[str, list[Document]]:
    """As much of everything as an office gathers, each row with a time of its own."""
    tables: dict[str, list[Document]] = {}

    def add(table: str, row_number: int, **fields: Any) -> None:
        row = {"_id": f"{table}-{row_number:06d}", "at": MORNING - timedelta(minutes=row_number), **fields}
        tables.setdefault(table, []).append(row)

    for n in range(count):
        at = MORNING - timedelta(minutes=n)
        state = ("draft", "in_review", "approved")[n % 3]
        add(
            "contents",
            n,
            title=f"稿件 {n}",
            state=state,
            column="yaowen",
            author=f"u-{n % 5}",
            updated_at=at,
            created_at=at,
            revision=1,
            hash=f"h{n}",
            kind="news",
            round=1,
            variants={},
            writers=[f"u-{n % 5}"],
        )
        add(
            "publications",
            n,
            content=f"contents-{n:06d}",
            account="site-main",
            channel="site",
            key=f"k{n}",
            state=("published", "scheduled", "unknown")[n % 3],
            title=f"稿件 {n}",
            not_before=at,
            published_at=at,
            external_id=f"e{n}",
            hash=f"h{n}",
            lease_until=None,
        )
        add(
            "replies",
            n,
            account="site-main",
            external_id=f"x{n}",
            channel="site",
            kind="letter",
            state="read",
            stream="live",
            text="路灯不亮",
            title="",
            author="王**",
            author_key=f"a{n % 50}",
            received_at=at,
            read_at=at,
            sentiment="neg",
            district="临江区",
            topic=None,
            urgent="marked" if n % 20 == 0 else None,
            issue=f"issues-{n % 40:06d}",
            counted=True,
            watched=True,
            publication=f"publications-{n % 40:06d}",
            analysis={"terms": ["路灯"], "sentiment": {"negative": 0.9}},
            terms=["路灯", "灯不"],
            tries=0,
            lease_until=None,
        )
        add(
            "issues",
            n,
            title=f"苗头 {n}",
            level=("none", "watch", "yellow")[n % 3],
            state="open",
            last_at=at,
            first_at=at,
            voices=4,
            districts=[],
            channels=["site"],
        )
        add(
            "alerts",
            n,
            issue=f"issues-{n:06d}",
            level="yellow",
            state="new",
            silent=False,
            title="苗头",
            explanation="",
            history=[],
        )
        add(
            "cases",
            n,
            number=f"26-11-{n:05}",
            state=("closed", "answered", "new")[min(n % 40, 2)] if n % 40 < 3 else "closed",
            kind="help",
            title="路灯不亮",
            confidential=False,
            owner="u-all" if n % 40 == 2 else "u-1",
            handlers=[],
            channels=["site"],
            topic="路灯",
            district="临江区",
            issue=f"issues-{n:06d}",
            people=1,
            replies=1,
            round=1,
            days=5,
            version=1,
            started_at=at,
            due_at=at,
            rank_at=at,
            opened_at=at,
            changed_at=at,
            history=[],
            terms=["路灯", "灯不", "不亮"],
        )
        add(
            "answers", n, case=f"cases-{n:06d}", round=1, state="delivered", text="您好。", by="u-1", hash=f"h{n}",
            submitted_at=at, sent_at=at, reviews=[], approval=None,
        )  # fmt: skip
        add(
            "deliveries", n, answer=f"answers-{n:06d}", citizen="c", case=f"cases-{n:06d}", key=f"d{n}",
            state="published", account="site-main", channel="site",
        )  # fmt: skip
        add(
            "copy_groups", n, live=True, stream="live", first_at=at, last_at=at, count=2 + n, accounts=2, near=0,
            new_accounts=0, channels=[["site", 2]], districts=[], flood=n % 3 == 0, bars={"step": 1, "counts": []},
            first={"reply": f"replies-{n:06d}", "at": at, "channel": "site", "account": "site-main"},
            terms=["channel:site", *(["flood"] if n % 3 == 0 else [])], heard_at=at,
        )  # fmt: skip
        tables.setdefault("copies", []).append(
            {"_id": f"replies-{n:06d}", "group": "copy_groups-000001", "author_key": f"a{n % 50}", "at": at,
             "channel": "site", "account": "site-main", "district": "", "near": False, "known_since": at}
        )  # fmt: skip
        add("canned", n, title=f"常用 {n}", text="您好。{电话}", retired=n >= 20, by="u-1", version=1)
        add("watchwords", n, name=f"词 {n}", line="桥 + 塌", retired=n >= 20, changed_at=at, by="u-1", version=1)
        add("word_hits", n, issue=f"issues-{n % 40:06d}", reply=f"replies-{n:06d}")
        add("decisions", n, stream="live", number=n + 1, key=f"k{n}", kind="merge", state="done", outcome="moved",
            issue=f"issues-{n:06d}", into=f"issues-{n % 40:06d}", reason="同一件事")
        add("notices", n, person="u-all", key=f"k{n}", read_at=None, text="请看", link="/")
        add("audit", n, number=n + 1, actor="u-1", act="content.save", subject="s", hash="", previous="")
        add(
            "reviews",
            n,
            content=f"contents-{n:06d}",
            void=False,
            verdict="pass",
            level=1,
            kind="approval",
            by="u-9",
            hash=f"h{n}",
            revision=1,
            round=1,
            remark="",
        )
    return tables  # fmt: skip


async def office_of(folder: Path, count: int) -> tuple[Desk, Recording]:
    store = Recording(folder / f"{count}.db")
    store.start()
    await store.open()
    office = await make_office(store=store)
    for table, rows in rows_of(count).items():
        for start in range(0, len(rows), 500):
            await store.insert_new(table, rows[start : start + 500])
    store.start()
    return replace(office.desk, clock=office.clock), store


async def _board(desk: Desk) -> object:
    return await board.board(EVERYBODY, desk, until=MORNING, hours=24, channels=["site"], districts=["临江区"])


LISTS: dict[str, Callable[[Desk], Awaitable[object]]] = {
    "contents": lambda desk: writing.list_contents(EVERYBODY, desk),
    "contents of a state": lambda desk: writing.list_contents(EVERYBODY, desk, where={"state": "draft"}),
    "review queue": lambda desk: reviewing.queue(EVERYBODY, desk),
    "publications": lambda desk: publishing.list_publications(EVERYBODY, desk),
    "publications of a state": lambda desk: publishing.list_publications(EVERYBODY, desk, state="unknown"),
    "replies": lambda desk: replies.list_replies(EVERYBODY, desk),
    "replies of an issue": lambda desk: replies.list_replies(EVERYBODY, desk, filters={"issue": "issues-000001"}),
    "negative replies": lambda desk: replies.list_replies(EVERYBODY, desk, filters={"sentiment": "neg"}),
    "urgent replies": lambda desk: replies.list_replies(EVERYBODY, desk, filters={"urgent": "marked"}),
    "replies of a channel": lambda desk: replies.list_replies(EVERYBODY, desk, filters={"channel": "site"}),
    "issues": lambda desk: issues.list_issues(EVERYBODY, desk),
    "copies": lambda desk: copies.list_groups(EVERYBODY, desk),
    "copies of a stretch": lambda desk: copies.list_groups(EVERYBODY, desk, since=MORNING - timedelta(days=1)),
    "largest copies": lambda desk: copies.list_groups(EVERYBODY, desk, order="largest"),
    "floods on a channel": lambda desk: copies.list_groups(EVERYBODY, desk, flood=True, channel="site"),
    "one group of copies": lambda desk: copies.group(EVERYBODY, desk, "copy_groups-000001"),
    "a reply's copies": lambda desk: copies.group_of(EVERYBODY, desk, "replies-000001"),
    "alerts": lambda desk: alerting.list_alerts(EVERYBODY, desk),
    "new alerts": lambda desk: alerting.list_alerts(EVERYBODY, desk, state="new"),
    "notices": lambda desk: noticing.list_notices(EVERYBODY, desk),
    "audit": lambda desk: auditing.list_entries(EVERYBODY, desk),
    "users": lambda desk: staffing.list_users(EVERYBODY, desk),
    "accounts": lambda desk: accounts.list_accounts(EVERYBODY, desk),
    "cases to do": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="todo"),
    "answered cases": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="answered"),
    "all cases": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="all"),
    "confidential cases": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="confidential"),
    "my cases": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="todo", mine=True),
    "cases by arrival": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="todo", sort="came"),
    "cases by people": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="hand", sort="people"),
    "all cases by people": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="all", sort="people"),
    "all cases by arrival": lambda desk: inbox.list_cases(EVERYBODY, desk, tab="all", sort="came"),
    "what stands beside a case": lambda desk: referring.beside(EVERYBODY, desk, "cases-000002"),
    "watch words": lambda desk: watchwords.list_watchwords(EVERYBODY, desk),
    "hits of a watch word": lambda desk: watchwords.hits(EVERYBODY, desk, "issues-000001"),
    "one issue": lambda desk: issues.issue(EVERYBODY, desk, "issues-000000"),
    "likely issues": lambda desk: deciding.likely(EVERYBODY, desk, "issues-000001"),
    "canned answers": lambda desk: canned.list_canned(EVERYBODY, desk),
    "canned answers for a case": lambda desk: canned.offered(EVERYBODY, desk, "cases-000002"),
    "one case": lambda desk: casing.case_page(EVERYBODY, desk, "cases-000002"),
    "answers to review": lambda desk: answering.list_waiting(EVERYBODY, desk),
    "my work": lambda desk: working.my_work(EVERYBODY, desk),
    "frame": lambda desk: working.waiting(EVERYBODY, desk),
    "today": lambda desk: working.today(EVERYBODY, desk, MORNING - timedelta(hours=1), MORNING),
    "board": _board,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offices(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("lists")
    few, many = await office_of(folder, FEW), await office_of(folder, MANY)
    yield few, many
    await few[1].close()
    await many[1].close()


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_asks_and_reads_no_more_when_the_archive_is_full(offices: Any, name: str) -> None:
    (few_desk, few), (many_desk, many) = offices
    few.start()
    many.start()
    await LISTS[name](few_desk)
    await LISTS[name](many_desk)
    assert len(many.asked) <= len(few.asked) + 6, "more questions with more rows"
    read = {label: sum(rows for *_, rows in store.asked) for label, store in (("few", few), ("many", many))}
    most = board.SAMPLE + 500 if name == "board" else 60 * 4
    assert read["many"] <= max(read["few"], most), read


def plan_of(path: Path, table: str, where: Filter, sort: Sort) -> str:
    place = by_name(TABLES)[table]
    clause = sql.clause(language.checked_filter(where), place)
    statement, found = sql.selection("body", place, clause, tail=sql.order_by(sort))
    connection = apsw.Connection(str(path))
    rows = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", found)]
    connection.close()
    return " | ".join(rows)


@pytest.mark.parametrize("name", LISTS)
async def test_every_question_of_a_list_walks_an_index(offices: Any, name: str) -> None:
    _, (desk, store) = offices
    store.start()
    await LISTS[name](desk)
    bad = []
    for table, where, sort, rows in store.asked:
        plan = plan_of(store._path, table, where, sort)
        bounded = rows <= 120 and "$in" in repr(where)
        scans = "SCAN" in plan and "INDEX" not in plan
        sorts = "TEMP B-TREE FOR ORDER BY" in plan and not bounded
        if table not in SMALL and (scans or sorts):
            bad.append((table, dict(where), list(sort), plan))
    assert bad == []
