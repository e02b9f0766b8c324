"""告知进度: each demand's progress to the website where its query code is looked up, masked, in the citizen's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.contract import Accepted, Refused, Shelving
from hub.desk.casing import TABLE
from hub.desk.delivering import citizen_of
from hub.desk.desk import Desk, connected
from hub.domain.answer import OUT
from hub.domain.case import KINDS, citizen_steps, citizen_word
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

BATCH = 50
MOST = 1_000  # demands of one case that are told; a case of more citizens answers by its channels alone
KIND = "demand_status"
PATIENCE = 3  # cases that may fail in one round: a site that is away costs a time-out each
SETTLED = frozenset({"older_version", "other_body"})  # the site has what is as new


async def tell(actor: Actor, desk: Desk) -> int:
    """Bring every changed case's progress to the sites; how many are told. After a few that no site took, later."""
    require(actor, "case.follow")
    done = failed = 0
    for case in await desk.store.find(TABLE, {"to_tell": True}, limit=BATCH):
        if failed >= PATIENCE:
            break
        if not await _tell_case(desk, case):
            failed += 1
            continue
        mine = {"_id": case["_id"], "version": case["version"]}
        await desk.store.change(TABLE, mine, {"$unset": {"to_tell": ""}})
        done += 1
    return done


async def _tell_case(desk: Desk, case: Document) -> bool:
    replies = await desk.store.find("replies", {"case": case["_id"]}, sort=[("at", 1)], limit=MOST)
    demands = [row for row in replies if row.get("demand")]
    if not demands:
        return True
    answers = await desk.store.find("answers", {"case": case["_id"]}, sort=[("round", 1)], limit=20)
    said = [row for row in answers if row["state"] in OUT]
    for demand in demands:
        own = [row for row in replies if row["in_reply_to"] == demand["external_id"] and row["kind"] == "message"]
        if not await _tell_one(desk, case, demand, own, said):
            return False
    return True


async def _tell_one(
    desk: Desk, case: Document, demand: Document, messages: Sequence[Document], answers: Sequence[Document]
) -> bool:
    account = await desk.store.get("accounts", demand["account"])
    channel: object = connected(desk, account) if account else None
    if not isinstance(channel, Shelving):
        return True
    body = await _body(desk, case, demand, messages, answers)
    outcome = await channel.put(KIND, demand["external_id"], int(case["version"]), body)
    return isinstance(outcome, Accepted) or (isinstance(outcome, Refused) and outcome.code in SETTLED)


async def _body(
    desk: Desk, case: Document, demand: Document, messages: Sequence[Document], answers: Sequence[Document]
) -> dict[str, Any]:
    """What the site may hold: masked words, the state in the citizen's words, steps, and the answers that arrived."""
    arrived = [one for answer in answers if (one := await _arrived(desk, answer, demand)) is not None]
    rated = bool(arrived) and arrived[-1].get("rated") is not None
    body: dict[str, Any] = {
        "number": case["number"],
        "title": demand.get("title") or case["title"],
        "kind": KINDS[case["kind"]],
        "district": demand.get("district") or "",
        "state": case["state"],
        "said": citizen_word(case, rated=rated),
        "at": written(demand["at"]),
        "due": written(case["due_at"]) if case.get("due_at") else "",
        "steps": [{**step, "at": written(step["at"])} for step in citizen_steps(case)],
        "own": {
            "text": demand["text"],
            "messages": [{"at": written(row["at"]), "text": row["text"]} for row in messages],
        },
        "answers": arrived,
        "days": int(case["days"]),
        "office": case.get("department") or "",
    }
    return {**body, **({"wanted": case["wanted"]} if case.get("wanted") else {})}


async def _arrived(desk: Desk, answer: Document, demand: Document) -> dict[str, Any] | None:
    """The answer as this citizen got it; one of their other demands in the same case shows it as well."""
    delivery = await desk.store.get("deliveries", f"{answer['_id']}:{citizen_of(demand)}")
    if delivery is None or delivery["state"] != "published":
        return None
    rating = delivery.get("rating") or {}
    told = {"id": delivery["key"], "at": written(delivery["published_at"]), "text": answer["text"]}
    return {**told, **({"rated": rating["level"]} if rating else {})}


def written(at: Any) -> str:
    """A moment as the content API writes it."""
    said: str = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return said
