"""What goes wrong on the platforms during the chaos bench, as data and by a seeded chance; the platforms play it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.faults import Fault
from hub.commands.chaos.dice import Dice
from hub.commands.chaos.fronting import KINDS, Front
from hub.commands.chaos.town import Town, asked

SHARE = 0.25  # troubles for each publication
PUBLIC = {"weibo": "/2/statuses/share.json", "wechat": "/cgi-bin/freepublish/submit", "push": "/v3/push"}
ASIDE = {
    "weibo": ("/2/statuses/user_timeline.json", "/2/statuses/show.json"),
    "wechat": ("/cgi-bin/draft/add", "/cgi-bin/freepublish/get", "/cgi-bin/freepublish/batchget"),
    "push": ("/v3/push/cid",),
}
# the platform's own numbers: what each means on which call
CODES: Mapping[str, Sequence[tuple[str, str, int]]] = {
    "授权失效": (("weibo", PUBLIC["weibo"], 21327), ("wechat", PUBLIC["wechat"], 42001)),
    "次数用完": (("weibo", PUBLIC["weibo"], 10024), ("wechat", ASIDE["wechat"][0], 45009), ("push", "/v3/push", 2002)),
    "内容重复": (("weibo", PUBLIC["weibo"], 20019), ("wechat", PUBLIC["wechat"], 40007)),
    "发出后才可见": (("weibo", PUBLIC["weibo"], 20032),),
    "图片不收": (("weibo", PUBLIC["weibo"], 20006), ("wechat", "/cgi-bin/media/uploadimg", 40009)),
    "系统繁忙": (("weibo", PUBLIC["weibo"], 10001), ("wechat", PUBLIC["wechat"], -1), ("push", "/v3/push", 1030)),
}
WORDS: Mapping[str, str] = {
    "delay": "迟答", "drop_before": "断线在先", "drop_after": "断线在后", "close": "答到一半断线", "status": "5xx 在先",
    "status_after": "5xx 在后", "garbage": "半截 JSON", "drip": "一秒一字",
}  # fmt: skip
SITE_PATHS = ("/content/v1/items/article", "/content/v1/items/card")
LONGEST_SKEW = 90.0  # seconds


@dataclass
class Troubles:
    """Orders one trouble after another; the same seed orders the same row of them."""

    town: Town
    fronts: Sequence[Front]
    dice: Dice
    ordered: Counter[str] = field(default_factory=Counter)

    async def one(self) -> None:
        """The next trouble; a platform that is down just now is spared."""
        kinds = [
            (0.45, self._broken), (0.15, self._site), (0.2, self._code), (0.06, self._verdict), (0.05, self._events),
            (0.04, self._clock), (0.05, self._replaced),
        ]  # fmt: skip
        name, act = self.dice.weighed(kinds)()
        try:
            await asyncio.to_thread(act)
        except OSError:
            return
        self.ordered[name] += 1

    def _group(self) -> int:
        return self.dice.below(self.town.plan.groups)

    def _order(self, platform: str, order: Mapping[str, Any]) -> Callable[[], Any]:
        group = self._group()
        return lambda: self.town.control(platform, group, "faults", order)

    def _broken(self) -> tuple[str, Callable[[], Any]]:
        """The connection or the answer breaks, mostly on the one call that makes a post public."""
        platform, kind = self.dice.pick(tuple(PUBLIC)), self.dice.pick(KINDS)
        if kind == "drip" and self.dice.chance() < 0.7:  # it holds a call until its time is over
            kind = "drop_after"
        match = PUBLIC[platform] if self.dice.chance() < 0.7 else self.dice.pick(ASIDE[platform])
        value = {"delay": 1 + self.dice.below(3), "status": 503, "status_after": 502}.get(kind, 0)
        return WORDS[kind], self._order(platform, {"match": match, "kind": kind, "value": value})

    def _site(self) -> tuple[str, Callable[[], Any]]:
        front, kind, match = self.dice.pick(self.fronts), self.dice.pick(KINDS), self.dice.pick(SITE_PATHS)
        kind = "drop_after" if kind == "drip" and self.dice.chance() < 0.7 else kind
        return WORDS[kind], lambda: front.orders.add(Fault(match, kind, 1, 1 if kind == "delay" else 0))

    def _code(self) -> tuple[str, Callable[[], Any]]:
        name = self.dice.pick(tuple(CODES))
        platform, match, code = self.dice.pick(CODES[name])
        return name, self._order(platform, {"match": match, "kind": "code", "value": code})

    def _verdict(self) -> tuple[str, Callable[[], Any]]:
        group, status = self._group(), self.dice.pick((2, 3, 4, 4, 0))
        order = {"status": status, "seconds": 60 + self.dice.below(300)}
        return "审核几分钟后不通过" if status else "审核几分钟后通过", lambda: self.town.control(
            "wechat", group, "verdict", order
        )

    def _events(self) -> tuple[str, Callable[[], Any]]:
        group, twice = self._group(), self.dice.chance() < 0.5
        order = {"copies": 2} if twice else {"delay": 120}
        return "事件重复" if twice else "事件次序颠倒", lambda: self.town.control("wechat", group, "deliveries", order)

    def _clock(self) -> tuple[str, Callable[[], Any]]:
        """A platform's clock goes wrong, or right again."""
        platform, group = self.dice.pick(tuple(PUBLIC)), self._group()
        shift = (self.dice.chance() * 2 - 1) * LONGEST_SKEW if self.dice.chance() < 0.6 else 0.0
        return "时钟偏差", lambda: self.town.control(platform, group, "clock", {"shift": shift})

    def _replaced(self) -> tuple[str, Callable[[], Any]]:
        """Another program of the same office takes a new token, and ours is worth nothing."""
        group = self._group()

        def act() -> None:
            (known,) = self.town.control("wechat", group, "accounts")
            body = f'{{"grant_type":"client_credential","appid":"{known["appid"]}","secret":"{known["secret"]}",'
            path, form = "/cgi-bin/stable_token", {"Content-Type": "application/json"}
            asked(self.town.platform_port("wechat", group), "POST", path, body + '"force_refresh":true}', form)

        return "令牌被别人换掉", act

    def all_over(self) -> None:
        """The clocks are right again. What is ordered and not played goes with the platforms' restart."""
        for platform in PUBLIC:
            for group in range(self.town.plan.groups):
                self.town.control(platform, group, "clock", {"shift": 0})
        for front in self.fronts:
            front.orders.clear()
