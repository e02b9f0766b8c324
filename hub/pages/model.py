"""情感模型: which model reads, the labels there are, its figures before and after in plain words, and changing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import model, naming, retraining
from hub.desk.retraining import Labels
from hub.domain.errors import HubError
from hub.domain.renewal import LEAST_FOR_STEPS, LEAST_LABELS, MIDDLE, SHIPPED, STEPS, Held, at_threshold, likely
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.settings import sections_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

LISTED = 10
KINDS = {"comment": "评论", "post": "帖文", "mention": "提到我们的", "letter": "来信", "message": "私信"}
SENTIMENTS = {"neg": "负面", "neu": "中性", "pos": "正面"}
STEP_WORDS = dict(zip(STEPS, ("漏报最少", "漏报少", "居中", "误报少", "误报最少"), strict=True))
STATES = {
    "in_force": ("在用", "ok"),
    "former": ("用过", "plain"),
    "declined": ("没有换", "plain"),
    "failed": ("没做完", "warn"),
}
WIDE = 0.2  # a span of likely shares that is wider says little


async def show_model(request: Request) -> HTTPResponse:
    return await _page(request)


async def _page(request: Request, *, said: str = "", status: int = 200) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    cursor = request.args.get("cursor") or ""
    named = await model.pointer(actor, desk)
    labels = await retraining.labels_there(actor, desk)
    found = await retraining.list_models(actor, desk, cursor=cursor, limit=LISTED)
    figures = await model.figures(actor, desk, named["model"])
    asked = named["asked"] or {}
    names = await naming.names_of(
        actor, desk, [named.get("by") or "", asked.get("by") or "", *(row["by"] for row in found.rows)]
    )
    last = found.rows[0] if found.rows and not cursor else None
    return await show(
        request,
        "desk/model.html",
        "settings",
        status=status,
        tabs=sections_of(request),
        said=said,
        broken=named["broken"],
        asked=asked and {"by": names.get(asked["by"], ""), "at": asked["at"], "begun": bool(asked["tries"])},
        facts=_facts(named, names),
        labels=_label_facts(labels),
        total=labels.total,
        new=labels.new,
        since=labels.since,
        too_few=f"还差 {LEAST_LABELS - labels.total} 条标注" if labels.total < LEAST_LABELS else "",
        last=last,
        compared=_compared(last) if last and last.get("after") else (),
        trust=_trust(at_threshold(last["after"], last["threshold"])) if last and last.get("after") else "",
        steps=_steps(figures, named["threshold"]),
        steps_off=_steps_off(figures),
        measured_on=figures["texts"] if figures else 0,
        rows=[_row(row, named, names) for row in found.rows],
        shipped_in_force=named["model"] == SHIPPED,
        more=f"/model?{urlencode({'cursor': found.cursor})}" if found.cursor else "",
        cursor=cursor,
        may_train=may(actor, "model.train"),
        may_use=may(actor, "model.use"),
    )


def _facts(named: Document, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    shipped = named["model"] == SHIPPED
    since = named.get("since")
    changed = f"{wording.full_moment(since)}　{names.get(named.get('by') or '', '')}".strip() if since else "装好时起"
    return (
        ("哪一版", "随产品的模型" if shipped else "本单位训练的模型"),
        ("从何时起", changed),
        ("松紧", f"{STEP_WORDS[named['threshold']]}（负面的可能满 {wording.percent(named['threshold'], 0)} 算负面）"),
    )


# ---- labels


def _label_facts(labels: Labels) -> list[tuple[str, str]]:
    """A line for each kind that has labels."""
    found = []
    for kind, words in KINDS.items():
        numbers = {name: labels.counts[kind, label] for label, name in SENTIMENTS.items()}
        if sum(numbers.values()):
            said = "　".join(f"{name} {wording.number(number)}" for name, number in numbers.items())
            found.append((f"{words} {wording.number(sum(numbers.values()))}", said))
    return found


# ---- figures in words


def _part(part: int, whole: int) -> str:
    return f"{part} 条，{wording.percent(part / whole, 0)}" if whole else "—"


def figure_words(held: Held) -> dict[str, str]:
    """The three figures as people read them: negatives missed, others called negative, and what was judged right."""
    return {
        "missed": _part(held.missed, held.negative),
        "false_alarms": _part(held.false_alarms, held.others),
        "right": _part(held.right, held.texts),
    }


MEASURES = (
    ("missed", "漏掉的负面", "是负面却没有判成负面的"),
    ("false_alarms", "误报", "不是负面却判成负面的"),
    ("right", "判对的", "全部里判得对的"),
)


def _compared(run: Document) -> list[dict[str, str]]:
    """Before and after, at the threshold at which they were compared."""
    before, after = (figure_words(at_threshold(run[side], run["threshold"])) for side in ("before", "after"))
    return [
        {"words": words, "note": note, "before": before[key], "after": after[key]} for key, words, note in MEASURES
    ]


def _trust(held: Held) -> str:
    """How far these figures can be trusted, in plain words."""
    low, high = likely(held.missed, held.negative)
    counted = f"在留出来检验的 {held.texts} 条标注上数的，其中负面 {held.negative} 条；这些条没有用来训练。"
    if not held.negative:
        return counted
    span = f"换一批留言，漏掉的负面多半在 {wording.percent(low, 0)} 到 {wording.percent(high, 0)} 之间。"
    few = "条数还少，只能看个大概，再标一些会准得多。" if high - low > WIDE else ""
    return f"{counted}{span}{few}标注多是判错以后改的，所以这里的错比平时多。"


def _steps(figures: Document | None, threshold: float) -> list[dict[str, Any]]:
    """The steps of 松紧 with their figures where they were measured."""
    return [
        {
            "value": step,
            "words": words,
            "chosen": step == threshold,
            "figures": figure_words(at_threshold(figures, step)) if figures else None,
        }
        for step, words in STEP_WORDS.items()
    ]


def _steps_off(figures: Document | None) -> str:
    """Why the threshold cannot be moved; nothing where it can."""
    if figures is None:
        return f"还没有在标注上量过。重新训练一次（要有 {LEAST_FOR_STEPS} 条标注），才知道各档漏报、误报各多少。"
    if figures["labels"] < LEAST_FOR_STEPS:
        return f"只有 {figures['labels']} 条标注，不到 {LEAST_FOR_STEPS} 条，一两条留言就会左右结果，所以停在居中。"
    return ""


# ---- history


def _row(run: Document, named: Document, names: Mapping[str, str]) -> dict[str, Any]:
    state = run["state"] if run["state"] != "kept" else "in_force" if run["_id"] == named["model"] else "former"
    words, tone = STATES[state]
    return {
        "id": run["_id"],
        "title": f"{wording.full_moment(run['at'])}　{names.get(run['by'], '')}".strip(),
        "detail": _change(run) + run["why"],
        "words": words,
        "tone": tone,
        "usable": state == "former",
    }


def _change(run: Document) -> str:
    if not run.get("after"):
        return ""
    before, after = (at_threshold(run[side], run["threshold"]) for side in ("before", "after"))
    missed, wrong = (
        f"{wording.percent(1 - old, 0)} → {wording.percent(1 - new, 0)}"
        for old, new in ((before.recall, after.recall), (_quiet(before), _quiet(after)))
    )
    return f"{wording.number(run['label_count'])} 条标注；漏掉的负面 {missed}，误报 {wrong}。"


def _quiet(held: Held) -> float:
    return 1.0 - held.false_alarms / held.others if held.others else 1.0


# ---- what is pressed


async def train(request: Request) -> HTTPResponse:
    try:
        await retraining.retrain(actor_of(request), desk_of(request))
    except HubError as error:
        return await _refused(request, error)
    return go("/model", "model_asked")


async def use(request: Request, id: str) -> HTTPResponse:
    try:
        await model.use_model(actor_of(request), desk_of(request), id)
    except HubError as error:
        return await _refused(request, error)
    return go("/model", "model_used")


async def move(request: Request) -> HTTPResponse:
    try:
        await model.set_threshold(actor_of(request), desk_of(request), _threshold(field(request, "threshold", 8)))
    except HubError as error:
        return await _refused(request, error)
    return go("/model", "model_moved")


def _threshold(said: str) -> float:
    """The step that was chosen; what is none stays none."""
    return next((step for step in STEPS if f"{step:g}" == said), -1.0)


async def _refused(request: Request, error: HubError) -> HTTPResponse:
    """The same page with the sentence on it."""
    if error.status not in (409, 422):
        raise error
    return await _page(request, said=error.message, status=error.status)


def reading_words(analysis: Mapping[str, Any]) -> str:
    """What decided a reply's sentiment: which model, from which likelihood on."""
    name = "随产品的模型" if analysis.get("model") in (None, "", SHIPPED) else "本单位训练的模型"
    return f"{name}，满 {wording.percent(analysis.get('threshold', MIDDLE), 0)} 算负面"


ROUTES = (
    Route("GET", "/model", show_model, "model.read"),
    Route("POST", "/model", train, "model.train", "form"),
    Route("POST", "/model/threshold", move, "model.use", "form"),
    Route("POST", "/model/<id:str>/use", use, "model.use", "form"),
)
