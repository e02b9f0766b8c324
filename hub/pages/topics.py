"""主题分类: tree and model that route, what was filed by hand, figures in plain words, and changing any of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import naming, refiling, topics
from hub.desk.refiling import TopicLabels
from hub.domain.errors import FieldError, HubError, Invalid
from hub.domain.renewal import SHIPPED, likely
from hub.domain.rights import may
from hub.domain.topic_renewal import LEAST_LABELS, NAMES, Routed, routed_of
from hub.pages.media import given_file
from hub.pages.model import STATES
from hub.pages.routes import Route, desk_of
from hub.pages.settings import sections_of
from hub.pages.shell import actor_of, go, show
from hub.store.base import Document
from nlp.topic_tree import SEPARATOR, Tree

LISTED = 10
WIDE = 0.2  # a span of likely shares that is wider says little
LEVEL_WORDS = ("大类", "二级", "三级")


async def show_topics(request: Request) -> HTTPResponse:
    return await _page(request)


async def _page(
    request: Request, *, said: str = "", errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    cursor = request.args.get("cursor") or ""
    named = await topics.in_force(actor, desk)
    tree = await topics.routing_tree(actor, desk)
    trees = await topics.list_trees(actor, desk)
    labels = await refiling.topic_labels(actor, desk)
    found = await refiling.list_topic_models(actor, desk, cursor=cursor, limit=LISTED)
    asked = named["asked"] or {}
    ids = [named.get("by") or "", asked.get("by") or "", *(row["by"] for row in (*found.rows, *trees))]
    names = await naming.names_of(actor, desk, ids)
    last = found.rows[0] if found.rows and not cursor else None
    brought = next((row for row in trees if row["_id"] == named["tree"]), None)
    return await show(
        request,
        "desk/topics.html",
        "settings",
        status=status,
        tabs=sections_of(request),
        said=said,
        errors=errors,
        broken=named["broken"],
        asked=asked and {"by": names.get(asked["by"], ""), "at": asked["at"], "begun": bool(asked["tries"])},
        facts=_facts(named, tree, names),
        bad=brought["bad"] if brought else (),
        bad_count=brought["bad_count"] if brought else 0,
        branches=_branches(tree, labels),
        total=labels.total,
        new=labels.new,
        since=labels.since,
        too_few=_too_few(labels),
        last=last,
        compared=_compared(last) if last and last.get("after") else (),
        trust=_trust(routed_of(last["after"])) if last and last.get("after") else "",
        rows=[_row(row, named, names) for row in found.rows],
        trees=[_tree(row, named, names) for row in trees],
        names_alone=named["model"] == NAMES,
        shipped=named["tree"] == SHIPPED,
        more=f"/topics?{urlencode({'cursor': found.cursor})}" if found.cursor else "",
        cursor=cursor,
        may_train=may(actor, "model.train"),
        may_use=may(actor, "model.use"),
        may_tree=may(actor, "topic.tree"),
    )


def _too_few(labels: TopicLabels) -> str:
    """Why it cannot be trained yet; nothing where it can."""
    if labels.total < LEAST_LABELS:
        return f"还差 {LEAST_LABELS - labels.total} 条标注"
    return "" if sum(map(bool, labels.counts.values())) > 1 else "标注都在一个大类里"


# ---- what is in force


def _facts(named: Document, tree: Tree, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    since = named.get("since")
    changed = f"{wording.full_moment(since)}　{names.get(named.get('by') or '', '')}".strip() if since else "装好时起"
    return (
        ("分类表", "随产品的分类" if named["tree"] == SHIPPED else "本单位的分类表"),
        ("有多大", _levels(tree.levels)),
        ("靠什么分", "只靠分类的名称" if named["model"] == NAMES else "名称，加上本单位改正过的主题"),
        ("从何时起", changed),
    )


def _levels(levels: Sequence[int]) -> str:
    pairs = zip(LEVEL_WORDS, levels, strict=False)
    return "，".join(f"{words} {wording.number(count)} 个" for words, count in pairs)


def _branches(tree: Tree, labels: TopicLabels) -> list[dict[str, Any]]:
    """Each first level with how many were filed under it, and what stands under it."""
    under: dict[str, list[str]] = {name: [] for name in tree.branches}
    for topic in tree.topics:
        if len(topic.path) > 1:
            under[topic.branch].append(SEPARATOR.join(topic.path[1:]))
    return [
        {"name": name, "labels": labels.counts.get(name, 0), "count": len(names), "under": "、".join(names)}
        for name, names in under.items()
    ]


def _tree(row: Document, named: Document, names: Mapping[str, str]) -> dict[str, Any]:
    file = f"{row['name']}，" if row.get("name") else ""
    wrong = f"；{row['bad_count']} 行没有用上" if row["bad_count"] else ""
    return {
        "id": row["_id"],
        "title": f"{wording.full_moment(row['at'])}　{names.get(row['by'], '')}".strip(),
        "detail": f"{file}{_levels(row['levels'])}{wrong}。",
        "in_force": row["_id"] == named["tree"],
    }


# ---- figures in words


def _part(part: int, whole: int) -> str:
    return f"{part} 条，{wording.percent(part / whole, 0)}" if whole else "—"


def _compared(run: Document) -> list[dict[str, str]]:
    """Before and after: all together, then each first level that people used."""
    before, after = routed_of(run["before"]), routed_of(run["after"])
    rows = [{
        "words": "分对的", "note": "全部标注里分对大类的",
        "before": _part(before.right, before.texts), "after": _part(after.right, after.texts),
    }]  # fmt: skip
    old = {share.name: share for share in before.shares}
    for share in sorted(after.shares, key=lambda share: -share.there):
        if share.there:
            was = old[share.name].right if share.name in old else 0
            rows.append({
                "words": share.name, "note": f"{share.there} 条",
                "before": _part(was, share.there), "after": _part(share.right, share.there),
            })  # fmt: skip
    return rows


def _trust(routed: Routed) -> str:
    """How far these figures can be trusted, in plain words."""
    low, high = likely(routed.right, routed.texts)
    counted = f"在 {routed.texts} 条标注上数的：每一条都由没有学过它的一版来分。"
    span = f"换一批留言，分对的多半在 {wording.percent(low, 0)} 到 {wording.percent(high, 0)} 之间。"
    few = "条数还少，只能看个大概。" if high - low > WIDE else ""
    return f"{counted}{span}{few}标注多是分错以后改的，所以这里的错比平时多。"


# ---- history


def _row(run: Document, named: Document, names: Mapping[str, str]) -> dict[str, Any]:
    state = run["state"] if run["state"] != "kept" else "in_force" if run["_id"] == named["model"] else "former"
    words, tone = STATES[state]
    other = "" if run["tree"] == named["tree"] else "（按另一张分类表）"
    return {
        "id": run["_id"],
        "title": f"{wording.full_moment(run['at'])}　{names.get(run['by'], '')}".strip(),
        "detail": other + _change(run) + run["why"],
        "words": words,
        "tone": tone,
        "usable": state == "former" and not other,
    }


def _change(run: Document) -> str:
    if not run.get("after"):
        return ""
    old, new = (routed_of(run[side]) for side in ("before", "after"))
    shares = " → ".join(wording.percent(side.right / side.texts, 0) if side.texts else "—" for side in (old, new))
    return f"{wording.number(run['label_count'])} 条标注；分对的 {shares}。"


# ---- what is pressed


async def train(request: Request) -> HTTPResponse:
    try:
        await refiling.retrain_topics(actor_of(request), desk_of(request))
    except HubError as error:
        return await _refused(request, error)
    return go("/topics", "model_asked")


async def use(request: Request, id: str) -> HTTPResponse:
    try:
        await topics.use_topic_model(actor_of(request), desk_of(request), id)
    except HubError as error:
        return await _refused(request, error)
    return go("/topics", "topics_used")


async def bring(request: Request) -> HTTPResponse:
    try:
        data, name = given_file(request)
        found = await topics.bring_tree(actor_of(request), desk_of(request), data, name)
    except Invalid as error:
        return await _page(request, errors=error.errors, status=422)
    except HubError as error:
        return await _refused(request, error)
    return go("/topics", "tree_some" if found.bad else "tree_used")


async def use_tree(request: Request, id: str) -> HTTPResponse:
    try:
        await topics.use_tree(actor_of(request), desk_of(request), id)
    except HubError as error:
        return await _refused(request, error)
    return go("/topics", "tree_used")


async def _refused(request: Request, error: HubError) -> HTTPResponse:
    """The same page with the sentence on it."""
    if error.status not in (409, 422):
        raise error
    return await _page(request, said=error.message, status=error.status)


ROUTES = (
    Route("GET", "/topics", show_topics, "model.read"),
    Route("POST", "/topics", train, "model.train", "form"),
    Route("POST", "/topics/tree", bring, "topic.tree", "form"),
    Route("POST", "/topics/trees/<id:str>/use", use_tree, "topic.tree", "form"),
    Route("POST", "/topics/<id:str>/use", use, "model.use", "form"),
)
