"""Answers of the API: what may stand in one, lists with opaque cursors, versions in headers; no subject lives here."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sanic import HTTPResponse, Request
from sanic.response import raw

from hub.clock import in_utc, local
from hub.domain.errors import FieldError, HubError, Invalid

API = "/api/v1"
MOST, USUAL = 200, 50
# names that never leave the house, at whatever depth of a document they stand
HIDDEN = frozenset(
    {
        "sealed",
        "credentials",
        "password",
        "totp",
        "email",
        "author_key",
        "csrf",
        "last_step",
        "epoch",
        "factor_loss",
        "mail",
        "override_sealed",
        "citizen",
        "terms",
    }
)
HIDDEN_MARKS = ("outbox", "lease")  # the clockwork's own fields begin so


class Unversioned(HubError):
    """A change that must name the revision it was made from does not name one."""

    status = 428
    title = "缺少版本号"


def may_leave(name: str) -> bool:
    """Whether a field of this name may stand in an answer."""
    return name not in HIDDEN and not name.startswith(HIDDEN_MARKS)


def plain(value: Any) -> Any:
    """A document as an answer may hold it: hidden fields out, `_id` as `id`, times in the office's zone."""
    if isinstance(value, datetime):
        return local(value).isoformat(timespec="milliseconds")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        kept = {str(name): each for name, each in value.items() if may_leave(str(name))}
        return {("id" if name == "_id" else name): plain(each) for name, each in kept.items()}
    if isinstance(value, bytes):
        raise TypeError("bytes are no part of an answer")
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


def answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """This value as JSON, for this caller alone."""
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return raw(msgspec.json.encode(plain(value)), status=status, headers=kept, content_type="application/json")


def done() -> HTTPResponse:
    """Done, and nothing to say about it."""
    return answer({"done": True})


# ---- lists


def limit_of(request: Request) -> int:
    """How many rows are asked for; Invalid beyond 1 to 200."""
    said = request.args.get("limit") or str(USUAL)
    if not (said.isascii() and said.isdecimal() and len(said) < 5 and 1 <= int(said) <= MOST):
        raise Invalid("limit 应为 1 到 200 的整数。", (FieldError("limit", "1 到 200。"),))
    return int(said)


def cursor_of(request: Request) -> str:
    """The place to go on from, as the desk knows it; empty at the beginning."""
    said = request.args.get("cursor") or ""
    try:
        return base64.b64decode(said + "=" * (-len(said) % 4), altchars=b"-_", validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise Invalid("翻页位置不对，请从第一页看起。", (FieldError("cursor", "请从第一页看起。"),)) from None


def listed(rows: Sequence[Any], cursor: object, **more: Any) -> HTTPResponse:
    """One page and the opaque cursor of the next (null: the end)."""
    sealed = base64.urlsafe_b64encode(str(cursor).encode()).decode().rstrip("=") if cursor else None
    return answer({"items": rows, "cursor": sealed, **more})


def chosen(request: Request, *names: str) -> dict[str, str]:
    """These filters of the address, as far as they are given."""
    found = {name: (request.args.get(name) or "").strip()[:200] for name in names}
    return {name: value for name, value in found.items() if value}


def moment_in(request: Request, name: str) -> datetime | None:
    """A time of the address with its offset, in UTC; None where it is not given."""
    said = request.args.get(name) or ""
    if not said:
        return None
    wrong = Invalid("时间的写法不对。", (FieldError(name, "如 2026-11-24T09:00:00+08:00，+ 在网址里写作 %2B。"),))
    try:
        return in_utc(datetime.fromisoformat(said))
    except ValueError:
        raise wrong from None


def utc(moment: datetime, name: str) -> datetime:
    """A body's time in UTC; Invalid for one in no year of ours."""
    try:
        return in_utc(moment)
    except ValueError:
        raise Invalid("时间的写法不对。", (FieldError(name, "这个时间太早或太远了，请核对年份。"),)) from None


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """The value, if it is one of the choices."""
    known = list(choices)
    if value not in known:
        raise Invalid("请求里有字段不对。", (FieldError(name, f"可选：{'、'.join(known)}。"),))
    return value


# ---- versions


def revision_named(request: Request) -> int:
    """The revision in If-Match, as `"3"` or `3`; Unversioned where there is none."""
    said = (request.headers.get("if-match") or "").strip().removeprefix("W/").strip('"')
    if not said:
        raise Unversioned('请在 If-Match 里写明您改的是哪一版，如 If-Match: "3"。')
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise Invalid('If-Match 应为版本号，如 "3"。', (FieldError("If-Match", "应为版本号。"),))
    return int(said)


def version(document: Mapping[str, Any]) -> dict[str, str]:
    """The header that names a content's revision."""
    return {"ETag": f'"{document["revision"]}"'}


def within(rows: Sequence[Any], size: int, mark: Callable[[Any], object]) -> object:
    """The cursor of a list that only knows where to go on from: the last row's mark, if the page is full."""
    return mark(rows[-1]) if len(rows) >= size else None
