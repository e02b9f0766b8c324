"""Every route of the desk × everybody, made from the route table: who is let in, what a change must carry, what every
answer carries. A new route is in here by being in the table.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from hub.app import POLICY
from hub.domain.people import Role
from hub.domain.rights import PERSON_ONLY, RIGHTS
from hub.pages import table
from hub.pages.openapi import PART
from hub.pages.routes import Route
from tests.pages.desk_room import LOGINS, Room, Visitor

ABSENT = "no-such-thing"
ROLES = [role.value for role in Role]  # the first person of each role carries its name
ROUTES = [route for route in table.ROUTES if route.form != "stream"]
CLOSED = [route for route in ROUTES if route.right != "open"]
BESIDE = {"alert.act": ("issue.read",)}  # handling an alert reads it first
UNSAFE = [route for route in table.ROUTES if route.unsafe]


def address(route: Route) -> str:
    """The route's address with every part filled by what is not there."""

    def part(kind: str) -> str:
        return ABSENT if kind == "str" else "7" if kind == "int" else kind.split("|")[0]

    filled = PART.sub(lambda found: part(found["kind"]), route.path)
    return filled.replace("<", "").replace(">", "")


def allowed(route: Route, role: Role) -> bool:
    return route.right in (None, "open") or role in RIGHTS[str(route.right)]


async def ask(visitor: Visitor, route: Route, **headers: str) -> httpx.Response:
    more = {"json": {}} if route.form == "api" and route.unsafe else {}
    accept = {} if route.form == "api" else {"Accept": "text/html"}
    return await visitor.send(route.method, address(route), headers={**accept, **headers}, **more)


def test_every_route_has_a_name_of_its_own_and_a_right_that_exists() -> None:
    names = [route.name for route in table.ROUTES]
    assert sorted(names) == sorted(set(names))
    rights = {route.right for route in table.ROUTES}
    assert rights - {None, "open"} <= set(RIGHTS)


async def test_a_stranger_gets_in_nowhere_but_where_the_table_says_open(room: Room) -> None:
    stranger = await room.stranger()
    wrong = []
    for route in CLOSED:
        answer = await ask(stranger, route)
        page = route.form != "api" and not route.unsafe
        fine = answer.status_code == 303 and answer.headers["location"].startswith("/login") if page else False
        if not fine and answer.status_code != 401:
            wrong.append(f"{route.method} {route.path}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_is_let_in_exactly_where_its_rights_say(room: Room, role: str) -> None:
    visitor = await room.as_(role)
    await visitor.confirm()
    wrong = []
    for route in ROUTES:
        if route.path.startswith("/session") or route.path == "/look":
            continue
        answer = await ask(visitor, route)
        expected_no = not allowed(route, Role(role))
        if expected_no != (answer.status_code == 403) or answer.status_code in (401, 405) or answer.status_code >= 500:
            wrong.append(f"{route.method} {route.path}: {answer.status_code}")
    assert wrong == []


async def test_a_token_reaches_what_its_scopes_name_and_its_person_may(room: Room) -> None:
    wrong = []
    for right in sorted(set(RIGHTS) - PERSON_ONLY):
        role = next(role for role in Role if role in RIGHTS[right])
        other = "notice.read" if right != "notice.read" else "policy.read"
        within = await room.program(role.value, right, *BESIDE.get(right, ()))
        without = await room.program(role.value, other)
        for route in (each for each in ROUTES if each.right == right and each.form == "api"):
            for program, let in ((within, True), (without, False)):
                answer = await ask(program, route)
                if (answer.status_code == 403) is let or answer.status_code == 401 or answer.status_code >= 500:
                    wrong.append(f"{route.method} {route.path} {'with' if let else 'without'}: {answer.status_code}")
    assert wrong == []


async def test_no_token_does_what_only_a_person_may(room: Room) -> None:
    acts = sorted(set(RIGHTS) - PERSON_ONLY)
    wrong = []
    for role in Role:
        scopes = [act for act in acts if role in RIGHTS[act]]
        program = await room.program(role.value, *scopes)
        for route in (each for each in ROUTES if each.right in PERSON_ONLY):
            answer = await ask(program, route)
            wrong += [] if answer.status_code == 403 else [f"{role} {route.method} {route.path}: {answer.status_code}"]
    assert wrong == []


async def test_every_change_is_refused_without_our_own_form_token_or_origin(room: Room) -> None:
    wrong = []
    for role in ROLES:
        visitor = await room.as_(role)
        await visitor.confirm()
        tries = {
            "no token": {"X-CSRF-Token": ""},
            "another's token": {"X-CSRF-Token": "x" * 43},
            "foreign origin": {"Origin": "https://elsewhere.example"},
            "null origin": {"Origin": "null"},
        }
        for route in (each for each in UNSAFE if allowed(each, Role(role))):
            for what, headers in tries.items():
                answer = await ask(visitor, route, **headers)
                if answer.status_code != 403:
                    wrong.append(f"{role} {route.method} {route.path} {what}: {answer.status_code}")
    assert wrong == []


async def test_every_sensitive_route_asks_for_the_password_again(room: Room) -> None:
    for role in ROLES:
        await room.as_(role)
    room.office.clock.move(timedelta(minutes=11))  # signing in counts as having typed it, for ten minutes
    wrong = []
    for route in (each for each in ROUTES if each.sensitive):
        login = next(role.value for role in Role if role in RIGHTS[str(route.right)])
        visitor = await room.as_(login)
        answer = await ask(visitor, route)
        page = answer.status_code == 303 and answer.headers["location"].startswith("/account/confirm")
        if answer.status_code != 403 and not page:
            wrong.append(f"{route.method} {route.path}: {answer.status_code}")
    assert wrong == []


async def test_every_answer_carries_the_house_headers_and_stays_in_no_cache(room: Room) -> None:
    wrong = []
    for login in ("editor", "secadmin", "sysadmin", "auditor"):
        visitor = await room.as_(login)
        for route in (each for each in ROUTES if not each.unsafe and each.right != "open"):
            headers = (await ask(visitor, route)).headers
            fine = (
                "default-src 'none'" in headers["content-security-policy"]
                or headers["content-security-policy"] == POLICY
            )
            fine = fine and headers["x-content-type-options"] == "nosniff"
            fine = fine and ("no-store" in headers.get("cache-control", "") or "private" in headers["cache-control"])
            wrong += [] if fine else [f"{login} {route.path}: {headers.get('cache-control')}"]
    assert wrong == []


async def test_what_is_not_there_is_answered_in_one_way_whoever_may_ask(room: Room) -> None:
    """A made-up id gives 404 on every reading address, and the same words whatever the id."""
    wrong = []
    for route in (each for each in ROUTES if "<id:str>" in each.path and not each.unsafe and each.form == "api"):
        login = next(login for login, (_, roles, _) in LOGINS.items() if roles[0] in RIGHTS[str(route.right)])
        visitor = await room.as_(login)
        paths = [address(route), address(route).replace(ABSENT, "another:one-7")]
        first, second = [await visitor.send("GET", path) for path in paths]
        same = {key: value for key, value in first.json().items() if key != "instance"} == {
            key: value for key, value in second.json().items() if key != "instance"
        }
        if first.status_code != 404 or second.status_code != 404 or not same:
            wrong.append(f"{route.path}: {first.status_code} {second.status_code}")
    assert wrong == []


async def test_another_persons_notice_is_not_there(room: Room) -> None:
    mine = {"_id": "n-1", "person": room.people["editor"].id, "matter": "x", "subject": "s", "text": "文", "link": "/"}
    await room.desk.store.insert("notices", {**mine, "key": "k", "at": room.desk.clock.now(), "read_at": None})
    editor, monitor = await room.as_("editor"), await room.as_("monitor")
    assert (await editor.api("POST", "/notices/n-1/read")).status_code == 200
    foreign, absent = [await monitor.api("POST", f"/notices/{id}/read") for id in ("n-1", ABSENT)]
    assert (foreign.status_code, foreign.json()["detail"]) == (absent.status_code, absent.json()["detail"])
    assert foreign.status_code == 404


async def test_a_stream_of_events_needs_a_session_like_any_page(room: Room) -> None:
    streams = [route for route in table.ROUTES if route.form == "stream"]
    stranger = await room.stranger()
    answers = await asyncio.gather(*(stranger.send("GET", route.path) for route in streams))
    assert streams and {answer.status_code for answer in answers} == {401}
