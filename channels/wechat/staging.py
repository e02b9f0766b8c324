"""上传与建草稿: pictures, cover and draft of one article, all invisible and repeatable; publishing lives in channel.py.

The draft carries a mark of the publication's key behind the website's address (阅读原文), so that after a crash the
same draft is taken up again instead of a second one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from channels.contract import Picture, PictureBytes, Prepared, Refused, Staged, Unknown, Who
from channels.exchange import Request
from channels.pictures import named, size_words
from channels.wechat import wire
from channels.wechat.codes import PICTURE_CODES
from channels.wechat.line import SOON, Line
from channels.wechat.profile import Profile
from channels.wechat.rendering import source_of, with_addresses

_KEPT = 500  # uploads remembered by this process, so that a picture is not sent again with every try
Fault = Refused | Unknown


def type_of(content: bytes) -> str:
    """A picture's type by its first bytes, where nobody wrote it down."""
    known = {b"\x89PNG": "image/png", b"GIF8": "image/gif", b"BM": "image/bmp"}
    return next((kind for start, kind in known.items() if content.startswith(start)), "image/jpeg")


@dataclass(repr=False)
class Staging:
    """Prepares one account's drafts; remembers what is up by content address."""

    line: Line
    profile: Profile
    pictures: dict[str, str] = field(default_factory=dict)  # content address -> the platform's address
    covers: dict[str, str] = field(default_factory=dict)  # content address -> permanent media id

    async def stage(self, prepared: Prepared, key: str, contents: PictureBytes) -> Staged | Fault:
        body = prepared.body
        addresses: dict[str, str] = {}
        shown = {each.sha256: each for each in prepared.pictures}
        for each in body["pictures"]:
            found = await self._picture(each["sha256"], each["type"], contents, f"第 {each['place']} 张图")
            if isinstance(found, Refused | Unknown):
                return _about(found, int(each["place"]) - 1, shown.get(each["sha256"]))
            addresses[each["sha256"]] = found
        cover = await self._cover(str(body["cover"]), str(body["cover_type"]), contents)
        if isinstance(cover, Refused | Unknown):
            known = isinstance(cover, Refused) and cover.code in PICTURE_CODES and body["cover"] in shown
            return replace(cover, picture=str(body["cover"])) if isinstance(cover, Refused) and known else cover
        article = self._article(body, addresses, cover, key)
        draft = await self._draft(article)
        if isinstance(draft, Refused | Unknown):
            return draft
        refs = {"media_id": draft, "mark": wire.mark_of(article), "source": article["content_source_url"]}
        return Staged(prepared, refs)

    def _article(self, body: Mapping[str, Any], addresses: Mapping[str, str], cover: str, key: str) -> dict[str, Any]:
        return {
            "article_type": "news",
            "title": body["title"],
            "author": body["author"],
            "digest": body["digest"],
            "content": with_addresses(str(body["html"]), addresses),
            "content_source_url": source_of(str(body["source_url"]), key),
            "thumb_media_id": cover,
            "need_open_comment": int(bool(body["comments"])),
            "only_fans_can_comment": 0,
        }

    async def _picture(self, sha256: str, type: str, contents: PictureBytes, name: str) -> str | Fault:
        if sha256 in self.pictures:
            return self.pictures[sha256]
        content = await contents(sha256)
        said = await self._uploaded(lambda token: self.line.protocol.upload_picture(token, content, type), name)
        if isinstance(said, Refused | Unknown):
            return said
        address = said.get("url")
        if not isinstance(address, str) or not address:
            return Unknown("微信没有给出图片的地址")
        _keep(self.pictures, sha256, address)
        return address

    async def _cover(self, sha256: str, type: str, contents: PictureBytes) -> str | Fault:
        if sha256 in self.covers:
            return self.covers[sha256]
        content = await contents(sha256)
        kind = type or type_of(content)
        said = await self._uploaded(lambda token: self.line.protocol.add_cover(token, content, kind), "封面图")
        if isinstance(said, Refused | Unknown):
            return said
        media_id = said.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            return Unknown("微信没有给出封面的编号")
        _keep(self.covers, sha256, media_id)
        return media_id

    async def _uploaded(self, make: Callable[[str], Request], name: str) -> Mapping[str, Any] | Fault:
        """One upload; a refusal names the picture."""
        said = await self.line.ask(make)
        if isinstance(said, Refused):
            return replace(said, reason=f"{name}：{said.reason}", part=name)
        return said

    async def _draft(self, article: Mapping[str, Any]) -> str | Fault:
        """The draft of an earlier try, else a new one. A lost answer leaves one in the box; the next try finds it."""
        earlier = await self._earlier(article)
        if earlier is not None:
            return earlier
        said = await self.line.ask(lambda token: self.line.protocol.add_draft(token, article))
        if isinstance(said, Refused) and said.code == "40007":
            self.covers.clear()  # the cover's number is no longer valid: it is put up again with the next try
            return Refused("cover_gone", "封面图在微信的素材库里已不在，重新上传", Who.NOBODY, SOON)
        if isinstance(said, Refused | Unknown):
            return said
        media_id = said.get("media_id")
        return media_id if isinstance(media_id, str) and media_id else Unknown("微信没有给出草稿的编号")

    async def _earlier(self, article: Mapping[str, Any]) -> str | Fault | None:
        """Only by the mark of this very publication; without one nothing is taken for ours.

        A box that cannot be looked into may hold one: none is added to it until it can.
        """
        source = article["content_source_url"]
        if not source:
            return None
        said = await self.line.ask(self.line.protocol.newest_drafts)
        if isinstance(said, Refused | Unknown):
            return said
        rows = wire.pieces(said, "media_id")
        mark = wire.mark_of(article)
        return next((row.id for row in rows or () if row.source == source and row.mark == mark), None)


def _about(fault: Fault, place: int, picture: Picture | None) -> Fault:
    """A refusal of these bytes themselves says which file it was and how large; any other fault stays as it is."""
    if not isinstance(fault, Refused) or fault.code not in PICTURE_CODES or picture is None:
        return fault
    part = named(place, picture)
    reason = fault.reason.replace(fault.part, f"{part} {size_words(picture.size)}", 1)
    return replace(fault, reason=reason, part=part, picture=picture.sha256)


def _keep(kept: dict[str, str], sha256: str, value: str) -> None:
    kept[sha256] = value
    for oldest in list(kept)[:-_KEPT]:
        del kept[oldest]
