"""Requests made up from the API's own description: none breaks it, and refusals are problem documents in Chinese."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.desk.copying import group_copies
from hub.domain.people import Role, program
from hub.domain.rights import RIGHTS
from hub.pages.openapi import document
from tests.pages.desk_room import Room, Visitor

EXAMPLES = 12
HAN = re.compile("[\u4e00-\u9fff]")
SKIPPED = {"get_api_v1_events"}  # a stream does not end
OWN_SESSION = "/api/v1/session"  # signing in and out is tried where it lives


def _login(right: str) -> str:
    return next(role.value for role in Role if role in RIGHTS[right])


async def _known(room: Room) -> dict[str, str]:
    """Things that are there, by the first word of their address, so that requests come through to them."""
    out = await room.post_out("c1", "清源水厂检修公告")
    monitor = await room.as_("monitor")
    row = {"account": "site-main", "external_id": "e1", "author": "王芳", "text": "水不好"}
    row |= {"at": "2026-11-24T08:00:00+08:00"}
    assert (await monitor.api("POST", "/replies", [row])).status_code == 200
    reply = (await room.desk.store.find("replies", {}, limit=1))[0]
    return {
        "contents": "c1",
        "publications": str(out[0]["_id"]),
        "accounts": "site-main",
        "replies": str(reply["_id"]),
        "copies": await _copy_group(room, reply),
        "users": "editor2",
        "policies": "late_minutes",
        "columns": "yaowen",
    }


async def _copy_group(room: Room, reply: dict[str, Any]) -> str:
    """The group of that reply, once another has said the same."""
    read = {"state": "read", "analysis": {"copy_key": "k", "simhash": "0"}}
    one = {**reply, "text": "清源路的水从昨晚起一直发黄", **read}
    await room.desk.store.insert_new("replies", [{**one, "_id": f"c{n}", "external_id": f"c{n}"} for n in range(2)])
    await group_copies(program("reader"), room.desk)
    return str((await room.desk.store.find("copy_groups", {}, limit=1))[0]["_id"])


def _send(room: Room, visitor: Visitor, case: Any) -> requests.Response:
    sent = case.as_transport_kwargs(base_url=room.base)
    cookies = dict(visitor.client.cookies.items())
    headers = {name: value for name, value in dict(sent.pop("headers", {}) or {}).items() if name.lower() != "cookie"}
    sent.pop("cookies", None)
    sent.pop("allow_redirects", None)
    return requests.request(
        **sent, headers={**headers, **visitor.own}, cookies=cookies, timeout=20, allow_redirects=False
    )


def _try(room: Room, visitor: Visitor, operation: Any, known: str | None) -> list[str]:
    wrong: list[str] = []

    @given(case=operation.as_strategy(), real=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: Any, real: bool) -> None:
        for name in ("id", "login"):
            if real and known and name in (case.path_parameters or {}):
                case.path_parameters[name] = known
        answer = _send(room, visitor, case)
        if answer.status_code >= 500:
            wrong.append(f"{operation.label}: {answer.status_code} {answer.request.url} {answer.request.body!r}")
        elif answer.status_code >= 400:
            problem = json.loads(answer.content)
            if answer.headers["content-type"] != "application/problem+json" or not HAN.search(problem["detail"]):
                wrong.append(f"{operation.label}: {problem}")
            wrong.extend(f"{operation.label}: {each}" for each in problem["errors"] if not HAN.search(each["message"]))

    attempt()
    return wrong


@pytest.mark.timeout(110)
async def test_no_request_made_from_the_description_breaks_the_api(room: Room) -> None:
    known = await _known(room)
    visitors = {role.value: await room.as_(role.value) for role in Role}
    whole = json.loads(document())
    whole.pop("security")  # who asks is ours to say: a made-up key would only be turned away at the door
    schema, description = schemathesis.openapi.from_dict(whole), whole["paths"]

    def run() -> list[str]:
        wrong: list[str] = []
        for found in schema.get_all_operations():
            operation = found.ok()
            said = description[operation.path][operation.method.lower()]
            if said["operationId"] in SKIPPED or operation.path.startswith(OWN_SESSION):
                continue
            visitor = visitors[_login(said["x-right"])]
            wrong += _try(room, visitor, operation, known.get(operation.path.split("/")[3]))
        return wrong

    assert await asyncio.to_thread(run) == []
