"""The gate on a running application: cookies, form tokens, Origin, closed doors, bearer tokens; over loopback."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from sanic import HTTPResponse, Request, Sanic
from sanic.response import json as json_response
from sanic.response import text

from hub.access import ORIGIN_ONLY, PROBLEMS, ROUTES, Gate, attach, still_stands
from hub.access.pictures import qr_svg
from hub.access.requests import client_address, own_path
from hub.app import bare
from hub.desk import signing_in, staffing
from hub.desk.desk import Desk
from hub.domain.people import Role
from hub.domain.rights import require
from tests.domain.trust_office import PASSWORD, SECADMIN, clock_of, code_of, make_desk, person


@dataclass(frozen=True)
class Address:
    """A route as the tables of pages declare one."""

    right: str | None
    form: str = "api"
    sensitive: bool = False


async def who(request: Request) -> HTTPResponse:
    actor = request.ctx.actor
    return json_response({"actor": actor and actor.id, "kind": actor and actor.kind, "address": request.ctx.address})


async def write(request: Request) -> HTTPResponse:
    require(request.ctx.actor, "content.write")
    return text("written")


async def stream(request: Request) -> HTTPResponse:
    return json_response({"stands": await still_stands(request.app.ctx.gate, request)()})


def build(desk: Desk, name: str, **settings: object) -> Sanic:
    app = bare(name, desk.clock, desk.ids, lambda request, status, title, message: text(message, status=status))
    app.config.TOUCHUP = False  # Sanic rewrites its own methods once a process; here many applications share one
    attach(app, desk, **settings)  # type: ignore[arg-type]
    app.add_route(who, "/api/v1/who", name="who", ctx_route=Address(None))
    app.add_route(who, "/page", name="page", ctx_route=Address(None, "page"))
    app.add_route(who, "/lobby", name="lobby", ctx_route=Address("open"))
    app.add_route(write, "/api/v1/contents", methods=["POST"], name="write", ctx_route=Address("content.write"))
    app.add_route(write, "/write", methods=["POST"], name="write_form", ctx_route=Address("content.write", "form"))
    app.add_route(write, "/api/v1/risky", methods=["PUT"], name="risky", ctx_route=Address(None, "api", True))
    app.add_route(stream, "/api/v1/events", name="events", ctx_route=Address(None, "stream"))
    return app


@dataclass
class Site:
    desk: Desk
    client: httpx.AsyncClient
    base: str
    csrf: str = ""

    async def sign_in(self, login: str = "editor", password: str = PASSWORD) -> httpx.Response:
        answer = await self.client.post(
            "/api/v1/session", json={"login": login, "password": password}, headers={"Origin": self.base}
        )
        self.csrf = answer.json().get("csrf", "") if answer.status_code == 200 else self.csrf
        return answer

    @property
    def own(self) -> dict[str, str]:
        return {"Origin": self.base, "X-CSRF-Token": self.csrf}


@pytest.fixture
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    settings = getattr(request, "param", {})
    desk = make_desk()
    await person(desk, "editor", Role.EDITOR)
    app = build(desk, re.sub(r"\W", "_", request.node.name), **settings)
    door = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = await app.create_server(sock=door, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    try:
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            yield Site(desk, client, base)
    finally:
        server.close()
        await server.wait_closed()
        Sanic._app_registry.pop(app.name, None)


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(site: Site) -> None:
    answer = await site.sign_in()
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("hub=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert "Domain" not in cookie and "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert (await site.client.get("/api/v1/who")).json()["kind"] == "person"


@pytest.mark.parametrize("site", [{"secure": True, "origins": ("https://desk.example.cn",)}], indirect=True)
async def test_behind_tls_the_cookie_is_bound_to_host_and_tls_and_the_origin_is_the_offices(site: Site) -> None:
    refused = await site.sign_in()
    assert refused.status_code == 403
    answer = await site.client.post(
        "/api/v1/session",
        json={"login": "editor", "password": PASSWORD},
        headers={"Origin": "https://desk.example.cn"},
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hub=") and "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie
    value = cookie.split(";")[0].removeprefix("__Host-hub=")
    seen = await site.client.get("/api/v1/who", headers={"Cookie": f"__Host-hub={value}"})
    assert seen.json()["kind"] == "person"
    other_name = await site.client.get("/api/v1/who", headers={"Cookie": f"hub={value}"})
    assert other_name.status_code == 401


async def test_a_closed_page_sends_a_browser_to_sign_in_and_back(site: Site) -> None:
    answer = await site.client.get("/page?a=1&b=2", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/page%3Fa%3D1%26b%3D2"
    program = await site.client.get("/api/v1/who")
    assert program.status_code == 401 and program.headers["content-type"].startswith("application/problem+json")


async def test_an_open_page_needs_nobody(site: Site) -> None:
    assert (await site.client.get("/lobby")).json() == {"actor": None, "kind": None, "address": "127.0.0.1"}


FOREIGN = [None, "https://evil.example", "null", "http://127.0.0.1", "http://localhost:1", ""]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_change_from_a_foreign_page_is_refused(site: Site, origin: str | None) -> None:
    await site.sign_in()
    headers = {"X-CSRF-Token": site.csrf} | ({} if origin is None else {"Origin": origin})
    answer = await site.client.post("/api/v1/contents", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", "é", "x" * 5000])
async def test_a_change_without_the_sessions_own_form_token_is_refused(site: Site, token: str) -> None:
    await site.sign_in()
    answer = await site.client.post(
        "/api/v1/contents", headers={"Origin": site.base, "X-CSRF-Token": token.encode("latin-1")}
    )
    assert answer.status_code == 403
    assert (await site.client.post("/api/v1/contents", headers={"Origin": site.base})).status_code == 403
    assert (await site.client.post("/api/v1/contents", headers=site.own)).text == "written"


async def test_another_sessions_form_token_is_refused(site: Site) -> None:
    await site.sign_in()
    first = site.csrf
    await site.sign_in()
    assert first != site.csrf
    answer = await site.client.post("/api/v1/contents", headers={"Origin": site.base, "X-CSRF-Token": first})
    assert answer.status_code == 403


async def test_a_form_carries_its_token_in_a_field(site: Site) -> None:
    await site.sign_in()
    good = await site.client.post("/write", data={"csrf": site.csrf}, headers={"Origin": site.base})
    bad = await site.client.post("/write", data={"csrf": "x"}, headers={"Origin": site.base})
    assert (good.status_code, bad.status_code) == (200, 403)


async def test_a_change_without_a_session_is_refused_whatever_else_it_carries(site: Site) -> None:
    for path in ("/api/v1/contents", "/write"):
        answer = await site.client.post(path, headers={"Origin": site.base, "X-CSRF-Token": "x"})
        assert answer.status_code == 401


@pytest.mark.parametrize("path", sorted(ORIGIN_ONLY))
async def test_signing_in_itself_needs_our_own_origin(site: Site, path: str) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}):
        answer = await site.client.post(path, json={"login": "editor", "password": PASSWORD}, headers=headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


async def test_every_unsafe_route_of_the_application_refuses_without_its_token(site: Site) -> None:
    await site.sign_in()
    app_routes = [
        (method, "/" + route.path)
        for route in Sanic.get_app(next(name for name in Sanic._app_registry)).router.routes
        for method in route.methods - {"GET", "HEAD", "OPTIONS"}
    ]
    assert len(app_routes) >= 15
    for method, path in app_routes:
        if path in ORIGIN_ONLY and method == "POST":
            continue
        for headers in ({"X-CSRF-Token": site.csrf}, {"Origin": site.base}):
            answer = await site.client.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path)


async def test_a_wrong_password_is_a_problem_document_and_a_locked_one_says_when(site: Site) -> None:
    for _ in range(5):
        answer = await site.sign_in(password="wrong-Password-1")
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        assert answer.json()["detail"] == signing_in.WRONG
    locked = await site.sign_in()
    assert locked.status_code == 429 and 0 < int(locked.headers["retry-after"]) <= 900


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"login":1,"password":2}', b'{"login":"a"}', b'{"login":{"$ne":""},"password":"x"}',
             b'{"login":"a","password":"b","role":"secadmin"}', b"\xff\xfe", b"[" * 50_000],
)  # fmt: skip
async def test_a_malformed_sign_in_gets_a_sentence(site: Site, body: bytes) -> None:
    answer = await site.client.post(
        "/api/v1/session", content=body, headers={"Origin": site.base, "Content-Type": "application/json"}
    )
    assert answer.status_code == 422 and re.search(r"[\u4e00-\u9fff]", answer.json()["detail"])


async def test_a_form_of_another_kind_does_not_pass_as_json(site: Site) -> None:
    answer = await site.client.post(
        "/api/v1/session", content=b'{"login":"editor","password":"x"}',
        headers={"Origin": site.base, "Content-Type": "text/plain"},
    )  # fmt: skip
    assert answer.status_code == 422


async def test_the_sign_in_form_goes_on_to_where_the_person_was_going(site: Site) -> None:
    form = {"login": "editor", "password": PASSWORD, "next": "/page?a=1"}
    answer = await site.client.post("/session", data=form, headers={"Origin": site.base})
    assert (answer.status_code, answer.headers["location"]) == (303, "/page?a=1")
    wrong = await site.client.post("/session", data={**form, "password": "x"}, headers={"Origin": site.base})
    assert wrong.headers["location"] == "/login?problem=wrong&next=%2Fpage%3Fa%3D1"


FOREIGN_PATHS = ["https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "javascript:x"]


@pytest.mark.parametrize("wanted", [*FOREIGN_PATHS, None, "", "/a\nb", "/" + "a" * 600])
def test_only_own_paths_are_gone_to(wanted: str | None) -> None:
    assert own_path(wanted) == "/"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("wrong", "Heron-under-9-bridges", "wrong"),
        (PASSWORD, "Short-1", "short"),
        (PASSWORD, "Password@2026!", "common"),
        (PASSWORD, PASSWORD, "same"),
        (PASSWORD, "my-Editor-is-7", "own"),
    ],
)
async def test_a_refused_new_password_says_why_on_its_page(site: Site, old: str, new: str, problem: str) -> None:
    await site.sign_in()
    form = {"old": old, "new": new, "csrf": site.csrf, "next": "/page"}
    answer = await site.client.post("/session/password", data=form, headers={"Origin": site.base})
    assert answer.headers["location"] == f"/account/password?problem={problem}&next=%2Fpage"
    assert problem in PROBLEMS and new not in answer.headers["location"]


async def test_a_new_password_leads_back_through_sign_in(site: Site) -> None:
    await site.sign_in()
    form = {"old": PASSWORD, "new": "Heron-under-9-bridges", "csrf": site.csrf, "next": "/page"}
    answer = await site.client.post("/session/password", data=form, headers={"Origin": site.base})
    assert answer.headers["location"] == "/login?done=password&next=%2Fpage"
    assert (await site.client.get("/api/v1/who")).status_code == 401
    assert (await site.sign_in(password="Heron-under-9-bridges")).status_code == 200


async def test_signing_out_takes_the_cookie_and_ends_the_session(site: Site) -> None:
    await site.sign_in()
    kept = site.client.cookies["hub"]
    answer = await site.client.delete("/api/v1/session", headers=site.own)
    assert answer.status_code == 204 and "Max-Age=0" in answer.headers["set-cookie"]
    assert (await site.client.get("/api/v1/who", headers={"Cookie": f"hub={kept}"})).status_code == 401


async def test_a_session_that_lacks_its_second_factor_reaches_nothing_else(site: Site) -> None:
    await site.sign_in()
    begun = await site.client.post("/api/v1/session/factor", headers=site.own)
    factor = begun.json()["secret"]
    assert begun.json()["address"].startswith("otpauth://totp/") and "<svg" in begun.json()["svg"]
    done = await site.client.put("/api/v1/session/factor", json={"code": code_of(factor, site.desk)}, headers=site.own)
    assert done.status_code == 200 and done.json()["wants"] is None
    clock_of(site.desk).move(60)
    assert (await site.sign_in()).json()["wants"] == "second"
    assert (await site.client.get("/api/v1/who")).status_code == 403
    assert (await site.client.get("/lobby")).json()["actor"] is None  # on open pages it is nobody yet
    assert (await site.client.post("/api/v1/contents", headers=site.own)).status_code == 403
    page = await site.client.get("/page", headers={"Accept": "text/html"})
    assert page.headers["location"] == "/login/second?next=/page"
    for path, body in (("password", {"old": PASSWORD, "new": "Heron-under-9-bridges"}), ("factor", {"code": "000000"})):
        answer = await site.client.put(f"/api/v1/session/{path}", json=body, headers=site.own)
        assert answer.status_code in (403, 422)
    assert (await site.client.post("/api/v1/session/factor", headers=site.own)).status_code == 403
    code = {"code": code_of(factor, site.desk)}
    assert (await site.client.post("/api/v1/session/second", json=code, headers=site.own)).json()["wants"] is None
    assert (await site.client.get("/api/v1/who")).status_code == 200


async def test_a_sensitive_route_asks_for_the_password_again(site: Site) -> None:
    await site.sign_in()
    assert (await site.client.put("/api/v1/risky", headers=site.own)).status_code == 200
    clock_of(site.desk).move(timedelta(minutes=11))
    assert (await site.client.put("/api/v1/risky", headers=site.own)).status_code == 403
    again = await site.client.post("/api/v1/session/confirm", json={"password": PASSWORD}, headers=site.own)
    assert again.status_code == 200
    assert (await site.client.put("/api/v1/risky", headers=site.own)).status_code == 200


async def test_a_bearer_token_needs_no_form_token_and_reaches_only_its_scopes(site: Site) -> None:
    users, _ = await staffing.list_users(SECADMIN, site.desk)
    tokens = [
        await staffing.create_token(SECADMIN, site.desk, name="接口", user=users[0]["_id"], scopes=[scope])
        for scope in ("content.write", "content.read")
    ]
    answers = [
        await site.client.post("/api/v1/contents", headers={"Authorization": f"Bearer {token}"}) for token in tokens
    ]
    assert [answer.status_code for answer in answers] == [200, 403]


@pytest.mark.parametrize("said", ["Bearer", "Bearer x", "Bearer hub_x", "Basic ZWRpdG9yOng=", "", "bearer x y"])
async def test_a_strange_authorization_is_refused_even_beside_a_good_cookie(site: Site, said: str) -> None:
    await site.sign_in()
    assert (await site.client.get("/api/v1/who", headers={"Authorization": said})).status_code == 401


async def test_an_open_stream_learns_at_its_next_look_that_its_session_has_ended(site: Site) -> None:
    await site.sign_in()
    assert (await site.client.get("/api/v1/events")).json() == {"stands": True}
    clock_of(site.desk).move(timedelta(minutes=29))
    assert (await site.client.get("/api/v1/events")).json() == {"stands": True}
    clock_of(site.desk).move(timedelta(minutes=2))  # looking at the stream did not keep it alive
    assert (await site.client.get("/api/v1/events")).status_code == 401


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, ["1.2.3.4"], "10.0.0.1"),
        (1, [], "10.0.0.1"),
        (1, ["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        (2, ["9.9.9.9, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        (2, ["9.9.9.9", "1.2.3.4"], "9.9.9.9"),
        (3, ["1.2.3.4"], "10.0.0.1"),
        (1, ["not an address"], "10.0.0.1"),
        (1, ["<script>"], "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(proxies: int, forwarded: list[str], expected: str) -> None:
    assert client_address("10.0.0.1", forwarded, proxies) == expected


async def test_forwarded_headers_change_nothing_without_a_proxy(site: Site) -> None:
    headers = {"X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4", "X-Real-IP": "1.2.3.4"}
    assert (await site.client.get("/lobby", headers=headers)).json()["address"] == "127.0.0.1"


def test_the_sessions_routes_say_what_they_are() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert {route.path for route in ROUTES if route.open} == set(ORIGIN_ONLY)


def test_a_gate_is_plain_data_and_the_picture_has_no_inline_style() -> None:
    assert Gate(secure=True).cookie == "__Host-hub" and Gate().cookie == "hub"
    assert b"style=" not in qr_svg("otpauth://totp/x")
