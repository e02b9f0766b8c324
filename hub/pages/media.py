"""媒体: take an upload from the editor, hand a stored file to the desk's own pages; keeping them is the desk's."""

from __future__ import annotations

import re
from urllib.parse import quote

from sanic import HTTPResponse, Request
from sanic.response import json as json_response
from sanic.response import raw

from hub.desk.filing import file
from hub.desk.picturing import LARGEST_FILE, Drawing, upload
from hub.domain.errors import FieldError, Invalid, NotFound
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of

HASH = re.compile(r"[0-9a-f]{64}")
SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif")
POLICY = "default-src 'none'; sandbox"
UPLOAD = LARGEST_FILE + 100_000  # with the form around it


def drawing_of(request: Request) -> Drawing:
    """The processes of this application that draw pictures; they start with the first picture."""
    drawing: Drawing | None = getattr(request.app.ctx, "drawing", None)
    if drawing is None:
        drawing = request.app.ctx.drawing = Drawing()
    return drawing


def given_file(request: Request, name: str = "file") -> tuple[bytes, str]:
    """The uploaded file's bytes and name. Raises Invalid where none was chosen."""
    files = request.files
    given = files.get(name) if files else None
    if given is None or not given.body:
        raise Invalid("没有收到文件，请重新选择。", (FieldError(name, "请先选一个文件。"),))
    return given.body, given.name or ""


async def take_upload(request: Request) -> HTTPResponse:
    """One file of the form field `file`; the answer names it, its size in pixels and its address."""
    content, name = given_file(request)
    row = await upload(actor_of(request), desk_of(request), drawing_of(request), content, name)
    facts = {key: row[key] for key in ("type", "width", "height", "size", "name")}
    return json_response({"sha256": row["_id"], "url": f"/media/{row['_id']}", **facts}, status=201)


async def show_media(request: Request, sha256: str) -> HTTPResponse:
    """A stored file for the desk: pictures are shown, anything else is a download."""
    if not HASH.fullmatch(sha256):
        raise NotFound("没有这个文件，可能已被删除。")
    row, content = await file(actor_of(request), desk_of(request), sha256)
    shown = row["type"] in SHOWN
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": POLICY}
    if not shown:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(str(row['name']), safe='')}"
    return raw(content, content_type=row["type"] if shown else "application/octet-stream", headers=headers)


ROUTES = (
    Route("POST", "/media", take_upload, "content.write", "form", most_bytes=UPLOAD),
    Route("GET", "/media/<sha256:str>", show_media, "content.read", "file"),
)
