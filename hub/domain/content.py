"""稿件: kinds and fields, states and moves, revisions, the hash of all that goes out; reviews are in review.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hub.domain.blocks import check, digest_of, media_of
from hub.domain.errors import FieldError, Invalid
from hub.domain.runs import is_link, is_media, line

Json = dict[str, Any]

LONGEST_TITLE = 80
LONGEST_DIGEST = 300
MOST_FILES = 50
OPENNESS = ("主动公开", "依申请公开", "不予公开")
VALIDITY = ("有效", "已修改", "失效")

# ---- states


@dataclass(frozen=True)
class Move:
    """One legal move of a content: in `state`, on `event`, to `to`; `act` is the right it needs."""

    state: str
    event: str
    to: str
    act: str


STATES = {"draft": "草稿", "in_review": "送审中", "approved": "已审签"}
MOVES = (
    Move("draft", "edit", "draft", "content.write"),
    Move("in_review", "edit", "draft", "content.write"),
    Move("approved", "edit", "draft", "content.write"),
    Move("draft", "submit", "in_review", "content.submit"),
    Move("in_review", "pass", "in_review", "content.review"),
    Move("in_review", "approve", "approved", "content.review"),
    Move("in_review", "return", "draft", "content.review"),
    Move("approved", "return", "draft", "content.review"),
)


def move(state: str, event: str) -> Move:
    """The move this event makes from this state. Raises Invalid where there is none."""
    for each in MOVES:
        if each.state == state and each.event == event:
            return each
    raise Invalid(f"稿件现在是“{STATES.get(state, state)}”，不能这样操作。请刷新后再看。")


# ---- the facts beside the text


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise ValueError("请写 300 字以内的文字。")
    return line(value)


def _words(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > 20 or not all(isinstance(word, str) for word in value):
        raise ValueError("请写 20 个以内的词。")
    return list(dict.fromkeys(word for each in value if (word := line(each)[:30])))


def _address(value: Any) -> str:
    if not is_link(value):
        raise ValueError("请写以 http:// 或 https:// 开头的完整网址。")
    return str(value)


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("请写成 2026-11-24 这样的日期。") from None


_NUMBER = re.compile(r"[\u4e00-\u9fff]{2,16}〔(?:19|20)\d{2}〕[1-9]\d{0,4}号")


def _number(value: Any) -> str:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError("发文字号请写成“云政发〔2026〕3号”，年份用六角括号〔〕，序号前不加“第”，不补 0。")
    return value


def _one_of(choices: Sequence[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"请从中选一个：{'、'.join(choices)}。")
        return str(value)

    return read


@dataclass(frozen=True)
class Fact:
    """One field of `meta`: its Chinese name, how it is read, and whether a submitted content must have it."""

    name: str
    read: Callable[[Any], Any]
    needed: bool = False


@dataclass(frozen=True)
class Kind:
    """稿件种类: its Chinese name and its fields beyond the common ones."""

    name: str
    facts: Mapping[str, Fact]


_COMMON = {
    "source": Fact("来源", _text, needed=True),
    "keywords": Fact("关键词", _words),
    "author_name": Fact("作者", _text),
    "department_name": Fact("供稿单位", _text),
}
_POLICY = {
    "issuer": Fact("发文机关", _text, needed=True),
    "number": Fact("发文字号", _number, needed=True),
    "signed_on": Fact("成文日期", _day, needed=True),
    "released_on": Fact("发布日期", _day),
    "index_number": Fact("索引号", _text),
    "subject": Fact("主题分类", _text),
    "openness": Fact("公开属性", _one_of(OPENNESS), needed=True),
    "openness_reason": Fact("不予公开的理由", _text),
    "validity": Fact("有效性", _one_of(VALIDITY)),
    "valid_until": Fact("有效期至", _day),
    "reading": Fact("对应解读", _text),
}
_REPOST = {"source_url": Fact("原文网址", _address, needed=True), "title_remark": Fact("改题说明", _text)}
KINDS: Mapping[str, Kind] = {
    "news": Kind("动态", {}),
    "notice": Kind("通知公告", {"issuer": Fact("发布单位", _text)}),
    "policy": Kind("政策文件", _POLICY),
    "reading": Kind("解读", {"reading_of": Fact("解读的文件", _text)}),
    "response": Kind("回应", {"issue": Fact("回应的事项", _text)}),
    "personnel": Kind("人事", {"issuer": Fact("任免机关", _text)}),
    "repost": Kind("转载", _REPOST),
}


def facts_of(kind: str) -> Mapping[str, Fact]:
    """Every field that a content of this kind may carry in `meta`."""
    if kind not in KINDS:
        raise Invalid(f"稿件种类请从中选一个：{'、'.join(each.name for each in KINDS.values())}。")
    return {**_COMMON, **KINDS[kind].facts}


def check_meta(kind: str, meta: Mapping[str, Any]) -> Json:
    """The facts in canonical form; empty ones are left out. Raises Invalid naming every field that must change."""
    facts = facts_of(kind)
    errors = [FieldError(f"meta.{name}", "这个种类的稿件没有这一项，请删去。") for name in meta if name not in facts]
    result: Json = {}
    for name, fact in facts.items():
        if meta.get(name) in (None, "", [], ()):
            continue
        try:
            read = fact.read(meta[name])
        except ValueError as error:
            errors.append(FieldError(f"meta.{name}", f"{fact.name}：{error}"))
            continue
        if read:
            result[name] = read
    if errors:
        raise Invalid("稿件信息有几处要修改。", tuple(errors))
    return result


# ---- revisions and hashes


@dataclass(frozen=True)
class Draft:
    """What a writer hands over to be kept as a revision; checked and canonical after `check_draft`."""

    kind: str
    column: str
    title: str
    digest: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    files: Sequence[str] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


def _check_heads(draft: Draft) -> list[FieldError]:
    errors: list[FieldError] = []
    if not line(draft.title) or len(line(draft.title)) > LONGEST_TITLE:
        errors.append(FieldError("title", f"请写标题，{LONGEST_TITLE} 字以内。"))
    if len(line(draft.digest)) > LONGEST_DIGEST:
        errors.append(FieldError("digest", f"摘要请控制在 {LONGEST_DIGEST} 字以内。"))
    if len(draft.files) > MOST_FILES or not all(map(is_media, draft.files)):
        errors.append(FieldError("files", f"附件要先上传到媒体库，最多 {MOST_FILES} 个。"))
    return errors


def check_draft(draft: Draft) -> Draft:
    """The draft in canonical form. Raises Invalid with every field that must change."""
    errors = _check_heads(draft)
    meta: Json = {}
    blocks: list[Json] = []
    for part in ("meta", "blocks"):
        try:
            if part == "meta":
                meta = check_meta(draft.kind, dict(draft.meta))
            else:
                blocks = check(list(draft.blocks))
        except Invalid as error:
            errors.extend(error.errors or (FieldError(part, error.message),))
    if errors:
        raise Invalid("稿件有几处要修改。", tuple(errors))
    files = tuple(dict.fromkeys(draft.files))
    return Draft(draft.kind, draft.column, line(draft.title), line(draft.digest), tuple(blocks), files, meta)


def missing_of(draft: Draft) -> list[FieldError]:
    """What a draft may lack while it is written, but not when it goes to review."""
    errors = [
        FieldError(f"meta.{name}", f"{KINDS[draft.kind].name}要写明{fact.name}。")
        for name, fact in facts_of(draft.kind).items()
        if fact.needed and not draft.meta.get(name)
    ]
    if not draft.blocks:
        errors.append(FieldError("blocks", "正文还是空的。"))
    if not draft.column:
        errors.append(FieldError("column", "请选一个栏目。"))
    if draft.kind == "policy" and draft.meta.get("openness") == "不予公开" and not draft.meta.get("openness_reason"):
        errors.append(FieldError("meta.openness_reason", "选了不予公开，请写明理由。"))
    return errors


def body_of(draft: Draft) -> Json:
    """The body of a revision as plain data, all of it hashed: column and kind too, for they decide on the reviews."""
    return {
        "kind": draft.kind,
        "column": draft.column,
        "title": draft.title,
        "digest": draft.digest,
        "blocks": list(draft.blocks),
        "files": list(draft.files),
        "meta": dict(draft.meta),
    }


def draft_of(revision: Mapping[str, Any]) -> Draft:
    """The draft that this revision holds."""
    kind, column, title, digest = (str(revision.get(name, "")) for name in ("kind", "column", "title", "digest"))
    return Draft(kind, column, title, digest, revision["blocks"], revision["files"], revision["meta"])


def revise(content: str, number: int, draft: Draft, *, by: str, at: datetime) -> Json:
    """The immutable revision document of a checked draft."""
    body = body_of(draft)
    place = {"_id": f"{content}:{number}", "content": content, "number": number}
    return {**place, **body, "hash": digest_of(body), "by": by, "at": at}


def files_of(draft: Draft) -> tuple[str, ...]:
    """Every stored file that goes out with the draft: files beside the text and those its blocks show, sorted."""
    return tuple(sorted({*draft.files, *media_of([dict(block) for block in draft.blocks])}))


def package_hash(body: str, variants: Mapping[str, Mapping[str, Any]], files: Sequence[str]) -> str:
    """送审指纹: sha256 over the revision, each overridden variant and every file; approvals hold for this."""
    overridden = {account: variant["hash"] for account, variant in variants.items() if variant.get("override")}
    return digest_of({"body": body, "variants": overridden, "files": sorted(set(files))})


# ---- variants written by hand


def check_override(override: Mapping[str, Any]) -> Json:
    """渠道版本 written by hand: any of title, digest, text (plain) and blocks. Raises Invalid."""
    if unknown := set(override) - {"title", "digest", "text", "blocks"}:
        errors = tuple(FieldError(name, "没有这一项。") for name in sorted(unknown))
        raise Invalid("渠道版本只能改标题、摘要和正文。", errors)
    result: Json = {name: line(str(override[name])) for name in ("title", "digest") if override.get(name)}
    if override.get("text"):
        text = str(override["text"]).replace("\r\n", "\n").strip()
        if len(text) > 20_000:
            raise Invalid("渠道版本的文字太长。", (FieldError("text", "请控制在 20000 字以内。"),))
        result["text"] = "\n".join(line(each) for each in text.split("\n"))
    if override.get("blocks"):
        result["blocks"] = check(override["blocks"])
    if not result:
        raise Invalid("渠道版本还是空的。要用自动生成的，请按“恢复自动”。")
    return result
