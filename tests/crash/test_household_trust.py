"""What each process is given and what each lets out: the site knows nothing of the desk, and no number leaks."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from hub.access import endpoints
from hub.domain.personal import id_card_holds
from hub.pages import table
from hub.processes import LIFELINE
from hub.site import serving
from tests.browser.clerk import Clerk
from tests.browser.household import KEY, Household, household

pytestmark = pytest.mark.crash

PHONE, NAME, TOKEN = "13655512345", "欧阳晴岚", "Qq7-canary-token-Zx81"
CARD = next(first + last for first in ("11010519880912345",) for last in "0123456789X" if id_card_holds(first + last))
CANARIES = (PHONE, CARD, NAME, TOKEN)
SPELT = {word: {word, quote(word), json.dumps(word).strip('"')} for word in CANARIES}
SAID = f"{NAME}电话{PHONE}身份证{CARD}口令{TOKEN}"
PIECE = re.compile(r"<[^>]+>")
# forms that would end the session, or hold back everything; a reason that staff types for all to read is theirs to
# word (numbers in it are masked, a name cannot be known: test_pages_listening)
LAST = ("/session/end", "/api/v1/session", "/hold-all", "/api/v1/hold-all", "/demo/incident")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("house"), "--empty") as found:
        filled = found.run("demo")
        assert filled.returncode == 0, filled.stderr
        yield found


# ---- what the site is given


def environment_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)


def test_the_site_has_nothing_of_the_desk_in_its_environment(house: Household) -> None:
    (pid,) = house.children()["site"]
    given = environment_of(pid)
    kept = {name for name in given if name.startswith("HUB_")} - {LIFELINE}
    assert kept == {
        "HUB_SITE_DATA", "HUB_SITE_URL", "HUB_CONTENT_KEY", "HUB_SITE_SEAL_KEY", "HUB_PROXIES", "HUB_SITE_MARK"
    }  # fmt: skip
    secret = (house.data / "demo.key").read_text("utf-8").strip()
    everything = "\n".join(f"{name}={value}" for name, value in given.items())
    for word in (secret, str(house.data / "desk"), "hub.db", KEY, "HUB_SECRET", "HUB_MONGO"):
        assert word not in everything, word
    assert given["HUB_SITE_DATA"] == str(house.data / "site")


def test_the_site_has_no_file_of_the_desk_open(house: Household) -> None:
    (pid,) = house.children()["site"]
    open_files = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    assert any(path.startswith(str(house.data / "site")) for path in open_files)
    assert [path for path in open_files if path.startswith((str(house.data / "desk"), str(house.data / "demo")))] == []


def test_the_site_seals_and_cannot_open(house: Household) -> None:
    """The only key of the desk's that the site has is the public one; no letter stands in its folder in plain."""
    letter = {"title": f"{NAME}反映路灯不亮", "text": SAID, "contact": PHONE, "author": NAME}
    assert house.letter(source="127.9.9.9", key="canarykey" + "y" * 16, **letter) == 200
    for path in (house.data / "site").rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert [word for word in CANARIES if word.encode() in held] == [], path.name


# ---- canaries through every route


def filled(path: str) -> str:
    """The address with a canary in each of its open places."""
    return PIECE.sub(lambda _: quote(f"{PHONE}-{TOKEN}"), path)


def send(
    port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        if "event-stream" in (answer.getheader("Content-Type") or ""):
            return answer.status, dict(answer.getheaders()), ""
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


ASKED = ("q", "words", "cursor", "next", "page", "until", "since", "open", "tab", "state", "author")
FIELDS = (
    "title", "text", "digest", "remark", "reason", "evidence", "url", "login", "password", "code", "key", "author",
    "contact", "place", "district", "page", "hash", "account", "outcome", "note", "label", "meta.source", "theme",
)  # fmt: skip


def bodies(csrf: str) -> Sequence[tuple[str, bytes]]:
    form = urlencode({**dict.fromkeys(FIELDS, SAID), "csrf": csrf}).encode()
    data = json.dumps(dict.fromkeys(FIELDS, SAID), ensure_ascii=False).encode()
    return (
        ("application/x-www-form-urlencoded", form),
        ("application/json", data),
        ("application/json", f"not json {SAID}".encode()),
    )


def send_everything(port: int, origin: str, routes: Sequence[Any], cookie: str, csrf: str) -> list[str]:
    """Every route with canaries in path, query, headers and body; what is wrong with the answers."""
    wrong: list[str] = []
    headers = {
        "Origin": origin, "Cookie": cookie, "User-Agent": SAID.encode().decode("latin-1"),
        "Referer": f"{origin}/?{quote(SAID)}", "X-Csrf-Token": csrf, "Host": origin.removeprefix("http://"),
    }  # fmt: skip
    for route in routes:
        if route.method == "HEAD":
            continue
        path = f"{filled(route.path)}?{urlencode(dict.fromkeys(ASKED, SAID))}"
        sent = [("", None)] if route.method in ("GET", "DELETE") else bodies(csrf)
        for kind, body in sent:
            given = {**headers, **({"Content-Type": kind} if kind else {})}
            status, back, text = send(port, route.method, path, body, given)
            wrong += judged(route, status, back, text)
    return wrong


def judged(route: Any, status: int, headers: dict[str, str], text: str) -> list[str]:
    """An error tells nothing that was sent; only a form may hand back what its writer wrote, to that writer."""
    name = f"{route.method} {route.path} {status}"
    wrong = [f"{name}: server error"] if status >= 500 and status != 503 else []
    back = "application/problem+json" in headers.get("Content-Type", "") or status in (400, 401, 403, 404, 405, 413)
    if back:
        wrong += [f"{name}: {word} in the error" for word in CANARIES if word in text]
    wrong += [f"{name}: {word} in a header" for word in CANARIES if word in str(headers) and "Location" not in headers]
    return wrong


def test_no_canary_sent_through_any_route_is_told_on(house: Household) -> None:
    wrong: list[str] = []
    for login in ("editor", "reviewer1", "monitor", "sysadmin", "auditor", ""):
        clerk = Clerk(house, login)
        if login:
            clerk.sign_in()
        routes = [
            route
            for route in (*table.ROUTES, *endpoints.ROUTES)
            if route.path not in LAST and "hold-all" not in route.path
        ]
        wrong += send_everything(house.ports[0], house.desk_url, routes, clerk.cookie, clerk.csrf)
    wrong += send_everything(house.ports[1], house.site_url, serving.ROUTES, f"hub={TOKEN}", "")
    bearer = {"Authorization": f"Bearer {TOKEN}", "Origin": house.desk_url}
    for path in ("/", "/contents", "/api/v1/session", "/metrics", "/docs"):
        status, back, text = send(house.ports[0], "GET", path, None, bearer)
        wrong += [f"{path} {status}: {word}" for word in CANARIES if word in text + str(back)]
    assert sorted(set(wrong)) == []


def test_no_canary_stands_in_a_log_the_audit_or_the_figures(house: Household) -> None:
    """Runs after the one above in this file, on the same household; itself it only looks."""
    log = house.said()
    assert log.count("hub.web") > 100
    audit = house.run("audit", "export").stdout
    assert audit.count("\n") > 20
    places = {"log": log, "audit": audit}
    for path in ("/metrics", "/health", "/ready"):
        for port in house.ports[:2]:
            places[f"{path} on {port}"] = send(port, "GET", path, None, {})[2]
    found = [
        f"{place}: {word}"
        for place, text in places.items()
        for word, spellings in SPELT.items()
        if any(spelling in text for spelling in spellings)
    ]
    assert found == []


def test_no_canary_of_a_citizen_stands_on_any_page(house: Household) -> None:
    """The letter of above is heard by now; no page of the desk or the site shows its numbers or its name."""
    monitor = Clerk(house, "monitor")
    monitor.sign_in()
    assert "反映路灯不亮" in monitor.get("/replies").text
    found: list[str] = []
    for path in ("/", "/board", "/replies", "/issues", "/notices"):
        found += [f"{path}: {word}" for word in (PHONE, CARD, NAME) if word in monitor.get(path).text]
    for route in serving.ROUTES:
        if route.method == "GET" and "<" not in route.path:
            text = send(house.ports[1], "GET", route.path, None, {"Host": house.site_url.removeprefix("http://")})[2]
            found += [f"{route.path}: {word}" for word in CANARIES if word in text]
    assert found == []
