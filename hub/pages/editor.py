"""写稿: the editor's page, saving, proposals, channel texts, 送审; what a draft must be, the domain says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sanic import HTTPResponse, Request
from sanic.response import json as json_response

from hub import wording
from hub.checks.finding import ACKNOWLEDGE, BLOCK, HINT, Finding
from hub.checks.kinds import NAMES as RULES
from hub.desk import columns, filing, naming, previewing, reviewing, writing
from hub.desk.checking import check_content
from hub.desk.picturing import upload
from hub.desk.variants import package_of
from hub.domain.blocks import length
from hub.domain.content import KINDS, STATES, Draft, draft_of, facts_of, missing_of
from hub.domain.errors import Conflict, FieldError, HubError, Invalid, NotFound
from hub.domain.rights import may
from hub.pages import plain_text
from hub.pages.board import CHANNELS
from hub.pages.drafts import BLANK, Read, read_form, replaced, shown_meta
from hub.pages.media import drawing_of, given_file
from hub.pages.preview import frame_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show, wants_data
from hub.rendering import shared_renderer
from hub.store.base import Document

EDITOR = "vendor/wangeditor/index.js"
FIELDS = {"title": "标题", "digest": "摘要", "body": "正文", "files": "附件"}


async def show_new(request: Request) -> HTTPResponse:
    return await _page(request, None, BLANK)


async def show_editor(request: Request, id: str) -> HTTPResponse:
    content, revision = await writing.read(actor_of(request), desk_of(request), id)
    return await _page(request, content, draft_of(revision))


async def _page(
    request: Request,
    content: Document | None,
    draft: Draft,
    *,
    errors: Sequence[FieldError] = (),
    said: str = "",
    dropped: Sequence[str] = (),
    newest: bool = False,
    kept: bool = False,
    status: int = 200,
) -> HTTPResponse:
    """The editor with this draft in its fields; `content` None: it is not saved yet. `said`: why it was not saved."""
    desk, actor = desk_of(request), actor_of(request)
    aside = await _aside(request, content) if content else None
    shelf = await columns.list_columns(actor, desk)
    media = await _files(request, draft)
    names = await naming.names_of(actor, desk, [content["author"]]) if content else {}
    plain = plain_text.write(draft.blocks)
    return await show(
        request,
        "desk/editor.html",
        "contents",
        status=status,
        narrow=True,
        content=content,
        draft=draft,
        plain=plain,
        length=length([dict(block) for block in draft.blocks]),
        html=str(shared_renderer().macros("parts/blocks.html").blocks(draft.blocks)),
        meta=shown_meta(draft),
        facts=facts_of(draft.kind),
        kinds=[(key, kind.name) for key, kind in KINDS.items()],
        columns=[("", "请选栏目"), *((row["_id"], row["name"]) for row in shelf)],
        files=media,
        errors=errors,
        said=said,
        dropped=dropped,
        clash=newest,
        kept=kept,
        returned=await _returned(request, content),
        form_key=field(request, "key", 40) or desk.ids.new(),
        author=names.get(content["author"], "") if content else actor.name,
        states=STATES,
        may_write=may(actor, "content.write"),
        aside=aside,
        has_editor=shared_renderer().has_asset(EDITOR),
        now=desk.clock.now(),
    )


async def _returned(request: Request, content: Document | None) -> dict[str, Any] | None:
    """Why the draft came back and from whom, until it is sent to review again; None: it did not come back."""
    if content is None or content["state"] != "draft":
        return None
    verdicts = await reviewing.reviews_of(desk_of(request), content["_id"])
    last = verdicts[0] if verdicts else None
    if last is None or last["verdict"] != "return":
        return None
    names = await naming.names_of(actor_of(request), desk_of(request), [last["by"]])
    return {"who": names.get(last["by"], "审核人"), "at": last["at"], "remark": last["remark"]}


async def _files(request: Request, draft: Draft) -> list[Document]:
    """The attachments in the draft's order."""
    return await filing.files_named(actor_of(request), desk_of(request), list(draft.files))


# ---- findings and previews beside the text


async def _aside(request: Request, content: Document) -> dict[str, Any]:
    """Everything beside the text: findings gravest first, previews, what still keeps the posts from going out."""
    desk, actor = desk_of(request), actor_of(request)
    revision = await writing.revision_of(desk, content["_id"], content["revision"])
    found = await check_content(actor, desk, content["_id"])
    order = (BLOCK, ACKNOWLEDGE, HINT)
    found.sort(key=lambda each: order.index(each.severity))
    previews = await previewing.previews(actor, desk, content, revision)
    accounts = {each.account["_id"]: each.account["name"] for each in previews}
    reasons = {each["key"]: each["reason"] for each in content.get("acknowledged", ())}
    shelf = await columns.column(actor, desk, str(revision["column"])) or {}
    return {
        "content": content,
        "revision": revision,
        "findings": [_shown(each, accounts, reasons) for each in found],
        "counts": {name: sum(each.severity == name for each in found) for name in order},
        "missing": missing_of(draft_of(revision)) if content["state"] == "draft" else [],
        "previews": previews,
        "holds": previewing.holds(content, previews),
        "column": shelf.get("name", ""),
        "channels": CHANNELS,
        "may_write": may(actor, "content.write"),
        "may_schedule": may(actor, "content.schedule"),
        "frames": _frames(request, content, package_of(content, revision), previews),
    }


def _frames(request: Request, content: Document, hash: str, found: Sequence[previewing.Preview]) -> dict[str, str]:
    """Where the accounts' articles are seen as they will be sent: those that carry styles of their own."""
    desk, actor = desk_of(request), actor_of(request)
    accounts = [str(each.account["_id"]) for each in found if each.account["channel"] == "wechat"]
    return {account: frame_of(actor, desk, content["_id"], account, hash) for account in accounts}


def _shown(finding: Finding, accounts: Mapping[str, str], reasons: Mapping[str, str]) -> dict[str, Any]:
    """A finding as its card shows it."""
    place = finding.field.split(".")
    where = f"{accounts.get(place[1], place[1])}的文字" if place[0] == "variants" and len(place) > 2 else ""
    takes = bool(finding.suggestion) and place[0] in ("title", "digest", "body") and finding.end > finding.start
    return {
        "key": finding.key,
        "severity": finding.severity,
        "title": RULES.get(finding.rule, finding.rule),
        "where": where or FIELDS.get(place[0], ""),
        "field": place[0],
        "message": finding.message,
        "text": finding.text,
        "suggestion": finding.suggestion if takes else "",
        "reason": reasons.get(finding.key, ""),
    }


# ---- saving


async def _before(request: Request, id: str, number: int) -> Sequence[Any]:
    """The blocks that the writer's page was filled from."""
    if number < 1:
        return ()
    try:
        return list((await writing.revision_of(desk_of(request), id, number))["blocks"])
    except NotFound:
        return ()


def _number(request: Request) -> int:
    number = field(request, "revision", 9)
    return int(number) if number.isdecimal() else 0


async def _read(request: Request, id: str) -> Read:
    return read_form(request, await _before(request, id, _number(request)))


async def create(request: Request) -> HTTPResponse:
    """The first save of a new content; the form's key makes two clicks one content."""
    read = read_form(request)
    try:
        content = await writing.start(actor_of(request), desk_of(request), read.draft, key=field(request, "key", 40))
    except Invalid as error:
        if wants_data(request):
            raise
        return await _page(request, None, read.draft, errors=error.errors, said=error.message, status=422)
    if wants_data(request):
        return await _saved(request, content, read.dropped)
    return go(f"/contents/{content['_id']}", "saved")


async def save(request: Request, id: str) -> HTTPResponse:
    """Save, by the button or by itself; what cannot be saved stays in the form, and the reason stands above it."""
    read = await _read(request, id)
    try:
        content = await writing.save(actor_of(request), desk_of(request), id, read.draft, revision=read.revision)
    except (Invalid, Conflict) as error:
        if wants_data(request):
            raise
        return await _unsaved(request, id, read, error)
    if wants_data(request):
        return await _saved(request, content, read.dropped)
    if read.dropped:
        return await _page(request, content, draft_of(await _newest(request, content)), dropped=read.dropped)
    return go(f"/contents/{id}", "saved")


async def _newest(request: Request, content: Document) -> Document:
    return await writing.revision_of(desk_of(request), content["_id"], content["revision"])


async def _unsaved(request: Request, id: str, read: Read, error: HubError, *, kept: bool = False) -> HTTPResponse:
    """The form again with what is wrong; `kept`: the text was saved, only the sending to review was refused."""
    content = await writing.content_of(desk_of(request), id)
    stale = isinstance(error, Conflict)
    errors = error.errors if isinstance(error, Invalid) else ()
    return await _page(
        request,
        content,
        read.draft,
        errors=errors,
        said=error.message,
        dropped=read.dropped,
        newest=stale and not kept,
        kept=kept,
        status=409 if stale else 422,
    )


async def _saved(request: Request, content: Document, dropped: Sequence[str]) -> HTTPResponse:
    """The answer to the editor's own saving: the new revision, when, what was left out, and the fresh columns."""
    aside = await _aside(request, content)
    renderer = shared_renderer()
    values = {"aside": aside, "content": content, "csrf": request.ctx.csrf, "now": desk_of(request).clock.now()}
    return json_response(
        {
            "id": content["_id"],
            "revision": content["revision"],
            "state": content["state"],
            "state_words": STATES[content["state"]],
            "saved_at": wording.second(content["updated_at"]),
            "dropped": list(dropped),
            "block": aside["counts"][BLOCK],
            "aside": renderer.render("desk/editor_aside.html", **values),
            "acts": renderer.render("desk/editor_acts.html", **values),
        }
    )


async def take(request: Request, id: str) -> HTTPResponse:
    """Save what is in the form, then put the finding's proposal in its place."""
    desk, actor = desk_of(request), actor_of(request)
    read = await _read(request, id)
    try:
        content = await writing.save(actor, desk, id, read.draft, revision=read.revision)
        revision = await _newest(request, content)
        wanted = field(request, "take", 16)
        found = next((each for each in await check_content(actor, desk, id) if each.key == wanted), None)
        if found is None or not found.suggestion:
            return go(f"/contents/{id}", "gone")
        changed = replaced(revision, found.field, found.start, found.end, found.suggestion)
        draft = draft_of({**revision, **changed})
        await writing.save(actor, desk, id, draft, revision=content["revision"])
    except (Invalid, Conflict) as error:
        return await _unsaved(request, id, read, error)
    return go(f"/contents/{id}", "taken")


async def submit(request: Request, id: str) -> HTTPResponse:
    """Save what is in the form and send it to review; `reason.<key>` are the reasons to keep what was found."""
    desk, actor = desk_of(request), actor_of(request)
    read = await _read(request, id)
    names = [name for name in (request.form or ()) if name.startswith("reason.")]
    reasons = {name.removeprefix("reason."): field(request, name, 200) for name in names}
    try:
        content = await writing.save(actor, desk, id, read.draft, revision=read.revision)
    except (Invalid, Conflict) as error:
        return await _unsaved(request, id, read, error)
    try:
        await writing.submit(actor, desk, id, revision=content["revision"], acknowledged=reasons)
    except (Invalid, Conflict) as error:
        return await _unsaved(request, id, read, error, kept=True)
    return go(f"/contents/{id}", "submitted")


async def add_file(request: Request, id: str) -> HTTPResponse:
    """Without script: a picture goes to the end of the text, anything else to the attachments."""
    desk, actor = desk_of(request), actor_of(request)
    content, revision = await writing.read(actor, desk, id)
    draft = draft_of(revision)
    try:
        data, name = given_file(request)
        row = await upload(actor, desk, drawing_of(request), data, name)
        draft = _with_file(draft, row, field(request, "alt", 200))
        await writing.save(actor, desk, id, draft, revision=_number(request))
    except (Invalid, Conflict) as error:
        return await _unsaved(request, id, Read(draft, (), content["revision"]), error)
    return go(f"/contents/{id}", "uploaded")


def _with_file(draft: Draft, row: Document, alt: str) -> Draft:
    parts = {name: getattr(draft, name) for name in ("kind", "column", "title", "digest", "meta")}
    if not str(row["type"]).startswith("image/"):
        return Draft(**parts, blocks=draft.blocks, files=(*draft.files, row["_id"]))
    if not alt:
        raise Invalid("图片要写一句替代文字，看不见的人靠它知道画面。", (FieldError("alt", "请写替代文字。"),))
    picture = {"kind": "img", "media": row["_id"], "alt": alt}
    return Draft(**parts, blocks=(*draft.blocks, picture), files=draft.files)


# ---- the text of one channel


async def set_variant(request: Request, id: str, account: str) -> HTTPResponse:
    content = await writing.content_of(desk_of(request), id)
    override = {"text": field(request, "text", 20_000)}
    try:
        changed = await writing.set_variant(
            actor_of(request), desk_of(request), id, account, override, revision=content["revision"]
        )
    except Invalid as error:
        if wants_data(request):
            raise
        draft = draft_of(await _newest(request, content))
        return await _page(request, content, draft, errors=error.errors, said=error.message, status=422)
    return await _saved(request, changed, ()) if wants_data(request) else go(f"/contents/{id}", "saved")


async def clear_variant(request: Request, id: str, account: str) -> HTTPResponse:
    content = await writing.content_of(desk_of(request), id)
    changed = await writing.clear_variant(
        actor_of(request), desk_of(request), id, account, revision=content["revision"]
    )
    return await _saved(request, changed, ()) if wants_data(request) else go(f"/contents/{id}", "automatic")


ROUTES = (
    Route("GET", "/contents/new", show_new, "content.write"),
    Route("POST", "/contents", create, "content.write", "form"),
    Route("GET", "/contents/<id:str>", show_editor, "content.read"),
    Route("POST", "/contents/<id:str>", save, "content.write", "form"),
    Route("POST", "/contents/<id:str>/take", take, "content.write", "form"),
    Route("POST", "/contents/<id:str>/submit", submit, "content.submit", "form"),
    Route("POST", "/contents/<id:str>/files", add_file, "content.write", "form"),
    Route("POST", "/contents/<id:str>/variants/<account:str>", set_variant, "content.write", "form"),
    Route("POST", "/contents/<id:str>/variants/<account:str>/clear", clear_variant, "content.write", "form"),
)
