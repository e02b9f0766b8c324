"""What the body of each kind of item must be, and what lists and search take out of it; nothing is stored."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.clock import to_milliseconds
from hub.domain import blocks
from hub.domain.errors import FieldError, Invalid
from hub.domain.first_answer import LONGEST
from hub.domain.services import check_service
from hub.store.search import terms_of

Json = dict[str, Any]

KINDS = (
    "article", "card", "column", "file", "service", "answer", "demand_status", "comment_state", "dataset", "autoreply",
    "callback",
)  # fmt: skip
ARTICLE_KINDS = ("news", "notice", "policy", "reading", "response", "personnel", "repost")
LARGEST_FILE = 10 * 1024 * 1024
MOST_RULES = 200  # of one account's table of automatic answers
_OFFICE = "application/vnd.openxmlformats-officedocument."
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
FILE_TYPES = (
    *PICTURE_TYPES, "application/pdf", "application/ofd", "application/msword", "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint", f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
)  # fmt: skip
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LINK = re.compile(r"(https?://[^/\s\\]|/(?![/\\]))[^\s\\]*")
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Checked:
    """A body that may be kept: its JSON text and hash, what lists show (`card`), terms and plain words to find it by.

    `content` is the decoded file of kind `file`; `pinned_until` says how long an article's notice stands above pages.
    """

    text: str
    hash: str
    card: Json = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    plain: str = ""
    pinned_until: datetime | None = None
    content: bytes | None = None


def canonical(value: Any) -> str:
    """The form that is hashed when hub and site compare: keys sorted, no spaces, letters as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file_term(sha256: str) -> str:
    """The word under which an item is found by a file that it names; no text contains it."""
    return f"file:{sha256}"


class _Reader:
    """Reads fields of one body and collects what is wrong with them."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self.errors: list[FieldError] = []

    def wrong(self, name: str, message: str) -> None:
        self.errors.append(FieldError(f"body.{name}", message))

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        value = self._body.get(name, "")
        if not isinstance(value, str) or len(value) > most or (needed and not value.strip()):
            self.wrong(name, f"应是{'' if needed else '至多'} {most} 字以内的文本{'，不能为空' if needed else ''}")
            return ""
        return value

    def words(self, name: str) -> list[str]:
        value = self._body.get(name, [])
        if not isinstance(value, list) or len(value) > 50 or not all(isinstance(word, str) for word in value):
            self.wrong(name, "应是若干个词")
            return []
        return value

    def whole(self, name: str, most: int) -> int:
        value = self._body.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            self.wrong(name, f"应是 0 到 {most} 的整数")
            return 0
        return value

    def link(self, name: str) -> str:
        """Where to go: a page of this site, or an address that browsers may be sent to."""
        value = self._body.get(name)
        if not isinstance(value, str) or len(value) > 2_000 or not _LINK.fullmatch(value):
            self.wrong(name, "应是以 http://、https:// 或单个 / 开头的地址")
            return ""
        return value

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._body.get(name)
        if value not in choices:
            self.wrong(name, f"应是其中之一：{'、'.join(choices)}")
            return ""
        return str(value)

    def finish(self) -> None:
        if self.errors:
            raise Invalid("内容里有字段不能接收。", tuple(self.errors))


def _blocks(read: _Reader, body: Mapping[str, Any]) -> list[Json]:
    try:
        return blocks.check(body.get("blocks"))
    except Invalid as error:
        read.errors += [FieldError(f"body.{each.field}", each.message) for each in error.errors]
        return []


def _files(read: _Reader, body: Mapping[str, Any], checked: list[Json]) -> list[str]:
    """Every file that the article names in blocks, pictures or files."""
    named = list(blocks.media_of(checked))
    for name in ("pictures", "files"):
        rows = body.get(name, [])
        if not isinstance(rows, list):
            read.wrong(name, "应是一个列表")
            continue
        for row in rows:
            sha256 = row.get("sha256") if isinstance(row, dict) else row
            if isinstance(sha256, str) and _SHA256.fullmatch(sha256):
                named.append(sha256)
            else:
                read.wrong(name, "每一项都要有 sha256（64 位十六进制）")
    return list(dict.fromkeys(named))


def _moment(read: _Reader, value: Any) -> datetime | None:
    try:
        return to_milliseconds(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        read.wrong("notice.until", "应是带时区的时间，如 2026-11-24T06:50:00.000Z")
        return None


def _pinned(read: _Reader, body: Mapping[str, Any]) -> tuple[str, datetime | None]:
    """The sentence that stands above every page, and until when."""
    notice = body.get("notice")
    if notice is None:
        return "", None
    text = notice.get("text") if isinstance(notice, dict) else None
    if not isinstance(text, str) or not 0 < len(text) <= 100:
        read.wrong("notice.text", "应是 100 字以内的一句话")
        return "", None
    until = _moment(read, notice["until"]) if "until" in notice else datetime(9999, 1, 1, tzinfo=UTC)
    return text, until


def _article(body: Json) -> Checked:
    read = _Reader(body)
    title, digest = read.text("title", 200, needed=True), read.text("digest", 1_000)
    column, kind = read.text("column", 40, needed=True), read.one_of("kind", ARTICLE_KINDS)
    if column and not _SLUG.fullmatch(column):
        read.wrong("column", "应是栏目的代号")
    source, keywords = read.text("source", 200), read.words("keywords")
    for name, most in (("author", 100), ("number", 100), ("original_url", 2_000)):
        read.text(name, most)
    checked = _blocks(read, body)
    files = _files(read, body, checked)
    notice, until = _pinned(read, body)
    read.finish()
    card = {"title": title, "digest": digest, "column": column, "kind": kind, "source": source, "notice": notice}
    plain = "\n".join([title, digest, *keywords, blocks.text_of(checked).text])
    text, terms = canonical(body), (*terms_of(plain), *map(file_term, files))
    return Checked(text, digest_of(text), card, terms, plain, until)


def _card(body: Json) -> Checked:
    """A card of the app: what its list shows, and where to read on."""
    read = _Reader(body)
    card: Json = {"title": read.text("title", 60, needed=True), "digest": read.text("digest", 200)}
    card |= {"column": read.text("column", 40), "kind": read.one_of("kind", ARTICLE_KINDS)}
    card |= {"source": read.text("source", 200), "link": read.link("link"), "districts": read.words("districts")}
    card["article"] = read.text("article", 80)
    if card["article"] and not _ID.fullmatch(card["article"]):
        read.wrong("article", "应是网站上那篇文章的编号")
    files = _files(read, body, [])
    card["picture"] = files[0] if files else ""
    pictures = body.get("pictures")
    first = pictures[0] if isinstance(pictures, list) and pictures else None
    alt = first.get("alt") if isinstance(first, dict) else ""
    card["alt"] = alt if isinstance(alt, str) else ""
    read.finish()
    text = canonical(body)
    return Checked(text, digest_of(text), card, tuple(map(file_term, files)))


def _column(body: Json) -> Checked:
    read = _Reader(body)
    card: Json = {"name": read.text("name", 40, needed=True), "description": read.text("description", 400)}
    card |= {"keywords": read.words("keywords"), "type": read.text("type", 40), "order": read.whole("order", 100_000)}
    card["public"] = body.get("public", True)
    if not isinstance(card["public"], bool):
        read.wrong("public", "应是 true 或 false")
    files = _files(read, body, [])
    read.finish()
    text = canonical(body)
    return Checked(text, digest_of(text), card, tuple(map(file_term, files)))


def _decoded(read: _Reader, data: Any) -> bytes:
    try:
        content = base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if not 0 < len(content) <= LARGEST_FILE:
        read.wrong("data", "应是 base64，解开后不为空、不超过 10 MiB")
    return content


def _file(body: Json) -> Checked:
    read = _Reader(body)
    kept = {name: value for name, value in body.items() if name != "data"}
    card: Json = {"type": read.one_of("type", FILE_TYPES), "name": read.text("name", 200)}
    card |= {"width": read.whole("width", 100_000), "height": read.whole("height", 100_000)}
    size, content = read.whole("size", LARGEST_FILE), _decoded(read, body.get("data"))
    if content and size != len(content):
        read.wrong("size", f"写的是 {size} 字节，收到的是 {len(content)} 字节")
    read.finish()
    text = canonical(kept)
    return Checked(text, digest_of(text), card, content=content)


def _service(body: Json) -> Checked:
    """The card is the whole entry: the directory is small, and is read whole for each question."""
    card = check_service({"_id": "entry", **body})
    del card["_id"]
    text = canonical(body)
    plain = "\n".join([card["name"], *card["aliases"]])
    return Checked(text, digest_of(text), card, tuple(terms_of(plain)), plain)


def _autoreply(body: Json) -> Checked:
    """自动答复表: a welcome, and answers by keyword. What would break an answer must not get here."""
    read = _Reader(body)
    read.text("welcome", LONGEST)
    rules = body.get("rules", [])
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        read.wrong("rules", f"应是至多 {MOST_RULES} 条规则的列表")
        rules = []
    for place, rule in enumerate(rules):
        one = _Reader(rule if isinstance(rule, dict) else {})
        if not one.words("words") or not one.text("text", LONGEST, needed=True):
            read.wrong(f"rules[{place}]", f"应有 words（若干个词）和 text（{LONGEST} 字以内，不能为空）")
    read.finish()
    return _plain(body)


def _callback(body: Json) -> Checked:
    """What proves an account's posts. An empty token proves nothing: so keys are taken away."""
    read = _Reader(body)
    for name in ("app_id", "token", "aes_key"):
        read.text(name, 200)
    read.finish()
    return _plain(body)


def _answer(body: Json) -> Checked:
    """An answer is found by its demand and by nothing else."""
    read = _Reader(body)
    demand = read.text("demand", 80, needed=True)
    read.text("text", 5_000, needed=True)
    read.finish()
    text = canonical(body)
    return Checked(text, digest_of(text), {"column": demand})


def _demand_status(body: Json) -> Checked:
    """The progress of one demand; masked by the hub, in no term and on no card."""
    read = _Reader(body)
    for name, most in (("number", 40), ("title", 200), ("state", 40), ("said", 40), ("district", 100), ("kind", 40),
                       ("at", 40), ("due", 40), ("office", 100), ("wanted", 600)):  # fmt: skip
        read.text(name, most)
    for name in ("steps", "answers"):
        rows = body.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            read.wrong(name, "应是一个列表")
    own = body.get("own", {})
    if not isinstance(own, dict):
        read.wrong("own", "应是一个 JSON 对象")
    read.finish()
    return _plain(body)


def _plain(body: Json) -> Checked:
    text = canonical(body)
    return Checked(text, digest_of(text))


_BY_KIND: Mapping[str, Callable[[Json], Checked]] = {
    "article": _article, "card": _card, "column": _column, "file": _file, "service": _service,
    "autoreply": _autoreply, "callback": _callback, "answer": _answer, "demand_status": _demand_status,
}  # fmt: skip


def check_body(kind: str, id: str, body: Json) -> Checked:
    """The body as it may be kept; Invalid names every field that is not acceptable."""
    checked = _BY_KIND.get(kind, _plain)(body)
    if checked.content is not None and hashlib.sha256(checked.content).hexdigest() != id:
        raise Invalid("文件与编号不符。", (FieldError("id", "编号应是文件内容的 sha256"),))
    if kind == "column" and not _SLUG.fullmatch(id):
        raise Invalid("栏目代号不对。", (FieldError("id", "应以小写字母开头，只含小写字母、数字和短横线"),))
    return checked
