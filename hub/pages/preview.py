"""公众号预览: the article as it will be sent, in a frame of its own; its inline styles stand under their own policy."""

from __future__ import annotations

import re
from html import escape

from sanic import HTTPResponse, Request
from sanic.response import html, raw

from channels.contract import Prepared
from hub.desk.desk import Desk
from hub.desk.framing import FRAME, address_of, check_address, picture_of, preview_of
from hub.domain.people import Actor
from hub.pages.media import HASH, SHOWN
from hub.pages.media import POLICY as FILE_POLICY
from hub.pages.routes import Route, desk_of

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_PICTURE = re.compile(r'src="[a-z-]+:([0-9a-f]{64})"')
_PAPER = "margin:12px 16px;font-family:'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;color:#17202d"
_TITLE = "margin:0 0 8px;font-size:22px;line-height:1.4;font-weight:bold"
_LINE = "margin:0 0 20px;font-size:15px;color:#616c7d"


def frame_of(actor: Actor, desk: Desk, content: str, account: str, hash: str) -> str:
    """Where the frame of this version is found, for ten minutes."""
    return address_of(actor, desk, f"/preview/{content}/{account}/{hash}")


async def show_preview(request: Request, content: str, account: str, hash: str) -> HTTPResponse:
    desk = desk_of(request)
    check_address(desk, f"/preview/{content}/{account}/{hash}", _given(request))
    prepared = await preview_of(FRAME, desk, content, account, hash)
    return html(_page(desk, prepared), headers={**_headers(POLICY), "Referrer-Policy": "no-referrer"})


async def show_picture(request: Request, sha256: str) -> HTTPResponse:
    desk = desk_of(request)
    check_address(desk, f"/preview-media/{sha256}", _given(request))
    row, content = await picture_of(FRAME, desk, sha256)
    kind = row["type"] if row["type"] in SHOWN and HASH.fullmatch(sha256) else "application/octet-stream"
    return raw(content, content_type=kind, headers=_headers(FILE_POLICY))


def _given(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in request.args.items() if values}


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "private, max-age=600",
    }  # fmt: skip


def _page(desk: Desk, prepared: Prepared) -> str:
    """The platform's own title above the very HTML that is sent; its pictures at signed addresses here."""
    body = prepared.body
    inside = _PICTURE.sub(lambda found: f'src="{_picture(desk, found[1])}"', str(body.get("html", "")))
    author = f'<p style="{_LINE}">{escape(str(body.get("author") or ""))}</p>' if body.get("author") else ""
    title = escape(str(body.get("title") or ""))
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="{_PAPER}"><main><h1 style="{_TITLE}">{title}</h1>{author}{inside}</main></body></html>'
    )


def _picture(desk: Desk, sha256: str) -> str:
    return escape(address_of(FRAME, desk, f"/preview-media/{sha256}"))


ROUTES = (
    Route("GET", "/preview/<content:str>/<account:str>/<hash:str>", show_preview, "open", "file"),
    Route("GET", "/preview-media/<sha256:str>", show_picture, "open", "file"),
)
