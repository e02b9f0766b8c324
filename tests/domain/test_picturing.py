"""Uploads: known by content, pictures drawn anew in a process of their own, everything else refused with a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PIL import Image

from hub.clock import SetClock
from hub.desk.desk import Desk
from hub.desk.picturing import LARGEST_PICTURE, Drawing, draw, type_of, upload
from hub.domain.errors import Invalid, NotAllowed
from hub.domain.people import Actor, Role
from hub.identifiers import SeededIdentifiers
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore

WRITER = Actor(id="liu", name="刘倩", roles=frozenset({Role.EDITOR}))
READER = Actor(id="ma", name="马强", roles=frozenset({Role.HANDLER}))


@pytest.fixture
def desk() -> Desk:
    clock, nothing = SetClock(datetime(2026, 11, 24, tzinfo=UTC)), None
    ids = SeededIdentifiers(clock, 1)
    return Desk(MemoryStore(), FilesInMemory(), clock, ids, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def drawing() -> Iterator[Drawing]:
    drawing = Drawing(longest=30.0)
    yield drawing
    drawing.close()


def picture(form: str = "JPEG", size: tuple[int, int] = (2_000, 1_000), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (180, 30, 30)).save(out, form, **more)
    return out.getvalue()


def located() -> bytes:
    """A photograph that says where it was taken, and a comment behind its end."""
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6
    return (
        picture(size=(600, 300), exif=exif.tobytes(), comment=b"secret comment")
        + b"<script>alert(1)</script>PK\x03\x04"
    )


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of few bytes that announces very many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 100_000))
        + chunk(b"IEND", b"")
    )


async def test_a_photograph_is_kept_upright_without_metadata_or_anything_behind_its_end(
    desk: Desk, drawing: Drawing
) -> None:
    media = await upload(WRITER, desk, drawing, located(), "现场.jpg")
    content = await desk.files.get(media["_id"])
    assert content is not None
    assert b"secret" not in content
    assert b"<script" not in content
    assert (media["width"], media["height"], media["type"]) == (300, 600, "image/jpeg")
    assert media["size"] == len(content)


async def test_the_same_picture_twice_is_one_document_and_smaller_sizes_are_made(desk: Desk, drawing: Drawing) -> None:
    first = await upload(WRITER, desk, drawing, picture(), "a.jpg")
    again = await upload(WRITER, desk, drawing, picture(), "b.jpg")
    assert first == again
    assert {name: size["width"] for name, size in first["sizes"].items()} == {"large": 1_600, "small": 480}
    assert await desk.files.has(first["sizes"]["small"]["sha256"])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_each_allowed_form_is_taken_by_its_content_whatever_its_name(
    desk: Desk, drawing: Drawing, form: str
) -> None:
    media = await upload(WRITER, desk, drawing, picture(form, (40, 30)), "名字.txt")
    assert (media["width"], media["height"]) == (40, 30)


async def test_a_picture_that_is_clear_in_places_stays_so(desk: Desk, drawing: Drawing) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(out, "PNG")
    assert (await upload(WRITER, desk, drawing, out.getvalue(), "徽.png"))["type"] == "image/png"


async def test_a_picture_bomb_is_refused_before_it_is_opened_wide(desk: Desk, drawing: Drawing) -> None:
    with pytest.raises(Invalid) as caught:
        await upload(WRITER, desk, drawing, bomb(), "小.png")
    assert "请" in caught.value.message
    assert await desk.store.find("media", {}) == []


def test_a_picture_just_below_the_limit_of_decoders_but_above_ours_is_refused_with_its_size() -> None:
    drawn = draw(bomb(6_400, 6_400), "image/png", 4_096)
    assert isinstance(drawn, str)
    assert "4000 万" in drawn or "打不开" in drawn


@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG", (40, 30))[:200],
        b"\xff\xd8\xff" + b"\x00" * 50,
        b"GIF89a<script>",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    ],
)
async def test_a_broken_picture_is_refused_with_what_to_do(desk: Desk, drawing: Drawing, content: bytes) -> None:
    with pytest.raises(Invalid, match="另存"):
        await upload(WRITER, desk, drawing, content, "a.jpg")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.jpg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg"),
        (b"<?xml version='1.0'?><svg/>", "a.png"),
        (b"  <!DOCTYPE html><script>alert(1)</script>", "a.txt"),
        (b"<html>", "a.docx"),
        (b"MZ\x90\x00", "a.txt"),
        (b"\x7fELF", "a.pdf"),
        (b"PK\x03\x04" + b"\x00" * 40, "a.zip"),
        (b"PK\x03\x04" + b"\x00" * 40, "a.exe"),
        (b"%PDF-1.7", "a.docx"),
        (b"plain text", "a.pdf"),
        (b"plain text", "a"),
        (b"BM" + b"\x00" * 60, "a.bmp"),
    ],
)
def test_what_is_not_on_the_list_is_refused_by_content_and_name(content: bytes, name: str) -> None:
    with pytest.raises(Invalid):
        type_of(content, name)


@pytest.mark.parametrize(
    ("content", "name", "type"),
    [("通知".encode(), "通知.txt", "text/plain"), (b"%PDF-1.7\n", "文件.PDF", "application/pdf")],
)
async def test_office_files_are_kept_as_they_are(
    desk: Desk, drawing: Drawing, content: bytes, name: str, type: str
) -> None:
    media = await upload(WRITER, desk, drawing, content, name)
    assert (media["type"], media["name"]) == (type, name)
    assert await desk.files.get(media["_id"]) == content


async def test_a_path_or_a_line_break_in_a_name_does_not_reach_the_document(desk: Desk, drawing: Drawing) -> None:
    media = await upload(WRITER, desk, drawing, b"abc", "../../etc/\r\npass\x00wd.txt")
    assert media["name"] == "passwd.txt"


async def test_too_many_bytes_are_refused_with_both_figures(desk: Desk, drawing: Drawing) -> None:
    with pytest.raises(Invalid, match="20 MB"):
        await upload(WRITER, desk, drawing, b"\xff\xd8\xff" + b"\x00" * LARGEST_PICTURE, "a.jpg")


async def test_whoever_may_not_write_uploads_nothing(desk: Desk, drawing: Drawing) -> None:
    with pytest.raises(NotAllowed):
        await upload(READER, desk, drawing, picture(), "a.jpg")


async def test_a_picture_that_takes_too_long_is_given_up_and_the_next_one_is_drawn() -> None:
    slow = Drawing(longest=0.001)
    with pytest.raises(Invalid, match="太久"):
        await slow.draw(picture(), "image/jpeg")
    slow.close()


async def test_drawing_stays_within_its_memory() -> None:
    tight = Drawing(longest=30.0, memory=8 * 1024 * 1024)
    with pytest.raises(Invalid):
        await tight.draw(picture(size=(6_000, 6_000)), "image/jpeg")
    tight.close()
