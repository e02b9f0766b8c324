"""A publishing office whose one account is a real channel over a rehearsal platform in the same process, metered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.contract import Channel
from channels.kinds import connect as connect_kind
from channels.performance import InProcess
from hub.desk import publishing
from hub.desk.accounts import credentials_of
from hub.desk.custody import custody_of
from hub.desk.desk import Desk
from hub.desk.publishing import Wish
from hub.desk.quotas import StoredMeter
from hub.store.base import Document
from tests.contracts import channel_rooms as rooms
from tests.domain.publishing_office import EDITOR, Office, make_office

HOST = "platform.example"


@dataclass
class RealOffice:
    """The office, its account, the platform behind it, and as many workers as a test wants."""

    office: Office
    room: rooms.Room
    account: Document
    credentials: Mapping[str, Any]

    def worker(self, owner: str, **more: Any) -> Desk:
        """Another process: a desk and a channel of its own over the same store and platform."""
        made: list[Channel] = []
        known: list[Document] = []

        def connect(account: Document) -> Channel:
            facts = {name: account.get(name) for name in ("settings", "credentials", "profile")}
            if known != [facts]:
                known[:], made[:] = [facts], []
                transport = InProcess({HOST: self.room.stage})
                meter = StoredMeter(desk, str(account["_id"]))
                now, secrets = self.office.clock.now, self._secrets(desk, account)
                made.append(connect_kind(account, secrets, transport, now, meter, custody_of(desk, account)))
            return made[0]

        desk = replace(self.office.desk, owner=owner, connect=connect, **more)
        return desk

    def _secrets(self, desk: Desk, account: Document) -> Mapping[str, Any]:
        """What was typed in, where an account has been connected since; else the platform's own list."""
        return credentials_of(desk, account) if account.get("credentials") else self.credentials

    async def planned(self, count: int, *, at: datetime | None = None, late: str = "publish") -> list[str]:
        """So many approved contents, each scheduled on the account a second after the other; their publications."""
        desk, made = self.worker("desk"), []
        for number in range(1, count + 1):
            await self.office.write(f"c{number}", f"第 {number} 号通告：供热开始")
            when = (at or self.office.clock.now() + timedelta(minutes=1)) + timedelta(seconds=number)
            done = await publishing.schedule(EDITOR, desk, f"c{number}", [Wish(self.account["_id"], when, late)])
            made += [str(row["_id"]) for row in done.publications]
        return made

    async def rows(self) -> list[Document]:
        return await self.office.store.find("publications", {}, sort=[("at", 1)], limit=200)

    def told(self, rows: Sequence[Document]) -> list[Document]:
        """The notices in these documents' outboxes."""
        found = [entry for row in rows for parcel in row.get("outbox", ()) for entry in parcel["rows"]]
        return [entry for entry in found if entry["kind"] == "notice"]


async def _opened(
    room: rooms.Room, kind: str, settings: Mapping[str, Any], credentials: Mapping[str, Any], profile: Mapping[str, Any]
) -> RealOffice:
    office = make_office(clock=room.clock)
    account = {
        "_id": f"{kind}-main", "channel": kind, "name": f"云川发布（{kind}）", "held": False, "rehearsal": True,
        "settings": {"base_url": f"https://{HOST}", "fallback_url": "https://www.yunchuan.example/", **settings},
        "credentials": "", "profile": dict(profile), "waits_for": "site-main",
    }  # fmt: skip
    await office.store.insert("accounts", account)
    return RealOffice(office, room, account, credentials)


async def weibo_office(profile: Mapping[str, Any] | None = None, tier: str = "base") -> RealOffice:
    room = rooms.weibo(tier)
    token = next(row for row in room.stage.platform.accounts() if row["tier"] == tier)
    settings = {"domain": "www.yunchuan.example", "rip": "127.0.0.1", "uid": token["uid"]}
    return await _opened(room, "weibo", settings, token, {"tier": tier, **(profile or {})})


async def wechat_office(profile: Mapping[str, Any] | None = None) -> RealOffice:
    room = rooms.wechat()
    known = room.stage.platform.accounts()[0]
    settings = {"app_id": known["appid"], "default_cover": rooms.SHA}
    office = await _opened(room, "wechat", settings, {"secret": known["secret"]}, profile or {})
    await office.office.desk.files.put(rooms.PICTURE)
    return office


async def push_office(profile: Mapping[str, Any] | None = None) -> RealOffice:
    room = rooms.push()
    row = next(row for row in room.stage.platform.accounts() if row["tier"] == "free")
    return await _opened(room, "push", {}, row, profile or {})


REAL: Mapping[str, Callable[..., Any]] = {"weibo": weibo_office, "wechat": wechat_office, "push": push_office}
MIDNIGHT = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # the coming one in Shanghai
