"""词典: the office's own names, looked for and listed, a new file, a few lines more, the former one back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlencode

from sanic import HTTPResponse, Request
from sanic.response import BaseHTTPResponse

from hub import wording
from hub.desk import dictionary, naming
from hub.domain.errors import Invalid
from hub.domain.rights import may
from hub.pages.media import given_file
from hub.pages.routes import Route, desk_of
from hub.pages.settings import sections_of
from hub.pages.sheets import cell, sent_as_csv
from hub.pages.shell import actor_of, field, go, show
from nlp.dictionary import HEAD, KINDS, table_of

HOME = "/settings/dictionary"
MOST_TYPED = 20_000  # characters


async def show_dictionary(request: Request) -> HTTPResponse:
    return await _page(request)


async def _page(request: Request, *, said: str = "", lines: str = "", status: int = 200) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    search = (request.args.get("q") or "").strip()[:30]
    start = request.args.get("start") or "0"
    at = int(start) if start.isascii() and start.isdecimal() and len(start) < 8 else 0
    found = await dictionary.dictionary(actor, desk, search=search, start=at)
    named = found.pointer
    names = await naming.names_of(actor, desk, [named["by"]])
    kept = {"q": search} if search else {}
    return await show(
        request,
        "desk/dictionary.html",
        "settings",
        status=status,
        tabs=sections_of(request),
        said=said,
        lines=lines,
        facts=_facts(found.counts, named["words"]),
        since=f"{wording.full_moment(named['since'])}　{names.get(named['by'], '')}".strip() if named["since"] else "",
        search=search,
        rows=table_of(found.rows),
        found=found.found,
        more=f"{HOME}?{urlencode({**kept, 'start': found.next})}" if found.next else "",
        back=f"{HOME}?{urlencode(kept)}" if at else "",
        version=named["version"],
        may_write=may(actor, "dictionary.write"),
        heads=HEAD,
    )


def _facts(counts: Mapping[str, int], total: int) -> list[tuple[str, str]]:
    return [("全部", f"{wording.number(total)} 个")] + [
        (kind, f"{wording.number(counts[kind])} 个") for kind in KINDS if counts.get(kind)
    ]


async def take_file(request: Request) -> HTTPResponse:
    """A whole new dictionary."""
    actor, desk = actor_of(request), desk_of(request)
    try:
        text = dictionary.decoded(given_file(request)[0])
        saved, _ = await dictionary.save_dictionary(actor, desk, text, version=_version(request))
    except Invalid as error:
        return await _page(request, said=error.message, status=error.status)
    return go(HOME, f"词典换好了，共 {wording.number(saved['words'])} 个词。新到的留言几秒后就按它读。")


async def take_lines(request: Request) -> HTTPResponse:
    """Some words more."""
    actor, desk = actor_of(request), desk_of(request)
    lines = field(request, "lines", MOST_TYPED + 1)
    try:
        if len(lines) > MOST_TYPED:  # cut off, it would lose words and nobody would know
            raise Invalid("一次补得太多，请存成表格，用“整个换掉”来换。")
        saved = await dictionary.add_words(actor, desk, lines, version=_version(request))
    except Invalid as error:
        return await _page(request, said=error.message, lines=lines, status=error.status)
    return go(HOME, f"补好了，现在共 {wording.number(saved['words'])} 个词。")


async def restore(request: Request) -> HTTPResponse:
    saved = await dictionary.restore_dictionary(actor_of(request), desk_of(request), version=_version(request))
    return go(HOME, f"换回了上一版，共 {wording.number(saved['words'])} 个词。")


async def export(request: Request) -> BaseHTTPResponse:
    words = await dictionary.all_words(actor_of(request), desk_of(request))
    return await sent_as_csv(request, "词典.csv", HEAD, _cells(table_of(words)))


async def _cells(rows: Sequence[Sequence[str]]) -> AsyncIterator[Sequence[str]]:
    for row in rows:
        yield [cell(words) for words in row]


def _version(request: Request) -> int:
    given = field(request, "version", 10)
    return int(given) if given.isascii() and given.isdecimal() else -1


ROUTES = (
    Route("GET", HOME, show_dictionary, "dictionary.read"),
    Route("POST", f"{HOME}/file", take_file, "dictionary.write", "form"),
    Route("POST", f"{HOME}/lines", take_lines, "dictionary.write", "form"),
    Route("POST", f"{HOME}/restore", restore, "dictionary.write", "form"),
    Route("POST", f"{HOME}/export", export, "dictionary.read", "form"),
)
