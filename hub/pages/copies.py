"""同文: the groups of copies, one group with its first source, accounts and minutes, and why it is 疑似刷屏 or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import copies, issues
from hub.domain.copy_group import STEPS, drawn
from hub.pages.board import CHANNELS, heard_on
from hub.pages.issues import times_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, show
from hub.store.base import Document

STRETCHES = {"1": "24 小时内", "7": "7 天内", "30": "30 天内"}
FLOODS = {"yes": "只看疑似刷屏"}
ORDERS = {"newest": "最近说的在前", "largest": "条数多的在前"}
STREAMS = {"past": "导入的往日留言"}
NAMES = ("flood", "channel", "days", "order", "stream", "issue")
_STEPS_SAID = ("每分钟", "每 5 分钟", "每半小时", "每 2 小时", "每半天", "每天", "每周", "每 4 周", "每 52 周")
STEP_WORDS = dict(zip(STEPS, _STEPS_SAID, strict=True))
DISTRICTS = 8  # named in the side; the rest are one line


async def show_groups(request: Request) -> HTTPResponse:
    """All groups, or those of one issue."""
    desk, actor = desk_of(request), actor_of(request)
    chosen = {name: (request.args.get(name) or "").strip()[:200] for name in NAMES}
    issue, cursor = chosen["issue"], request.args.get("cursor") or ""
    if issue:
        found = copies.Groups(await copies.groups_of_issue(actor, desk, issue), None)
    else:
        found = await copies.list_groups(actor, desk, **_asked(chosen, desk.clock.now()), cursor=cursor)
    kept = {name: value for name, value in chosen.items() if value}
    titles = await issues.titles(actor, desk, [issue]) if issue else {}
    return await show(
        request,
        "desk/copies.html",
        "board",
        rows=found.items,
        of=issue,
        issue_title=titles.get(issue, "") if issue else "",
        chosen=chosen,
        any_chosen=bool(kept),
        more=f"/copies?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else "",
        back=f"/copies?{urlencode(kept)}" if cursor else "",
        offered=[("", "全部渠道"), *((name, CHANNELS[name][1]) for name in heard_on(request))],
        floods=[("", "全部"), *FLOODS.items()],
        stretches=[("", "不限时间"), *STRETCHES.items()],
        orders=list(ORDERS.items()),
        streams=[("", "现在收到的"), *STREAMS.items()],
        untimed=chosen["order"] == "largest" and chosen["days"] in STRETCHES,
        channels=CHANNELS,
        now=desk.clock.now(),
    )


def _asked(chosen: Mapping[str, str], now: datetime) -> dict[str, Any]:
    days = chosen["days"]
    return {
        "flood": chosen["flood"] == "yes",
        "channel": chosen["channel"] if chosen["channel"] in CHANNELS else "",
        "since": now - timedelta(days=int(days)) if days in STRETCHES else None,
        "order": chosen["order"],
        "past": chosen["stream"] == "past",
    }


async def show_group(request: Request, id: str) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    cursor = request.args.get("cursor") or ""
    found = await copies.group(actor, desk, id, cursor=cursor)
    group = found.group
    bars = drawn(group["bars"])
    start = group["first_at"]
    return await show(
        request,
        "desk/copy_group.html",
        "board",
        group=group,
        first=found.first,
        first_channel=CHANNELS[group["first"]["channel"]],
        verdict=verdict_words(group),
        rule=rule_words(group["rule"]),
        figures=_figures(group),
        bars=bars,
        times=times_of(bars.at),
        step=STEP_WORDS[bars.step],
        rows=[{**row, "after": after_words(row["at"] - start)} for row in found.course.items],
        places=_places(group["districts"], group["count"]),
        issues=list(found.issues.items()),
        more=f"/copies/{id}?{urlencode({'cursor': found.course.cursor})}" if found.course.cursor else "",
        back=f"/copies/{id}" if cursor else "",
        channels=CHANNELS,
        now=desk.clock.now(),
    )


# ---- in words


def verdict_words(group: Document) -> str:
    """The sentence that says why a group is, or is not, 疑似刷屏: by the rule that held when it was last looked at."""
    peak, rule = group["peak"], group["rule"]
    accounts, new = int(peak["accounts"]), int(peak["new"])
    share = wording.percent(new / accounts, 0)
    when = f"{wording.moment(peak['at'])} 起 {rule['minutes']} 分钟内"
    if group["flood"]:
        return f"{when}，{accounts} 个账号说了同一段话，其中 {new} 个（{share}）是新出现的。"
    if accounts < rule["accounts"]:
        return f"最密的 {rule['minutes']} 分钟里只有 {accounts} 个账号说这段话，不到 {rule['accounts']} 个，不算刷屏。"
    return (
        f"{when}有 {accounts} 个账号说这段话，但新出现的只有 {new} 个（{share}），"
        f"不到 {rule['new_percent']}%，多半是大家在转发。"
    )


def rule_words(rule: Mapping[str, Any]) -> str:
    """The rule with its numbers."""
    return (
        f"{rule['minutes']} 分钟内至少 {rule['accounts']} 个账号说同一段话，"
        f"其中至少 {rule['new_percent']}% 是新出现的，就提示疑似刷屏。"
    )


def after_words(after: timedelta) -> str:
    """How long after the first source."""
    if not after:
        return "首发"
    if after < timedelta(minutes=1):
        return "不到 1 分钟后"
    return f"{wording.span(after)}后"


def _figures(group: Document) -> list[dict[str, str]]:
    accounts, new, near = group["accounts"], group["new_accounts"], group["near"]
    names = "、".join(CHANNELS[name][1] for name, _ in group["channels"])
    return [
        {"label": "同文", "value": f"{wording.number(group['count'])} 条",
         "note": f"其中 {wording.number(near)} 条改了几个字" if near else "一字不差"},
        {"label": "账号", "value": f"{wording.number(accounts)} 个", "note": "同一账号说几次只算一个"},
        {"label": "新出现的账号", "value": wording.percent(new / accounts, 0),
         "note": f"{wording.number(new)} 个，第一次听到还不满 24 小时"},
        {"label": "渠道", "value": f"{len(group['channels'])} 个", "note": names},
        {"label": "前后", "value": wording.span(group["last_at"] - group["first_at"]) or "同一时刻",
         "note": f"最近 {wording.moment(group['last_at'])}"},
    ]  # fmt: skip


def _places(districts: Sequence[Sequence[Any]], count: int) -> list[tuple[str, str]]:
    """The districts named most, and how many named others."""
    most = sorted(districts, key=lambda row: (-row[1], row[0]))[:DISTRICTS]
    rest = count - sum(number for _, number in most)
    named = [(name or "未写明", f"{wording.number(number)} 条") for name, number in most]
    return [*named, *([("其他", f"{wording.number(rest)} 条")] if rest else [])]


ROUTES = (
    Route("GET", "/copies", show_groups, "reply.read"),
    Route("GET", "/copies/<id:str>", show_group, "reply.read"),
)
