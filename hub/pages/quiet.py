"""静默时段: the list of periods, declaring one for days or for every night, and ending one; the rules: domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import SHANGHAI
from hub.desk import naming, quieting
from hub.domain import quiet
from hub.domain.errors import FieldError, HubError, Invalid
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

WRITTEN = ("first", "last", "from", "to", "reason", "nightly")


async def show_quiet(request: Request) -> HTTPResponse:
    return await _page(request)


async def _page(
    request: Request, *, errors: Sequence[FieldError] = (), said: str = "", status: int = 200
) -> HTTPResponse:
    desk, actor, now = desk_of(request), actor_of(request), desk_of(request).clock.now()
    periods = await quieting.quiet_periods(actor, desk)
    names = await naming.names_of(actor, desk, [period["by"] for period in periods])
    rows = [_row(period, names, now) for period in periods]
    written = {name: field(request, name, 200) for name in WRITTEN} if errors else {}
    return await show(
        request,
        "desk/quiet.html",
        "publications",
        status=status,
        rows=[row for row in rows if not row["over"]],
        past=[row for row in rows if row["over"]],
        passes=list(quiet.PASSES.items()),
        passing=_passes(request),
        written=written,
        errors=errors,
        said=said,
        today=f"{now.astimezone(SHANGHAI):%Y-%m-%d}",
        may_write=may(actor, "quiet.write"),
    )


def _row(period: Document, names: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": period["id"],
        "words": quiet.span_words(period),
        "reason": period["reason"],
        "passes": quiet.passes_words(period),
        "by": f"{names.get(period['by'], '')} {wording.moment(period['at'])}".strip(),
        "over": quiet.is_over(period, now),
        "holds": quiet.stretch_at(period, now) is not None,
        "early": bool(period.get("ended_at")),
    }


def _passes(request: Request) -> list[str]:
    return [str(each)[:20] for each in request.form.getlist("passes") or []] if request.form else []


async def declare(request: Request) -> HTTPResponse:
    """Days, or every night; what is wrong is said beside what was written."""
    try:
        await _declare(request)
    except HubError as error:
        if error.status not in (409, 422):
            raise
        errors = error.errors if isinstance(error, Invalid) else ()
        return await _page(
            request, errors=errors or (FieldError("reason", error.message),), said=error.message, status=error.status
        )
    return go("/quiet", "quiet_declared")


async def _declare(request: Request) -> None:
    desk, actor = desk_of(request), actor_of(request)
    reason, passes = field(request, "reason", 200), _passes(request)
    first, last = field(request, "from", 5), field(request, "to", 5)
    if field(request, "nightly", 3) == "on":
        await quieting.declare_nights(actor, desk, first=first, last=last, reason=reason, passes=passes)
        return
    since, until = _stretch(field(request, "first", 10), field(request, "last", 10), first, last)
    await quieting.declare(actor, desk, since=since, until=until, reason=reason, passes=passes)


def _stretch(first: str, last: str, begin: str, close: str) -> tuple[datetime, datetime]:
    """From the first day on, to the end of the last; hours only where they are given."""
    days = [_day(first, "first"), _day(last or first, "last")]
    since = datetime.combine(days[0], _hour(begin, "from"), SHANGHAI)
    end = datetime.combine(days[1], _hour(close, "to"), SHANGHAI)
    return since.astimezone(UTC), (end if close else end + timedelta(days=1)).astimezone(UTC)


def _day(text: str, name: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year < 2199:
        raise Invalid("静默时段有几处要修改。", (FieldError(name, "请选日期。"),))
    return found


def _hour(text: str, name: str) -> time:
    try:
        return time.fromisoformat(text) if text else time()
    except ValueError:
        raise Invalid("静默时段有几处要修改。", (FieldError(name, "时间的写法是 22:00。"),)) from None


async def end(request: Request, id: str) -> HTTPResponse:
    await quieting.end_period(actor_of(request), desk_of(request), id, reason=field(request, "reason", 200))
    return go("/quiet", "quiet_ended")


ROUTES = (
    Route("GET", "/quiet", show_quiet, "publication.read"),
    Route("POST", "/quiet", declare, "quiet.write", "form"),
    Route("POST", "/quiet/<id:str>/end", end, "quiet.write", "form"),
)
