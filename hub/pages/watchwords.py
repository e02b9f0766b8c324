"""关注词: the list, one to write or change, how loud it would have been, and what an alert of one gathered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import quote, urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import SHANGHAI, local
from hub.desk import issues, watchwords
from hub.domain import watchword as rules
from hub.domain.alert import LEVEL_NAMES
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.rights import may
from hub.pages.board import CHANNELS, FEELINGS, heard_on
from hub.pages.replies import SENTIMENTS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document
from nlp.detectors.expressions import Misspelt, parse

NEW: Mapping[str, Any] = {**rules.USUAL, "_id": "", "retired": False, "version": 0}
LEVELS = [(level, LEVEL_NAMES[level]) for level in rules.TOLD]


async def show_watchwords(request: Request) -> HTTPResponse:
    desk, actor, now = desk_of(request), actor_of(request), desk_of(request).clock.now()
    retired = request.args.get("tab") == "retired"
    rows = await watchwords.list_watchwords(actor, desk, retired=retired)
    return await show(
        request, "desk/watchwords.html", "board", rows=[_row(row, now) for row in rows], retired=retired,
        most=watchwords.MOST, may_write=may(actor, "watchword.write"), now=now,
    )  # fmt: skip


def _row(row: Document, now: datetime) -> Document:
    places = [*(CHANNELS[name][1] for name in row["channels"] if name in CHANNELS), *row["districts"]]
    until = f"到 {wording.day(row['until'])}" if row["until"] else "长期"
    over = rules.is_over(row, now)
    if not rules.is_readable(str(row["line"])):
        life = "这一行读不懂了，没有在听，请重写"
    else:
        life = "已到期，不再提醒" if over else until
    return {**row, "rule": rules.rule(row), "where": "、".join(places) or "全部渠道和区县", "over": over,
            "life": life}  # fmt: skip


async def new_watchword(request: Request) -> HTTPResponse:
    return await _form(request, NEW)


async def edit_watchword(request: Request, id: str) -> HTTPResponse:
    return await _form(request, await watchwords.watchword(actor_of(request), desk_of(request), id))


async def _form(
    request: Request,
    row: Mapping[str, Any],
    errors: Sequence[FieldError] = (),
    sentence: str = "",
    status: int = 200,
    found: watchwords.Preview | None = None,
) -> HTTPResponse:
    desk = desk_of(request)
    until = row["until"]
    return await show(
        request, "desk/watchword_form.html", "board", status=status, row=row, errors=errors, sentence=sentence,
        found=found, says=_says(str(row["line"])), now=desk.clock.now(),
        until=f"{local(until):%Y-%m-%d}" if until else "", today=f"{local(desk.clock.now()):%Y-%m-%d}",
        offered=[(name, CHANNELS[name][1]) for name in heard_on(request)], districts=_districts(request),
        levels=LEVELS, longest=rules.LONGEST_LINE, channels=CHANNELS, feelings=FEELINGS,
        may_write=may(actor_of(request), "watchword.write"),
    )  # fmt: skip


def _says(line: str) -> str:
    """How the line is understood; nothing where it cannot be read, which its field says."""
    try:
        return parse(line).says() if line else ""
    except Misspelt:
        return ""


def _districts(request: Request) -> list[tuple[str, str]]:
    known: list[str] = request.app.ctx.facts["districts"]
    return [(name, name) for name in known]


def places_of(request: Request) -> rules.Places:
    """Where a watch word may listen."""
    return rules.Places(heard_on(request), list(request.app.ctx.facts["districts"]))


async def save_watchword(request: Request) -> HTTPResponse:
    """Kept, or only tried out; what is wrong is said beside what was written."""
    desk, actor = desk_of(request), actor_of(request)
    id, version = field(request, "id", 80), field(request, "version", 9)
    seen = int(version) if id and version.isdecimal() else None
    said = _said(request)
    row = {**NEW, **said, "_id": id, "version": seen or 0}
    try:
        _require_date(request, said)
        if field(request, "act", 10) == "try":
            tried = {**said, "name": said["name"] or "试一试"}
            return await _form(request, row, found=await watchwords.preview(actor, desk, tried, places_of(request)))
        await watchwords.save_watchword(actor, desk, said, places_of(request), id=id, version=seen)
    except (Invalid, Conflict) as error:
        errors = error.errors if isinstance(error, Invalid) else ()
        return await _form(request, row, errors, "" if errors else error.message, error.status)
    return go("/watchwords", "saved")


def _said(request: Request) -> dict[str, Any]:
    return {
        "name": field(request, "name", 60),
        "line": field(request, "line", rules.LONGEST_LINE + 50),
        "channels": _ticked(request, "channels"),
        "districts": _ticked(request, "districts"),
        **{name: _number(field(request, name, 9)) for name in ("people", "hours", "pause_hours")},
        "level": field(request, "level", 10),
        "night": field(request, "night", 4) == "on",
        "until": _day_end(field(request, "until", 20)),
    }


def _ticked(request: Request, name: str) -> list[str]:
    return [str(each)[:20] for each in request.form.getlist(name) or []] if request.form else []


def _number(text: str) -> int | str:
    """A whole number, or what was written: the rules say what is wrong with it."""
    return int(text) if text.isascii() and text.isdecimal() else text


def _day_end(text: str) -> datetime | None:
    """The end of a local day; None where there is none, or none that can be read."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
        return datetime.combine(day.date(), time(23, 59, 59), SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _require_date(request: Request, said: Mapping[str, Any]) -> None:
    if field(request, "until", 20) and said["until"] is None:
        raise Invalid("有一处要改。", (FieldError("until", "日期的写法是 2026-12-31；长期有效请留空。"),))


async def turn_watchword(request: Request, id: str, act: str) -> HTTPResponse:
    turn = watchwords.retire_watchword if act == "retire" else watchwords.restore_watchword
    await turn(actor_of(request), desk_of(request), id)
    return go("/watchwords" if act == "retire" else f"/watchwords/{quote(id)}", f"watchword_{act}")


_ONLY = {"sentiment": SENTIMENTS, "channel": {name: words for name, (_, words) in CHANNELS.items()}}


async def show_hits(request: Request, id: str) -> HTTPResponse:
    """Every reply that an alert of a watch word gathered, or those of one sentiment or channel."""
    desk, actor = desk_of(request), actor_of(request)
    found = await issues.headed(actor, desk, id)
    only = {name: said for name, names in _ONLY.items() if (said := request.args.get(name) or "") in names}
    cursor = request.args.get("cursor") or ""
    rows, more = await watchwords.hits(actor, desk, id, only=only, cursor=cursor)
    here = f"/issues/{quote(id)}/hits"
    return await show(
        request, "desk/word_hits.html", "board", issue=found, rows=rows, here=here, cursor=cursor,
        only=[_ONLY[name][said] for name, said in only.items()],
        back=f"{here}?{urlencode(only)}", more=f"{here}?{urlencode({**only, 'cursor': more})}" if more else "",
        channels=CHANNELS, feelings=FEELINGS, now=desk.clock.now(),
    )  # fmt: skip


ROUTES = (
    Route("GET", "/watchwords", show_watchwords, "watchword.read"),
    Route("GET", "/watchwords/new", new_watchword, "watchword.write"),
    Route("POST", "/watchwords", save_watchword, "watchword.write", "form"),
    Route("GET", "/watchwords/<id:str>", edit_watchword, "watchword.read"),
    Route("POST", "/watchwords/<id:str>/<act:retire|restore>", turn_watchword, "watchword.write", "form"),
    Route("GET", "/issues/<id:str>/hits", show_hits, "issue.read"),
)
