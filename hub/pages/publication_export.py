"""导出发布: the rows of the chosen tab and days as CSV, in the words that the page uses; no person stands in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sanic import Request
from sanic.response import BaseHTTPResponse

from hub import wording
from hub.desk import exporting
from hub.domain.moves import STATE_WORDS
from hub.pages.publication_words import channel_word
from hub.pages.publications import chosen_days, tab_of
from hub.pages.routes import Route, desk_of
from hub.pages.sheets import cell, sent_as_csv
from hub.pages.shell import actor_of

HEADS = (
    "时间", "稿件", "稿件编号", "版本", "事项", "渠道", "账号", "状态", "说明", "公开时间", "网址", "平台编号",
    "尝试次数", "内容校验值",
)  # fmt: skip
SEEN = {"proposed": "拟发", "corrected": "已更正", "withdrawn": "已撤回", "removed": "平台已移除"}


async def export(request: Request) -> BaseHTTPResponse:
    """The name says the days, so that two exports do not overwrite each other."""
    desk, actor = desk_of(request), actor_of(request)
    tab = tab_of(request)
    chosen = chosen_days(request, tab, desk.clock.now())
    rows = exporting.export_publications(actor, desk, tab=tab, stretch=chosen.stretch)
    days = f"{chosen.first}_{chosen.last or '以后'}" if tab != "todo" else "要处理"
    return await sent_as_csv(request, f"发布_{days}.csv", HEADS, _cells(rows))


async def _cells(rows: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[Sequence[str]]:
    async for row in rows:
        yield [cell(words) for words in _words(row)]


def _words(row: Mapping[str, Any]) -> list[str]:
    seen, public = str(row["seen"]), row.get("published_at")
    return [
        f"{wording.iso_day(row['at'])} {wording.second(row['at'])}",
        str(row["title"] or ""),
        str(row["content"]),
        str(row["revision"] or ""),
        row["act"],
        channel_word(row["channel"]),
        row["account"],
        SEEN.get(seen, STATE_WORDS.get(seen, seen)),
        row["reason"],
        f"{wording.iso_day(public)} {wording.second(public)}" if public else "",
        str(row["url"] or ""),
        str(row["external_id"] or ""),
        str(row["tries"]),
        str(row["hash"] or ""),
    ]


ROUTES = (Route("POST", "/publications/export", export, "publication.read", "form"),)
