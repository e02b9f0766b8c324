"""媒体: take an upload, know it by its content, write pictures anew without metadata, keep the bytes; no page here.

Decoding somebody else's bytes is the dangerous part: it happens in a process of its own, with a limit of memory and
time, and only what that process drew again is kept. Office files are kept as they are and handed out as downloads.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import re
import resource
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import puremagic
from PIL import Image, ImageOps

from hub.desk.desk import Desk
from hub.domain.errors import FieldError, Invalid
from hub.domain.outbox import audit, born
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.domain.runs import line
from hub.orphans import end_with_parent
from hub.store.base import Document

LARGEST_PICTURE = 20 * 1024 * 1024  # bytes
LARGEST_FILE = 50 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST = 5.0  # seconds for one picture
STARTING = 60.0  # seconds for the process to start
MEMORY = 512 * 1024 * 1024  # bytes for one picture's process, beyond what it begins with
WIDEST = 4_096  # what is kept is no wider or higher
# Longest side and quality of a smaller rendition, the best first: maps stay readable down to the last two.
LADDER = ((2_560, 85), (2_048, 82), (1_600, 80), (1_280, 78), (1_080, 75), (800, 70), (640, 65), (480, 60))
SIZES: Mapping[str, int] = {"large": 1_600, "small": 480}  # further widths, made at once

_PICTURES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}
_OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pdf": "application/pdf",
    ".ofd": "application/ofd",
    ".txt": "text/plain",
}
_MAGIC = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "image/gif": b"GIF8"}
_MARKUP = re.compile(rb"<\s*(?:svg|html|script|!doctype|iframe|body|head|\?xml)", re.IGNORECASE)
ASK = "可以上传 jpg、png、webp、gif 图片，和 docx、xlsx、pdf、ofd、txt 文件。"


@dataclass(frozen=True)
class Drawn:
    """One picture drawn again: its bytes, type and size in pixels."""

    content: bytes
    type: str
    width: int
    height: int


def _wrong(message: str) -> Invalid:
    return Invalid(message, (FieldError("file", message),))


def type_of(content: bytes, name: str) -> str:
    """The type by content; the name only decides between kinds of office files. Raises Invalid for anything else."""
    if not content:
        raise _wrong("这个文件是空的，请重新选择。")
    for type, mark in _MAGIC.items():
        if content.startswith(mark):
            return type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if _MARKUP.search(content[:2_048]):
        raise _wrong(f"网页和 SVG 文件不能上传，里面可能带有程序。{ASK}")
    return _office_type(content, name)


def _office_type(content: bytes, name: str) -> str:
    ending = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    seen = {match.extension.lower() for match in _magic(content)}
    fits = {
        ".pdf": content.startswith(b"%PDF-"),
        ".docx": bool(seen & {".docx", ".zip"}) and content.startswith(b"PK\x03\x04"),
        ".xlsx": bool(seen & {".xlsx", ".zip"}) and content.startswith(b"PK\x03\x04"),
        ".ofd": content.startswith(b"PK\x03\x04"),
        ".txt": b"\x00" not in content and not content.startswith((b"PK", b"%PDF", b"\x7fELF", b"MZ")),
    }
    if not fits.get(ending, False):
        raise _wrong(f"文件内容和名称对不上，或这种文件不能上传。{ASK}")
    return _OFFICE[ending]


def _magic(content: bytes) -> list[puremagic.PureMagicWithConfidence]:
    try:
        return list(puremagic.magic_string(content))
    except (puremagic.PureError, ValueError):
        return []


# ---- in the process of its own


def _limit(memory: int) -> None:
    """No more memory than this beyond the present, and no core file; run once in each drawing process."""
    end_with_parent()
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _ready() -> bool:
    """Answered by a drawing process once it has started, so that starting does not count as drawing."""
    return True


def draw(content: bytes, type: str, widest: int) -> Drawn | str:
    """Decode and write anew: first frame, upright, without metadata; a sentence where it cannot be taken."""
    return _decoded(content, type, lambda picture: _encode(picture, widest))


def fit(content: bytes, type: str, most: int, pixels: int) -> Drawn | str:
    """The same picture as a JPEG below `most` bytes and at most `pixels` (0: any), as good as that allows."""
    return _decoded(content, type, lambda picture: _fitted(picture, most, pixels))


def _decoded(content: bytes, type: str, make: Callable[[Image.Image], Drawn | str]) -> Drawn | str:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=[type.removeprefix("image/").upper()]) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    return f"图片有 {width}×{height} 点，超过 4000 万点。请缩小后再传。"
                picture.load()
                return make(ImageOps.exif_transpose(picture))
    except MemoryError:
        return "图片太大，处理不了。请缩小后再传。"
    except Exception:  # whatever a decoder does with foreign bytes, the picture is not taken
        return "图片打不开，可能已损坏或不是真的图片。请用图片软件另存后再传。"


def _encode(picture: Image.Image, widest: int) -> Drawn:
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    plain = picture.convert("RGBA" if clear else "RGB")
    plain.thumbnail((widest, widest))
    fresh = Image.new(plain.mode, plain.size)
    fresh.paste(plain)
    out = io.BytesIO()
    if clear:
        fresh.save(out, "PNG", optimize=False)
    else:
        fresh.save(out, "JPEG", quality=88)
    return Drawn(out.getvalue(), "image/png" if clear else "image/jpeg", fresh.width, fresh.height)


def _fitted(picture: Image.Image, most: int, pixels: int) -> Drawn | str:
    """Down the ladder until it fits. A transparent ground becomes white, as every channel shows it."""
    clear = picture.convert("RGBA")
    plain = Image.new("RGB", clear.size, "white")
    plain.paste(clear, mask=clear.getchannel("A"))
    for side, quality in LADDER:
        smaller = plain.copy()
        smaller.thumbnail((side, side))
        out = io.BytesIO()
        smaller.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() < most and (not pixels or smaller.width * smaller.height <= pixels):
            return Drawn(out.getvalue(), "image/jpeg", smaller.width, smaller.height)
    return "这张图压到最小仍然太大。请换一张再发。"


# ---- in the desk


class Drawing:
    """The processes that draw; one that breaks or hangs is ended and replaced."""

    def __init__(self, workers: int = 1, longest: float = LONGEST, memory: int = MEMORY) -> None:
        self._workers, self._longest, self._memory = workers, longest, memory
        self._pool: ProcessPoolExecutor | None = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=context, initializer=_limit, initargs=(self._memory,)
            )
        return self._pool

    async def draw(self, content: bytes, type: str, widest: int = WIDEST) -> Drawn:
        """The picture drawn again. Raises Invalid with what to do."""
        return await self._drawn(draw, content, type, widest)

    async def fit(self, content: bytes, type: str, most: int, pixels: int = 0) -> Drawn:
        """The picture below these limits. Raises Invalid with what to do."""
        return await self._drawn(fit, content, type, most, pixels)

    async def _drawn(self, work: Callable[..., Drawn | str], *given: object) -> Drawn:
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.run_in_executor(self._started(), _ready), STARTING)
            call = loop.run_in_executor(self._started(), work, *given)
            drawn = await asyncio.wait_for(call, self._longest)
        except TimeoutError:
            self.close()
            raise _wrong("图片处理太久，没有收下。请用图片软件另存后再传。") from None
        except BrokenProcessPool:
            self.close()
            raise _wrong("图片处理不了，没有收下。请用图片软件另存后再传。") from None
        if isinstance(drawn, str):
            raise _wrong(drawn)
        return drawn

    def close(self) -> None:
        """End the processes, the one that hangs too."""
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None


def _safe_name(name: str) -> str:
    """A name to show: no path, no control characters, 100 signs."""
    return line(re.split(r"[/\\]", name)[-1])[-100:] or "未命名"


async def upload(actor: Actor, desk: Desk, drawing: Drawing, content: bytes, name: str) -> Document:
    """Keep an upload and give its document; the same bytes again give the same one. Raises Invalid with what to do."""
    require(actor, "content.write")
    type = type_of(content, name)
    if type.startswith("image/"):
        return await _keep_picture(actor, desk, drawing, content, type, name)
    if len(content) > LARGEST_FILE:
        raise _wrong(f"文件 {len(content) / 1048576:.1f} MB，超过 {LARGEST_FILE // 1048576} MB。请压缩或拆开。")
    return await _keep(actor, desk, content, {"type": type, "width": 0, "height": 0}, name)


async def _keep_picture(actor: Actor, desk: Desk, drawing: Drawing, content: bytes, type: str, name: str) -> Document:
    if len(content) > LARGEST_PICTURE:
        raise _wrong(f"图片 {len(content) / 1048576:.1f} MB，超过 {LARGEST_PICTURE // 1048576} MB。请压缩后再传。")
    drawn = await drawing.draw(content, type)
    sizes: dict[str, Document] = {}
    for size, width in SIZES.items():
        if max(drawn.width, drawn.height) > width:
            small = await drawing.draw(drawn.content, drawn.type, width)
            sha256 = await desk.files.put(small.content)
            sizes[size] = {"sha256": sha256, "type": small.type, "width": small.width, "height": small.height}
    facts = {"type": drawn.type, "width": drawn.width, "height": drawn.height, "sizes": sizes}
    return await _keep(actor, desk, drawn.content, facts, name)


async def _keep(actor: Actor, desk: Desk, content: bytes, facts: Document, name: str) -> Document:
    sha256, now = await desk.files.put(content), desk.clock.now()
    document = {"_id": sha256, **facts, "size": len(content), "name": _safe_name(name), "by": actor.id, "at": now}
    detail = {"type": facts["type"], "size": len(content)}
    row = audit(desk.ids.new(), actor, "media.upload", sha256, now, detail=detail)
    await desk.store.insert_new("media", [born(document, row)])
    return await desk.store.get("media", sha256) or document
