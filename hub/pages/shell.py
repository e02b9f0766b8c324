"""The frame of a staff page: rail, counts, bell, person, and what was just done; the pages themselves live beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import HTTPResponse, Request
from sanic.response import html, redirect

from hub.access.requests import own_path
from hub.desk.working import waiting
from hub.domain.errors import NotSignedIn
from hub.domain.people import Actor
from hub.domain.rights import may
from hub.pages.rendering import ROLE_WORDS, Person, Shell, page
from hub.pages.routes import desk_of
from hub.rendering import Look

HOURS = "09:00–12:00　13:30–17:30"
# entry of the rail -> the act that opens it
ENTRIES: Mapping[str, str] = {
    "home": "notice.read",
    "contents": "content.read",
    "reviews": "content.review",
    "calendar": "publication.read",
    "publications": "publication.read",
    "board": "board.read",
    "replies": "reply.read",
    "columns": "service.read",
    "cases": "case.read",
    "audit": "audit.read",
    "settings": "notice.read",
}
# what a redirect may say was done; a word from the address is never shown itself
DONE: Mapping[str, str] = {
    "saved": "已保存。",
    "menu": "菜单已更新，读者五分钟内看到。",
    "task": "这件待办已办结。",
    "read": "通知已标为已读。",
    "acknowledge": "已认领，这条预警归您跟进。",
    "assess": "研判已记录。",
    "respond": "已转入处置。",
    "close": "已办结。",
    "false-alarm": "已标为误报，不再提醒。",
    "held": "已全部暂停，新的发布不会开始。",
    "lifted": "已恢复发布。",
    "quiet_declared": "已设静默时段，值班人员会收到通知。",
    "quiet_ended": "已解除静默时段；等着的按各自的迟发规则处理。",
    "planned_quiet": "已排好时间，但落在静默时段内：结束以后才按迟发规则处理。要准时发请改时间。",
    "moved_quiet": "已改时间，但落在静默时段内：结束以后才按迟发规则处理。",
    "missed_now": "已安排现在发出，按原来的先后。",
    "missed_move": "已改到您定的时间。",
    "missed_cancel": "已取消，不会发出。",
    "missed_some": "有的刚才已由别人处理，其余的已照您的决定办。",
    "missed_time": "没有改：请选以后的时间。",
    "missed_none": "没有改：请先勾上要处理的。",
    "urgent": "已标为紧急；允许紧急的静默时段里也会发出。",
    "submitted": "已送审，审核人已收到通知。",
    "taken": "已按提示改好。",
    "gone": "这条提示已经不在了，文字没有动。",
    "uploaded": "已上传并放进稿件。",
    "automatic": "已恢复自动生成的文字。",
    "restored": "已恢复为那个版本，中间的版本都还在。",
    "passed": "已通过，下一级已收到通知。",
    "approved": "已全部通过，排好时间的会自动发出。",
    "returned": "已退回，作者已收到通知和您的意见。",
    "planned": "已排好时间。",
    "held_one": "已暂停这一条，恢复以前不会发出。",
    "mended": "已压缩图片并重新发送；压缩前后的图都记在经过里。",
    "released": "已恢复；到了时间的马上发出，没到的按时发出。",
    "cancelled": "已取消，不会发出。",
    "moved": "已改时间。",
    "resolved": "已记下您的认定。",
    "withdrawn": "已下令撤回，网站先行；结果会列在经过里。",
    "correcting": "更正已登记；审过就发出，没审过的等另一位审核人通过。",
    "confirmed": "已记下：在平台上做完了。",
    "planned_doubt": "已排好时间。有的账号到时可能发不出去，原因写在发布页的提醒里，现在还来得及处理。",
    "still_wrong": "又查了一次，还有下面的问题。",
    "all_well": "又查了一次，现在没有问题了，会按时发出。",
    "tested": "已向平台问过，结果如下。",
    "authorised": "已换上新的授权，平台认得；推迟的马上接着发。",
    "account_held": "已暂停这个账号。",
    "account_released": "已恢复这个账号。",
    "connected": "已接入，下面是平台的回答。",
    "user_added": "已添加用户。首次口令请当面交给本人。",
    "user_changed": "已改。",
    "token_revoked": "已吊销，立即失效。",
    "proposed": "已提出，等另一位管理员确认。",
    "model_asked": "已提出，后台任务马上训练；有了结果会通知您。",
    "model_used": "已换，新到的留言由它来判；已判的不变。",
    "model_moved": "已改松紧，新到的留言照此判；已判的不变。",
    "topics_used": "已换，新到的留言由它来分；已分的不变。",
    "tree_used": "分类表已换，新到的留言按它来分；已分的不变。",
    "tree_some": "分类表已换；有几行没有用上，列在“分类”下面。",
    "urgency_life": "已标为紧急：危及人身，值班的人都会收到通知。",
    "urgency_marked": "已标为紧急，记下了一条标注。",
    "urgency_none": "已标为不紧急，记下了一条标注。",
    "filed": "主题已改，记下了一条标注。",
    "policy_changed": "已改，记入审计。",
    "case_opened": "已开工单，等受理。",
    "case_accept": "已受理，群众那边显示“已受理”。",
    "case_decline": "已记下不予受理，原因会告诉群众。",
    "case_assign": "已派办，承办人已收到通知。",
    "case_sort": "类别已改。",
    "case_take": "已接办，由您来答复。",
    "case_object": "已提出异议，退回派办的人；时限照常计算。",
    "case_extend": "延期已申请，等人定；定下以前，时限不变。",
    "case_extended": "延期已准，群众会看到新的时限和原因。",
    "case_unextended": "没有准，申请的人已收到您的意见。",
    "case_ask": "已替您问他一声，他会收到通知。",
    "canned_retire": "已停用，写答复时不再出现。",
    "canned_restore": "已恢复使用。",
    "case_wait": "已请群众补充，时限停下。",
    "case_resume": "继续办理，时限接着算。",
    "case_close": "已办结。",
    "case_reopen": "已转为重新办理，时限重新算。",
    "case_merge": "已归并，两边的群众会一起得到答复。",
    "case_note": "备注已记下，群众看不到。",
    "answer_submitted": "答复已送审，审核人已收到通知。",
    "answer_pass": "答复已通过，可以送出了。",
    "answer_return": "答复已退回，写的人已收到您的意见。",
    "answer_sent": "已送出，每个人怎样送到，列在右边。",
    "delivery_again": "已安排再送一次。",
    "watchword_retire": "已停用，不再提醒。",
    "watchword_restore": "已恢复使用，从现在起听。",
    "issue_merge": "已记下，几秒后归并到这里。",
    "issue_split": "已记下，几秒后拆出来，列在“归并与拆分”里。",
    "issue_undo": "已记下，几秒后撤销归并。",
    "incident": "演练事件已开始，几十条留言会在几分钟内陆续到来。",
}


def actor_of(request: Request) -> Actor:
    """Who asks; the gate lets nobody past without one, this says so to the types."""
    actor: Actor | None = request.ctx.actor
    if actor is None:
        raise NotSignedIn("登录已失效，请重新登录。")
    return actor


def bare_shell(request: Request) -> Shell:
    """The frame where nobody is signed in, or not wholly."""
    settings: Mapping[str, str] = request.app.ctx.facts
    return Shell(
        office=settings["office"],
        person=None,
        csrf=getattr(request.ctx, "csrf", "") or "",
        rehearsal=desk_of(request).demo,
        path=request.path,
        look=Look.of({name: request.cookies.get(name) or "" for name in ("look-theme", "look-elder")}),
    )


async def shell_of(request: Request, key: str, **changes: Any) -> Shell:
    """The frame of this person's page on this entry of the rail."""
    desk, actor = desk_of(request), actor_of(request)
    found = await waiting(actor, desk)
    frame = bare_shell(request).at(
        key,
        person=Person(actor.name, "、".join(word for role, word in ROLE_WORDS.items() if role in actor.roles)),
        hours=HOURS,
        unread=found.unread,
        held=found.held,
        stopped=found.stopped,
        quiet=found.quiet,
        path=own_path(request.path),
        **{"toast": _toast(request), **changes},
    )
    keys = frozenset(entry for entry, act in ENTRIES.items() if may(actor, act))
    return frame.counted(found.counts, found.alarms).only(keys)


def _toast(request: Request) -> Mapping[str, Any] | None:
    said = DONE.get(request.args.get("done") or "")
    return {"text": said} if said else None


async def show(
    request: Request,
    template: str,
    key: str,
    *,
    status: int = 200,
    narrow: bool = False,
    toast: Mapping[str, Any] | None = None,
    **values: Any,
) -> HTTPResponse:
    """One staff page, never kept by a browser or a proxy: it holds what only this person may see."""
    frame = await shell_of(request, key, narrow=narrow, **({"toast": toast} if toast else {}))
    return html(page(template, frame, **values), status=status, headers={"Cache-Control": "no-store"})


def show_bare(request: Request, template: str, *, status: int = 200, **values: Any) -> HTTPResponse:
    """A page for somebody who is not signed in."""
    return html(page(template, bare_shell(request), **values), status=status, headers={"Cache-Control": "no-store"})


def go(path: str, done: str = "") -> HTTPResponse:
    """On to the next page after a form; `done` is a key of DONE."""
    mark = "&" if "?" in path else "?"
    return redirect(f"{path}{mark}done={done}" if done else path, status=303)


def wants_data(request: Request) -> bool:
    """Whether a form was sent by a script of our own page, which takes the answer as JSON."""
    return "application/json" in request.headers.get("accept", "")


def field(request: Request, name: str, most: int = 2_000) -> str:
    """One field of a form, trimmed and bounded; empty where it is missing."""
    form = request.form
    return str((form.get(name) if form else "") or "").strip()[:most]
