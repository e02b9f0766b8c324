"""The household of `bench alerts`: `serve --rehearsal` and one 公众号 whose messages come to the site."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from channels.wechat.callback import Keys
from hub import settings as settings_room
from hub import wiring
from hub.commands.chaos.filling import CONSOLE
from hub.commands.chaos.town import KEPT, asked
from hub.desk import accounts
from hub.desk.desk import Desk
from hub.desk.staffing import add_user
from hub.domain.errors import HubError
from hub.processes import listening
from hub.settings import Settings

CLOCK = wiring.CLOCK
ACCOUNT = "wechat-main"
LOGIN, PASSWORD = "monitor", "Yuxi-lake-2026"
PATIENCE = 60.0
# An office that wants to hear of everything: a minute of the bench holds more matters than a month of a city.
FIGURES = {"alerts_a_week": 50, "alert_chance": 0.05}


@dataclass
class House:
    """One household over one folder, on a free row of ports."""

    folder: Path
    ports: int
    process: asyncio.subprocess.Process | None = None

    @property
    def desk_port(self) -> int:
        return self.ports

    @property
    def site_port(self) -> int:
        return self.ports + 1

    @property
    def wechat_port(self) -> int:
        return self.ports + 3

    @property
    def given(self) -> dict[str, str]:
        return {
            "HUB_DATA": str(self.folder / "data"), "HUB_CONFIG": str(self.folder / "none.toml"),
            "HUB_REHEARSAL_PORT": str(self.ports + 2),
        }  # fmt: skip

    def settings(self) -> Settings:
        return settings_room.read(self.given, "desk")

    async def prepare(self) -> None:
        """A new demonstration with one person and the figures of an office that hears of everything."""
        await wiring.birth(self.settings(), "demo")
        async with self.desk() as desk:
            before = desk.clock.now() - timedelta(days=2)
            for name, value in FIGURES.items():
                row = {"_id": name, "value": value, "previous": value, "from": before, "version": 1}
                await desk.store.insert("policies", row)
            await add_user(
                CONSOLE, desk, login=LOGIN, name="何静", roles=["monitor"], password=PASSWORD, must_change=False
            )

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        async with wiring.open_desk(self.settings(), role="console") as desk:
            yield desk

    async def start(self, workers: int) -> None:
        """Everything up, and the 公众号 and the website connected."""
        words = ["serve", "--rehearsal", "--empty", "--port", str(self.desk_port), "--public-port", str(self.site_port)]
        environment = {**{name: os.environ[name] for name in KEPT if name in os.environ}, **self.given}
        with (self.folder / "house.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub", *words, "--workers", str(workers), env=environment, stdout=log, stderr=log
            )
        up = [await listening(port, CLOCK, PATIENCE) for port in (self.desk_port, self.site_port)]
        if not all([*up, await listening(self.wechat_port, CLOCK, PATIENCE)]):
            raise HubError("演练没有起来：" + (self.folder / "house.log").read_text("utf-8", "replace")[-2000:])

    async def connect(self, desk: Desk) -> Keys:
        """The two accounts; what signs the platform's posts."""
        key = wiring.rehearsal_key(self.settings())
        place = ("GET", "/_rehearsal/accounts", None, {"Authorization": f"Bearer {key}"})
        known: dict[str, Any] = (await asyncio.to_thread(asked, self.wechat_port, *place))[0]
        keys = [each.strip() for each in wiring.content_key(self.settings()).split(",")]
        site = {"base_url": f"http://127.0.0.1:{self.site_port}"}
        address = f"http://127.0.0.1:{self.wechat_port}"
        wechat = {"base_url": address, "page_url": address, "app_id": known["appid"], "default_cover": "0" * 64}
        secrets = {
            "secret": known["secret"], "callback_token": known["callback_token"], "aes_key": known["encoding_aes_key"],
        }  # fmt: skip
        for account in (
            accounts.NewAccount("site-main", "site", "市政府网站", site, {"keys": keys}, {}, rehearsal=True),  # type: ignore[dict-item]
            accounts.NewAccount(
                ACCOUNT, "wechat", "云川发布公众号", wechat, secrets, {"listen_every": 600}, rehearsal=True
            ),
        ):
            await accounts.connect_account(CONSOLE, desk, account)
        return Keys(known["appid"], known["callback_token"], known["encoding_aes_key"])

    async def stop(self) -> None:
        """As Ctrl-C does."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(self.process.wait(), 25)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
