"""What a page or an API call of the desk is, as data: address, right, form, body; the pages live beside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from sanic import Request
from sanic.exceptions import PayloadTooLarge
from sanic.response import BaseHTTPResponse

from hub.desk.desk import Desk
from hub.domain.errors import FieldError, Invalid
from hub.pages.phrases import in_chinese

Handle = Callable[..., Awaitable[BaseHTTPResponse]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The root of every JSON body: only named fields are taken, any other is refused by name."""


@dataclass(frozen=True)
class Route:
    """One address. `right` is the act asked for before the page is even begun; None: whoever is signed in;
    `open`: nobody need be signed in. `form` is page, form, api, stream or file. `body` describes an API body."""

    method: str
    path: str
    handle: Handle
    right: str | None
    form: str = "page"
    body: Any = None  # a Body, or a list of one
    summary: str = ""
    sensitive: bool = False  # asks for the password again
    most_bytes: int = 0  # of a body larger than the application takes elsewhere; read only after the gate let it in
    query: tuple[str, ...] = ()  # names that the address may carry after `?`, for the description

    @property
    def name(self) -> str:
        """A unique word for this route, also its name in logs."""
        words = [self.method.lower(), *self.path.strip("/").replace("<", "").replace(">", "").split("/")]
        return "_".join(word.split(":")[0].replace("-", "_").replace(".", "_") for word in words if word)

    @property
    def unsafe(self) -> bool:
        return self.method not in SAFE


def take(request: Request, kind: type[Any]) -> Any:
    """The request's JSON as this kind of body; Invalid names the field and what is wrong with it."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise Invalid("请求里有字段不对。", (FieldError(*in_chinese(str(error))),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("请求不是合格的 JSON（UTF-8）。") from None


def desk_of(request: Request) -> Desk:
    """The desk that this process serves."""
    desk: Desk = request.app.ctx.desk
    return desk


async def take_body(request: Request, most: int) -> None:
    """Read a large body, unless it announces more than this, or turns out to be more."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > most:
        raise PayloadTooLarge("announced")
    if request.stream is not None:
        request.stream.request_max_size = most
        await request.receive_body()  # type: ignore[no-untyped-call]
