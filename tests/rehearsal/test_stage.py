"""The stage around the local platforms: durable memory, faults over real sockets, control addresses."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Accepted, Found, Page, Refused, Staged, Unknown
from channels.exchange import Answer, Request
from channels.http import PlatformPolicy, open_caller
from channels.kinds import connect
from channels.ledger import FileLedger
from channels.rehearsal import STAGES, open_performance, stages
from channels.weibo.channel import Weibo
from hub.clock import SystemClock
from tests.browser.household import free_ports
from tests.contracts.channel_rooms import pictures, variant

KEY = "a-key-for-the-test"
ROOT = Path(__file__).parents[2]
SERVE = (
    "import sys; from pathlib import Path; from channels.rehearsal import serve; from hub.clock import SystemClock; "
    "serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], SystemClock().now)"
)


class Stage:
    def __init__(self, port: int, data: Path) -> None:
        self.port, self.data = port, data
        self.process = self.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SERVE, str(self.port), str(self.data), KEY]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self.process
            time.sleep(0.05)
        raise AssertionError("the rehearsal did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def staged_platform(data: Path) -> Iterator[Stage]:
    stage = Stage(free_ports(1 + max(each.offset for each in STAGES))[0], data)
    try:
        yield stage
    finally:
        stage.kill()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged_platform(tmp_path_factory.mktemp("stage")) as found:
        yield found


class Control:
    """The control addresses, and a channel over real sockets."""

    def __init__(self, stage: Stage, transport: Any) -> None:
        self.stage, self.transport = stage, transport

    async def ask(self, what: str, body: Any = None, key: str = KEY) -> tuple[int, Any]:
        request = Request(
            "GET" if body is None else "POST",
            f"{self.stage.base}/_rehearsal/{what}",
            {"Authorization": f"Bearer {key}"},
            b"" if body is None else json.dumps(body).encode(),
        )
        result = await self.transport.send(request)
        assert isinstance(result, Answer)
        return result.status, json.loads(result.body)

    async def order(self, kind: str, value: int = 0, match: str = "/share") -> None:
        assert (await self.ask("faults", {"match": match, "kind": kind, "value": value}))[0] == 200

    async def channel(self) -> Weibo:
        _, accounts = await self.ask("accounts")
        token = next(row for row in accounts if row["tier"] == "partner")
        settings = {"base_url": self.stage.base, "domain": "www.yunchuan.example", "rip": "127.0.0.1"}
        account = {"channel": "weibo", "settings": settings, "profile": {"tier": "partner"}}
        found = connect(account, token, self.transport, SystemClock().now)
        assert isinstance(found, Weibo)
        return found


@asynccontextmanager
async def controlled(stage: Stage) -> AsyncIterator[Control]:
    async with open_caller() as caller:
        yield Control(stage, caller.transport(PlatformPolicy.of(stage.base)))


async def staged_on(channel: Weibo, number: int, **more: Any) -> Staged:
    found = await channel.stage(channel.prepare(variant(number, **more)), f"key-{number}", pictures)
    assert isinstance(found, Staged)
    return found


async def test_the_road_over_real_sockets_from_post_to_comment_to_answer(stage: Stage) -> None:
    async with controlled(stage) as control:
        channel = await control.channel()
        outcome = await channel.publish(await staged_on(channel, 1, picture=True), "key-1")
        assert isinstance(outcome, Accepted)
        _, posts = await control.ask("posts")
        assert [(post["id"], post["withdrawn"], post["picture"]) for post in posts] == [
            (outcome.external_id, False, True)
        ]
        said = {"post": outcome.external_id, "author": "北岭老张", "text": "还不热"}
        assert (await control.ask("replies", [said]))[0] == 200
        page = await channel.poll("", [outcome.external_id])
        assert isinstance(page, Page)
        assert [one.text for one in page.heard] == ["还不热"]
        assert isinstance(await channel.answer(page.heard[0].raw, "今晚恢复", "key-a"), Accepted)


@pytest.mark.parametrize(
    ("kind", "value", "number", "public"),
    [
        ("drop_before", 0, 11, False), ("status", 502, 12, False), ("drop_after", 0, 13, True),
        ("close", 0, 14, True), ("garbage", 0, 15, True), ("status_after", 504, 16, True),
    ],
)  # fmt: skip
async def test_each_fault_over_real_sockets_is_unknown_and_found_when_public(
    stage: Stage, kind: str, value: int, number: int, public: bool
) -> None:
    async with controlled(stage) as control:
        channel = await control.channel()
        thing = await staged_on(channel, number)
        began = datetime.now(UTC)
        await control.order(kind, value)
        assert isinstance(await channel.publish(thing, f"key-{number}"), Unknown)
        found = await channel.find_published(f"key-{number}", thing, began)
        assert isinstance(found, Found) is public


@pytest.mark.parametrize(("kind", "value", "number"), [("delay", 30, 21), ("drip", 0, 22)])
async def test_a_slow_answer_is_given_up_and_unknown(stage: Stage, kind: str, value: int, number: int) -> None:
    async with controlled(stage) as control:
        channel = await control.channel()
        thing = await staged_on(channel, number)
        await control.order(kind, value)
        request = channel.protocol.share(str(thing.prepared.body["text"]), None, "")
        hasty = Request(request.method, request.url, request.headers, request.body, seconds=0.5)
        assert not isinstance(await control.transport.send(hasty), Answer)
        assert isinstance(await channel.find_published(f"key-{number}", thing, datetime.now(UTC)), Found)


async def test_the_control_addresses_need_the_key(stage: Stage) -> None:
    async with controlled(stage) as control:
        for key in ("", "wrong", KEY + "x"):
            for what, body in (("posts", None), ("accounts", None), ("reset", {}), ("faults", {"kind": "delay"})):
                status, problem = await control.ask(what, body, key)
                assert status == 401
                assert problem["detail"]


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("faults", {"kind": "meteor"}, 422), ("faults", {"kind": "delay", "times": 0}, 422), ("faults", [1], 422),
        ("replies", {"post": "7", "text": "x"}, 422), ("replies", "x", 422), ("clock", {}, 422),
        ("clock", {"at": "soon"}, 422), ("nothing", None, 404), ("nothing", {}, 404),
    ],
)  # fmt: skip
async def test_a_control_request_that_means_nothing_gets_a_sentence(
    stage: Stage, what: str, body: Any, status: int
) -> None:
    async with controlled(stage) as control:
        assert (await control.ask(what, body))[0] == status


async def test_the_request_log_holds_no_token(stage: Stage) -> None:
    async with controlled(stage) as control:
        channel = await control.channel()
        await channel.preflight()
        _, log = await control.ask("requests")
        assert log
        assert channel.protocol.token not in json.dumps(log)


async def test_the_clock_can_be_moved_to_see_a_token_end(tmp_path: Path) -> None:
    with staged_platform(tmp_path) as own:
        async with controlled(own) as control:
            channel = await control.channel()
            assert (await channel.preflight()).state == "ok"
            await control.ask("clock", {"shift": 31 * 86400})
            assert (await channel.preflight()).state == "expired"
            outcome = await channel.publish(await staged_on(channel, 1), "key-1")
            assert isinstance(outcome, Refused)
            own.kill()
            own.start()
            assert (await channel.preflight()).state == "expired"
            await control.ask("reset", {})
            assert (await channel.preflight()).state == "ok"


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """Posts are sent without pause while the platform is killed again and again; what it accepted it still has."""
    with staged_platform(tmp_path) as own:
        async with controlled(own) as control:
            channel = await control.channel()
            accepted: dict[str, str] = {}
            number = 0
            for _ in range(4):
                killer = asyncio.get_running_loop().call_later(0.3, own.kill)
                while own.process.poll() is None:
                    number += 1
                    outcome = await channel.publish(await staged_on(channel, number), f"key-{number}")
                    if isinstance(outcome, Accepted):
                        accepted[outcome.external_id] = f"第{number}批"
                killer.cancel()
                own.start()
            _, posts = await control.ask("posts")
        public = {post["id"]: post["text"] for post in posts}
        assert accepted
        assert all(words in public[id] for id, words in accepted.items())
        assert len(set(public.values())) == len(public)


def test_a_line_that_was_cut_by_a_crash_is_forgotten_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "weibo.jsonl"
    ledger = FileLedger(path)
    ledger.write([{"kind": "post", "id": 1}])
    ledger.close()
    with path.open("ab") as file:
        file.write('{"kind": "post", "id": 2, "text": "半'.encode()[:-1])
    again = FileLedger(path)
    assert list(again.read()) == [{"kind": "post", "id": 1}]
    again.write([{"kind": "post", "id": 3}])
    assert [fact["id"] for fact in again.read()] == [1, 3]
    again.close()


def test_several_accounts_of_a_platform_have_own_ports_names_and_credentials(tmp_path: Path) -> None:
    made = stages(3)
    assert [(one.name, one.offset) for one in made[:4]] == [("weibo", 0), ("wechat", 1), ("push", 2), ("weibo-2", 10)]
    assert len({one.offset for one in made}) == len({one.name for one in made}) == 9
    tokens = [
        open_performance(one, tmp_path, KEY, SystemClock().now, ()).platform.accounts()[0]["access_token"]
        for one in made
        if one.name.startswith("weibo")
    ]
    assert len(set(tokens)) == 3


def test_the_first_of_several_accounts_is_the_one_there_always_was() -> None:
    assert list(stages(1)) == list(STAGES)
