"""发布前的提醒: what would keep planned posts from going out, in words with the one step, and 再查一次."""

from __future__ import annotations

from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import preflighting
from hub.domain.people import Actor
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, go
from hub.store.base import Document

SHOWN = 3


async def banners(request: Request) -> list[dict[str, Any]]:
    """The soonest ones, for the top of the publications page: which post, when, why, the steps."""
    desk, actor = desk_of(request), actor_of(request)
    now = desk.clock.now()
    return [
        {
            "title": f"《{row['title']}》{wording.near(row['at'], now)}发往“{row['account_name']}”，现在看来发不出去",
            "concerns": concerns_of(actor, row),
            "open": row["_id"],
        }
        for row in await preflighting.concerned(actor, desk, limit=SHOWN)
    ]


def concerns_of(actor: Actor, row: Document) -> list[dict[str, str]]:
    """What is wrong with one planned post, each with the step that this person may do."""
    if row["state"] not in preflighting.OPEN:
        return []
    return [_for(actor, concern) for concern in row.get("concerns") or ()]


def _for(actor: Actor, concern: Document) -> dict[str, str]:
    text, verb, href = str(concern["text"]), str(concern["verb"]), str(concern["href"])
    if href.endswith("/authorise") and not may(actor, "account.write"):
        return {"text": f"{text}请系统管理员重新授权。", "verb": "看账号", "href": href.removesuffix("/authorise")}
    return {"text": text, "verb": verb, "href": href}


async def look_again(request: Request, id: str) -> HTTPResponse:
    row = await preflighting.look_again(actor_of(request), desk_of(request), id)
    return go(f"/publications?open={id}", "still_wrong" if row.get("concerns") else "all_well")


ROUTES = (Route("POST", "/publications/<id:str>/preflight", look_again, "publication.read", "form"),)
