"""The 微信公众号 channel's room with a hand between it and the platform, and what its tests have in common."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from channels.contract import Outcome, Picture
from channels.exchange import Answer, Request, Result, Transport
from channels.kinds import connect
from tests.contracts.channel_rooms import SHA, Room, variant

DRAFT, SUBMIT, LIST, TOKEN = "/draft/add", "/freepublish/submit", "/comment/list", "/stable_token"
ACT = ("/freepublish/submit", "/freepublish/delete", "/comment/reply/add", "/message/custom/send")


def answer_of(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body, ensure_ascii=False).encode())


@dataclass
class Bent:
    """The platform behind a hand that changes what it answers, or says, on some paths."""

    inner: Transport
    bend: Callable[[Request, Result], Result]
    asked: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Result:
        self.asked.append(request)
        await asyncio.sleep(0)
        return self.bend(request, await self.inner.send(request))

    def count(self, part: str) -> int:
        return sum(part in request.path for request in self.asked)

    def bodies(self, part: str) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.asked if part in request.path]


def bent(room: Room, bend: Callable[[Request, Result], Result] = lambda _request, result: result) -> Bent:
    hand = Bent(room.channel.transport, bend)  # type: ignore[attr-defined]
    room.channel.transport = hand  # type: ignore[attr-defined]
    return hand


def says(part: str, body: Any, status: int = 200) -> Callable[[Request, Result], Result]:
    """The work is done, and this is answered in place of what the platform said."""
    return lambda request, result: answer_of(body, status) if part in request.path else result


def anew(room: Room, **settings: Any) -> None:
    """The same account in a new process: nothing remembered."""
    old = room.channel
    known = room.stage.platform.accounts()[0]
    given = {"app_id": known["appid"], "base_url": "https://platform.example", "default_cover": SHA, **settings}
    account = {"channel": "wechat", "settings": given}
    room.channel = connect(account, {"secret": known["secret"]}, old.transport, room.clock.now)  # type: ignore[attr-defined]


async def publish(room: Room, number: int = 1, **more: Any) -> Outcome:
    return await room.channel.publish(await room.staged(number, **more), f"key-{number}")


def drafts(room: Room) -> list[str]:
    platform = room.stage.platform
    state = platform._state  # type: ignore[attr-defined]
    return [id for id in state.drafts if state.draft(id, room.clock.now())]


def another(number: int) -> tuple[Picture, bytes]:
    content = b"\x89PNG\r\n\x1a\n" + str(number).encode() * 50
    return Picture(hashlib.sha256(content).hexdigest(), "image/png", 9, 9, len(content)), content


def with_pictures(*shown: Picture) -> Any:
    told = [{"kind": "img", "media": each.sha256, "alt": "图"} for each in shown]
    return replace(variant(), pictures=shown, blocks=[*variant().blocks, *told])
