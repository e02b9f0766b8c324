"""The clockwork's own queries go by an index that begins with their equalities: a full archive costs them nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import apsw
import pytest

from hub.store import language, sql, values
from hub.store.tables import TABLES, by_name

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DUE = {"$lte": NOW}
PLACES = by_name(TABLES)
# name -> table, filter, sort, whether rows come out of the index in their order (no sorting of all that match)
QUERIES: Mapping[str, tuple[str, dict[str, Any], Sequence[tuple[str, int]], bool]] = {
    "what is due to go out": (
        "publications",
        {"state": "scheduled", "at": DUE, "not_before": DUE, "account": {"$nin": ["a"]}},
        [("at", 1)],
        True,
    ),
    "what stands before it on its account": (
        "publications",
        {
            "account": "a", "state": {"$in": ["staging", "sending", "scheduled"]}, "at": {"$lt": NOW},
            "_id": {"$ne": "p"},
            "$or": [{"state": {"$in": ["staging", "sending"]}}, {"not_before": DUE}, {"reason": {"$in": ["a"]}}],
        },
        [],
        True,
    ),
    "a content's publications on one account": (
        "publications", {"content": "c", "account": "a", "state": {"$in": ["scheduled", "published"]}},
        [("at", -1)], True,
    ),
    "results to be looked up": ("publications", {"state": "unknown", "look_at": DUE}, [("look_at", 1)], True),
    **{
        f"{table} that a wrong clock put off": (
            table,
            {"put_off": 60, "$or": [{"state": "scheduled", "not_before": {"$gt": NOW}},
                                    {"state": "unknown", "look_at": {"$gt": NOW}},
                                    {"state": "pending", "look_at": {"$gt": NOW}}]},
            [], True,
        )
        for table in ("publications", "operations", "deliveries")
    },
    "refused pictures to be drawn smaller": (
        "publications", {"state": "refused", "at": {"$gte": NOW}, "picture": {"$gt": ""}, "offer": None}, [("at", -1)],
        True,
    ),
    "contents of these days": (  # only those of the very same moment are sorted by their names
        "publications", {"at": {"$gte": NOW, "$lt": NOW}, "content": {"$nin": ["c"]}}, [("at", -1), ("_id", -1)], False,
    ),
    "operations of these days": ("operations", {"at": {"$gte": NOW, "$lt": NOW}}, [("at", -1), ("_id", -1)], False),
    "publications that need a person": (
        "publications", {"state": {"$in": ["unknown", "refused", "held"]}}, [("at", -1), ("_id", -1)], False,
    ),
    "who was told of one matter": ("notices", {"person": {"$in": ["a", "b"]}, "key": {"$in": ["k"]}}, [], False),
    "whose post this is": ("publications", {"account": "a", "external_id": "x", "_id": {"$ne": "p"}}, [], True),
    "our publications of these days": (
        "publications", {"state": "published", "published_at": {"$gte": NOW, "$lt": NOW}}, [("published_at", -1)], True,
    ),
    "labels of one kind": (
        "replies", {"kind": "comment", "label": "neg", "confidential": {"$ne": True}}, [("labelled_at", -1)], True,
    ),
    "what was filed under one first level": (
        "replies", {"filed_branch": "城建", "confidential": {"$ne": True}}, [("filed_at", -1)], True,
    ),
    "replies that somebody marked as urgent": (
        "replies", {"urgent": "marked", "state": {"$nin": ["hint", "double"]}, "confidential": {"$ne": True}},
        [("at", -1), ("_id", -1)], False,
    ),
    "replies of a time that nobody marked": (
        "replies", {"state": "read", "urgency.number": None, "at": {"$gte": NOW}, "confidential": {"$ne": True}},
        [("at", -1)], True,
    ),
    "marks of one kind": (
        "replies", {"urgency.kind": "life", "confidential": {"$ne": True}}, [("urgency.at", -1)], True,
    ),
    "the newest training of a tree": ("topic_models", {"tree": "shipped"}, [("at", -1)], True),
    "a model's newest figures": (
        "models", {"base": "shipped", "state": {"$in": ["kept", "declined"]}}, [("at", -1)], True,
    ),
    "replies to read": (
        "replies",
        {"state": "new", "$or": [{"lease_until": None}, {"lease_until": DUE}]},
        [("received_at", 1)],
        True,
    ),
    "today's replies to read": (
        "replies",
        {
            "watched": False, "stream": "live", "state": "new",
            "$or": [{"lease_until": None}, {"lease_until": {"$lte": NOW}}],
        },
        [("at", 1)],
        True,
    ),
    "the reply that waits longest": (
        "replies", {"watched": False, "stream": "live", "state": "new"}, [("at", 1)], True,
    ),
    "websites to listen to": (
        "accounts", {"listening": True, "channel": "site", "$or": [{"listen_at": None}, {"listen_at": DUE}]},
        [("listen_at", 1)], True,
    ),
    "replies to watch": (
        "replies", {"stream": "live", "state": "read", "watched": False, "_id": {"$nin": ["a"]}}, [("at", 1)], True,
    ),
    "the oldest unread of an import": (
        "replies", {"stream": "import:a", "state": "new", "watched": False}, [("at", 1)], True,
    ),
    "alerts that teach": ("alerts", {"to_teach": True}, [], True),
    "streams with a decision that waits": ("decisions", {"state": "waiting"}, [], True),
    "the next decision of a stream": ("decisions", {"state": "waiting", "stream": "live"}, [("number", 1)], True),
    "the last number of a stream": ("decisions", {"stream": "live"}, [("number", -1)], True),
    "a decision by its key": ("decisions", {"key": "alert:a"}, [], True),
    "decisions about an issue": ("decisions", {"issue": "i"}, [("at", -1)], True),
    "decisions that brought something in": ("decisions", {"into": "i"}, [("at", -1)], True),
    "what a watch word gathered": ("word_hits", {"issue": "i"}, [("at", -1), ("_id", -1)], False),
    "watch words in use": ("watchwords", {"retired": False}, [("name", 1)], True),
    "alerts of watch words lately": ("alerts", {"source": "word", "at": {"$gte": NOW}}, [("at", -1)], True),
    "replies to watch that were read before a decision": (
        "replies",
        {"stream": "live", "state": "read", "watched": False, "_id": {"$nin": ["a"]}, "read_at": {"$lte": NOW}},
        [("at", 1)],
        True,
    ),
    "the past that a preview looks at": (
        "replies", {"state": "read", "at": {"$gte": NOW}, "confidential": {"$ne": True}}, [("at", -1)], True,
    ),
    "replies to bring to their groups": ("replies", {"grouped": {"$in": [False, None]}, "state": "read"}, [], True),
    "originals that share a band": ("copy_marks", {"b2": "live:00ff"}, [("seen_at", -1)], True),
    "an author's earliest words": ("replies", {"author_key": "a"}, [("at", 1)], True),
    "an author's earliest copy in a group": (  # only those of one moment are sorted by their names
        "copies", {"group": "g", "author_key": "a"}, [("at", 1), ("_id", 1)], False,
    ),
    "a group's copies around a moment": ("copies", {"group": "g", "at": {"$gt": NOW, "$lt": NOW}}, [("at", 1)], True),
    "a group's newest copies": ("copies", {"group": "g"}, [("at", -1)], True),
    "marks unheard for a month": ("copy_marks", {"seen_at": {"$lt": NOW}}, [], True),
    "groups unheard for two years": ("copy_groups", {"heard_at": {"$lt": NOW}}, [], True),
    "copies heard two years ago": ("copies", {"heard_at": {"$lt": NOW}}, [], True),
    "boxes to open again": (
        "replies", {"state": "unopened", "$or": [{"retry_at": None}, {"retry_at": DUE}]}, [("at", -1)], True,
    ),
    "accounts to listen to": (
        "accounts", {"listening": True, "$or": [{"listen_at": None}, {"listen_at": DUE}]}, [("listen_at", 1)], True,
    ),
    "letters to send": ("notices", {"mail.state": "due", "mail.not_before": DUE}, [("at", 1)], True),
    "open outboxes": ("replies", {"outbox_open": True}, [("_id", 1)], True),
    "what one person did": ("audit", {"actor": "u"}, [("number", -1)], True),
    "what was done to one thing": ("audit", {"subject": "c"}, [("number", -1)], True),
    "one kind of act": ("audit", {"act": "reply.reveal"}, [("number", -1)], True),
    "events since": ("events", {"at": {"$gte": NOW}}, [("at", 1)], True),
    "answers that are due": (
        "deliveries", {"state": "scheduled", "at": DUE, "not_before": DUE, "account": {"$nin": ["a"]}},
        [("at", 1)], True,
    ),
    "deliveries to look at": ("deliveries", {"state": "unknown", "look_at": DUE}, [("look_at", 1)], True),
    "one answer's deliveries": ("deliveries", {"answer": {"$in": ["a"]}, "state": "published"}, [("at", -1)], False),
    "what citizens sent": ("replies", {"to_follow": True}, [("received_at", 1)], True),
    "a case's words": ("replies", {"case": "c"}, [("at", -1)], True),
    "ratings to bring": ("ratings", {"state": "new"}, [("at", 1)], True),
    "cases to tell": ("cases", {"to_tell": True}, [], True),
    "my cases": ("cases", {"owner": "u", "state": {"$in": ["in_hand"]}}, [("rank_at", 1)], False),
    "the inbox": ("cases", {"confidential": False, "state": {"$in": ["new", "accepted"]}}, [("rank_at", 1)], False),
    "a state of the inbox by time left": (
        "cases", {"confidential": False, "state": "new", "rank_at": {"$gte": NOW}}, [("rank_at", 1)], True,
    ),
    "a state of the inbox by arrival": ("cases", {"confidential": False, "state": "new"}, [("opened_at", -1)], True),
    "a state of the inbox by people": ("cases", {"confidential": False, "state": "new"}, [("people", -1)], True),
    "all cases by people": ("cases", {"confidential": False}, [("people", -1)], True),
    "all cases by arrival": ("cases", {"confidential": False}, [("opened_at", -1)], True),
    "extensions to decide": ("cases", {"to_decide": True, "state": "in_hand"}, [], True),
    "canned answers in use": ("canned", {"retired": False}, [("title", 1)], True),
    "all cases": ("cases", {"confidential": False}, [("changed_at", -1)], True),
    "answers to review": ("answers", {"state": "in_review"}, [("submitted_at", 1)], True),
    "answers to spread": ("answers", {"to_spread": True}, [], True),
    "parts of an old state": ("detector_state", {"of": "live", "version": {"$lte": 3}}, [], True),
}  # fmt: skip


@pytest.fixture(scope="module")
def empty() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    for table in TABLES:
        for statement in sql.schema(table):
            connection.execute(statement)
    return connection


def plan(connection: apsw.Connection, query: str) -> str:
    table, where, sort, _ = QUERIES[query]
    clause = sql.clause(language.checked_filter(where), PLACES[table])
    tail = sql.order_by(values.checked_sort(sort)) + " LIMIT 50"
    statement, given = sql.selection("body", PLACES[table], clause, tail=tail)
    return " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", given))


@pytest.mark.parametrize("query", QUERIES)
def test_a_duty_finds_its_rows_by_an_index_and_in_their_order(empty: apsw.Connection, query: str) -> None:
    said = plan(empty, query)
    assert "SEARCH" in said and "USING" in said and "SCAN" not in said, said
    assert "TEMP B-TREE" not in said or not QUERIES[query][3], said


@pytest.mark.parametrize("table", ["publications", "operations", "deliveries"])
def test_what_a_wrong_clock_put_off_is_found_without_walking_all_that_is_planned(
    empty: apsw.Connection, table: str
) -> None:
    assert "by_put_off" in plan(empty, f"{table} that a wrong clock put off")


def test_a_content_is_found_without_walking_the_accounts_whole_archive(empty: apsw.Connection) -> None:
    assert "content+account" in plan(empty, "a content's publications on one account")


def test_a_query_without_an_index_is_seen_where_one_is_planted(empty: apsw.Connection) -> None:
    clause = sql.clause(language.checked_filter({"title": "供热"}), PLACES["publications"])
    statement, given = sql.selection("body", PLACES["publications"], clause, tail=" LIMIT 50")
    assert "SCAN" in "".join(row[3] for row in empty.execute(f"EXPLAIN QUERY PLAN {statement}", given))


