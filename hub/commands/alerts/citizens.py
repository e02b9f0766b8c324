"""The citizens of `bench alerts`: ordinary words at a steady rate, matters planted among them, as 微信 posts them."""

from __future__ import annotations

import asyncio
import http.client
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from channels.wechat import callback
from channels.wechat.callback import Keys
from hub.commands.alerts.house import ACCOUNT, CLOCK
from hub.identifiers import Identifiers
from nlp.training import own_corpus

LANES = 6
FIRST = 7_000_000  # the platform's number of the first message
STEP = 3.0  # seconds between two voices of one matter, longer than any delay that would still be good
# Places that no other text names, and how eight people speak of one matter there.
PLACES = (
    "云麓花园", "沁阳家园", "柏悦新村", "枫桥雅苑", "锦澜公寓", "望江小区", "竹溪花园",
    "听泉家园", "鹤鸣新村", "槐荫雅苑", "玉带公寓", "石榴小区",
)  # fmt: skip
_MATTERS = (
    (
        "{}从昨晚开始停水，到现在没有人通知", "请问{}什么时候来水？家里老人等着做饭", "{}停水第二天了，物业电话打不通",
        "我家住{}七栋，水龙头一滴水都没有", "{}的水到底怎么了，停水连脸都洗不了", "又是{}停水，供水公司给个说法",
        "{}停水，孩子泡奶粉都得去超市买矿泉水", "投诉{}二次供水泵房，停水没人修",
    ),
    (
        "{}电梯坏了三天了，老人下不来楼", "{}的电梯又困人，物业推来推去", "谁管管{}的电梯，半个月停了四回",
        "住在{}十八楼，电梯停运，天天爬楼", "{}电梯一晃一晃的，吓人，没人检修", "{}电梯故障，打电话说等配件",
        "推着轮椅回{}，电梯不开，怎么上去", "{}电梯年检过期，现在坏了没人修",
    ),
    (
        "{}旁边工地半夜打桩，孩子睡不着", "{}门口施工，凌晨两点还在响", "投诉{}对面工地夜间施工，噪音太大",
        "{}外面的打桩机一晚上没停", "工地离{}不到五十米，夜里施工没人管", "{}的居民夜夜听打桩，谁批的夜间施工",
        "在{}住不下去了，工地通宵施工", "{}工地噪音测过吗，夜里施工合规吗",
    ),
)  # fmt: skip


@dataclass
class Words:
    """One message: who, what, of which planted matter (-1: none), and when it was acknowledged (by our own watch)."""

    number: int
    author: str
    text: str
    matter: int
    id: str = ""  # the hub's id for it: account and external id
    acked: float = 0.0


@dataclass
class Plan:
    """What is said: `rate` a second for `seconds`, `matters` of them planted one after the other."""

    rate: int
    seconds: int
    matters: int
    ordinary: Sequence[str] = field(default_factory=lambda: [row.text for row in own_corpus() if len(row.text) < 400])

    def words(self) -> list[Words]:
        """In the order of their turns: turn n is said at n / rate seconds."""
        said = [
            Words(number, f"o{number}", self._ordinary(number), -1) for number in range(self.rate * self.seconds)
        ]
        for turn, matter, voice in self._planted():
            kind = _MATTERS[matter % len(_MATTERS)]
            said[turn] = Words(turn, f"p{matter}-{voice}", kind[voice].format(PLACES[matter]), matter)
        return said

    def _ordinary(self, number: int) -> str:
        again, place = divmod(number * 7, len(self.ordinary))
        return self.ordinary[place] + (f"（{again}）" if again else "")

    def _planted(self) -> Iterator[tuple[int, int, int]]:
        last = self.seconds - 8 * STEP - 1
        for matter in range(self.matters):
            begins = 1 + last * matter / max(1, self.matters - 1)
            for voice in range(8):
                yield int((begins + voice * STEP) * self.rate) + matter, matter, voice


class Citizens:
    """Posts the words to the website's callback address over some lasting connections."""

    def __init__(self, port: int, keys: Keys, ids: Identifiers) -> None:
        self._port, self._keys, self._ids = port, keys, ids
        self._lines: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(LANES, "citizen")
        self.refused: Counter[str] = Counter()

    async def stand_ready(self, seconds: float) -> bool:
        """Whether the website knows the account's keys within this time."""
        until = CLOCK.monotonic() + seconds
        probe = Words(0, "probe", "路灯不亮", -1)
        while CLOCK.monotonic() < until:
            if await self._in_thread(probe):
                self.refused.clear()
                return True
            await CLOCK.sleep(0.5)
        return False

    async def say_all(self, words: Sequence[Words], rate: int) -> None:
        """Each at its turn, whether or not the ones before are answered yet."""
        began, saying = CLOCK.monotonic(), []
        for turn, one in enumerate(words):
            await CLOCK.sleep(max(0.0, began + turn / rate - CLOCK.monotonic()))
            saying.append(asyncio.ensure_future(self._in_thread(one)))
        await asyncio.gather(*saying)

    async def _in_thread(self, one: Words) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._say, one)

    def _say(self, one: Words) -> bool:
        """Post it and note the moment of the acknowledgement; once more where the line was cut."""
        stamp, nonce = str(int(CLOCK.now().timestamp())), self._ids.new()
        xml = (
            f"<xml><ToUserName>gh</ToUserName><FromUserName>{one.author}</FromUserName><CreateTime>{stamp}</CreateTime>"
            f"<MsgType>text</MsgType><Content><![CDATA[{one.text}]]></Content><MsgId>{FIRST + one.number}</MsgId></xml>"
        )
        known = {"FromUserName": one.author, "CreateTime": stamp, "MsgType": "text", "MsgId": str(FIRST + one.number)}
        one.id = callback.identity(known)
        sealed = callback.seal(self._keys, xml, self._ids.secret(16))
        query = {
            "signature": callback.signature(self._keys.token, stamp, nonce), "timestamp": stamp, "nonce": nonce,
            "encrypt_type": "aes", "msg_signature": callback.signature(self._keys.token, stamp, nonce, sealed),
        }  # fmt: skip
        body = f"<xml><ToUserName>gh</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
        good = self._post(f"/callbacks/wechat/{ACCOUNT}?{urlencode(query)}", body)
        one.acked = CLOCK.monotonic() if good else 0.0
        return good

    def _post(self, path: str, body: bytes) -> bool:
        """Whether it was acknowledged; on a new line where the one that lasted so far was cut meanwhile."""
        for lasting in (True, False):
            line = self._lines.pop() if lasting and self._lines else self._new_line()
            try:
                line.request("POST", path, body, {"Content-Type": "text/xml"})
                answer = line.getresponse()
                answer.read()
                self._lines.append(line)
                return self._noted(answer.status)
            except (OSError, http.client.HTTPException) as trouble:
                line.close()
                if not lasting:
                    self.refused[type(trouble).__name__] += 1
        return False

    def _noted(self, status: int) -> bool:
        if status != 200:
            self.refused[str(status)] += 1
        return status == 200

    def _new_line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)

    def close(self) -> None:
        self._pool.shutdown()
        for line in self._lines:
            line.close()
