"""The crowd: invented citizens who write letters on the local site and comments on the local 微博, as real ones would.

Letters go through the site's own form, each sender from a loopback address of his own; comments through the rehearsal
platform's control address. Nothing is written into a store from here.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from hub.clock import Clock
from hub.demo.city import Said, articles, city
from hub.desk.desk import Desk
from hub.desk.rehearsing import begin_incident, end_incident
from hub.domain.people import program
from hub.identifiers import Identifiers
from hub.store.base import Document

DEMO = program("demo")
BURST = 40  # texts of the first minute
LOOK = 2.0  # seconds between two looks for an incident that was asked for


@dataclass(frozen=True)
class Streets:
    """Where the crowd speaks."""

    site: str
    weibo: str
    wechat: str
    push: str
    key: str


def _post(base: str, path: str, body: bytes, headers: Mapping[str, str], source: str) -> int:
    parts = urlsplit(base)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=10, source_address=(source, 0))
    try:
        connection.request("POST", path, body, {"Host": parts.netloc, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def send_letter(streets: Streets, said: Said, key: str, number: int) -> int:
    """One letter through the site's form; the answer's status."""
    return _send_form(streets, said, key, number, "/letters/new")


def _send_form(streets: Streets, said: Said, key: str, number: int, path: str) -> int:
    fields = {
        "title": said.title, "text": said.text, "district": said.district, "place": _place(said), "author": said.who,
        "contact": "", "agreed": "on", "key": key,
    }  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": streets.site}
    source = f"127.0.{1 + number // 250 % 250}.{1 + number % 250}"
    return _post(streets.site, path, urlencode(fields).encode(), headers, source)


def send_demand(streets: Streets, said: Said, key: str, number: int) -> int:
    """One demand through the city's app; the answer's status."""
    return _send_form(streets, said, key, number, "/app/say")


def send_comment(streets: Streets, said: Said, post: str) -> int:
    """One comment under a post of the local 微博, or an article of the local 公众号; the answer's status."""
    return _say_there(streets, said, {"post": post.partition("~")[0], "author": said.who, "text": said.text})


def send_message(streets: Streets, said: Said) -> int:
    """One message to the local 公众号; the answer's status."""
    return _say_there(streets, said, {"message": said.text, "author": said.who})


def _say_there(streets: Streets, said: Said, words: Mapping[str, str]) -> int:
    base = streets.wechat if said.channel == "wechat" else streets.weibo
    body = json.dumps(dict(words), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {streets.key}"}
    return _post(base, "/_rehearsal/replies", body, headers, "127.0.0.1")


def register_phones(streets: Streets, count: int) -> None:
    """So many phones of the city have the app; registered again, they are the same phones."""
    districts = city()["districts"]
    phones = [
        {"device": f"demo-phone-{n:03}", "platform": ("android", "ios")[n % 2], "tags": [districts[n % len(districts)]]}
        for n in range(count)
    ]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {streets.key}"}
    _post(streets.push, "/_rehearsal/replies", json.dumps(phones, ensure_ascii=False).encode(), headers, "127.0.0.1")


def _place(said: Said) -> str:
    """Where it happened: the first of the city's places that the text names, else the district."""
    named = next((place for place in city()["places"] if place in said.text + said.title), "")
    return f"{said.district}{named}"


class Crowd:
    """Speaks texts one after another; a comment whose post is not public yet waits at the end of the queue."""

    def __init__(self, desk: Desk, clock: Clock, ids: Identifiers, streets: Streets) -> None:
        self._desk, self._clock, self._ids, self._streets = desk, clock, ids, streets
        self._number = 0

    async def speak(self, texts: Sequence[Said], pause: float) -> int:
        """All texts, this many seconds apart on average; how many were taken."""
        taken, waiting, rounds = 0, list(texts), 0
        while waiting and rounds < 60:
            late = []
            for said in waiting:
                status = await self._say(said)
                taken += status is not None and status < 400
                if status is None:
                    late.append(said)
                else:
                    await self._clock.sleep(pause * (0.4 + 1.2 * self._ids.chance()))
            waiting, rounds = late, rounds + 1
            if late:
                await self._clock.sleep(2)
        return taken

    async def _say(self, said: Said) -> int | None:
        """The answer's status, or None while there is nothing to comment on."""
        self._number += 1
        try:
            if said.channel not in ("weibo", "wechat"):
                key = self._ids.new()
                send = send_demand if said.channel == "app" else send_letter
                return await asyncio.to_thread(send, self._streets, said, key, self._number)
            if not said.about:
                return await asyncio.to_thread(send_message, self._streets, said)
            post = await self._post_about(said.about, said.channel)
            return None if post is None else await asyncio.to_thread(send_comment, self._streets, said, post)
        except OSError:
            return None

    async def _post_about(self, key: str, channel: str) -> str | None:
        """The platform's id of the post about this article, once it is public."""
        title = next((article["title"] for article in articles() if article["key"] == key), "")
        where = {"channel": channel, "state": "published", "title": title}
        found: list[Document] = await self._desk.store.find("publications", where, limit=1, fields=["external_id"])
        return str(found[0]["external_id"]) if found else None

    async def watch_for_incident(self, texts: Sequence[Said], pause: float) -> None:
        """Play the incident each time somebody asks for it, until the process ends."""
        while True:
            if await begin_incident(DEMO, self._desk):
                await self.speak(texts, pause)
                await end_incident(DEMO, self._desk)
            await self._clock.sleep(LOOK)
