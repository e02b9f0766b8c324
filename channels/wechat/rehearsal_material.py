"""演练微信's material: pictures for articles, permanent and temporary media, each checked by its content."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from channels.ledger import Effect
from channels.wechat.rehearsal_rules import PICTURE_HOST, Act, Body, Call, Done, File, Refusal, Rules, made, moment
from channels.wechat.rehearsal_state import State

_TEMPORARY = timedelta(days=3)
_SILENCE = b"#!AMR\n"
_MIME = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp", "amr": "audio/amr"}
# one grey point: what a citizen of the rehearsal photographs
_PHOTOGRAPH = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6358000000a200a1dc8db1cc0000000049454e44ae426082"
)
_IMAGES = frozenset({"jpg", "png", "gif", "bmp"})
_OUGHT: Mapping[str, tuple[frozenset[str], int, int]] = {
    # type -> formats, most bytes, how many of them the library holds
    "image": (_IMAGES, 10 << 20, 100_000),
    "voice": (frozenset({"mp3", "amr", "wav", "wma"}), 2 << 20, 1000),
    "video": (frozenset({"mp4"}), 10 << 20, 1000),
    "thumb": (frozenset({"jpg"}), 64 << 10, 1000),
}


def format_of(content: bytes) -> str:
    """What the bytes are, whatever the file's name says; empty when unknown."""
    heads = (
        (b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n", "png"), (b"GIF8", "gif"), (b"BM", "bmp"), (b"ID3", "mp3"),
        (b"\xff\xfb", "mp3"), (b"#!AMR", "amr"), (b"\x30\x26\xb2\x75", "wma"),
    )  # fmt: skip
    if content[4:8] == b"ftyp":
        return "mp4"
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    return next((name for head, name in heads if content.startswith(head)), "")


@dataclass
class Material:
    """Everything that was uploaded."""

    seed: str
    state: State
    rules: Rules

    def acts(self) -> dict[str, Act]:
        return {
            "/cgi-bin/media/uploadimg": Act(self.upload_picture, form=True),
            "/cgi-bin/media/upload": Act(self.upload, form=True),
            "/cgi-bin/media/get": Act(self.download, "GET"),
            "/cgi-bin/material/add_material": Act(self.add, form=True),
            "/cgi-bin/material/del_material": Act(self.remove),
            "/cgi-bin/material/batchget_material": Act(self.several),
            "/cgi-bin/material/get_materialcount": Act(self.counts, "GET"),
        }

    def image(self, media_id: str) -> Mapping[str, Any] | None:
        """The permanent image of this id, as a cover needs it."""
        found = self.state.media.get(media_id)
        return found if found and found["permanent"] and found["type"] in ("image", "thumb") else None

    @staticmethod
    def _file(call: Call) -> File:
        file = call.files.get("media")
        if file is None:
            raise Refusal(41005)
        if not file.content:
            raise Refusal(44001)
        return file

    def _picture(self, content: bytes, kind: str) -> Effect:
        """The fact of a picture at an address of the platform; the same bytes have the same address."""
        digest = hashlib.sha256(content).hexdigest()
        path = f"/mmbiz_{kind}/{made(self.seed, 'picture/' + digest)[:48]}/0"
        kept = b64encode(content).decode() if len(content) <= self.rules.kept_picture else ""
        return {"kind": "picture", "path": path, "format": kind, "bytes": len(content), "content": kept}

    def upload_picture(self, call: Call) -> Done:
        content = self._file(call).content
        kind = format_of(content)
        if kind not in ("jpg", "png"):
            raise Refusal(40005)
        if len(content) >= 1 << 20:
            raise Refusal(40009)
        fact = self._picture(content, kind)
        return {"url": f"http://{PICTURE_HOST}{fact['path']}", "errcode": 0, "errmsg": "ok"}, [fact]

    def _checked(self, call: Call, given: str) -> tuple[str, str, File]:
        if given not in _OUGHT:
            raise Refusal(40004)
        file = self._file(call)
        formats, most, library = _OUGHT[given]
        kind = format_of(file.content)
        if kind not in formats:
            raise Refusal(40005)
        if len(file.content) > most:
            raise Refusal(45001)
        if self._count(given) >= library:
            raise Refusal(45001)
        return given, kind, file

    def _count(self, kind: str) -> int:
        return sum(row["type"] == kind and row["permanent"] for row in self.state.media.values())

    def add(self, call: Call) -> Done:
        given, kind, file = self._checked(call, call.query.get("type", ""))
        if given == "video" and "description" not in call.body:
            raise Refusal(47001)
        facts = self._media(call, given, kind, file, permanent=True)
        told: Body = {"media_id": facts[0]["media_id"], "item": []}
        if given in ("image", "thumb"):
            told["url"] = facts[0]["url"]
        return told, facts

    def upload(self, call: Call) -> Done:
        given, kind, file = self._checked(call, call.query.get("type", ""))
        facts = self._media(call, given, kind, file, permanent=False)
        told = {"type": given, "media_id": facts[0]["media_id"], "created_at": int(call.now.timestamp()), "item": []}
        return told, facts

    def _media(self, call: Call, given: str, kind: str, file: File, *, permanent: bool) -> list[Effect]:
        facts: list[Effect] = []
        url = ""
        if kind in _IMAGES:
            picture = self._picture(file.content, kind)
            url = f"http://{PICTURE_HOST}{picture['path']}?wx_fmt={kind}"
            facts.append(picture)
        media: Effect = {
            "kind": "media", "media_id": made(self.seed, "media/" + self.state.salt(call.now)), "type": given,
            "name": file.name, "url": url, "at": call.now.isoformat(), "permanent": permanent,
            "bytes": len(file.content),
        }  # fmt: skip
        return [media, *facts]

    def received(self, media_id: str, kind: str, now: datetime) -> list[Effect]:
        """The facts of a picture or a sound that a citizen sends."""
        picture = self._picture(_PHOTOGRAPH, "png")
        url = f"http://{PICTURE_HOST}{picture['path']}" if kind == "image" else ""
        media: Effect = {
            "kind": "media", "media_id": media_id, "type": kind, "name": "", "url": url, "at": now.isoformat(),
            "permanent": False, "bytes": len(_PHOTOGRAPH),
        }  # fmt: skip
        return [media, picture] if url else [media]

    def alive(self, media_id: str, call: Call) -> Mapping[str, Any]:
        """A medium that can be sent now."""
        found = self.state.media.get(media_id)
        if found is None or (not found["permanent"] and moment(found["at"]) + _TEMPORARY <= call.now):
            raise Refusal(40007)
        return found

    def download(self, call: Call) -> Done:
        """The bytes of a medium: `file` in place of a body."""
        media = self.alive(call.query.get("media_id", ""), call)
        picture = self.state.pictures.get(urlsplit(media["url"]).path)
        content = b64decode(picture["content"]) if picture else _SILENCE
        return {"file": (_MIME.get(format_of(content), "application/octet-stream"), content)}, []

    def remove(self, call: Call) -> Done:
        media_id = call.text("media_id", 41006)
        found = self.state.media.get(media_id)
        if found is None or not found["permanent"]:
            raise Refusal(40007)
        return {"errcode": 0, "errmsg": "ok"}, [{"kind": "media_removed", "media_id": media_id}]

    def several(self, call: Call) -> Done:
        kind, offset, count = call.text("type"), call.number("offset", 0), call.number("count", 20)
        if kind not in _OUGHT:
            raise Refusal(40004)
        if not 1 <= count <= 20 or offset < 0:
            raise Refusal(40035)
        rows = [row for row in self.state.media.values() if row["type"] == kind and row["permanent"]][::-1]
        told = [
            {
                "media_id": row["media_id"], "name": row["name"], "url": row["url"],
                "update_time": int(moment(row["at"]).timestamp()), "tags": [],
            }
            for row in rows[offset : offset + count]
        ]  # fmt: skip
        return {"item": told, "total_count": len(rows), "item_count": len(told)}, []

    def counts(self, call: Call) -> Done:
        return {
            "voice_count": self._count("voice"), "video_count": self._count("video"),
            "image_count": self._count("image"), "news_count": 0,
        }, []  # fmt: skip
